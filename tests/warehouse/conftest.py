"""The warehouses that queries run on, each in a zone of its own: DuckDB and a real PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.warehouse.warehouses import DuckDB, PostgreSQL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.warehouse.warehouses import Warehouse


@pytest.fixture(scope="session", params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    if request.param == "duckdb":
        yield DuckDB()
        return
    server = PostgreSQL(request.getfixturevalue("postgres").url)
    yield server
    server.close()
