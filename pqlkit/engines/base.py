"""The engine: what the rest of pqlkit may ask of Polars, DuckDB or Spark, and nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.engines.overlaps import Overlap
    from pqlkit.engines.tallies import Packing, Part
    from pqlkit.typing import LazyFrame

TABLE: Final = "table:"
"""What stands before the name of a table where a path could stand."""


class Engine(Protocol):
    """A place where lazy tables are evaluated. Outside `pqlkit.engines` no code asks which one runs."""

    @property
    def name(self) -> str:
        """What ``--engine`` calls it."""
        ...

    def scan(self, paths: Sequence[str], columns: Sequence[str] | Mapping[str, str]) -> LazyFrame:
        """Read canonical Parquet lazily: the named columns alone, every time as Int64 UTC microseconds, lesser integers as Int64.

        Parameters
        ----------
        paths
            Parquet files, in any order, or of an engine with a catalogue one name of a table behind `TABLE`.
        columns
            The columns to read, or column in the file -> name in the frame (an export's property names may hold dots,
            quotes or emoji; the names in the frame should not). Dates become their midnight in UTC.

        Raises
        ------
        DataError
            A file does not exist or is not Parquet, or a column is missing from it; there is no such table.
        """
        ...

    def lift(self, frame: pl.DataFrame) -> LazyFrame:
        """Bring a small table into the engine; the same table again costs no second transport."""
        ...

    def encode(self, frame: LazyFrame, column: str, names: Sequence[str]) -> LazyFrame:
        """Replace a text column by the Int32 position of its value in `names` (unique); other values become null."""
        ...

    def ranked(self, frame: LazyFrame, by: Sequence[str], order: str, ranks: Sequence[int] | None) -> LazyFrame:
        """Keep of each group the rows of the asked ranks, and the newest.

        Parameters
        ----------
        frame
            The columns asked for are whole numbers and never null.
        by, order
            What makes a group, and the column that numbers its rows 1, 2, ...; equal rows in any order.
        ranks
            Which to keep; None = all.

        Returns
        -------
        LazyFrame
            `by`, `order`, ``rank`` (Int64), ``newest`` (whether it is the last of its group). Each row comes once.
        """
        ...

    def tally(self, frame: LazyFrame, pack: Packing, *, whos: int | None = None) -> Iterator[Part]:
        """Count events and their different dates by who, name and stretch of time, however many events there are.

        Parameters
        ----------
        frame
            A row per event: ``who``, ``code``, ``stretch``, ``date``, ``band``, whole numbers from 0 on that fit `pack`.
        pack
            How large they are.
        whos
            No part spans more than so many; None = as it comes.

        Yields
        ------
        Part
            The counts by name, and those of any event; of one who in one part.
        """
        ...

    def overlaps(self, frame: LazyFrame, asked: Sequence[Overlap]) -> Iterator[pl.DataFrame]:
        """Find the stretches in which so many intervals of a group hold at once.

        Parameters
        ----------
        frame
            A row per interval: ``code`` and ``who`` and perhaps ``thing``, which make a group, ``first``, and ``last`` where that is
            another moment: it holds from ``first`` until a length after ``last``. Numbers are whole.
        asked
            Of which code, with which length, and how many.

        Yields
        ------
        DataFrame
            For each that is asked, ``who``, ``begin``, ``end``: sorted, those of a group neither overlap nor touch.
        """
        ...

    def distinct(self, frame: LazyFrame) -> NDArray[np.int64]:
        """Give the different whole numbers of a plan of one column, ascending."""
        ...

    def keep(self, frame: LazyFrame) -> LazyFrame:
        """Hold on the engine what a plan gives, for plans that read it several times: its rows come to nobody else."""
        ...

    def collect(self, frame: LazyFrame) -> pl.DataFrame:
        """Run the plan (streaming where the engine can); the row order is undefined."""
        ...


class Cluster(Engine, Protocol):
    """An engine that is elsewhere, and finds tables and files that this machine does not."""

    def look(self, place: str, headers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Look at a table.

        Parameters
        ----------
        place
            Its name behind `TABLE`, or the address of its files.
        headers
            Column -> what it is called there; others keep their names.

        Returns
        -------
        tuple
            The place to scan, where columns have these names, and column -> type: ``text``, ``integer``, ``number``, ``boolean``,
            ``instant``, ``date``, or as the engine spells one that is none of these.

        Raises
        ------
        DataError
            There is no such table, it may not be read, or a column is missing from it.
        """
        ...
