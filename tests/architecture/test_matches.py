"""A new member of an enumeration is missed by no match: the type checker names every place that has to know it."""

from __future__ import annotations

import ast

from tests.architecture.trees import nodes


def over_members(pattern: ast.pattern) -> bool:
    """Say whether a pattern names a member of an enumeration."""
    match pattern:
        case ast.MatchValue(value=ast.Attribute(value=ast.Name(id=name))):
            return name[:1].isupper()
        case ast.MatchOr(patterns=parts) | ast.MatchSequence(patterns=parts):
            return any(over_members(part) for part in parts)
        case ast.MatchAs(pattern=ast.pattern() as inner):
            return over_members(inner)
    return False


def leaves(body: list[ast.stmt]) -> bool:
    return isinstance(body[-1], ast.Return | ast.Raise)


def is_never(case: ast.match_case) -> bool:
    last = case.body[-1]
    return isinstance(last, ast.Expr) and ast.unparse(last).startswith("assert_never(")


def test_a_match_over_an_enumeration_names_every_member() -> None:
    """It has no "and whatever else" but `assert_never`; without that, each case leaves, so that a missing one is a missing return."""
    seen = 0
    for path, node in nodes():
        if not isinstance(node, ast.Match) or not any(over_members(case.pattern) for case in node.cases):
            continue
        seen += 1
        place = f"{path}:{node.lineno}"
        open_ends = [case for case in node.cases if case.guard is None and isinstance(case.pattern, ast.MatchAs)]
        rest = [case for case in open_ends if case.pattern.pattern is None]  # type: ignore[attr-defined]
        assert all(is_never(case) for case in rest), place
        assert rest or all(leaves(case.body) for case in node.cases), f"{place}: end it in assert_never"
    assert seen > 25
