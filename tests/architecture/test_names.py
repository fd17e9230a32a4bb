"""Names of locals and parameters say the thing: a row, a criterion, a share."""

from __future__ import annotations

import ast

from tests.architecture.trees import nodes

EMPTY = {"one", "found"}


def bound(node: ast.AST) -> str | None:
    """Give the name that a node binds: a parameter, a target of an assignment, a loop or a comprehension, a capture."""
    match node:
        case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.MatchAs(name=name) | ast.MatchStar(name=name):
            return name
        case _:
            return None


def test_no_local_and_no_parameter_has_a_name_that_says_nothing() -> None:
    nameless = [
        f"{path}:{node.lineno} {bound(node)}"
        for path, node in nodes()
        if isinstance(node, ast.arg | ast.expr | ast.pattern) and bound(node) in EMPTY
    ]
    assert nameless == []
