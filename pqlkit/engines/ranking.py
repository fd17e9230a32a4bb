"""The rank: which of its group's rows a row is, in order. Written once for any engine; Polars has a shorter way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import narwhals as nw
import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pqlkit.typing import LazyFrame

RANK: Final = "rank"
NEWEST: Final = "newest"

_BITS: Final = 62
_MOST_PIECES: Final = 14
"""Bits of the group that may be told apart before sorting: more pieces than 2 to the power of this take longer than one sort."""
_AT_ONCE: Final = 4
"""Of these bits, how many at once."""
_SLICE: Final = 2**20
"""Rows that become numbers at once."""


def ranked(frame: LazyFrame, by: Sequence[str], order: str, ranks: Sequence[int] | None) -> LazyFrame:
    """Keep the rows of the asked ranks and the newest of each group, by window functions."""
    rank = nw.col(order).cum_count().over(*by, order_by=order).cast(nw.Int64)
    size = nw.col(order).count().over(*by).cast(nw.Int64)
    numbered = frame.select(*by, order, rank.alias(RANK), size.alias(NEWEST))
    numbered = numbered.with_columns((nw.col(RANK) == nw.col(NEWEST)).alias(NEWEST))
    return numbered if ranks is None else numbered.filter(nw.col(NEWEST) | nw.col(RANK).is_in(list(ranks)))


def ranked_by_sorting(frame: pl.DataFrame, by: Sequence[str], order: str, ranks: Sequence[int] | None) -> pl.DataFrame:
    """Do the same for whole numbers: a row is one number, and a group is where its high bits stay the same."""
    frame = frame.select(*by, order)
    if frame.is_empty():
        return frame.with_columns(pl.lit(None, pl.Int64).alias(RANK), pl.lit(None, pl.Boolean).alias(NEWEST))
    packing = _Packing.of(frame)
    if packing is None:
        return _ranked_by_columns(frame, by, ranks)
    parts = (
        packing.unpacked(left_out, *_picked(numbers, packing.inside, ranks)).cast(frame.schema)
        for left_out, numbers in packing.pieces(frame)
    )
    return pl.concat(parts, rechunk=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packing:
    """How the columns of a row become one number: the least value and the bits of each, the last column lowest.

    `cut` of the highest bits are left out, where all do not fit: rows that differ in them are sorted apart.
    """

    names: tuple[str, ...]
    lows: tuple[int, ...]
    bits: tuple[int, ...]

    @classmethod
    def of(cls, frame: pl.DataFrame) -> _Packing | None:
        """Measure the columns; None if they cannot be packed."""
        ends = frame.select(
            pl.all().min().cast(pl.Int64).name.suffix("<"), pl.all().max().cast(pl.Int64).name.suffix(">")
        )
        lows = tuple(int(ends[f"{name}<"].item()) for name in frame.columns)
        highs = (int(ends[f"{name}>"].item()) for name in frame.columns)
        bits = tuple((high - low).bit_length() for high, low in zip(highs, lows, strict=True))
        packing = cls(names=tuple(frame.columns), lows=lows, bits=bits)
        fits = packing.cut <= _MOST_PIECES and sum(bits[:-1]) <= _BITS and packing.inside <= _BITS - 1
        return packing if fits else None

    @property
    def inside(self) -> int:
        """Bits of the column that gives the order."""
        return self.bits[-1]

    @property
    def cut(self) -> int:
        """Bits that one number has no room for."""
        return max(0, sum(self.bits) - _BITS)

    @property
    def _kept(self) -> int:
        """Bits of the group that are in the number."""
        return sum(self.bits[:-1]) - self.cut

    def pieces(self, frame: pl.DataFrame) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Give the rows as sorted numbers, those of equal left-out bits together, behind these."""
        group = pl.lit(0, pl.Int64)
        for name, low, wide in zip(self.names[:-1], self.lows[:-1], self.bits[:-1], strict=True):
            group = group * (1 << wide) + (pl.col(name).cast(pl.Int64) - low)
        inside = pl.col(self.names[-1]).cast(pl.Int64) - self.lows[-1]
        numbers = np.empty(frame.height, dtype=np.int64)
        piece = np.empty(frame.height, dtype=np.uint16)
        # A slice at a time: beside the rows themselves there are their numbers then, and little else.
        for start in range(0, frame.height, _SLICE):
            rows = frame[start : start + _SLICE].select(group.alias("group"), inside.alias("inside"))
            high, low_bits = (rows.get_column(name).to_numpy() for name in rows.columns)
            piece[start : start + _SLICE] = high >> self._kept
            numbers[start : start + _SLICE] = ((high & ((1 << self._kept) - 1)) << self.inside) | low_bits
        yield from _sorted_pieces(numbers, piece, self.cut, 0)

    def unpacked(
        self, left_out: int, numbers: NDArray[np.int64], rank: NDArray[np.int64], newest: NDArray[np.bool_]
    ) -> pl.DataFrame:
        """Give packed rows of equal left-out bits back as columns."""
        columns = {self.names[-1]: (numbers & ((1 << self.inside) - 1)) + self.lows[-1]}
        group = (left_out << self._kept) | (numbers >> self.inside)
        for name, low, wide in reversed(list(zip(self.names[:-1], self.lows[:-1], self.bits[:-1], strict=True))):
            columns[name] = (group & ((1 << wide) - 1)) + low
            group >>= wide
        return pl.DataFrame({**{name: columns[name] for name in self.names}, RANK: rank, NEWEST: newest})


