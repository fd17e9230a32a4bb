"""The rule PQL308: a bound of ``expect`` that the data does not keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.facts import DefinitionFacts, Facts, NameFacts, Proportion
from pqlkit.definitions.rules.lint_rule import Example, Finding, Need, Rule
from pqlkit.definitions.rules.pql307_rate_not_above_base import said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.model import Bounds
    from pqlkit.definitions.rules.lint_rule import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Compare rate and share with their bounds: outside with its whole interval is an error, the estimate alone a warning."""
    expect, figures = subject.definition.expect, subject.figures
    if expect is None or figures is None:
        return
    if expect.rate is not None:
        yield from _held(expect.rate, figures.qualifications, "rate")
    if expect.share is not None:
        yield from _held(expect.share, figures.share, "share")


def _held(bounds: Bounds, proportion: Proportion | None, name: str) -> Iterator[Finding]:
    if proportion is None:
        return
    value, low, high = proportion.value, proportion.low, proportion.high
    if value is None or low is None or high is None:
        yield Finding(
            path=("expect", name),
            message=f"the {name} cannot be judged: nobody counts yet",
            hint="wait until the conversion window of the first who qualified is over",
            severity=Severity.WARNING,
        )
        return
    if bounds.at_least is not None and value < bounds.at_least:
        yield _missed(name, "at_least", bounds.at_least, proportion, sure=high < bounds.at_least)
    if bounds.at_most is not None and value > bounds.at_most:
        yield _missed(name, "at_most", bounds.at_most, proportion, sure=low > bounds.at_most)


def _missed(name: str, key: str, bound: float, measured: Proportion, *, sure: bool) -> Finding:
    side = "below" if key == "at_least" else "above"
    how = "its whole interval lies outside" if sure else "the estimate alone; chance may do it"
    return Finding(
        path=("expect", name, key),
        message=f"the {name} is {said(measured)}, {side} {100 * bound:g} %",
        hint=how,
        severity=Severity.ERROR if sure else Severity.WARNING,
    )


def _data(converted: int, low: float, high: float) -> Facts:
    figures = DefinitionFacts(qualifications=Proportion(numerator=converted, denominator=500, low=low, high=high))
    return Facts(source="data/", names=NameFacts(), definitions={"example": figures})


RULE = Rule(
    code=Code("PQL308", "expectation-missed"),
    what="The PQL conversion rate or the share lies outside the bounds under `expect`. An error if the whole 95 % interval does, a "
    "warning if only the estimate does.",
    why="`expect` is what the team has agreed to hold the definition to.",
    fix="Find out what changed (`pqlkit report`), then revise the definition or the bound.",
    bad=Example(
        text="expect: {rate: {at_least: 15%}}\n",
        facts=_data(40, 0.0593, 0.1071),
        note="where 40 of 500 converted: 8.0 % [5.9, 10.7]",
    ),
    good=Example(text="expect: {rate: {at_least: 15%}}\n", facts=_data(90, 0.149, 0.216)),
    check=check,
    need=Need.DATA,
)
