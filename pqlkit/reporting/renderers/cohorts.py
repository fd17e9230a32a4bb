"""The cohorts on a terminal: of those followed the share converted by two days, and apart the snapshots that converted, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.analysis.cohorts import TIMES, Start
from pqlkit.inert import visible
from pqlkit.reporting.renderers.layout import table, wrapped
from pqlkit.reporting.renderers.words import chance, interval, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.analysis.analyzing import Analysis
    from pqlkit.analysis.cohorts import Cohort, Cohorts

ROWS: Final = 8
"""So many cohorts of one kind are shown: the newest, or the largest."""


def cohorts(analysis: Analysis, width: int = 79) -> list[str]:
    """Give the lines of every ``--by``."""
    window = analysis.observed.snapshots.design.conversion_window.in_words
    kind = analysis.observed.population.kind.value
    return [line for group in analysis.cohorts for line in _block(group, window, kind, width)]


def _block(group: Cohorts, window: str, kind: str, width: int) -> list[str]:
    """Give one table for each thing that is counted: those who were followed, and snapshots."""
    shown, days = _shown(group), _days(group.cohorts)
    followed = "snapshots" if group.start is Start.CUTOFF else f"{kind}s"
    heads = [f"converted by day {days[0]}", *[f"day {day}" for day in days[1:]]] if days else []
    lines = ["", *wrapped(f"COHORTS by {visible(group.by, 200)}", "", width=width)]
    lines += table([("", followed, *heads), *[_followed(cohort, days) for cohort in shown]], width=width)
    lines += [*_meaning(group, kind, days, width)]
    rates = [(visible(cohort.cohort, 60), *_converted(cohort)) for cohort in shown]
    lines += table([("", "snapshots", f"converted within {window}"), *rates], width=width)
    if len(shown) < len(group.cohorts):
        lines.append(f"  ... {len(group.cohorts) - len(shown)} more: --html FILE or --format json")
    return lines


def _shown(group: Cohorts) -> Sequence[Cohort]:
    """Choose the newest, or the largest, in their order."""
    if group.by in TIMES:
        return group.cohorts[-ROWS:]
    ranked = sorted(group.cohorts, key=lambda cohort: (-cohort.entities, cohort.cohort))[:ROWS]
    return [cohort for cohort in group.cohorts if cohort in ranked]


def _days(group: Sequence[Cohort]) -> list[int]:
    """Choose two days: 30 and 90 where a curve reaches them, else the last two of the usual ones."""
    last = max((cohort.curve[-1].day for cohort in group if cohort.curve), default=0)
    if last >= 90:
        return [30, 90]
    usual = (7, 14, 28) if last < 30 else (7, 14, 30, 60)
    return [day for day in usual if day <= last][-2:]


def _followed(cohort: Cohort, days: Sequence[int]) -> tuple[str, ...]:
    """Say how many were followed, and which share had converted by each day (Kaplan-Meier)."""
    at = {point.day: point for point in cohort.curve}
    cells = []
    for day in days:
        point = at.get(day)
        seen = None if point is None else f"{percent(point.converted_share)} {interval(point.low, point.high)}"
        cells.append("-" if seen is None else seen.strip())
    return (visible(cohort.cohort, 60), f"{cohort.entities:,}", *cells)


def _converted(cohort: Cohort) -> tuple[str, str]:
    """Count the cohort's snapshots, and those that converted."""
    read = cohort.rate
    figures = f"{read.numerator:,}: {percent(read.rate)} {interval(read.low, read.high)}".strip()
    return f"{read.denominator:,}", figures if read.rate is not None else "-"


def _meaning(group: Cohorts, kind: str, days: Sequence[int], width: int) -> list[str]:
    """Say where the days begin, and whether the curves differ."""
    since = "the snapshot" if group.start is Start.CUTOFF else "the beginning"
    test = ""
    if group.p_value is not None:
        alone = ", snapshots that go together allowed for" if group.clustered else ""
        test = f"Do the curves differ? Log-rank {chance(group.p_value)}{alone}. "
    by = f"Days count from {since}, as far as seen." if days else f"No {kind} has been followed for a week."
    return wrapped(f"{test}{by}", "  ", width=width)
