"""The tally: counts of events and dates by entity, name and stretch of time.

On Polars they are read off sorted whole numbers. An event becomes one whole number: who, which name, which stretch, which date and how
close, from the high bits to the low. Once they are sorted, every count of events and of distinct dates is a difference of positions:
no table of groups is held. Other engines group where the rows are: what comes back is a row per count, not per event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import narwhals as nw
import numpy as np
import polars as pl

from pqlkit.engines.portable import one

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pqlkit.typing import LazyFrame

_AT_ONCE: Final = 2_000_000
"""Events tallied at once: what they become stays in fast memory."""

_BITS: Final = 63
WHO: Final = "who"
CODE: Final = "code"
STRETCH: Final = "stretch"
DATE: Final = "date"
BAND: Final = "band"
_KEY: Final = "key"
_ANY: Final = "any_event"
_NEAR: Final = "near"  # the closest band of a date
_FIRST: Final = "first"
_LAST: Final = "last"


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

    def number(self) -> nw.Expr:
        """Pack the columns of an event, each from 0 on, into one number."""
        number = nw.col(WHO) * (1 << self.code) + nw.col(CODE)
        for name, bits in ((STRETCH, self.stretch), (DATE, self.date), (BAND, self.band)):
            if bits:
                number = number * (1 << bits) + nw.col(name).cast(nw.Int64)
        return number

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

    def of_whos(self, first: int, after: int, below: int) -> Tally:
        """Give the cells of some of the entities; `below` are the bits of name and stretch."""
        own = slice(*np.searchsorted(self.cells, [first << below, after << below]))
        dated = own if self.days.size else slice(0)
        return Tally(
            cells=self.cells[own],
            counts=self.counts[:, own],
            days=self.days[:, dated],
            first=self.first[dated],
            last=self.last[dated],
        )

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


class Runs(Protocol):
    """Of an engine, what runs a plan."""

    def keep(self, frame: LazyFrame) -> LazyFrame:
        """Hold on the engine what a plan gives."""
        ...

    def collect(self, frame: LazyFrame) -> pl.DataFrame:
        """Run the plan."""
        ...


class Part(Protocol):
    """What was counted of some of the entities."""

    def named(self) -> Tally:
        """Give the counts by name."""
        ...

    def anything(self) -> Tally:
        """Give the counts of any event: their name is 0."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sorted:
    """Sorted numbers, to be counted."""

    numbers: NDArray[np.int64]
    pack: Packing

    def named(self) -> Tally:
        return Tally.of(self.numbers, self.pack)

    def anything(self) -> Tally:
        return Tally.of(self.pack.anything(self.numbers), self.pack)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Grouped:
    """Counts that the engine made."""

    names: Tally
    whatever: Tally

    def named(self) -> Tally:
        return self.names

    def anything(self) -> Tally:
        return self.whatever


def tallied_by_sorting(engine: Runs, frame: LazyFrame, pack: Packing, whos: int | None) -> Iterator[Part]:
    """Bring the events as numbers, and sort them."""
    numbers = engine.collect(frame.select(pack.number().alias(_KEY))).get_column(_KEY).to_numpy(writable=True)
    numbers.sort()
    for stretch in stretches_of(numbers, pack, whos=_BITS << 32 if whos is None else whos):
        yield _Sorted(numbers=stretch, pack=pack)


def tallied_by_grouping(engine: Runs, frame: LazyFrame, pack: Packing, whos: int | None) -> Iterator[Part]:
    """Count on the engine, and bring the counts."""
    counts = [f"n{band}" for band in range(pack.bands)]
    closer = [one(nw.col(BAND) <= band).sum() for band in range(pack.bands - 1)]
    of_rows = [count.cast(nw.Int64).alias(name) for name, count in zip(counts, [*closer, nw.len()], strict=True)]
    keys = [WHO, CODE, STRETCH, *([DATE] if pack.date else [])]
    rows = engine.keep(frame.group_by(*keys).agg(*of_rows, nw.col(BAND).min().alias(_NEAR)))
    sums = [nw.col(name).sum().cast(nw.Int64).alias(name) for name in counts]
    unnamed = [name for name in keys if name != CODE]
    whatever = rows.group_by(*unnamed).agg(*sums, nw.col(_NEAR).min().alias(_NEAR))
    whatever = whatever.with_columns(nw.lit(0, nw.Int64).alias(CODE))
    measured = [
        _cells(part, pack, counts).with_columns(nw.lit(place, nw.Int64).alias(_ANY))
        for place, part in enumerate([rows, whatever.select(*keys, *counts, _NEAR)])
    ]
    table = engine.collect(nw.concat(measured, how="vertical"))
    names, whatever_counted = (_tally(table.filter(pl.col(_ANY) == place), pack) for place in (0, 1))
    yield from _cut(names, whatever_counted, pack, whos)


def _cells(dates: LazyFrame, pack: Packing, counts: Sequence[str]) -> LazyFrame:
    """Add up the dates of each cell."""
    if not pack.date:
        return dates.select(WHO, CODE, STRETCH, *counts)
    days = {f"d{band}": one(nw.col(_NEAR) <= band).sum() for band in range(pack.bands)}
    ends = (nw.col(DATE).min().alias(_FIRST), nw.col(DATE).max().alias(_LAST))
    sums = {name: nw.col(name).sum() for name in counts} | days
    whole = dates.group_by(WHO, CODE, STRETCH).agg(*(total.alias(name) for name, total in sums.items()), *ends)
    narrow = [nw.col(name).cast(nw.Int32).alias(name) for name in sums]
    return whole.select(WHO, CODE, STRETCH, *narrow, _FIRST, _LAST)


def _tally(table: pl.DataFrame, pack: Packing) -> Tally:
    """Lay out what an engine counted as if it had been sorted."""
    who, code, stretch = (table.get_column(name).cast(pl.Int64).to_numpy() for name in (WHO, CODE, STRETCH))
    cells = (who << (pack.code + pack.stretch)) | (code << pack.stretch) | stretch
    order = np.argsort(cells)
    wide = (pack.bands, table.height)
    counts, days = np.empty(wide, np.int32), np.empty(wide if pack.date else (0, 0), np.int32)
    for letter, rows in (("n", counts), ("d", days)):
        for band, row in enumerate(rows):
            row[:] = table.get_column(f"{letter}{band}").to_numpy()[order]
    ends = [
        table.get_column(name).cast(pl.Int64).to_numpy()[order] if pack.date else cells[:0] for name in (_FIRST, _LAST)
    ]
    return Tally(cells=cells[order], counts=counts, days=days, first=ends[0], last=ends[1])


def _cut(names: Tally, whatever: Tally, pack: Packing, whos: int | None) -> Iterator[Part]:
    """Cut counts so that no part spans more than `whos`."""
    if whos is None or not whatever.cells.size:
        yield _Grouped(names=names, whatever=whatever)
        return
    below = pack.code + pack.stretch
    first, last = (int(whatever.cells[place]) >> below for place in (0, -1))
    for start in range(first, last + 1, whos):
        yield _Grouped(
            names=names.of_whos(start, start + whos, below), whatever=whatever.of_whos(start, start + whos, below)
        )


def ascending(frame: pl.DataFrame) -> NDArray[np.int64]:
    """Sort the whole numbers of a column, each once."""
    numbers = frame.to_series().cast(pl.Int64).to_numpy(writable=True)
    numbers.sort()
    once: NDArray[np.int64] = numbers[np.append(True, numbers[1:] != numbers[:-1])[: numbers.size]]
    return once


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
