"""The relational engine: the verbs of the seam as plans of joins, windows and groups, for engines that have no shorter way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pqlkit.engines.overlaps import Plans, overlaps_by_windows
from pqlkit.engines.portable import encoded
from pqlkit.engines.ranking import ranked
from pqlkit.engines.tallies import ascending, tallied_by_grouping

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.engines.overlaps import Overlap
    from pqlkit.engines.tallies import Packing, Part
    from pqlkit.typing import LazyFrame


class Relational(Plans, Protocol):
    """An engine that ranks, counts and encodes by plans alone."""

    __slots__ = ()

    def encode(self, frame: LazyFrame, column: str, names: Sequence[str]) -> LazyFrame:
        """Replace a text column by the Int32 position of its value in `names`; other values become null."""
        return encoded(self, frame, column, names)

    def ranked(self, frame: LazyFrame, by: Sequence[str], order: str, ranks: Sequence[int] | None) -> LazyFrame:
        """Rank the rows of each group; see `Engine.ranked`."""
        return ranked(frame, by, order, ranks)

    def tally(self, frame: LazyFrame, pack: Packing, *, whos: int | None = None) -> Iterator[Part]:
        """Count by groups; see `Engine.tally`."""
        return tallied_by_grouping(self, frame, pack, whos)

    def overlaps(self, frame: LazyFrame, asked: Sequence[Overlap]) -> Iterator[pl.DataFrame]:
        """Find overlaps by window functions; see `Engine.overlaps`."""
        return overlaps_by_windows(self, frame, asked)

    def distinct(self, frame: LazyFrame) -> NDArray[np.int64]:
        """Give the different numbers of a plan; see `Engine.distinct`."""
        return ascending(self.collect(frame.unique()))
