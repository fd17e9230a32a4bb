"""Trails: counts of one thing that an entity did, block after block, and their sums over the newest blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEW: Final = 8  # so many steps back are compared one by one; more are searched


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trail:
    """Counts in blocks, by band, ready to be added up.

    Parameters
    ----------
    cells
        int64, ascending: the blocks in which something was counted. Neighbouring blocks of one entity and name differ by one;
        blocks of different ones lie farther apart than any window reaches.
    table
        Band by cell: what counts up to that band of the block.
    sums
        int64, one more than cells: the running sum of whole blocks.
    twice
        The running number of cells whose first date the block before has, too; None if there are none.
    reaches
        How far back -> the oldest cell within it of each; filled as they are asked for.
    """

    cells: NDArray[np.int64]
    table: NDArray[np.int32]
    sums: NDArray[np.int64]
    twice: NDArray[np.int64] | None
    reaches: dict[int, NDArray[np.intp]]

    @classmethod
    def of(
        cls,
        cells: NDArray[np.int64],
        table: NDArray[np.int32],
        twice: NDArray[np.bool_] | None = None,
        *,
        reaches: dict[int, NDArray[np.intp]] | None = None,
    ) -> Trail:
        """Add up; trails of the same cells may share their `reaches`."""
        return cls(
            cells=cells,
            table=table,
            sums=_running(table[-1]),
            twice=None if twice is None else _running(twice),
            reaches={} if reaches is None else reaches,
        )

    def seen(self, own: NDArray[np.intp], back: int, band: int) -> NDArray[np.int32]:
        """Sum each of the cells `own` and those up to `back` blocks before it, of which the oldest counts up to `band`.

        Examples
        --------
        Blocks 1, 2 and 4 with 5, 6 and 7 events:

        >>> trail = Trail.of(np.array([1, 2, 4]), np.array([[2, 2, 2], [5, 6, 7]]))
        >>> trail.seen(np.array([0, 1, 2]), 2, 1).tolist()
        [5, 11, 13]
        >>> trail.seen(np.array([0, 1, 2]), 2, 0).tolist()
        [5, 11, 9]
        """
        if back < 0:
            return np.zeros(own.size, np.int32)
        if back == 0:
            newest: NDArray[np.int32] = self.table[band][own]
            return newest
        oldest = self._oldest(back)[own]
        total = self.sums[own + 1] - self.sums[oldest]
        if band < len(self.table) - 1:
            cut = np.flatnonzero(self.cells[oldest] == self.cells[own] - back)
            total[cut] -= (self.table[-1] - self.table[band])[oldest[cut]]
        if self.twice is not None:
            total -= self.twice[own + 1] - self.twice[self._oldest(back - 1)[own]]
        whole: NDArray[np.int32] = total.astype(np.int32)
        return whole

    def _oldest(self, back: int) -> NDArray[np.intp]:
        """Find the oldest cell at most `back` blocks before each."""
        if back not in self.reaches:
            self.reaches[back] = self._reach(back)
        return self.reaches[back]

    def _reach(self, back: int) -> NDArray[np.intp]:
        if back > _FEW:
            return np.searchsorted(self.cells, self.cells - back)
        oldest = np.arange(self.cells.size)
        for step in range(1, back + 1):
            oldest[step:] -= self.cells[step:] - self.cells[:-step] <= back
        return oldest


def _running(values: NDArray[np.int32] | NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(values, dtype=np.int64)])
