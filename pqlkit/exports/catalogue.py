"""The catalogue: which events, properties and traits a dataset has, as a small sorted file for review in git."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import yaml

from pqlkit.columns import EVENT
from pqlkit.exports.column_types import as_text
from pqlkit.exports.instants import UTC
from pqlkit.exports.summaries import FIRST, LAST, PROPERTIES, ROWS, names, names_on
from pqlkit.exports.tables import ACCOUNTS, EVENTS, USERS, layout
from pqlkit.files import write_text

if TYPE_CHECKING:
    from pqlkit.engines.base import Engine
    from pqlkit.exports.dataset import Dataset, Table
    from pqlkit.typing import Json


def catalogue(dataset: Dataset, engine: Engine | None = None) -> dict[str, Json]:
    """Describe a dataset; `engine` counts what nobody wrote down, wherever the tables are (None: here).

    Returns
    -------
    dict
        ``{"pqlkit_catalogue": 1, "events": {name: {"count", "first", "last", "properties": {name: type}}}, "traits":
        {"users": {name: type}, "accounts": {name: type}}}``: sorted by name, times ISO 8601 UTC, types of `ColumnType`.
        A property belongs to an event if any of its rows has a value.
    """
    traits: dict[str, Json] = {
        name: _traits(dataset.tables[name]) for name in (ACCOUNTS, USERS) if name in dataset.tables
    }
    return {"pqlkit_catalogue": 1, "events": _events(dataset.tables[EVENTS], engine), "traits": traits}


def write_catalogue(dataset: Dataset, path: Path | str) -> None:
    """Write the catalogue as YAML (as JSON if `path` ends in ``.json``), whole or not at all.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    described = catalogue(dataset)
    if Path(path).suffix.lower() == ".json":
        text = json.dumps(described, indent=1, ensure_ascii=False) + "\n"
    else:
        text = yaml.safe_dump(described, sort_keys=False, allow_unicode=True, width=100)
    write_text(path, text)


def _traits(table: Table) -> dict[str, Json]:
    known = set(layout(table.name).columns)
    return {name: str(kind) for name, kind in sorted(table.columns.items()) if name not in known}


def _events(table: Table, engine: Engine | None) -> dict[str, Json]:
    counted = names(table) if engine is None or table.names else names_on(engine, table).lazy()
    frame = counted.sort(EVENT).with_columns(as_text(pl.col(FIRST), UTC), as_text(pl.col(LAST), UTC))
    rows = frame.collect(engine="streaming").iter_rows(named=True)
    return {row[EVENT]: _event(row, table) for row in rows}


def _event(row: dict[str, Any], table: Table) -> Json:
    return {
        "count": row[ROWS],
        "first": row[FIRST],
        "last": row[LAST],
        "properties": {name: str(table.columns[name]) for name in row[PROPERTIES]},
    }
