"""One random case by SQL and by `score`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.errors import DefinitionError
from pqlkit.options.warehouse import SqlOptions
from pqlkit.warehouse.lead_query import query_of
from tests.warehouse.test_lead_query import assert_rows, scored

if TYPE_CHECKING:
    from tests.warehouse.random_products import Case
    from tests.warehouse.warehouses import Warehouse


def equal(warehouse: Warehouse, case: Case) -> str:
    try:
        wanted = scored(case.definition, case.tables, case.project)
    except Exception as error:
        return f"score refuses: {error}"
    try:
        query = query_of(
            case.definition, case.project, SqlOptions(dialect=warehouse.dialect, since="7d", without=case.without)
        )
    except DefinitionError as error:
        return f"refused: {error}"
    warehouse.load(case.tables)
    assert_rows(case.definition, query, warehouse.rows(query.sql), wanted)
    return "equal"
