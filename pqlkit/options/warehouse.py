"""Options of the query for a warehouse: its dialect, the names of tables and columns, and what is new."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pqlkit.options import parsing as reading
from pqlkit.options.data import DATA, ProjectOption
from pqlkit.options.option import Role, option
from pqlkit.options.output import MessageOptions, TargetOption


class SqlDialect(StrEnum):
    """Whose SQL is written."""

    DUCKDB = "duckdb"
    POSTGRES = "postgres"
    BIGQUERY = "bigquery"
    SNOWFLAKE = "snowflake"
    DATABRICKS = "databricks"
    REDSHIFT = "redshift"


class ColumnType(StrEnum):
    """What a property or trait holds."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"


@dataclass(frozen=True, kw_only=True)
class SqlOptions(ProjectOption, MessageOptions, TargetOption):
    """Which definition, in whose SQL, over which tables."""

    definition: tuple[Path, ...] = option((), "The definition to write.", short="-d", metavar="FILE", role=Role.READS)
    dialect: SqlDialect = option(
        SqlDialect.DUCKDB,
        "Whose SQL: duckdb, postgres, bigquery, snowflake, databricks or redshift.",
        reads=reading.chosen(SqlDialect),
        metavar="NAME",
    )
    as_of: str | None = option(
        None,
        "The moment up to which everything is known.",
        unset="the newest row",
        reads=reading.moment_text,
        metavar="DATE",
    )
    since: str | None = option(
        None, "Who qualified later is new: a duration before as-of, a date or an instant.", metavar="WHEN"
    )
    dbt: Path | None = option(None, "Write a dbt model with its tests and docs.", metavar="DIR", role=Role.FILLS)
    incremental: bool = option(False, "With --dbt: a run keeps what the runs before found, and adds to it.")
    data: Path | None = option(
        None,
        "A folder that `pqlkit load` wrote: the tables have its columns.",
        unset="the project file's exports say which columns there are",
        metavar="DIR",
        panel=DATA,
        role=Role.READS,
    )
    table: tuple[str, ...] = option(
        (), "Where a table is, like events=raw.product_events. Repeatable.", metavar="TABLE=NAME", panel=DATA
    )
    map: tuple[str, ...] = option(
        (),
        "Which column is which: events.timestamp=occurred_at. Repeatable.",
        metavar="TABLE.COLUMN=NAME",
        panel=DATA,
    )
    type: tuple[str, ...] = option(
        (),
        "What a property or trait holds: amount=text, number or boolean; that a time is a date: conversions.converted_at=date. Repeatable.",
        metavar="NAME=TYPE",
        panel=DATA,
    )
    without: tuple[str, ...] = option(
        (),
        "Tables and columns that there are not, like accounts,conversions.user_id.",
        reads=reading.listed,
        metavar="LIST",
        panel=DATA,
    )
