"""The clock: which times are plausible, and on which days nothing happened.

Both are judged on counts of rows by day, so that any amount of data can be judged after one pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pqlkit.durations import DAY
from pqlkit.errors import UsageError
from pqlkit.exports.intake import Gap
from pqlkit.exports.zones import end_of, start_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pqlkit.typing import Microseconds

Y2K: Final = 946_684_800_000_000
SILENCE: Final = 30
"""Days without rows beyond which few rows are not believed."""
FEW: Final = 1000
"""Rows beyond a silence are few when this many times their number is less than the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plausible:
    """The instants that exist: `first` up to and including `last`.

    `outer_first` and `outer_last` are the absolute bounds, which `early` and `late` give the reasons for; what lies between
    them and `first` or `last` is beyond a silence.
    """

    first: Microseconds
    last: Microseconds
    outer_first: Microseconds
    outer_last: Microseconds
    early: str
    late: str

    @classmethod
    def within(cls, first: Microseconds, last: Microseconds, early: str, late: str) -> Plausible:
        """Make absolute bounds."""
        return cls(first=first, last=last, outer_first=first, outer_last=last, early=early, late=late)


BEYOND: Final = f"beyond a gap of {SILENCE} days without rows"


def bounds(clock: Microseconds) -> Plausible:
    """Give the outer bounds: since 2000, and at most a day after `clock`."""
    return Plausible.within(Y2K, clock + DAY, "before the year 2000", "more than a day after the load's clock")


def stated(span: tuple[str, str], zone: str) -> Plausible:
    """Take the bounds from ``--plausible FROM..TO``: two ISO dates in `zone`, both included.

    Raises
    ------
    UsageError
        A date cannot be read, or the first lies after the last.
    """
    first, last = (_day(text) for text in span)
    if first > last:
        raise UsageError(f"{first} lies after {last}", where="--plausible", hint="write FROM..TO")
    return Plausible.within(
        start_of(first, zone),
        end_of(last, zone),
        f"before {first} (--plausible)",
        f"after {last} (--plausible)",
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a date", where="--plausible", hint="write FROM..TO, like 2025-01-01..2026-06-30"
        ) from error


def narrowed(outer: Plausible, days: Mapping[int, int], *, early: bool) -> Plausible:
    """Cut off the few rows that lie beyond a long silence.

    Parameters
    ----------
    outer
        Bounds already in force; days outside them do not count.
    days
        Rows by UTC day number since 1970.
    early
        Also judge the silence after the oldest rows, not only the one before the newest.
    """
    known = sorted(day for day in days if outer.first // DAY <= day <= outer.last // DAY)
    total = sum(days[day] for day in known)
    if not known:
        return outer
    last = _cut(known, days, total) * DAY + DAY - 1
    first = -_cut([-day for day in reversed(known)], {-day: days[day] for day in known}, total) * DAY
    if last // DAY == known[-1]:
        last = outer.last
    if not early or first // DAY == known[0]:
        first = outer.first
    return replace(outer, first=max(outer.first, first), last=min(outer.last, last))


def _cut(known: list[int], days: Mapping[int, int], total: int) -> int:
    """Give the last day (in the order of `known`) before the earliest silence that few rows follow."""
    beyond, last = 0, known[-1]
    for place in range(len(known) - 1, 0, -1):
        beyond += days[known[place]]
        if beyond * FEW >= total:
            break
        if known[place] - known[place - 1] > SILENCE:
            last = known[place - 1]
    return last


def gaps(table: str, days: Mapping[int, int], plausible: Plausible) -> tuple[Gap, ...]:
    """List the stretches of whole UTC days without rows between the first and the last plausible row, oldest first."""
    known = sorted(day for day in days if plausible.first // DAY <= day <= plausible.last // DAY)
    return tuple(
        Gap(table=table, first=_iso(before + 1), last=_iso(after - 1), days=after - before - 1)
        for before, after in pairwise(known)
        if after - before > 1
    )


def _iso(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()
