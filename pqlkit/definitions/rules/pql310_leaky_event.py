"""The rule PQL310: an event that leaks the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.facts import DefinitionFacts, Facts, LeakFacts, NameFacts
from pqlkit.definitions.model import Criterion
from pqlkit.definitions.rules.lint_rule import Example, Finding, Need, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject

EXPECTED_OF_MECHANICAL = {"near-deterministic", "suspect"}


def check(subject: Subject) -> Iterator[Finding]:
    """Find criteria over events that the leak screen suspects; a mechanical one may be near-deterministic."""
    leaks = {leak.event: leak for leak in subject.figures.leaks} if subject.figures is not None else {}
    for placed in subject.placed:
        if not isinstance(placed.node, Criterion):
            continue
        for event in placed.node.events or ():
            leak = leaks.get(event)
            if leak is None or (placed.node.mechanical and leak.reason in EXPECTED_OF_MECHANICAL):
                continue
            yield Finding(
                path=(*placed.path, "event"),
                message=f"{event!r} is {_SAID.get(leak.reason, leak.reason)}: {leak.evidence}",
                hint="ask for what comes before it",
            )


_SAID = {
    "part-of-conversion": "part of the conversion",
    "follows-conversion": "a consequence of the conversion",
    "near-deterministic": "nearly the same as the conversion",
    "suspect": "suspected of following the conversion",
}


def _data(*leaks: LeakFacts) -> Facts:
    return Facts(source="data/", names=NameFacts(), definitions={"example": DefinitionFacts(leaks=leaks)})


RULE = Rule(
    code=Code("PQL310", "leaky-event", Severity.WARNING),
    what="A criterion over an event that is part of the conversion, follows it, or happens almost only to those who convert.",
    why="It says that somebody buys while they buy: the rate looks splendid and every lead comes too late.",
    fix="Ask for what people do before. If the event truly comes first by construction (a limit is reached), write "
    "`mechanical: true`.",
    bad=Example(
        text="qualify: {event: checkout_opened, within: 14d}\n",
        facts=_data(
            LeakFacts(
                event="checkout_opened",
                reason="part-of-conversion",
                evidence="71 % fire in the hour before a conversion",
            )
        ),
        note="where 71 % of `checkout_opened` fire in the hour before a conversion",
    ),
    good=Example(text="qualify: {event: teammate_invited, within: 14d}\n", facts=_data()),
    check=check,
    need=Need.DATA,
)
