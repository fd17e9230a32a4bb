"""The raw batch: some rows of a file as they stand in it, with their line numbers, and the lines that are no rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

CHUNK: Final = 8 * 1024 * 1024
"""Bytes read at a time."""

LONGEST_ROW: Final = 32 * 1024 * 1024
"""Bytes of one row; a longer one is quarantined."""

SHOWN_ROW: Final = 16 * 1024
"""Characters of a bad row that the quarantine file keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """One row that cannot be used: `line` starts at 1; `row` is its text as far as `SHOWN_ROW`."""

    line: int
    column: str | None
    value: str | None
    reason: str
    row: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Some rows of one file.

    `frame` holds the export's columns (nested ones flattened with dots); `lines` (Int64, as long) the number of each row's
    first line; `untyped` names the columns of text whose types nobody has declared. `dropped` are columns of the file
    that cannot be read.
    """

    frame: pl.DataFrame
    lines: pl.Series
    rejected: list[Rejected] = field(default_factory=list)
    untyped: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Files:
    """Whose the rows of a batch are: the place of each row's file (Int32), and by its place each file's own order of columns."""

    places: pl.Series
    columns: dict[int, list[str]]


def shown(row: bytes) -> str:
    r"""Make a bad row's bytes text: what is not UTF-8 as ``\xff``, cut at `SHOWN_ROW`."""
    return row[: 4 * SHOWN_ROW].decode("utf-8", "backslashreplace")[:SHOWN_ROW].rstrip("\r\n")
