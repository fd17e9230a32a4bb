"""The leads of every shipped definition by SQL on real warehouses, held to `score`: each row, each column that both have."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl
import pytest

from pqlkit.definitions.folders import load_definition
from pqlkit.definitions.model import (
    EntityKind,
)
from pqlkit.durations import Duration
from pqlkit.errors import DefinitionError
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.project import Project, Traits
from pqlkit.options.warehouse import SqlDialect, SqlOptions
from pqlkit.population.population import population_of
from pqlkit.scoring.news import news
from pqlkit.scoring.scoring import score
from pqlkit.shipped import shipped
from pqlkit.warehouse.lead_query import query_of
from tests.warehouse.products import draw_product, write_tables

if TYPE_CHECKING:
    from pqlkit.definitions.model import Definition
    from tests.warehouse.warehouses import Warehouse

SHIPPED = sorted(path.stem for path in shipped("definitions").glob("*.yml"))
NOT_COVERED = {
    "activated-team": "criterion activated: the milestone activated",
    "facebook-friends": "outcome: the definition returning as outcome",
}
WEEK = Duration.parse("7d")
PROJECT = Project(traits=Traits(fixed=("employees",)))


def scored(definition: Definition, tables: dict[str, pl.DataFrame], project: Project = PROJECT) -> pl.DataFrame:
    """What `score` says, with times as whole microseconds."""
    with TemporaryDirectory() as folder:
        write_tables(tables, Path(folder))
        places = {name: str(Path(folder) / f"{name}.parquet") for name in tables}
        dataset = open_dataset(
            project,
            events=places["events"],
            users=places.get("users"),
            accounts=places.get("accounts"),
            conversions=places.get("conversions"),
        )
        leads = score(population_of(dataset, project, definition=definition), definition)
        frame = news(leads, None, since=WEEK).frame
    newest = leads.starts.group_by("id").agg(pl.col("on").max().alias("newest_start_at"))
    frame = frame.join(newest.rename({"id": leads.key}), on=leads.key, how="left")
    return frame.with_columns(
        pl.col(name).to_physical() for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)
    )


def options(definition: Definition, dialect: SqlDialect, **more: object) -> SqlOptions:
    other = "conversions.user_id" if definition.entity is EntityKind.ACCOUNT else "conversions.account_id"
    return replace(SqlOptions(dialect=dialect, since="7d", without=(other,)), **more)  # type: ignore[arg-type]


def assert_same(
    warehouse: Warehouse, definition: Definition, tables: dict[str, pl.DataFrame], project: Project = PROJECT
) -> pl.DataFrame:
    """Hold the query's rows to those of `score`; give the latter."""
    wanted = scored(definition, tables, project)
    query = query_of(definition, project, options(definition, warehouse.dialect))
    warehouse.load(tables)
    key = f"{definition.entity.value}_id"
    rows = pl.DataFrame(
        warehouse.rows(query.sql), schema=list(query.columns), orient="row", infer_schema_length=None
    ).sort(key)
    shared = [name for name in query.columns if name in wanted.columns]
    assert {"lead_id", "status", "qualified_at", "requalified_at", "newest_start_at", "progress"} <= set(shared)
    told = wanted.select(shared).sort(key)
    for name in shared:
        ours, theirs = rows[name].to_list(), told[name].to_list()
        if told[name].dtype.is_float() or told[name].dtype.is_integer():
            assert ours == [pytest.approx(value, abs=1e-9) if value is not None else None for value in theirs], name
        else:
            assert ours == theirs, name
    return wanted


@cache
def product_of(name: str) -> tuple[Definition, dict[str, pl.DataFrame]]:
    definition = load_definition(shipped("definitions") / f"{name}.yml")
    return definition, draw_product(definition, 4)


@pytest.mark.parametrize("name", [name for name in SHIPPED if name not in NOT_COVERED])
def test_every_shipped_definition_gives_the_leads_of_score(warehouse, name):
    wanted = assert_same(warehouse, *product_of(name))
    assert wanted["status"].n_unique() > 1


@pytest.mark.parametrize("name", sorted(NOT_COVERED))
def test_what_is_not_covered_is_refused_by_name(name):
    definition, _ = product_of(name)
    with pytest.raises(DefinitionError, match=re.escape(NOT_COVERED[name])):
        query_of(definition, PROJECT, options(definition, SqlDialect.DUCKDB))
