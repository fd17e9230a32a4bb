"""The recipe: how a warehouse's tables become exports that pqlkit reads, as statements to run there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import yaml

from pqlkit.errors import UsageError, suggestion
from pqlkit.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WRAPPERS: Final = {
    "bigquery": (
        "EXPORT DATA OPTIONS (\n  uri = 'gs://BUCKET/{table}/*.parquet', format = 'PARQUET', overwrite = true\n) AS\n{query};",
        "gs://BUCKET/{table}/*.parquet",
    ),
    "snowflake": (
        "COPY INTO @STAGE/{table}/ FROM (\n{query}\n)\n"
        "FILE_FORMAT = (TYPE = PARQUET) HEADER = TRUE OVERWRITE = TRUE MAX_FILE_SIZE = 268435456;",
        "s3://BUCKET/{table}/",
    ),
    "databricks": (
        "INSERT OVERWRITE DIRECTORY 's3://BUCKET/{table}/'\nUSING PARQUET\n{query};",
        "s3://BUCKET/{table}/",
    ),
    "redshift": (
        "UNLOAD ($$\n{query}\n$$)\nTO 's3://BUCKET/{table}/' IAM_ROLE default FORMAT PARQUET ALLOWOVERWRITE;",
        "s3://BUCKET/{table}/",
    ),
    "postgres": ("COPY (\n{query}\n) TO STDOUT WITH (FORMAT csv, HEADER);", "{table}.csv"),
}
"""By warehouse: the statement around a query that writes its answer to files, and where these lie."""

_READ_DIRECTLY: Final = ("postgres", "redshift")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One table's query, with what is to be known before it is run."""

    sql: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A source of exports: `warehouses` are those where its queries run as they stand, the usual one first."""

    name: str
    title: str
    warehouses: tuple[str, ...]
    tables: Mapping[str, Query]

    def statements(self) -> str:
        """Write one export statement per table, each with its notes, and what to write into ``pqlkit.yml`` after."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        first, *others = self.warehouses
        yield f"-- {self.title}. Set the dates, and what stands in capitals; then run each statement and read its files:"
        for table in self.tables:
            yield f"--   {table}: {{path: {WRAPPERS[first][1].format(table=table)}}}"
        if any(name in _READ_DIRECTLY for name in self.warehouses):
            yield "-- From PostgreSQL or Redshift a query can be read without files: connection: {env: NAME}, query: the SELECT."
        for table, query in self.tables.items():
            yield ""
            yield from (f"-- {line}" for line in (f"{table}: {query.note}").strip().splitlines())
            yield WRAPPERS[first][0].format(table=table, query=query.sql.rstrip())
            for other in others:
                wrapped = WRAPPERS[other][0].format(table=table, query="the SELECT")
                yield f"-- {other}: " + " ".join(wrapped.split())


def recipe(name: str) -> Recipe:
    """Read a recipe.

    Raises
    ------
    UsageError
        There is none of that name; the nearest is suggested.
    """
    known = recipes()
    if name not in known:
        hint = suggestion(name, known, "write one of " + ", ".join(known))
        raise UsageError(f"there is no recipe {name!r}", where="--from", hint=hint)
    return known[name]


@cache
def recipes() -> dict[str, Recipe]:
    """Read all recipes, by name.

    Examples
    --------
    >>> recipes()["stripe-fivetran"].warehouses
    ('postgres', 'redshift')
    """
    files = sorted(shipped("recipes").glob("*.yml"))
    return {file.stem: _recipe(file.stem, yaml.safe_load(file.read_text("utf-8"))) for file in files}


def _recipe(name: str, data: dict[str, Any]) -> Recipe:
    tables = {table: Query(sql=query["sql"], note=query["note"]) for table, query in data["tables"].items()}
    return Recipe(name=name, title=data["title"], warehouses=tuple(data["warehouses"]), tables=tables)