def _sorted_pieces(
    numbers: NDArray[np.int64], piece: NDArray[np.uint16], bits: int, before: int
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Sort numbers apart that differ in the `bits` of `piece`: a few bits at a time, so that no row is looked at often."""
    if not bits:
        numbers.sort()
        yield before, numbers
        return
    rest = max(0, bits - _AT_ONCE)
    high = piece >> rest
    for value in range(1 << (bits - rest)):
        own = high == value
        if own.any():
            inner = piece[own] & ((1 << rest) - 1)
            yield from _sorted_pieces(numbers[own], inner, rest, (before << (bits - rest)) | value)


def _picked(
    numbers: NDArray[np.int64], inside: int, ranks: Sequence[int] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Choose the asked rows of sorted numbers: them, their ranks, and whether each is the newest of its group."""
    groups = numbers >> inside
    ends = np.append(np.flatnonzero(groups[1:] != groups[:-1]), numbers.size - 1)
    places, rank, newest = _chosen(ends, ranks)
    return numbers[places], rank, newest


def _chosen(
    ends: NDArray[np.intp], ranks: Sequence[int] | None
) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[np.bool_]]:
    """Choose rows of groups that end at `ends`."""
    sizes = np.diff(ends, prepend=-1)
    if ranks is None:
        places = np.arange(int(ends[-1]) + 1)
        newest = np.zeros(len(places), dtype=np.bool_)
        newest[ends] = True
        return places, (places - np.repeat(ends - sizes, sizes)).astype(np.int64), newest
    more = [(asked, np.flatnonzero(sizes > asked)) for asked in sorted(set(ranks))]
    places = np.concatenate([ends, *((ends - sizes)[groups] + asked for asked, groups in more)])
    rank = np.concatenate([sizes, *(np.full(len(groups), asked) for asked, groups in more)]).astype(np.int64)
    return places, rank, np.arange(len(places)) < len(ends)


def _ranked_by_columns(frame: pl.DataFrame, by: Sequence[str], ranks: Sequence[int] | None) -> pl.DataFrame:
    """Rank rows that no number holds."""
    ordered = frame.sort(frame.columns)
    change = np.zeros(ordered.height - 1, dtype=np.bool_)
    for name in by:
        column = ordered.get_column(name).to_numpy()
        change |= column[1:] != column[:-1]
    places, rank, newest = _chosen(np.append(np.flatnonzero(change), ordered.height - 1), ranks)
    return ordered[places].with_columns(pl.Series(RANK, rank), pl.Series(NEWEST, newest))
