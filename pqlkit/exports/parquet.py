"""The Parquet file: its rows in batches, numbered from 1, and its columns without reading them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.errors import DataError
from pqlkit.exports.arrow_values import readable
from pqlkit.exports.batch import Batch
from pqlkit.exports.json_lines import flatten

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS: Final = 250_000


def read_parquet(path: Path, name: str) -> Iterator[Batch]:
    """Yield a file's rows in order; errors call it by its name.

    Raises
    ------
    DataError
        The file is damaged.
    """
    row = 1
    try:
        for frame in pl.scan_parquet(path, glob=False).collect_batches(chunk_size=ROWS, maintain_order=True):
            lines = pl.int_range(row, row + frame.height, eager=True).alias("line")
            row += frame.height
            plain, dropped = readable(flatten(frame))
            yield Batch(frame=plain, lines=lines, dropped=dropped)
        if row == 1:
            yield Batch(frame=pl.DataFrame(schema=schema(path)), lines=pl.Series("line", [], dtype=pl.Int64))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise damaged(name, error) from error


def schema(path: Path) -> pl.Schema:
    """Read a file's columns and types from its footer.

    Raises
    ------
    DataError
        The file is damaged or truncated.
    """
    try:
        return pl.scan_parquet(path, glob=False).collect_schema()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise damaged(path, error) from error


def damaged(path: Path | str, error: Exception) -> DataError:
    """Say that a Parquet file cannot be read."""
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return DataError(f"the Parquet file is damaged: {reason}", where=str(path), hint="export it again")
