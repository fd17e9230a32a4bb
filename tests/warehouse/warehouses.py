"""Real warehouses for tests: tables go in, the rows of a query come out."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import polars as pl

from pqlkit.options.warehouse import SqlDialect

if TYPE_CHECKING:
    from collections.abc import Mapping


class Warehouse(Protocol):
    """What a test needs of one."""

    dialect: SqlDialect

    def load(self, tables: Mapping[str, pl.DataFrame]) -> None:
        """Replace tables."""
        ...

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Run a query."""
        ...


class DuckDB:
    """DuckDB in this process, in a zone of its own."""

    dialect = SqlDialect.DUCKDB

    def __init__(self, zone: str = "America/New_York") -> None:
        self._connection = duckdb.connect()
        self._connection.execute(f"SET TimeZone = '{zone}'")

    def load(self, tables: Mapping[str, pl.DataFrame]) -> None:
        for name, frame in tables.items():
            arrow = frame.to_arrow()
            self._connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM arrow")
            del arrow

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        table = self._connection.sql(query).to_arrow_table()
        frame = pl.DataFrame(pl.from_arrow(table))
        return plain(frame).rows()


class PostgreSQL:
    """A real server, in a zone of its own."""

    dialect = SqlDialect.POSTGRES

    def __init__(self, url: str, zone: str = "America/New_York") -> None:
        import adbc_driver_postgresql.dbapi as driver

        self._connection = driver.connect(url, autocommit=True)
        self._execute(f"SET TIME ZONE '{zone}'")

    def _execute(self, *statements: str) -> None:
        with self._connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def load(self, tables: Mapping[str, pl.DataFrame]) -> None:
        for name, frame in tables.items():
            self._execute(f"DROP TABLE IF EXISTS {name}")
            with self._connection.cursor() as cursor:
                cursor.adbc_ingest(name, frame.to_arrow(), mode="create")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            return plain(pl.DataFrame(pl.from_arrow(cursor.fetch_arrow_table()))).rows()

    def close(self) -> None:
        self._connection.close()


class Spark:
    """Sail, or the Spark Connect server that the environment names, in a session of a zone of its own: the dialect of Databricks."""

    dialect = SqlDialect.DATABRICKS

    def __init__(self, remote: str, zone: str = "America/New_York") -> None:
        from pyspark.sql import SparkSession

        self._session = SparkSession.builder.remote(remote).create()
        self._session.conf.set("spark.sql.session.timeZone", zone)
        self._folder, self._numbers = TemporaryDirectory(), count()

    def load(self, tables: Mapping[str, pl.DataFrame]) -> None:
        for name, frame in tables.items():
            # A table without rows has no types but in a file.
            path = Path(self._folder.name) / f"{name}-{next(self._numbers)}.parquet"
            frame.write_parquet(path)
            self._session.read.parquet(str(path)).createOrReplaceTempView(name)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return plain(pl.DataFrame(pl.from_arrow(self._session.sql(query).toArrow()))).rows()

    def close(self) -> None:
        self._session.stop()
        self._folder.cleanup()


def plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Make instants whole microseconds, and decimals floats, so that every warehouse answers with the same types."""
    casts = {
        name: pl.col(name).cast(pl.Datetime("us", "UTC")).to_physical()
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.Datetime)
    }
    casts |= {
        name: pl.col(name).cast(pl.Float64) for name, kind in frame.schema.items() if isinstance(kind, pl.Decimal)
    }
    return frame.with_columns(**casts)
