"""The behaviour: an event seen through a measure in a window, and the grid of thresholds it is looked at on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pqlkit.shown import Counted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.definitions.model import Condition, Criterion, Measure, Window

GRID: Final[tuple[int, ...]] = tuple(
    sorted(
        {
            base * 10**power
            for power in range(13)
            for base in (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75)
        }
    )
)
"""Thresholds that people would write: "human numbers" times powers of ten (statistics.md 1.5).

The *level* of a value is how many of them it reaches: level 0 = below 1; value >= GRID[i] exactly when level >= i + 1.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """An event name (None = any event) with optional property conditions, seen through a measure in a window."""

    event: str | None
    measure: Measure
    window: Window
    where: tuple[Condition, ...] = ()

    def criterion(self, *, at_least: int | None = None, at_most: int | None = None) -> Criterion:
        """Make the criterion that it reaches one value, or does not pass another; without an id."""
        from pqlkit.definitions.model import Criterion

        return Criterion(
            id="",
            events=None if self.event is None else (self.event,),
            measure=self.measure,
            window=self.window,
            where=self.where,
            at_least=at_least,
            at_most=at_most,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Cube(Counted):
    """The level of every behaviour at every snapshot, zeros left out (compressed columns).

    Parameters
    ----------
    behaviours
        One per column, in canonical order (event, measure, window).
    snapshots
        How many snapshots there are; row ids run over 0..snapshots-1.
    offsets
        int64, one more than behaviours: column i is ``rows[offsets[i]:offsets[i+1]]``.
    rows
        uint32 snapshot ids, ascending within a column.
    levels
        uint8 levels, at least 1.
    """

    behaviours: tuple[Behaviour, ...]
    snapshots: int
    offsets: NDArray[np.int64]
    rows: NDArray[np.uint32]
    levels: NDArray[np.uint8]

    def _many(self) -> int:
        return len(self.behaviours)

    def column(self, index: int) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
        """Give the snapshots at which behaviour `index` is above zero, and its levels there."""
        part = slice(int(self.offsets[index]), int(self.offsets[index + 1]))
        return self.rows[part], self.levels[part]
