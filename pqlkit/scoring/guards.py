"""The guard: a bound on what a night may bring before anybody is told."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pqlkit.durations import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.durations import Duration
    from pqlkit.options.bound import Bound
    from pqlkit.typing import Microseconds

NIGHTS: Final = 7
"""Where there are too few of the same weekday, the median of so many nights is what a factor is of."""

WEEKS: Final = 8
"""Nights of the same weekday are looked for in so many weeks."""

ENOUGH: Final = 3
"""So many nights of the same weekday say what is usual on it."""

_WEEK: Final = 7 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """How many were new on comparable nights.

    Parameters
    ----------
    nights
        Counts, newest first.
    same_weekday
        They are the same weekday's of the last weeks, not just the last nights'.
    """

    nights: tuple[int, ...] = ()
    same_weekday: bool = False

    @property
    def words(self) -> str:
        """Say which nights these are."""
        which = " of the same weekday" if self.same_weekday else ""
        return f"the median {statistics.median(self.nights):g} of the last {len(self.nights)} nights{which}"


def usual(nights: Sequence[tuple[Microseconds, int]], as_of: Microseconds) -> Usual:
    """Choose the nights to compare with: those of the same weekday in the last 8 weeks, else the last 7 nights.

    Parameters
    ----------
    nights
        `as_of` and new leads of earlier nights, newest first.
    as_of
        Tonight's. A night is of the same weekday if it lies a whole number of weeks before, give or take less than half a day.

    Examples
    --------
    >>> from pqlkit.durations import DAY
    >>> usual([(day * DAY, day) for day in range(69, -1, -1)], 70 * DAY).nights
    (63, 56, 49, 42, 35, 28, 21, 14)
    """
    earlier = [(as_of - at, new) for at, new in nights]
    same = [new for age, new in earlier if _is_weeks(age)]
    if len(same) >= ENOUGH:
        return Usual(nights=tuple(same), same_weekday=True)
    return Usual(nights=tuple(new for _, new in nights[:NIGHTS]))


def _is_weeks(age: int) -> bool:
    weeks = (age + _WEEK // 2) // _WEEK
    return 1 <= weeks <= WEEKS and 2 * abs(age - weeks * _WEEK) < DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """What a night is held to; None = not.

    Parameters
    ----------
    max_new, min_new
        Bounds on the new leads of one definition, the control arm included.
    max_age
        Of the newest event.
    """

    max_new: Bound | None = None
    min_new: Bound | None = None
    max_age: Duration | None = None

    @property
    def relative(self) -> bool:
        """Whether a bound is a multiple of the last nights."""
        return any(bound is not None and bound.factor is not None for bound in (self.max_new, self.min_new))

    def on_new(self, new: int, before: Usual) -> list[str]:
        """Say which bounds a number of new leads breaks.

        A `min_new` that is a number is not held against a weekday that is usually below it: a quiet Sunday is no fault.

        Parameters
        ----------
        new
            Tonight's.
        before
            Comparable nights'.

        Examples
        --------
        >>> from pqlkit.options.bound import Bound
        >>> Guards(max_new=Bound.parse("3x")).on_new(10, Usual(nights=(2, 3, 4)))
        ['10 new leads, more than --max-new 3x (9, of the median 3 of the last 3 nights)']
        """
        breaches = []
        most = self.max_new.of(before.nights) if self.max_new is not None else None
        least = self.min_new.of(before.nights) if self.min_new is not None else None
        if least is not None and before.same_weekday:
            least = min(least, statistics.median(before.nights))
        if self.max_new is not None and most is not None and new > most:
            breaches.append(f"{_leads(new)}, more than --max-new {self.max_new}{_meaning(self.max_new, most, before)}")
        if self.min_new is not None and least is not None and new < least:
            breaches.append(
                f"{_leads(new)}, fewer than --min-new {self.min_new}{_meaning(self.min_new, least, before)}"
            )
        return breaches

    def on_age(self, newest: Microseconds | None, now: Microseconds) -> list[str]:
        """Say whether the newest event is too old.

        Parameters
        ----------
        newest
            UTC microseconds; None = there is no event.
        now
            The clock, or the moment that ``--as-of`` names. An age of exactly `max_age` is allowed.
        """
        if self.max_age is None:
            return []
        if newest is None:
            return [f"there is no event, and --max-age is {self.max_age}"]
        age = now - newest
        if age <= self.max_age.microseconds:
            return []
        return [f"the newest event is {age / 3_600_000_000:,.1f} hours old, more than --max-age {self.max_age}"]


def _leads(number: int) -> str:
    return f"{number:,} new lead{'' if number == 1 else 's'}"


def _meaning(bound: Bound, limit: float, before: Usual) -> str:
    return "" if bound.factor is None else f" ({limit:g}, of {before.words})"
