"""The funnels for people: everybody so far, and one cohort followed for a named time; each level part of the one above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pqlkit.reporting.renderers.layout import spread, wrapped
from pqlkit.reporting.renderers.words import day, interval, percent
from pqlkit.snapshots.classes import EntityClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.rates.funnel import LeftOut, Levels
    from pqlkit.rates.report import Report
    from pqlkit.statistics.rate import Rate

NAME: Final = 28
"""Characters of a level's name, at least."""

LINE: Final = 79
"""Characters of a line, at most."""

REASONS: Final[dict[str, str]] = {
    EntityClass.INVALID: "without a signup date, or deleted before it",
    EntityClass.INELIGIBLE: "not eligible",
    EntityClass.CUSTOMER_ALREADY: "customers already at signup",
    EntityClass.UNOBSERVED: "from before the events export could show a qualification",
    "other-definition": "that another definition of this report does not count",
}
"""Why a funnel leaves entities out, in words that follow their number."""

STRANGERS: Final = "of ids that nobody in this data has"
"""Conversions that a funnel leaves out, in words that follow their number."""


def funnel_lines(report: Report) -> list[str]:
    """Draw both funnels, and say who is in neither."""
    return [*_to_date(report), *_cohort(report), *_left_out(report)]


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
            *_rows([_count("signed up", levels.signups), _level(f"  became {nouns.leads}", levels.pqls, "of signups")]),
            *wrapped(f"Whether they {nouns.outcome} is asked of each qualification by itself: below.", "  "),
        ]
    return [
        spread("FUNNEL, all so far", f"any time up to {day(report.population.as_of)}"),
        *_rows(
            [
                _count("signed up", levels.signups),
                _level(f"  became {nouns.leads}", levels.pqls, "of signups"),
                _level(f"    then {nouns.outcomes}", levels.pql_customers, f"of {nouns.leads}"),
                _count(f"  never {nouns.leads}", other.denominator),
                _level(f"    {nouns.outcomes}", other, "of them"),
                _sum(nouns.outcomes, levels),
            ]
        ),
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
        *_rows(
            [
                _count("signed up", levels.signups),
                _level(f"  {nouns.lead} within {cohort.pql_within.in_words}", levels.pqls),
                _level(f"    {nouns.outcome} by day {by}", levels.pql_customers),
                _count(f"  not {nouns.lead} by day {cohort.pql_within.days:g}", levels.other_customers.denominator),
                _level(f"    {nouns.outcome} by day {by}", levels.other_customers),
                _sum(f"{nouns.outcomes} by day {by}", levels),
            ]
        ),
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


def _left_out(report: Report) -> list[str]:
    told = [left_out(part) for part in report.funnel.left_out]
    if strangers := report.population.conversions.unknown_entity:
        told.append(f"{strangers:,} {'conversion' if strangers == 1 else 'conversions'} {STRANGERS}")
    return wrapped(f"In neither funnel: {'; '.join(told)}.", "  ", "    ") if told else []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A line of a funnel: who, how many, what is said of them, and of whom they are a part (left out where there is no room)."""

    name: str
    count: int
    said: str = ""
    among: str = ""


def _rows(rows: Sequence[_Row]) -> list[str]:
    """Set rows below each other."""
    wide = max(NAME, *(len(row.name) for row in rows))
    lines = []
    for row in rows:
        line = f"  {row.name:<{wide}} {row.count:>9,}{row.said}"
        whole = f"{line} {row.among}" if row.among else line
        lines.append(whole if len(whole) <= LINE else line)
    return lines


def _count(name: str, count: int) -> _Row:
    return _Row(name=name, count=count)


def _level(name: str, value: Rate, among: str = "") -> _Row:
    said = f"  {percent(value.rate):>6} {interval(value.low, value.high)}".rstrip()
    return _Row(name=name, count=value.numerator, said=said, among=among)


def _sum(name: str, levels: Levels) -> _Row:
    parts = f" = {levels.pql_customers.numerator:,} + {levels.other_customers.numerator:,}"
    return _Row(name=name, count=levels.customers.numerator, said=parts)
