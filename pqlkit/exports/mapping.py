"""The source: where one table's export lies, and which of its columns is which."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pqlkit.typing import Microseconds


class Match(StrEnum):
    """How a conversion finds its user."""

    USER_ID = "user_id"
    EMAIL = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Where a canonical column's values come from: one of `names` (the first that is not null in the row) or `constant`.

    `format` is for times: None (ISO 8601 or the file's own type), ``epoch_s``, ``epoch_ms``, ``epoch_us``, or a strptime
    pattern.
    """

    names: tuple[str, ...] = ()
    constant: str | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One table's export.

    Parameters
    ----------
    path
        Files, folders or globs, absolute or relative to the working directory, or addresses of a store or web server;
        empty with a `connection`.
    format
        Name of a preset of ``configs/exports``, or None.
    columns
        Canonical column (or trait) -> where it comes from. Columns not named keep the export's names.
    timezone
        IANA name of the zone of times without an offset: as stated, else the vendor's, else the project's.
    complete_through
        Last microsecond that the export is complete for, or None.
    match
        How a conversion finds its user.
    encoding, separator
        Of CSV files; None = sniffed from the first bytes.
    sheet
        Of a workbook; None = the only one.
    table, query
        What to ask a database; with neither, its only table.
    connection
        Name of the environment variable that holds a database server's address, or None.
    """

    path: tuple[str, ...]
    format: str | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    timezone: str = "UTC"
    complete_through: Microseconds | None = None
    match: Match = Match.USER_ID
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    table: str | None = None
    query: str | None = None
    connection: str | None = None

    @property
    def place(self) -> tuple[object, ...]:
        """Where the rows come from: sources of one place have the same rows."""
        return (self.path, self.sheet, self.table, self.query, self.connection)
