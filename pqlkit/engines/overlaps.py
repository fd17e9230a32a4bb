"""The overlap: stretches in which so many intervals of a group hold at once.

Intervals are told apart by where they begin and end alone: at a moment n of them hold if n more have begun than ended. With both sides
sorted, k hold from the begin number i on until the end number i - k + 1. Polars sorts rows and compares them; other engines do it
by window functions, and what comes back is a row per stretch, however many rows lie in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Protocol

import narwhals as nw
import numpy as np
import polars as pl

from pqlkit.engines.portable import Lifts, one
from pqlkit.engines.ranking import RANK, ranked_by_sorting
from pqlkit.engines.tallies import CODE, WHO, Runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pqlkit.typing import LazyFrame

THING: Final = "thing"
FIRST: Final = "first"
LAST: Final = "last"
BEGIN: Final = "begin"
END: Final = "end"
_NUMBER: Final = "number"
_LENGTH: Final = "length"
_COUNT: Final = "count"
_BEFORE: Final = "before"
_ISLAND: Final = "island"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """What is asked: where at least `count` intervals of a name hold, each `length` longer than its row says."""

    code: int
    length: int
    count: int


class Plans(Lifts, Runs, Protocol):
    """Of an engine, what runs plans and brings a table in."""


def overlaps_by_sorting(engine: Runs, frame: LazyFrame, asked: Sequence[Overlap]) -> Iterator[pl.DataFrame]:
    """Sort the rows here, and compare each with the one so many rows before."""
    names = frame.collect_schema().names()
    groups = [CODE, WHO, *([THING] if THING in names else [])]
    rows = engine.collect(frame)
    if LAST not in names and THING not in names:
        rows = ranked_by_sorting(rows, groups, FIRST, None)
        group = np.cumsum(rows.get_column(RANK).to_numpy() == 1)
    else:
        rows = rows.sort(*groups, FIRST)
        group = rows.select(pl.struct(groups).rle_id()).to_series().to_numpy()
    first = rows.get_column(FIRST).to_numpy()
    last = first if LAST not in names else rows.sort(*groups, LAST).get_column(LAST).to_numpy()
    who, code = rows.get_column(WHO).to_numpy(), rows.get_column(CODE).to_numpy()
    for overlap in asked:
        own = slice(*np.searchsorted(code, [overlap.code, overlap.code + 1]))
        yield _united(group[own], who[own], first[own], last[own] + overlap.length, overlap.count)


def _united(
    group: NDArray[np.integer], who: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64], count: int
) -> pl.DataFrame:
    few = max(0, first.size - count + 1)
    begin, end = first[count - 1 :], last[:few]
    held = np.flatnonzero((end > begin) & (group[count - 1 :] == group[:few]))
    begin, end, own = begin[held], end[held], group[held]
    new = np.ones(held.size, dtype=np.bool_)
    new[1:] = (begin[1:] > end[:-1]) | (own[1:] != own[:-1])
    starts = np.flatnonzero(new)
    ends = end[np.append(starts[1:], held.size) - 1] if held.size else end
    return pl.DataFrame({WHO: who[held[starts]], BEGIN: begin[starts], END: ends})


def overlaps_by_windows(engine: Plans, frame: LazyFrame, asked: Sequence[Overlap]) -> Iterator[pl.DataFrame]:
    """Do the same by window functions, and bring the stretches."""
    names = frame.collect_schema().names()
    groups = [CODE, WHO, *([THING] if THING in names else [])]
    rows = frame.with_columns(nw.col(FIRST).alias(LAST)) if LAST not in names else _aligned(frame, groups)
    counts = sorted({overlap.count for overlap in asked})
    back = {f"{LAST}{count}": nw.col(LAST).shift(count - 1).over(*groups, order_by=[FIRST, LAST]) for count in counts}
    wanted = pl.DataFrame(
        {
            _NUMBER: range(len(asked)),
            CODE: [overlap.code for overlap in asked],
            _LENGTH: [overlap.length for overlap in asked],
            _COUNT: [overlap.count for overlap in asked],
        },
        schema=dict.fromkeys([_NUMBER, CODE, _LENGTH, _COUNT], pl.Int64),
    )
    each = rows.with_columns(**back).join(engine.lift(wanted), on=CODE, how="inner")
    ends = [nw.when(nw.col(_COUNT) == count).then(nw.col(f"{LAST}{count}")) for count in counts]
    each = each.with_columns((nw.coalesce(*ends) + nw.col(_LENGTH)).alias(END), nw.col(FIRST).alias(BEGIN))
    own = [_NUMBER, *groups]
    # Equal stretches would stand in an order of their own in each of the two windows.
    held = each.filter(nw.col(END) > nw.col(BEGIN)).select(*own, BEGIN, END).unique()
    before = nw.col(END).shift(1).over(*own, order_by=[BEGIN, END])
    new = one(nw.col(_BEFORE).is_null() | (nw.col(BEGIN) > nw.col(_BEFORE)).fill_null(False))
    held = held.with_columns(before.alias(_BEFORE)).with_columns(new.alias(_ISLAND))
    held = held.with_columns(nw.col(_ISLAND).cum_sum().over(*own, order_by=[BEGIN, END]))
    united = held.group_by(*own, _ISLAND).agg(nw.col(BEGIN).min(), nw.col(END).max())
    table = engine.collect(united.select(_NUMBER, WHO, BEGIN, END)).sort(_NUMBER, WHO, BEGIN)
    edges = np.searchsorted(table.get_column(_NUMBER).to_numpy(), np.arange(len(asked) + 1)).tolist()
    for start, after in pairwise(edges):
        yield table[start:after].drop(_NUMBER)


def _aligned(frame: LazyFrame, groups: Sequence[str]) -> LazyFrame:
    """Put the begins and the ends of a group side by side, each in their own order."""
    sides = []
    for name in (FIRST, LAST):
        rank = nw.col(name).cum_count().over(*groups, order_by=name).cast(nw.Int64)
        sides.append(frame.select(*groups, name, rank.alias(RANK)))
    return sides[0].join(sides[1], on=[*groups, RANK], how="inner").drop(RANK)
