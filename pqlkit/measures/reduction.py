"""The reduction: counts of snapshots by behaviour, level and group, the sufficient statistic of every table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pqlkit.columns import SNAPSHOT
from pqlkit.measures.cells import CODE, column_of
from pqlkit.measures.cube import Seen, levels_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pqlkit.definitions.model import Measure, WindowKind
    from pqlkit.durations import Duration
    from pqlkit.measures.behaviour import Behaviour
    from pqlkit.measures.world import World

BEHAVIOUR = "behaviour"
LEVEL = "level"
N = "n"
_GROUP = "__group"
_LEVELS = 256


def histogram(
    world: World,
    snapshots: pl.DataFrame,
    *,
    groups: Sequence[str],
    kind: WindowKind,
    windows: Sequence[Duration],
    measures: Sequence[Measure],
    events: Sequence[str] | None = None,
) -> tuple[tuple[Behaviour, ...], pl.DataFrame]:
    """Count snapshots by behaviour, level and group, without keeping a row per snapshot and behaviour.

    Parameters
    ----------
    world, snapshots, kind, windows, measures, events
        As for `cube`; `snapshots` also holds the columns of `groups`.
    groups
        Columns of `snapshots` to count by: the outcome ``y``, a cohort, an age band. Few distinct combinations.

    Returns
    -------
    tuple
        The behaviours (the cube's, in its order), and a frame ``behaviour`` (Int32 position), ``level`` (UInt8, at least 1),
        the group columns, ``n`` (Int64). Level 0 is what is missing to the snapshots of a group. Sorted by behaviour, level and
        the group columns.
    """
    known = snapshots.select(groups).unique().sort(groups, nulls_last=False).with_row_index(_GROUP) if groups else None
    group_of = np.zeros(snapshots.height, dtype=np.int64)
    if known is not None:
        placed = snapshots.select(SNAPSHOT, *groups).join(known, on=list(groups), how="left", nulls_equal=True)
        group_of[placed.get_column(SNAPSHOT).to_numpy()] = placed.get_column(_GROUP).to_numpy()
    seen = Seen.of(world, snapshots, kind=kind, windows=windows, measures=measures, events=events)
    counted = pl.concat([_nothing(), *_counted(seen, group_of, 1 if known is None else known.height)])
    places = counted.select("__code", "__measure", "__window").unique().sort("__code", "__measure", "__window")
    behaviours = tuple(seen.behaviour(*row) for row in places.iter_rows())
    numbered = counted.join(places.with_row_index(BEHAVIOUR), on=["__code", "__measure", "__window"])
    if known is not None:
        numbered = numbered.join(known.with_columns(pl.col(_GROUP).cast(pl.Int64)), on=_GROUP)
    keys = [BEHAVIOUR, LEVEL, *groups]
    total = numbered.group_by(keys).agg(pl.col(N).sum())
    typed = total.with_columns(pl.col(BEHAVIOUR).cast(pl.Int32), pl.col(LEVEL).cast(pl.UInt8))
    return behaviours, typed.select(*keys, N).sort(keys)


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(["__code", "__measure", "__window", LEVEL, _GROUP, N], pl.Int64))


def _counted(seen: Seen, group_of: np.ndarray, groups: int) -> Iterator[pl.DataFrame]:
    for held, frame in seen.frames():
        group = group_of[frame.get_column(SNAPSHOT).to_numpy()]
        place = ((frame.get_column(CODE).to_numpy().astype(np.int64) + 1) * groups + group) * _LEVELS
        cells = (len(seen.sightings.names) + 1) * groups * _LEVELS
        for i in held:
            for j in range(len(seen.windows)):
                levels = levels_of(frame.get_column(column_of(i, j)), seen.measures[i])
                counts = np.bincount(place + levels, minlength=cells)
                yield _table(seen, counts, groups, i, j)


def _table(seen: Seen, counts: np.ndarray, groups: int, measure: int, window: int) -> pl.DataFrame:
    cells = np.flatnonzero(counts)
    cells = cells[cells % _LEVELS > 0]
    code = cells // (_LEVELS * groups) - 1
    known, at = np.unique(code, return_inverse=True)
    wanted = np.array([seen.wanted(int(code), measure) for code in known], dtype=bool)[at]
    cells, code = cells[wanted], code[wanted]
    return pl.DataFrame(
        {
            "__code": code,
            "__measure": np.full(cells.size, measure),
            "__window": np.full(cells.size, window),
            LEVEL: cells % _LEVELS,
            _GROUP: cells // _LEVELS % groups,
            N: counts[cells],
        },
        schema=_nothing().schema,
    )
