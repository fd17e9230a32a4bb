"""The rule PQL203: a part that another part already implies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.implication import node_implies
from pqlkit.definitions.model import All, Any, Criterion, Ref
from pqlkit.definitions.rules.lint_rule import Example, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pqlkit.definitions.positions import Placed
    from pqlkit.definitions.rules.lint_rule import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find parts that change nothing: the weaker under ``all``, the stronger under ``any``."""
    if subject.by_points:
        return
    for placed in subject.placed:
        if isinstance(placed.node, All):
            yield from _redundant(_flat(placed, All), subject, weaker=True)
        elif isinstance(placed.node, Any):
            yield from _redundant(_flat(placed, Any), subject, weaker=False)


def _flat(placed: Placed, kind: type[All] | type[Any]) -> list[Placed]:
    """Give the parts, with those of directly nested nodes of the same kind in their stead."""
    parts: list[Placed] = []
    for part in placed.parts:
        parts += _flat(part, kind) if isinstance(part.node, kind) else [part]
    return parts


def _redundant(parts: Sequence[Placed], subject: Subject, *, weaker: bool) -> Iterator[Finding]:
    dropped: set[int] = set()
    for i in reversed(range(len(parts))):
        others = (j for j in range(len(parts)) if j != i and j not in dropped)
        for j in others:
            first, second = (parts[j], parts[i]) if weaker else (parts[i], parts[j])
            if _implied(first, second, subject):
                dropped.add(i)
                yield _finding(parts[i], parts[j], weaker=weaker)
                break


def _implied(first: Placed, second: Placed, subject: Subject) -> bool:
    return isinstance(second.node, Criterion | Ref) and node_implies(first.node, second.node, subject.definition.anchor)


def _finding(part: Placed, other: Placed, *, weaker: bool) -> Finding:
    if weaker:
        message = f"changes nothing: {_name(other)} can only hold while this holds"
    else:
        message = f"changes nothing: this can only hold while {_name(other)} holds"
    return Finding(path=part.path, message=message, hint="drop it, or make it say something of its own")


def _name(placed: Placed) -> str:
    return repr(placed.node.id) if isinstance(placed.node, Criterion | Ref) else "another part"


RULE = Rule(
    code=Code("PQL203", "implied", Severity.WARNING),
    what="A part that another part already implies: under `all` the weaker of two changes nothing, under `any` the stronger.",
    why="Readers take it for a condition of its own. It is met by everybody who counts, and its row in a report says nothing.",
    fix="Drop it. If it was meant to say something else, look at its event, window and threshold.",
    bad=Example(
        text="""within: 14d
qualify:
  all:
    - {id: five, event: login, at_least: 5}
    - {id: two, event: login, at_least: 2}
"""
    ),
    good=Example(
        text="""within: 14d
qualify:
  all:
    - {event: login, at_least: 5}
    - {event: project_created, at_least: 2}
"""
    ),
    check=check,
)
