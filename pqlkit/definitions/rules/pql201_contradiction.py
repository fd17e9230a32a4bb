"""The rule PQL201: bounds that exclude each other."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.implication import contradicts, node_implies, unsatisfiable
from pqlkit.definitions.model import All, Criterion, Not, WindowKind, leaves
from pqlkit.definitions.rules.lint_rule import Example, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.model import Bounds, Condition
    from pqlkit.definitions.positions import Placed
    from pqlkit.definitions.rules.lint_rule import Subject
    from pqlkit.definitions.yaml_source import Path


def check(subject: Subject) -> Iterator[Finding]:
    """Find bounds, conditions and parts that cannot hold together."""
    definition = subject.definition
    for placed in subject.placed:
        if isinstance(placed.node, Criterion):
            yield from _bounds(placed.node, placed.path)
            yield from _conditions(placed.node.where, (*placed.path, "where"))
        elif isinstance(placed.node, All) and not subject.by_points:
            yield from _parts(placed, subject)
    yield from _conditions(definition.eligible, ("eligible",))
    if definition.outcome is not None:
        yield from _conditions(definition.outcome.where, ("outcome", "where"))
    if definition.expect is not None:
        yield from _expected(definition.expect.rate, "rate")
        yield from _expected(definition.expect.share, "share")


def _bounds(criterion: Criterion, path: Path) -> Iterator[Finding]:
    low, high = criterion.at_least, criterion.at_most
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        yield Finding(
            path=(*path, "at_least"),
            message=f"at_least {low} and at_most {high} exclude each other",
            hint="swap the bounds, or drop one",
        )


def _conditions(conditions: tuple[Condition, ...], path: Path) -> Iterator[Finding]:
    pair = unsatisfiable(conditions)
    if pair is not None:
        yield Finding(
            path=path,
            message=f"no {pair[0].name!r} passes all of these conditions",
            hint=f"they ask for {_said(pair[0])} and {_said(pair[1])}" if pair[0] != pair[1] else "the list is empty",
        )


def _said(condition: Condition) -> str:
    return f"{condition.operator.value} {', '.join(str(value) for value in condition.values)}"


def _expected(bounds: Bounds | None, name: str) -> Iterator[Finding]:
    if bounds is None or bounds.at_least is None or bounds.at_most is None:
        return
    if bounds.at_least > bounds.at_most:
        yield Finding(
            path=("expect", name),
            message=f"expect.{name}: at_least {bounds.at_least:g} and at_most {bounds.at_most:g} exclude each other",
            hint="swap the bounds",
        )


def _parts(placed: Placed, subject: Subject) -> Iterator[Finding]:
    for first, second in permutations(placed.parts, 2):
        clash = _clash(first, second, subject)
        if clash is not None:
            yield Finding(
                path=second.path,
                message=f"can never hold together with {_name(first)}: {clash}",
                hint="loosen one of the two, or put them under any",
            )


def _clash(first: Placed, second: Placed, subject: Subject) -> str | None:
    a, b = first.node, second.node
    if isinstance(a, Criterion) and isinstance(b, Criterion) and contradicts(a, b):
        return "it asks for more than this allows"
    forbidden = b.part if isinstance(b, Not) and isinstance(b.part, Criterion) else None
    if forbidden is None or forbidden.window.kind is not WindowKind.WITHIN:
        return None
    implied = node_implies(a, forbidden, subject.definition.anchor)
    return "it asks for what this forbids" if implied else None


def _name(placed: Placed) -> str:
    leaf = next(leaves(placed.node))
    return repr(leaf.id)


RULE = Rule(
    code=Code("PQL201", "contradiction"),
    what="Bounds, conditions or parts under `all` that exclude each other.",
    why="Nobody can ever qualify, and nothing else about the definition can be judged.",
    fix="Swap the bounds, widen one of them, or put the parts under `any`.",
    bad=Example(
        text="""qualify: {event: login, at_least: 10, at_most: 3, within: 14d}
"""
    ),
    good=Example(
        text="""qualify: {event: login, at_least: 3, at_most: 10, within: 14d}
"""
    ),
    check=check,
)
