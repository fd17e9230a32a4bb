"""The funnels for people: everybody so far, and one cohort followed for a named time; each level part of the one above."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.reporting.renderers.layout import spread, wrapped
from pqlkit.reporting.renderers.words import day, interval, percent
from pqlkit.snapshots.classes import EntityClass

if TYPE_CHECKING:
    from pqlkit.rates.funnel import Funnel, LeftOut, Levels
    from pqlkit.rates.report import Report
    from pqlkit.statistics.rate import Rate

REASONS: Final[dict[str, str]] = {
    EntityClass.INVALID: "without a signup date, or deleted before it",
    EntityClass.INELIGIBLE: "not eligible",
    EntityClass.CUSTOMER_ALREADY: "customers already at signup",
    EntityClass.UNOBSERVED: "from before the events export could show a qualification",
    "other-definition": "that another definition of this report does not count",
}
"""Why a funnel leaves entities out, in words that follow their number."""


def funnel_lines(report: Report) -> list[str]:
    """Draw both funnels, and say who is in neither."""
    return [*_to_date(report), *_cohort(report), *_left_out(report.funnel)]


def left_out(left_out: LeftOut) -> str:
    """Say who is left out, and how many customers are among them."""
    told = f"{left_out.entities:,} {REASONS[left_out.reason or 'other-definition']}"
    return f"{told} ({left_out.customers:,} customers)" if left_out.customers else told


def _to_date(report: Report) -> list[str]:
    levels = report.funnel.to_date
    other, nouns = levels.other_customers, report.nouns
    if report.population.outcome.after is not None:
        return [
            spread("FUNNEL, all so far", f"any time up to {day(report.population.as_of)}"),
            _count("signed up", levels.signups),
            _level(f"  became {nouns.leads}", levels.pqls, "of signups"),
            *wrapped(f"Whether they {nouns.outcome} is asked of each qualification by itself: below.", "  "),
        ]
    return [
        spread("FUNNEL, all so far", f"any time up to {day(report.population.as_of)}"),
        _count("signed up", levels.signups),
        _level(f"  became {nouns.leads}", levels.pqls, "of signups"),
        _level(f"    then {nouns.outcomes}", levels.pql_customers, f"of {nouns.leads}"),
        _count(f"  never {nouns.leads}", other.denominator),
        _level(f"    {nouns.outcomes}", other, "of them"),
        _sum(nouns.outcomes, levels),
        *_unused(report),
    ]


def _cohort(report: Report) -> list[str]:
    cohort, nouns = report.funnel.cohort, report.nouns
    if report.population.outcome.after is not None:
        return []
    levels, by = cohort.levels, f"{cohort.customer_by.days:g}"
    if not levels.signups:
        return ["", *wrapped(f"No cohort yet: nobody whose whole life was seen signed up {by} days ago.", "  ")]
    return [
        "",
        spread(f"FUNNEL, first {by} days", f"signed up {day(cohort.first)} to {day(cohort.through)}"),
        _count("signed up", levels.signups),
        _level(f"  {nouns.lead} within {cohort.pql_within.in_words}", levels.pqls, ""),
        _level(f"    {nouns.outcome} by day {by}", levels.pql_customers, ""),
        _count(f"  not {nouns.lead} by day {cohort.pql_within.days:g}", levels.other_customers.denominator),
        _level(f"    {nouns.outcome} by day {by}", levels.other_customers, ""),
        _sum(f"{nouns.outcomes} by day {by}", levels),
        f"  half of the {report.times.to_pql.reached:,} {nouns.leads} took {report.times.to_pql.median_days:.1f} days or less"
        if report.times.to_pql.median_days is not None
        else f"  nobody became one of the {nouns.leads} in time",
    ]


def _unused(report: Report) -> list[str]:
    funnel, unused = report.funnel, report.funnel.unused
    if not unused.never + unused.dormant:
        return []
    text = (
        f"Of the {funnel.to_date.other_customers.numerator:,} who were never {report.nouns.leads}, {unused.never:,} had no event before they "
        f"converted, and {unused.dormant:,} none in the 28 days before."
    )
    return wrapped(text, "  ")


def _left_out(funnel: Funnel) -> list[str]:
    if not funnel.left_out:
        return []
    return wrapped(f"In neither funnel: {'; '.join(map(left_out, funnel.left_out))}.", "  ", "    ")


def _count(name: str, count: int) -> str:
    return f"  {name:<28} {count:>9,}"


def _level(name: str, value: Rate, among: str) -> str:
    return (
        f"{_count(name, value.numerator)}  {percent(value.rate):>6} {interval(value.low, value.high)} {among}".rstrip()
    )


def _sum(name: str, levels: Levels) -> str:
    parts = f"{levels.pql_customers.numerator:,} + {levels.other_customers.numerator:,}"
    return f"{_count(name, levels.customers.numerator)} = {parts}"
