"""The DuckDB engine: the same plans on DuckDB's own reader and executor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import duckdb
import narwhals as nw
import polars as pl
import pyarrow as pa  # noqa: F401  # DuckDB hands tables over through it: missing, it must be missed here

from pqlkit.engines.relational import Relational
from pqlkit.errors import DataError, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pqlkit.typing import LazyFrame


def _connection() -> Any:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    return connection


@dataclass(frozen=True, slots=True)
class DuckDBEngine(Relational):
    """Plans run on DuckDB, in this process, on a connection of their own."""

    name: str = "duckdb"
    connection: Any = field(default_factory=_connection, repr=False, compare=False)
    numbers: Iterator[int] = field(default_factory=count, repr=False, compare=False)

    def scan(self, paths: Sequence[str], columns: Sequence[str] | Mapping[str, str]) -> LazyFrame:
        """Read canonical Parquet lazily; see `Engine.scan`."""
        aliases = dict(columns) if isinstance(columns, Mapping) else {name: name for name in columns}
        if not paths:
            message = "there is no file to read"
            raise DataError(message)
        for path in paths:
            if not Path(path).exists():
                message = "the file does not exist"
                raise DataError(message, where=path)
        files = ", ".join(_literal(_unglobbed(path)) for path in paths)
        source = f"read_parquet([{files}], union_by_name = true)"
        types = self._types(source, paths)
        wanted = ", ".join(_column(paths[0], name, types) + f" AS {_quoted(alias)}" for name, alias in aliases.items())
        return _narwhals(self.connection.sql(f"SELECT {wanted} FROM {source}"))

    def lift(self, frame: pl.DataFrame) -> LazyFrame:
        """Bring a small table into the engine."""
        return _narwhals(self.connection.from_arrow(frame.to_arrow()))

    def keep(self, frame: LazyFrame) -> LazyFrame:
        """Hold what the plan gives in a table of this connection."""
        name = f"kept_{next(self.numbers)}"
        _relation(frame).create(name)
        return _narwhals(self.connection.table(name))

    def collect(self, frame: LazyFrame) -> pl.DataFrame:
        """Run the plan; whole numbers that DuckDB widened come back as Int64."""
        table = cast("pl.DataFrame", _relation(frame).pl())
        return table.with_columns(pl.col(pl.Decimal).cast(pl.Int64))

    def _types(self, source: str, paths: Sequence[str]) -> dict[str, str]:
        try:
            relation = self.connection.sql(f"SELECT * FROM {source}")
        except duckdb.Error as error:
            message = f"not a readable Parquet file: {error}"
            raise DataError(message, where=paths[0]) from error
        return dict(zip(relation.columns, map(str, relation.types), strict=True))


def _narwhals(relation: Any) -> LazyFrame:
    return cast("LazyFrame", nw.from_native(relation))


def _relation(frame: LazyFrame) -> Any:
    return frame.to_native()


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _unglobbed(path: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in path)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _column(path: str, name: str, types: Mapping[str, str]) -> str:
    if name not in types:
        message = f"there is no column {name!r}"
        raise DataError(message, where=path, hint=suggestion(name, types, quoted=True))
    if types[name].startswith("TIMESTAMP") and types[name].endswith("_NS"):
        return f"(epoch_ns({_quoted(name)}) - ((epoch_ns({_quoted(name)}) % 1000) + 1000) % 1000) // 1000"
    if types[name].startswith("TIMESTAMP") or types[name] == "DATE":
        return f"epoch_us({_quoted(name)})"
    if types[name].removeprefix("U") in ("TINYINT", "SMALLINT", "INTEGER"):
        return f"{_quoted(name)}::BIGINT"
    if types[name].startswith(("ENUM", "UUID")):
        return f"{_quoted(name)}::VARCHAR"
    return _quoted(name)
