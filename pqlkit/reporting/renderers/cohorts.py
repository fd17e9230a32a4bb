"""The cohorts on a terminal: members, conversions after snapshots, and the share converted by two days, each with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.analysis.cohorts import TIMES, Start
from pqlkit.inert import visible
from pqlkit.reporting.renderers.layout import fit, wrapped
from pqlkit.reporting.renderers.words import chance, interval, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.analysis.analyzing import Analysis
    from pqlkit.analysis.cohorts import Cohort, Cohorts

ROWS: Final = 8
"""So many cohorts of one kind are shown: the newest, or the largest."""

NAME: Final = 12


def cohorts(analysis: Analysis) -> list[str]:
    """Give the lines of every ``--by``."""
    conversion_window = str(analysis.observed.snapshots.design.conversion_window)
    kind = analysis.observed.population.kind.value
    return [line for group in analysis.cohorts for line in _block(group, conversion_window, kind)]


def _block(group: Cohorts, conversion_window: str, kind: str) -> list[str]:
    snapshots = group.start is Start.CUTOFF
    shown = _shown(group)
    days = _days(group.cohorts)
    columns = "".join(f" {f'by day {day}':<18}" for day in days)
    lines = [
        "",
        *wrapped(f"COHORTS by {visible(group.by, 200)}", ""),
        f"  {'':<{NAME}} {'snapshots' if snapshots else f'{kind}s':>7} {f'converted in {conversion_window}':<18}{columns}".rstrip(),
        *[_row(cohort, days) for cohort in shown],
    ]
    if len(shown) < len(group.cohorts):
        lines.append(f"  ... {len(group.cohorts) - len(shown)} more: --html FILE or --format json")
    return [*lines, *_meaning(group, kind, days)]


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


def _row(cohort: Cohort, days: Sequence[int]) -> str:
    at = {point.day: point for point in cohort.curve}
    cells = [f"{percent(cohort.rate.rate):>5} {interval(cohort.rate.low, cohort.rate.high):<12}"]
    for day in days:
        point = at.get(day)
        cells.append(
            f"{'-':>5} {'':<12}"
            if point is None
            else f"{percent(point.converted_share):>5} {interval(point.low, point.high):<12}"
        )
    return f"  {fit(cohort.cohort, NAME)} {cohort.entities:>7,} {' '.join(cells)}".rstrip()


def _meaning(group: Cohorts, kind: str, days: Sequence[int]) -> list[str]:
    """Say where the days begin, and whether the curves differ."""
    since = "the snapshot" if group.start is Start.CUTOFF else "the beginning"
    test = ""
    if group.p_value is not None:
        alone = ", snapshots that go together allowed for" if group.clustered else ""
        test = f"Do the curves differ? Log-rank {chance(group.p_value)}{alone}. "
    by = f"Days count from {since}, as far as seen." if days else f"No {kind} has been followed for a week."
    return wrapped(f"{test}{by}", "  ")
