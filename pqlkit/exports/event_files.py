"""The files of events: blocks of homes sorted by event, user and time, what later loads added to them, and rows of nobody.

A question about some events reads the groups of rows that hold them and no others, by the statistics of the files. Parts are cut
where a home ends, never at a row: the bytes depend on the rows alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from pqlkit.columns import ACCOUNT_ID, ANONYMOUS_ID, EVENT, EVENT_ID, TIMESTAMP, USER_ID
from pqlkit.exports.numbering import HOME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

BLOCK_ROWS: Final = 4_000_000
"""Rows of a block, about: what is sorted at once, and what a question about everything holds of the events at a time."""

GROUP_ROWS: Final = 200_000
MOST_DELTAS: Final = 32
MOST_ADDED: Final = 0.1
"""A dataset whose later loads come to more files, or to a larger share of its rows, is written together."""

_BLOCK: Final = "pqlkit:block"


def cuts(homes: pl.DataFrame) -> list[tuple[int, int]]:
    """Cut homes into blocks of about `BLOCK_ROWS` rows: [low, high) of each.

    Parameters
    ----------
    homes
        The number of each home and its ``rows``, sorted.
    """
    if homes.is_empty():
        return []
    lows = homes.with_columns(before=pl.col("rows").cum_sum() - pl.col("rows")).select(
        HOME, (pl.col("before") // BLOCK_ROWS).alias("block")
    )
    starts = lows.group_by("block", maintain_order=True).first()[HOME].to_list()
    return list(zip(starts, [*starts[1:], int(homes[HOME][-1]) + 1], strict=True))


def days_of(rows: pl.LazyFrame) -> list[int]:
    """Cut the times of rows of nobody into stretches of about `BLOCK_ROWS` rows: where each begins, in microseconds."""
    day = pl.col(TIMESTAMP).dt.truncate("1d").dt.timestamp("us")
    counted = rows.filter(_is_nobodys(rows)).group_by(day.alias(HOME)).agg(rows=pl.len()).collect(engine="streaming")
    return [low for low, _ in cuts(counted.sort(HOME))]


def _is_nobodys(rows: pl.LazyFrame) -> pl.Expr:
    """Whether a row has no user, and may get one: by its anonymous id, or as it is of no account."""
    nobodys = pl.col(USER_ID).is_null()
    loose = pl.col(HOME).is_null()
    return nobodys & (loose | pl.col(ANONYMOUS_ID).is_not_null()) if ANONYMOUS_ID in rows.collect_schema() else loose


def partitioned(
    rows: pl.LazyFrame, lows: Sequence[int], days: Sequence[int], folder: Path
) -> Iterator[tuple[int, pl.DataFrame]]:
    """Give the rows of each block, those of nobody last: its place among `lows`, or -1 - that among `days`.

    Parameters
    ----------
    rows
        Numbered.
    lows, days
        Where blocks of homes and stretches of time begin.
    folder
        Does not exist yet; holds what does not fit into memory.
    """
    place = pl.col(HOME).map_batches(lambda homes: _places(lows, homes), return_dtype=pl.Int32, is_elementwise=True)
    stretch = pl.col(TIMESTAMP).map_batches(
        lambda times: _places(days, times.dt.timestamp("us")), return_dtype=pl.Int32, is_elementwise=True
    )
    key = pl.when(_is_nobodys(rows)).then(-1 - stretch).otherwise(place)
    if len(lows) + len(days) == 1:
        yield (0 if lows else -1), rows.collect(engine="streaming")
        return
    parts = pl.PartitionBy(folder, key=_BLOCK, include_key=False)
    rows.with_columns(key.alias(_BLOCK)).sink_parquet(parts, compression="lz4", mkdir=True, statistics=False)
    for place_ in [*range(len(lows)), *(-1 - number for number in range(len(days)))]:
        files = sorted((folder / f"{_BLOCK}={place_}").glob("*.parquet"))
        if files:
            yield place_, pl.read_parquet(files, glob=False)
            for file in files:
                file.unlink()


def _places(lows: Sequence[int], values: pl.Series) -> pl.Series:
    numbers = values.fill_null(0).to_numpy()
    return pl.Series(values.name, np.searchsorted(np.asarray(lows), numbers, side="right") - 1, dtype=pl.Int32)


def ordered(rows: pl.DataFrame) -> pl.DataFrame:
    """Sort by event, user and time, and those that are alike in these by the rest."""
    if rows.height < 2:
        return rows
    names = pl.Enum(rows[EVENT].unique().sort())
    rows = rows.with_columns(pl.col(EVENT).cast(names))
    by_time = rows[TIMESTAMP].to_physical().arg_sort().to_numpy()
    group = _group(rows, len(names.categories))
    bits = rows.height.bit_length()
    packed = (group[by_time] << bits) | np.arange(rows.height)
    packed.sort()
    place = by_time[packed & ((1 << bits) - 1)]
    placed = rows.select(pl.all().gather(place))
    placed = _settled(placed, group[place])
    return placed.with_columns(pl.col(EVENT).cast(pl.String))


def _group(rows: pl.DataFrame, names: int) -> NDArray[np.int64]:
    """Give the number of what each row is about: its event, and then its user, nobody first."""
    user = rows[USER_ID].cast(pl.Int64).fill_null(-1).to_numpy()
    low = int(user.min())
    wide = (int(user.max()) - low).bit_length()
    codes = rows[EVENT].to_physical().to_numpy().astype(np.int64)
    if wide + names.bit_length() + rows.height.bit_length() > 62:
        return np.asarray(np.unique(np.stack([codes, user]), axis=1, return_inverse=True)[1].ravel(), dtype=np.int64)
    return np.asarray((codes << wide) | (user - low), dtype=np.int64)


def _settled(rows: pl.DataFrame, group: NDArray[np.int64]) -> pl.DataFrame:
    """Order rows of the same event, user and time by what else they say."""
    times = rows[TIMESTAMP].to_physical().to_numpy()
    same = (group[1:] == group[:-1]) & (times[1:] == times[:-1])
    if not same.any():
        return rows
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    others = [name for name in rows.columns if name not in (EVENT, USER_ID, TIMESTAMP)]
    settled = rows[tied].sort(EVENT, USER_ID, TIMESTAMP, *others, nulls_last=False)
    place = np.arange(rows.height)
    place[tied] = rows.height + np.arange(len(tied))
    return pl.concat([rows, settled])[place]


def write_sorted(rows: pl.DataFrame, path: Path) -> None:
    """Write rows in their order, with what lets a reader pass over groups of them."""
    ordered(rows).write_parquet(
        path, compression="zstd", compression_level=1, row_group_size=GROUP_ROWS, statistics=True
    )


def file_columns(columns: Sequence[str]) -> list[str]:
    """Give the columns of a file of events, of those of the canonical table: ids of events lie apart."""
    first = [name for name in (EVENT, USER_ID, ACCOUNT_ID, HOME, TIMESTAMP) if name in columns or name == HOME]
    return [*first, *(name for name in columns if name not in first and name != EVENT_ID)]
