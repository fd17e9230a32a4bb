"""The guard: a bound on what a night may bring before anybody is told."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pqlkit.durations import DAY
from pqlkit.exports.days_off import DaysOff

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

_ONE_IN_A_THOUSAND: Final = 3.09
"""Standard deviations."""

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
    def by_chance(self) -> tuple[int, int]:
        """Give the fewest and the most that chance brings: a night in a thousand has fewer, and one in a thousand more.

        Counts of independent leads: their square root varies by a half, whatever is usual (Anscombe).

        Examples
        --------
        >>> [Usual(nights=(median,)).by_chance for median in (0, 1, 3, 10, 100)]
        [(0, 6), (0, 6), (0, 10), (2, 22), (71, 133)]
        """
        if not self.nights:
            return 0, 0
        middle, spread = math.sqrt(max(1.0, statistics.median(self.nights))), _ONE_IN_A_THOUSAND / 2
        return int(max(0.0, middle - spread) ** 2), int((middle + spread) ** 2)

    @property
    def words(self) -> str:
        """Say which nights these are."""
        which = " of the same weekday" if self.same_weekday else ""
        count = len(self.nights)
        last = "night" if count == 1 else f"{count} nights"
        return f"the median {statistics.median(self.nights):g} of the last {last}{which}"


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
    days_off
        Time on which does not count for `max_age`; no night about one of them is held to `min_new`.
    """

    max_new: Bound | None = None
    min_new: Bound | None = None
    max_age: Duration | None = None
    days_off: DaysOff = field(default_factory=DaysOff)

    @property
    def relative(self) -> bool:
        """Whether a bound is a multiple of the last nights."""
        return any(bound is not None and bound.factor is not None for bound in (self.max_new, self.min_new))

    def on_new(self, new: int, before: Usual, now: Microseconds | None = None) -> list[str]:
        """Say which bounds a number of new leads breaks.

        What chance alone brings once in a thousand nights, where so many are usual, breaks no bound that is relative to them,
        and no `min_new` on a weekday that is known: a quiet Sunday is no fault.

        Parameters
        ----------
        new
            Tonight's.
        before
            Comparable nights'.
        now
            The clock, or the moment that ``--as-of`` names; the date of half a day before is what the night is about.

        Examples
        --------
        >>> from pqlkit.options.bound import Bound
        >>> Guards(max_new=Bound.parse("3x")).on_new(13, Usual(nights=(3, 4, 5)))
        ['13 new leads, more than --max-new 3x (12, of the median 4 of the last 3 nights)']
        """
        breaches = []
        most = self.max_new.of(before.nights) if self.max_new is not None else None
        least = self.min_new.of(before.nights) if self.min_new is not None else None
        low, high = before.by_chance
        if most is not None and self.max_new is not None and self.max_new.factor is not None:
            most = max(most, high)
        if least is not None and self.min_new is not None and (self.min_new.factor is not None or before.same_weekday):
            least = min(least, low)
        if now is not None and self.days_off.on(now - DAY // 2):
            least = None
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
        age = now - newest - self.days_off.within(newest, now)
        if age <= self.max_age.microseconds:
            return []
        counted = ", days off not counted" if age < now - newest else ""
        return [
            f"the newest event is {age / 3_600_000_000:,.1f} hours old{counted}, more than --max-age {self.max_age}"
        ]


def _leads(number: int) -> str:
    return f"{number:,} new lead{'' if number == 1 else 's'}"


def _meaning(bound: Bound, limit: float, before: Usual) -> str:
    if bound.factor is None:
        return ""
    chance = "" if limit == bound.of(before.nights) else "which chance alone hardly brings where so many are usual: "
    return f" ({limit:g}, {chance or 'of '}{before.words})"
