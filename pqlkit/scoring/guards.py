"""The guard: a bound on what a night may bring before anybody is told."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.durations import Duration
    from pqlkit.options.bound import Bound
    from pqlkit.typing import Microseconds

NIGHTS: Final = 7
"""The median of so many nights is what a factor is of."""


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

    def on_new(self, new: int, nights: Sequence[int]) -> list[str]:
        """Say which bounds a number of new leads breaks.

        Parameters
        ----------
        new
            Tonight's.
        nights
            The last nights', newest first.

        Examples
        --------
        >>> from pqlkit.options.bound import Bound
        >>> Guards(max_new=Bound.parse("3x")).on_new(10, [2, 3, 4])
        ['10 new leads, more than --max-new 3x (9, of the median 3 of the last 3 nights)']
        """
        found = []
        most = self.max_new.of(nights) if self.max_new is not None else None
        least = self.min_new.of(nights) if self.min_new is not None else None
        if self.max_new is not None and most is not None and new > most:
            found.append(f"{_leads(new)}, more than --max-new {self.max_new}{_meaning(self.max_new, most, nights)}")
        if self.min_new is not None and least is not None and new < least:
            found.append(f"{_leads(new)}, fewer than --min-new {self.min_new}{_meaning(self.min_new, least, nights)}")
        return found

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


def _meaning(bound: Bound, limit: float, nights: Sequence[int]) -> str:
    if bound.factor is None:
        return ""
    return f" ({limit:g}, of the median {statistics.median(nights):g} of the last {len(nights)} nights)"
