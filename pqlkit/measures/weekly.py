"""The weeks: how often an event was done in the last one, and in the four before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from pqlkit.columns import SNAPSHOT
from pqlkit.definitions.model import Measure, WindowKind
from pqlkit.durations import Duration
from pqlkit.measures.cells import ANY, CODE, column_of
from pqlkit.measures.cube import Seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pqlkit.measures.world import World

WEEKS: Final = 4
"""Weeks before the last one, whose mean it is held against."""

WEEK: Final = Duration(7, "d")
WHOLE: Final = Duration(7 * (WEEKS + 1), "d")
"""What must be known of a life before a snapshot."""


def weekly(
    world: World, snapshots: pl.DataFrame, events: Sequence[str]
) -> Iterator[tuple[str | None, NDArray[np.int64], NDArray[np.int64]]]:
    """Count each event, and any event (None), at snapshots: in the last week, and in the four weeks before it.

    Parameters
    ----------
    world
        The population.
    snapshots
        ``snapshot`` (0..n-1), ``entity``, ``cutoff``.
    events
        Their names.

    Yields
    ------
    tuple
        The event; the count of the last week, and of the weeks before, one per snapshot.
    """
    measure = Measure()
    seen = Seen.of(world, snapshots, kind=WindowKind.TRAILING, windows=[WEEK, WHOLE], measures=[measure], events=events)
    names = [column_of(0, 0), column_of(0, 1)]
    frames = [
        frame.select(CODE, SNAPSHOT, *(pl.col(name).cast(pl.Int64) for name in names)) for _, frame in seen.frames()
    ]
    if not frames:
        return
    for (code,), own in sorted(pl.concat(frames).partition_by(CODE, as_dict=True).items()):
        counts = np.zeros((2, snapshots.height), dtype=np.int64)
        counts[:, own.get_column(SNAPSHOT).to_numpy()] = own.select(names).to_numpy().T
        yield None if code == ANY else seen.sightings.names[int(code)], counts[0], counts[1] - counts[0]
