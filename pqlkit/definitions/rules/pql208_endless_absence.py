"""The rule PQL208: something must not happen in a window that does not end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.model import Criterion, Not, Ref, WindowKind, leaves
from pqlkit.definitions.rules.lint_rule import Example, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.positions import Placed
    from pqlkit.definitions.rules.lint_rule import Subject

_ENDLESS = {WindowKind.ROLLING, WindowKind.EVER}


def check(subject: Subject) -> Iterator[Finding]:
    """Find ``at_most`` and ``not`` over ``rolling``, ``ever`` and refs."""
    for placed in subject.placed:
        if isinstance(placed.node, Criterion):
            yield from _at_most(placed.node, placed)
        elif isinstance(placed.node, Not):
            yield from _not(placed.node, placed)


def _at_most(criterion: Criterion, placed: Placed) -> Iterator[Finding]:
    if criterion.at_most is None or criterion.measure.kind.facts.state:
        return
    if criterion.window.kind in _ENDLESS:
        yield Finding(
            path=(*placed.path, "at_most"),
            key=True,
            message=f"at_most needs a window that ends, and {criterion.window.kind.value} does not",
            hint="use within (judged at its end) or trailing (judged again and again)",
        )


def _not(node: Not, placed: Placed) -> Iterator[Finding]:
    for leaf in leaves(node.part):
        if isinstance(leaf, Ref):
            why = f"a ref ({leaf.name}) can be met at any time"
        elif leaf.window.kind in _ENDLESS:
            why = f"the window of {leaf.id!r} ({leaf.window.kind.value}) does not"
        else:
            continue
        yield Finding(
            path=(*placed.path, "not"),
            key=True,
            message=f"not needs windows that end, and {why}",
            hint="use within or trailing inside it",
        )
        return


RULE = Rule(
    code=Code("PQL208", "endless-absence"),
    what="`at_most` or `not` over `rolling`, `ever` or a `ref`: windows that never end.",
    why="That something has not happened can only be known once the time in which it could is over. Before, everybody "
    "would qualify at signup and lose it later.",
    fix="Use `within` (judged once, when the window is over) or `trailing` (judged again and again).",
    bad=Example(text="qualify: {event: support_ticket, at_most: 2, ever: true}\n"),
    good=Example(text="qualify: {event: support_ticket, at_most: 2, within: 14d}\n"),
    check=check,
)
