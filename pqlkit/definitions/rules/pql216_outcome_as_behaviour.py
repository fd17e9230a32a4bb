"""The rule PQL216: the outcome among the behaviours that should foretell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.model import Criterion, Ref
from pqlkit.definitions.rules.lint_rule import Example, Finding, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find the outcome's event, or the definition that is the outcome, under `qualify`."""
    outcome = subject.definition.outcome
    if outcome is None:
        return
    for placed in subject.placed:
        node = placed.node
        if (
            isinstance(node, Criterion)
            and outcome.final_event is not None
            and outcome.final_event in (node.events or ())
        ):
            yield Finding(
                path=(*placed.path, "event"),
                message=f"{outcome.event!r} is the outcome itself: it cannot foretell itself",
                hint="ask for what comes before it",
            )
        if isinstance(node, Ref) and outcome.definition is not None and node.name == outcome.definition.name:
            yield Finding(
                path=(*placed.path, "ref"),
                message=f"{node.name!r} is the outcome itself: it cannot foretell itself",
                hint="ask for what comes before it",
            )


RULE = Rule(
    code=Code("PQL216", "outcome-as-behaviour"),
    what="The event of `outcome.event`, or the definition of `outcome.definition`, under `qualify`.",
    why="Events at the conversion or after it do not count, so the criterion never holds in time; and if it did, it would say "
    "nothing that the conversion does not say.",
    fix="Ask for what people do before the outcome.",
    bad=Example(
        text="""qualify: {event: Submit Upgrade, within: 14d}
outcome: {within: 30d, event: Submit Upgrade}
"""
    ),
    good=Example(
        text="""qualify: {event: Plan Compared, within: 14d}
outcome: {within: 30d, event: Submit Upgrade}
"""
    ),
    check=check,
)
