"""The SQLite file: the answer to a query as CSV, for a column there may hold texts and numbers in turn."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from pqlkit.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from pqlkit.exports.sources.statement import Statement

"""The first bytes of a file."""
_ROWS: Final = 10_000


def tables(path: Path, name: str) -> list[str]:
    """List the tables and views.

    Raises
    ------
    DataError
        The file cannot be read.
    """
    try:
        with closing(_opened(path)) as connection:
            rows = connection.execute(
                "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite^_%' ESCAPE '^'"
            )
            return sorted(row[0] for row in rows)
    except sqlite3.Error as error:
        raise DataError(f"the SQLite file cannot be read: {error}", where=name) from error


def export(path: Path, statement: Statement, target: Path, name: str) -> None:
    """Write what a query gives as CSV, some rows at a time.

    Raises
    ------
    DataError
        The file cannot be read, or the query fails.
    """
    try:
        with closing(_opened(path)) as connection, target.open("w", encoding="utf-8", newline="") as stream:
            cursor = connection.execute(statement.text)
            if cursor.description is None:
                raise DataError("the query gives no rows: it is not a SELECT", where=name)
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(column[0] for column in cursor.description)
            while rows := cursor.fetchmany(_ROWS):
                writer.writerows([_plain(value) for value in row] for row in rows)
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise DataError(f"the query cannot be run: {error}", where=name) from error


def _opened(path: Path) -> sqlite3.Connection:
    address = path.absolute().as_uri() + "?mode=ro"
    connection = sqlite3.connect(address, uri=True)
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        if path.with_name(path.name + "-wal").exists():
            raise
        # A file in WAL mode wants to write beside itself even to be read; without a log nobody is at work on it.
        connection = sqlite3.connect(address + "&immutable=1", uri=True)
    # Texts that are not UTF-8 are read as far as they go, like those of other files.
    connection.text_factory = lambda value: value.decode("utf-8", "backslashreplace")
    return connection


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.hex()
    return value
