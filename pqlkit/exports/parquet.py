"""The Parquet file: its rows in batches, numbered from 1, and its columns without reading them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.errors import DataError
from pqlkit.exports.batch import Batch
from pqlkit.exports.json_lines import flatten
from pqlkit.exports.parquet_types import intervals, legible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS: Final = 250_000


def read_parquet(path: Path) -> Iterator[Batch]:
    """Yield a file's rows in order.

    Raises
    ------
    DataError
        The file is damaged, or holds what cannot be read.
    """
    row = 1
    columns = schema(path)
    held = intervals(columns)
    if held:
        raise DataError(
            f"the column {held[0]!r} is an interval of months, days and seconds, which is not read",
            where=str(path),
            hint="export it as a number of seconds, or leave it out",
        )
    try:
        for frame in pl.scan_parquet(path, glob=False).collect_batches(chunk_size=ROWS, maintain_order=True):
            lines = pl.int_range(row, row + frame.height, eager=True).alias("line")
            row += frame.height
            yield Batch(frame=legible(flatten(frame)), lines=lines)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise damaged(path, error) from error
    if row == 1:
        empty = legible(flatten(pl.DataFrame(schema=columns)))
        yield Batch(frame=empty, lines=pl.Series("line", [], dtype=pl.Int64))


def schema(path: Path) -> pl.Schema:
    """Read a file's columns and types from its footer.

    Raises
    ------
    DataError
        The file is damaged or truncated, or cannot be read.
    """
    try:
        return pl.scan_parquet(path, glob=False).collect_schema()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise damaged(path, error) from error


_DAMAGE: Final = (
    "out of specification",
    "out-of-spec",
    "end of file",
    "unexpected eof",
    "PAR1",
    "corrupt",
    "truncated",
)


def damaged(path: Path, error: BaseException) -> DataError:
    """Say that a Parquet file cannot be read, and that it is damaged where that is so."""
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    if any(word.lower() in reason.lower() for word in _DAMAGE):
        return DataError(f"the Parquet file is damaged: {reason}", where=str(path), hint="export it again")
    return DataError(
        f"the Parquet file cannot be read: {reason}",
        where=str(path),
        hint="write it again with plain types (text, numbers, timestamps), or export CSV",
    )
