"""Random definitions over random products: the query and `score` say the same, or the query says what it does not cover."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pqlkit.errors import DataError, DefinitionError, UsageError
from pqlkit.options.warehouse import ColumnType, SqlOptions
from pqlkit.warehouse.lead_query import query_of
from pqlkit.warehouse.naming import Naming
from tests.warehouse.random_products import draw_case
from tests.warehouse.test_lead_query import assert_rows, scored, with_histories

if TYPE_CHECKING:
    import polars as pl

    from tests.warehouse.random_products import Case
    from tests.warehouse.warehouses import Warehouse

COVERED = 0.85
"""The share of random definitions that the query says."""


def said_the_same(warehouse: Warehouse, case: Case, *, listed: bool) -> str:
    """Hold the query to `score`: ``equal``, or who refuses it and why; with the tables' columns known or not."""
    try:
        wanted = scored(case.definition, case.tables, case.project)
    except (DataError, DefinitionError, UsageError) as error:
        return f"score: {error}"
    places = {name: name.replace(".", "_") for name in case.tables}
    project = with_histories(case.project, places)
    options = SqlOptions(
        dialect=warehouse.dialect,
        since="7d",
        without=case.without,
        table=tuple(f"{name}={place}" for name, place in places.items()),
        type=tuple(f"{name}=date" for name in case.dates),
    )
    naming = Naming.of(options, project)
    if listed:
        naming = replace(naming, known={name: columns_of(table) for name, table in case.tables.items()})
    try:
        query = query_of(case.definition, project, options, naming=naming)
    except DefinitionError as error:
        return f"refused: {error}"
    warehouse.load({places[name]: table for name, table in case.tables.items()})
    assert_rows(case.definition, query, warehouse.rows(query.sql), wanted)
    return "equal"


def columns_of(table: pl.DataFrame) -> dict[str, ColumnType | None]:
    kinds = {
        "String": ColumnType.TEXT,
        "Float64": ColumnType.NUMBER,
        "Int64": ColumnType.NUMBER,
        "Boolean": ColumnType.BOOLEAN,
        "Date": ColumnType.DATE,
    }
    return {name: kinds.get(str(kind)) for name, kind in table.schema.items()}


def test_random_definitions_give_the_leads_of_score(warehouse):
    told = [said_the_same(warehouse, draw_case(seed), listed=seed % 2 == 0) for seed in range(6)]
    assert told.count("equal") >= COVERED * len(told), told


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 1100, 50))
def test_many_random_definitions_give_the_leads_of_score(warehouse, first):
    told = [said_the_same(warehouse, draw_case(seed), listed=seed % 2 == 0) for seed in range(first, first + 50)]
    assert told.count("equal") >= COVERED * len([line for line in told if not line.startswith("score")]), told
