"""The rule PQL307: a rate that is not above the base rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.definitions.codes import Code
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.facts import DefinitionFacts, Facts, NameFacts, Proportion
from pqlkit.definitions.rules.lint_rule import Example, Finding, Need, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.definitions.rules.lint_rule import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Compare the snapshots that meet the rule with all snapshots."""
    figures = subject.figures
    if (
        figures is None
        or figures.snapshot_with is None
        or figures.snapshot_base is None
        or subject.definition.milestone
    ):
        return
    mine, base = figures.snapshot_with.value, figures.snapshot_base.value
    if mine is None or base is None:
        return
    if mine <= base:
        yield Finding(path=("qualify",), key=True, message=f"{_rate(figures)}: not above it", hint=_HINT)
    elif figures.snapshot_with.low is not None and figures.snapshot_with.low <= base:
        yield Finding(path=("qualify",), key=True, message=f"{_rate(figures)}: cannot be told apart", hint=_HINT)


_HINT = "those who qualify convert no more than the rest: see `pqlkit analyze` for what goes with converting"


def _rate(figures: DefinitionFacts) -> str:
    mine, base = figures.snapshot_with, figures.snapshot_base
    return f"conversion {said(mine)} when met, {said(base)} overall"


def said(rate: Proportion | None) -> str:
    """Write a rate with its counts and interval: ``8.6 % (104 of 1,210) [7.1, 10.3]``."""
    if rate is None or rate.value is None:
        return "unknown"
    text = f"{100 * rate.value:.1f} % ({rate.numerator:,} of {rate.denominator:,})"
    if rate.low is None or rate.high is None:
        return text
    return f"{text} [{100 * rate.low:.1f}, {100 * rate.high:.1f}]"


def _data(converted: int, low: float, high: float) -> Facts:
    figures = DefinitionFacts(
        snapshot_with=Proportion(numerator=converted, denominator=600, low=low, high=high),
        snapshot_base=Proportion(numerator=200, denominator=4_000, low=0.0437, high=0.0572),
    )
    return Facts(source="data/", names=NameFacts(), definitions={"example": figures})


RULE = Rule(
    code=Code("PQL307", "rate-not-above-base", Severity.WARNING),
    what="Those who meet the definition convert no more often than everybody (snapshot view), or so little more that chance may do it.",
    why="The list is no better than one drawn by lot.",
    fix="Look for behaviours that go with converting: `pqlkit analyze`, `pqlkit propose`.",
    bad=Example(
        text="qualify: {event: tour_seen, within: 14d}\n",
        facts=_data(28, 0.0325, 0.0666),
        note="where 28 of 600 who saw it converted, and 200 of 4,000 overall",
    ),
    good=Example(text="qualify: {event: teammate_invited, at_least: 2, within: 14d}\n", facts=_data(96, 0.133, 0.192)),
    check=check,
    need=Need.DATA,
)
