"""The rule PQL311: eligibility that follows the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.facts import DefinitionFacts, EligibilityFacts, Facts, NameFacts
from pqlkit.definitions.rules.lint_rule import Example, Finding, Need, Rule
from pqlkit.definitions.rules.pql303_unknown_trait import conditions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject

FEWEST: Final = 5
MARGIN: Final = 0.1
TIMES: Final = 2.0
HEADS: Final = 30
DECIDES: Final = 0.8


def check(subject: Subject) -> Iterator[Finding]:
    """Find conditions that remove converters far more often than others, or keep hardly anybody else."""
    if subject.figures is None:
        return
    places = conditions(subject)
    for found in subject.figures.eligibility:
        if found.condition >= len(places):
            continue
        message = None
        if _follows(found):
            message = (
                f"removes {found.converters_removed:,} of {found.converters:,} converters, "
                f"but {found.others_removed:,} of {found.others:,} others"
            )
        elif _decides(found):
            message = (
                f"keeps {found.converters - found.converters_removed:,} of {found.converters:,} converters, "
                f"but {found.others - found.others_removed:,} of {found.others:,} others"
            )
        if message is not None:
            hint = f"{found.trait!r} looks like today's value: use one from before the conversion"
            yield Finding(path=places[found.condition], message=message, hint=hint)


def _follows(found: EligibilityFacts) -> bool:
    if found.converters_removed < FEWEST or not found.converters:
        return False
    mine = found.converters_removed / found.converters
    other = found.others_removed / found.others if found.others else 0.0
    return mine > TIMES * other and mine > other + MARGIN


def _decides(found: EligibilityFacts) -> bool:
    """Say whether nearly all that it keeps convert (as the leak screen says it of a trait's value)."""
    everybody = found.converters + found.others
    mine = found.converters - found.converters_removed
    kept = mine + found.others - found.others_removed
    bound = max(DECIDES, 1 - (1 - found.converters / everybody) / 4) if everybody else 1.0
    return kept >= HEADS and found.others_removed > 0 and mine >= bound * kept


def _data(removed: int) -> Facts:
    found = EligibilityFacts(
        condition=0, trait="plan", converters=310, converters_removed=removed, others=3_800, others_removed=95
    )
    return Facts(source="data/", names=NameFacts(), definitions={"example": DefinitionFacts(eligibility=(found,))})


RULE = Rule(
    code=Code("PQL311", "eligibility-follows-outcome", Severity.WARNING),
    what="A condition of `eligible` removes converters more than twice as often as others, or keeps hardly anybody but them.",
    why="The trait holds today's value (the plan that they bought), so the very people who converted are left out of the "
    "test, or make up all of it, and every rate is meaningless.",
    fix="Use a trait that was fixed at signup, or give its history in `pqlkit.yml`. That somebody was no customer yet is "
    "known from the conversions; it needs no condition.",
    bad=Example(
        text="eligible: [{trait: plan, in: [free]}]\n",
        facts=_data(288),
        note="where this removes 288 of 310 converters, but 95 of 3,800 others",
    ),
    good=Example(text="eligible: [{trait: signup_plan, in: [free]}]\n", facts=_data(9)),
    check=check,
    need=Need.DATA,
)
