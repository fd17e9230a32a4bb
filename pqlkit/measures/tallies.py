"""The tally: counts of events and dates by entity, name and stretch of time, read off sorted whole numbers.

An event becomes one whole number: who, which name, which stretch, which date and how close, from the high bits to the low. Once
they are sorted, every count of events and of distinct dates is a difference of positions: no table of groups is held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import narwhals as nw
    from numpy.typing import NDArray

    from pqlkit.engines.base import Engine
    from pqlkit.typing import LazyFrame

_AT_ONCE: Final = 2_000_000
"""Events tallied at once: what they become stays in fast memory."""

_BITS: Final = 63
KEY: Final = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """How many bits each part of an event's number takes, from the low end: band, date, stretch, name; who has the rest.

    The band is lower the closer an event is: it counts for its own band and for every higher one.

    Examples
    --------
    >>> pack = Packing.of(codes=41, stretches=1, dates=300, bands=4)
    >>> pack.code, pack.stretch, pack.date, pack.band
    (6, 0, 9, 2)
    """

    code: int
    stretch: int
    date: int
    band: int
    bands: int

    @classmethod
    def of(cls, *, codes: int, stretches: int, dates: int, bands: int) -> Packing:
        """Give each part the bits for so many different values."""
        code, stretch, date, band = ((size - 1).bit_length() for size in (codes, stretches, dates, bands))
        return cls(code=code, stretch=stretch, date=date, band=band, bands=bands)

    @property
    def most(self) -> int:
        """How many entities or snapshots can be told apart; at least 1."""
        return 1 << max(0, _BITS - self.whole)

    @property
    def inside(self) -> int:
        """Bits below a cell: date and band."""
        return self.date + self.band

    @property
    def whole(self) -> int:
        """Bits below who."""
        return self.code + self.stretch + self.inside

    def number(
        self, who: nw.Expr, code: nw.Expr, stretch: nw.Expr | int, date: nw.Expr | int, band: nw.Expr
    ) -> nw.Expr:
        """Pack the parts, each from 0 on.

        Parameters
        ----------
        who, code
            The entity and the event name.
        stretch, date, band
            The stretch of time, the date and the band of the hour; 0 where the packing has none.
        """
        number = who * (1 << self.code) + code
        if self.stretch:
            number = number * (1 << self.stretch) + stretch
        if self.date:
            number = number * (1 << self.date) + date
        return number * (1 << self.band) + band if self.band else number

    def anything(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the same events whatever their name (name 0), sorted."""
        low = self.stretch + self.inside
        who = numbers >> (self.code + low) << (self.code + low)
        return np.sort(who | (numbers & ((1 << low) - 1)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tally:
    """What was counted, by cell: who, name and stretch.

    Parameters
    ----------
    cells
        int64, ascending: who, name and stretch packed.
    counts, days
        int32, one row per band: events and distinct dates of this band or a lower one; `days` is empty if dates are not packed.
    first, last
        int64, the earliest and latest date of each cell; empty with `days`.
    """

    cells: NDArray[np.int64]
    counts: NDArray[np.int32]
    days: NDArray[np.int32]
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    @classmethod
    def of(cls, numbers: NDArray[np.int64], pack: Packing) -> Tally:
        """Count sorted numbers."""
        starts = _starts(numbers >> pack.inside)
        cells = numbers[starts] >> pack.inside
        counts = _within(numbers, starts, pack)
        none = np.empty(0, np.int64)
        if not pack.date:
            return cls(cells=cells, counts=counts, days=np.empty((0, 0), np.int32), first=none, last=none)
        # The first of a date is its closest: they are sorted.
        dates = numbers[_starts(numbers >> pack.band)]
        begins = _starts(dates >> pack.inside)
        days = _within(dates, begins, pack)
        date = dates >> pack.band & ((1 << pack.date) - 1)
        ends = np.append(begins[1:], dates.size) - 1 if begins.size else begins
        return cls(cells=cells, counts=counts, days=days, first=date[begins], last=date[ends])


def sorted_numbers(engine: Engine, frame: LazyFrame) -> NDArray[np.int64]:
    """Run a plan of one column ``key`` and sort it."""
    numbers = engine.collect(frame).get_column(KEY).to_numpy(writable=True)
    numbers.sort()
    return numbers


def stretches_of(numbers: NDArray[np.int64], pack: Packing, *, whos: int = _BITS << 32) -> Iterator[NDArray[np.int64]]:
    """Cut sorted numbers into stretches of about `_AT_ONCE`, never within one who and never across more than `whos`."""
    start = 0
    while start < numbers.size:
        first, last = (int(numbers[i]) >> pack.whole for i in (start, min(start + _AT_ONCE, numbers.size) - 1))
        after = min(last + 1, first + whos) << pack.whole
        end = int(np.searchsorted(numbers, after)) if after < 1 << _BITS else numbers.size
        yield numbers[start:end]
        start = end


def _starts(values: NDArray[np.int64]) -> NDArray[np.intp]:
    if not values.size:
        return np.empty(0, np.intp)
    return np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))


def _within(numbers: NDArray[np.int64], starts: NDArray[np.intp], pack: Packing) -> NDArray[np.int32]:
    counts = np.empty((pack.bands, starts.size), np.int32)
    if not starts.size:
        return counts
    counts[-1] = np.diff(starts, append=numbers.size)
    if pack.bands > 1:
        band = (numbers & ((1 << pack.band) - 1)).astype(np.int8)
        edges = np.append(starts, numbers.size)
        # Differences of a running count: adding up each cell by itself takes four times as long.
        running = np.zeros(numbers.size + 1, np.int32)
        for j in range(pack.bands - 1):
            np.cumsum(band <= j, dtype=np.int32, out=running[1:])
            counts[j] = np.diff(running[edges])
    return counts
