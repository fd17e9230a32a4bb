"""The Parquet file: its rows in batches, numbered from 1, and its columns without reading them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.errors import DataError
from pqlkit.exports.arrow_values import intervals, readable
from pqlkit.exports.batch import Batch
from pqlkit.exports.json_lines import flatten
from pqlkit.exports.numbering import HOME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

ROWS: Final = 250_000


def read_parquet(path: Path, name: str) -> Iterator[Batch]:
    """Yield a file's rows in order; errors call it by its name.

    Raises
    ------
    DataError
        The file is damaged, or holds what cannot be read.
    """
    row = 1
    columns = schema(path)
    refuse_numbered(columns, name)
    left_out = intervals(columns)
    try:
        rows = pl.scan_parquet(path, glob=False).drop(left_out)
        for frame in rows.collect_batches(chunk_size=ROWS, maintain_order=True):
            lines = pl.int_range(row, row + frame.height, eager=True).alias("line")
            row += frame.height
            yield Batch(frame=readable(flatten(frame)), lines=lines, dropped=left_out)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise damaged(name, error) from error
    if row == 1:
        kept = {column: dtype for column, dtype in columns.items() if column not in left_out}
        empty = readable(flatten(pl.DataFrame(schema=kept)))
        yield Batch(frame=empty, lines=pl.Series("line", [], dtype=pl.Int64), dropped=left_out)


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


def refuse_numbered(columns: Iterable[str], name: str) -> None:
    """Refuse a file of a dataset's events, which is no export: its users and accounts are numbers.

    Raises
    ------
    DataError
        It is one.
    """
    if HOME in columns:
        raise DataError(
            f"{name} is a file of events of a dataset, in which users are numbers",
            where=name,
            hint="name the dataset's folder with --data, instead of --events",
        )


_DAMAGE: Final = (
    "out of specification",
    "out-of-spec",
    "end of file",
    "unexpected eof",
    "par1",
    "corrupt",
    "truncated",
)


def damaged(path: Path | str, error: BaseException) -> DataError:
    """Say that a Parquet file cannot be read, and that it is damaged where that is so."""
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    if any(word in reason.lower() for word in _DAMAGE):
        return DataError(f"the Parquet file is damaged: {reason}", where=str(path), hint="export it again")
    return DataError(
        f"the Parquet file cannot be read: {reason}",
        where=str(path),
        hint="write it again with plain types (text, numbers, timestamps), or export CSV",
    )
