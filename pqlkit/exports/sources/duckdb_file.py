"""The DuckDB file: the answer to a query as Parquet, written by DuckDB itself."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from pqlkit.errors import DataError
from pqlkit.exports.sources.extra import needed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pqlkit.exports.sources.statement import Statement

"""Bytes 8 to 12 of a file."""
_MEMORY: Final = "512MB"
_READABLE: Final = re.compile(
    r"BOOLEAN|U?(TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(\d+,\s*\d+\)|DATE|TIMESTAMP(_S|_MS|_NS|_US)?"
    r"|TIMESTAMP WITH TIME ZONE|VARCHAR|BLOB"
)


def tables(path: Path, name: str) -> list[str]:
    """List the tables and views, those of other schemas than ``main`` under both names.

    Raises
    ------
    DataError
        The file cannot be read.
    """
    with _opened(path, name) as connection:
        rows = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = current_database()"
        ).fetchall()
    return sorted(table if schema == "main" else f"{schema}.{table}" for schema, table in rows)


def export(path: Path, statement: Statement, target: Path, name: str) -> None:
    """Write what a query gives as Parquet.

    Types that Parquet or its readers lack (UUID, JSON, ENUM, HUGEINT, INTERVAL ...) become text.

    Raises
    ------
    DataError
        The file cannot be read, or the query fails.
    """
    with _opened(path, name) as connection:
        connection.execute("SET memory_limit = $1", [_MEMORY])
        connection.execute("SET temp_directory = $1", [str(target.parent)])
        connection.execute("SET TimeZone = $1", [statement.zone])
        described = connection.execute(f"DESCRIBE {statement.text}").fetchall()
        columns = ", ".join(_column(row[0], row[1]) for row in described)
        place = str(target).replace("'", "''")
        connection.execute(
            f"COPY (SELECT {columns} FROM (\n{statement.text}\n) AS pqlkit) TO '{place}' (FORMAT parquet)"
        )


def _column(name: str, kind: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    plain = _READABLE.fullmatch(kind) or kind.startswith(("STRUCT(", "MAP(")) or kind.endswith("]")
    return quoted if plain else f"{quoted}::VARCHAR AS {quoted}"


@contextmanager
def _opened(path: Path, name: str) -> Iterator[Any]:
    duckdb = needed("duckdb", extra="duckdb", what="a DuckDB file")
    # What DuckDB lacks it would download; a read must not.
    config = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    try:
        with duckdb.connect(str(path), read_only=True, config=config) as connection:
            yield connection
    except duckdb.Error as error:
        raise DataError(f"DuckDB says: {_words(str(error), path, name)}", where=name) from error


def _words(text: str, path: Path, name: str) -> str:
    first = re.sub(r"^(\w+ )+Error: ", "", text.splitlines()[0] if text else "nothing")
    return first.replace(str(path), name)
