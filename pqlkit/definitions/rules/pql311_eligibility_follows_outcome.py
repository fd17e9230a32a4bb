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
    for eligibility_facts in subject.figures.eligibility:
        if eligibility_facts.condition >= len(places):
            continue
        message = None
        if _follows(eligibility_facts):
            message = (
                f"removes {eligibility_facts.converters_removed:,} of {eligibility_facts.converters:,} converters, "
                f"but {eligibility_facts.others_removed:,} of {eligibility_facts.others:,} others"
            )
        elif _decides(eligibility_facts):
            message = (
                f"keeps {eligibility_facts.converters - eligibility_facts.converters_removed:,} of {eligibility_facts.converters:,} converters, "
                f"but {eligibility_facts.others - eligibility_facts.others_removed:,} of {eligibility_facts.others:,} others"
            )
        if message is not None:
            hint = f"{eligibility_facts.trait!r} looks like today's value: use one from before the conversion"
            yield Finding(path=places[eligibility_facts.condition], message=message, hint=hint)


def _follows(eligibility_facts: EligibilityFacts) -> bool:
    if eligibility_facts.converters_removed < FEWEST or not eligibility_facts.converters:
        return False
    mine = eligibility_facts.converters_removed / eligibility_facts.converters
    other = eligibility_facts.others_removed / eligibility_facts.others if eligibility_facts.others else 0.0
    return mine > TIMES * other and mine > other + MARGIN


def _decides(eligibility_facts: EligibilityFacts) -> bool:
    """Say whether nearly all that it keeps convert (as the leak screen says it of a trait's value)."""
    everybody = eligibility_facts.converters + eligibility_facts.others
    mine = eligibility_facts.converters - eligibility_facts.converters_removed
    kept = mine + eligibility_facts.others - eligibility_facts.others_removed
    bound = max(DECIDES, 1 - (1 - eligibility_facts.converters / everybody) / 4) if everybody else 1.0
    return kept >= HEADS and eligibility_facts.others_removed > 0 and mine >= bound * kept


def _data(removed: int) -> Facts:
    eligibility_facts = EligibilityFacts(
        condition=0, trait="plan", converters=310, converters_removed=removed, others=3_800, others_removed=95
    )
    return Facts(
        source="data/", names=NameFacts(), definitions={"example": DefinitionFacts(eligibility=(eligibility_facts,))}
    )


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
