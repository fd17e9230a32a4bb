"""The leads of every shipped definition by SQL on real warehouses, held to `score`: each row, each column that both have."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from pqlkit.definitions.describing import evidence
from pqlkit.definitions.folders import load_definition
from pqlkit.definitions.model import (
    All,
    Anchor,
    Condition,
    Criterion,
    Definition,
    EntityKind,
    Lead,
    Limit,
    Measure,
    MeasureKind,
    Near,
    NOf,
    Not,
    Operator,
    Outcome,
    Ref,
    Score,
    Window,
    WindowKind,
    leaves,
)
from pqlkit.definitions.model import Any as AnyOf
from pqlkit.durations import Duration
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
    from collections.abc import Mapping

    from pqlkit.warehouse.lead_query import LeadQuery
    from tests.warehouse.warehouses import Warehouse

SHIPPED = sorted(path.stem for path in shipped("definitions").glob("*.yml"))
WEEK = Duration.parse("7d")
PROJECT = Project(traits=Traits(fixed=("employees",)))


def scored(definition: Definition, tables: dict[str, pl.DataFrame], project: Project = PROJECT) -> pl.DataFrame:
    """What `score` says, with times as whole microseconds."""
    with TemporaryDirectory() as folder:
        write_tables(tables, Path(folder))
        places = {name: str(Path(folder) / f"{name}.parquet") for name in tables}
        project = with_histories(project, places)
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


def with_histories(project: Project, places: Mapping[str, str]) -> Project:
    """Name the tables of traits' histories."""
    histories = {
        name.removeprefix("history."): project.direct(place)
        for name, place in places.items()
        if name.startswith("history.")
    }
    return replace(project, traits=replace(project.traits, history=histories))


def options(definition: Definition, dialect: SqlDialect, without: str = "") -> SqlOptions:
    other = "conversions.user_id" if definition.entity is EntityKind.ACCOUNT else "conversions.account_id"
    return SqlOptions(dialect=dialect, since="7d", without=tuple(filter(None, [other, *without.split(",")])))


def words_of(definition: Definition, row: dict[str, Any]) -> str | None:
    """What was done, without when, and without separators of thousands."""
    values = [(leaf, row[leaf.id]) for leaf in leaves(definition.qualify)]
    return "; ".join(evidence(leaf, value).replace(",", "") for leaf, value in values if value) or None


def assert_same(
    warehouse: Warehouse,
    definition: Definition,
    tables: dict[str, pl.DataFrame],
    project: Project = PROJECT,
    without: str = "",
    wanted: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Hold the query's rows to those of `score`; give the latter."""
    wanted = scored(definition, tables, project) if wanted is None else wanted
    query = query_of(definition, project, options(definition, warehouse.dialect, without))
    warehouse.load(tables)
    assert_rows(definition, query, warehouse.rows(query.sql), wanted)
    return wanted


def assert_rows(definition: Definition, query: LeadQuery, found: list[tuple[Any, ...]], wanted: pl.DataFrame) -> None:
    """Hold the rows that a query gave to those of `score`."""
    key = f"{definition.entity.value}_id"
    rows = pl.DataFrame(found, schema=list(query.columns), orient="row", infer_schema_length=None).sort(key)
    shared = [name for name in query.columns if name in wanted.columns and name != "evidence"]
    assert {"lead_id", "status", "score", "qualified_at", "requalified_at", "progress", "missing"} <= set(shared)
    told = wanted.select(shared).sort(key).with_columns(pl.col("missing").str.replace_all(r"(\d),(\d{3})", "$1$2"))
    assert rows["evidence"].to_list() == [words_of(definition, row) for row in told.iter_rows(named=True)]
    for name in shared:
        ours, theirs = rows[name].to_list(), told[name].to_list()
        if told[name].dtype.is_float() or told[name].dtype.is_integer():
            assert ours == [pytest.approx(value, abs=1e-9) if value is not None else None for value in theirs], name
        else:
            assert ours == theirs, name


@cache
def product_of(name: str) -> tuple[Definition, dict[str, pl.DataFrame], pl.DataFrame]:
    """A definition, its product and what `score` says of it: the same for every warehouse."""
    listed = name in SHIPPED
    definition = load_definition(shipped("definitions") / f"{name}.yml") if listed else VARIANTS[name]
    tables = draw_product(definition, 4) if listed else draw_product(definition, 9, users=45)
    return definition, tables, scored(definition, tables)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_definition_gives_the_leads_of_score(warehouse, name):
    definition, tables, wanted = product_of(name)
    assert_same(warehouse, definition, tables, wanted=wanted)
    assert wanted["status"].n_unique() > 1


def criterion(name: str, kind: WindowKind = WindowKind.WITHIN, **more: object) -> Criterion:
    length = None if kind is WindowKind.EVER else Duration.parse("5d")
    return Criterion(id=name, events=(name,), window=Window(kind=kind, length=length), **more)  # type: ignore[arg-type]


def defined(qualify: object, **more: object) -> Definition:
    values: dict[str, object] = {"entity": EntityKind.ACCOUNT, "outcome": Outcome(within=Duration.parse("20d"))}
    return Definition(name="d", qualify=qualify, **values | more)  # type: ignore[arg-type]


TWICE = criterion("twice", at_least=2)
LATELY = criterion("lately", WindowKind.TRAILING, at_least=2)
FEW = criterion("few", at_most=1)
SEATS = Criterion(
    id="seats",
    events=("seats",),
    measure=Measure(kind=MeasureKind.MAX, property="count"),
    window=Window(kind=WindowKind.EVER),
    at_least=Limit(percent=50, trait="seat_limit"),
)
STORED = Criterion(
    id="stored",
    events=("stored",),
    measure=Measure(kind=MeasureKind.LAST, property="bytes"),
    window=Window(kind=WindowKind.EVER),
    at_least=Limit(percent=80, property="limit"),
)
FREE = Condition(name="signup_plan", operator=Operator.IN, values=("free", "trial"))
SMALL = Condition(name="employees", operator=Operator.AT_MOST, values=(200,))
NEAR = Near(at_least=0.5, active_within=Duration.parse("20d"))
MILESTONE = defined(TWICE, outcome=None, milestone=True, eligible=(FREE,), anchor=Anchor(kind="first_event"))
OF_USERS = defined(TWICE, outcome=None, milestone=True, entity=EntityKind.USER, anchor=Anchor(kind="first_event"))
VARIANTS = {
    "all": defined(All(parts=(TWICE, LATELY)), lead=Lead(near=NEAR)),
    "any": defined(AnyOf(parts=(TWICE, LATELY, FEW))),
    "n of": defined(NOf(n=2, parts=(TWICE, LATELY, SEATS)), lead=Lead(near=NEAR)),
    "nested": defined(All(parts=(TWICE, AnyOf(parts=(LATELY, All(parts=(SEATS, STORED)))))), lead=Lead(near=NEAR)),
    "not": defined(All(parts=(criterion("once", WindowKind.TRAILING), Not(part=TWICE))), lead=Lead(near=NEAR)),
    "not any": defined(Not(part=AnyOf(parts=(TWICE, LATELY)))),
    "at most, lately": defined(criterion("quiet", WindowKind.TRAILING, at_most=1)),
    "between": defined(criterion("some", at_least=1, at_most=2), lead=Lead(near=NEAR)),
    "limit of a trait": defined(SEATS, lead=Lead(near=NEAR)),
    "limit on the event": defined(STORED, lead=Lead(near=NEAR, fresh_for=WEEK)),
    "points": defined(
        All(parts=(TWICE, LATELY, SEATS)),
        score=Score(points={"twice": 40, "lately": 35, "seats": 25}, pql_at=65.5),
        lead=Lead(near=NEAR),
    ),
    "points that rank": defined(
        All(parts=(TWICE, LATELY)), score=Score(points={"twice": 60, "lately": 40}, bands={"hot": 80, "warm": 40})
    ),
    "first event": defined(TWICE, anchor=Anchor(kind="first_event")),
    "an event as anchor": defined(TWICE, anchor=Anchor(kind="event", event="twice"), entity=EntityKind.USER),
    "an event as outcome": defined(
        AnyOf(parts=(TWICE, LATELY)), outcome=Outcome(within=Duration.parse("20d"), event="twice", where=())
    ),
    "coming back as outcome": defined(
        TWICE, outcome=Outcome(within=Duration.parse("20d"), after=Duration.parse("5d"), event="any")
    ),
    "what was bought": defined(
        TWICE,
        outcome=Outcome(
            within=Duration.parse("20d"),
            where=(Condition(name="amount", operator=Operator.AT_LEAST, values=(2,)),),
        ),
    ),
    "fixed and current traits": defined(LATELY, eligible=(FREE, SMALL), lead=Lead(fresh_for=WEEK)),
    "users": defined(AnyOf(parts=(TWICE, LATELY)), entity=EntityKind.USER, eligible=(FREE,)),
    "a milestone": defined(
        AnyOf(parts=(Ref(id="milestone", name="m", target=MILESTONE), LATELY)), lead=Lead(near=NEAR)
    ),
    "users of a milestone": defined(
        Ref(id="people", name="m", target=OF_USERS, users_at_least=2), lead=Lead(near=NEAR)
    ),
    "another definition as outcome": defined(
        LATELY, outcome=Outcome(within=Duration.parse("20d"), definition=MILESTONE)
    ),
    "nobody buys": defined(TWICE, outcome=None),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_what_the_language_can_say_gives_the_leads_of_score(warehouse, name):
    definition, tables, wanted = product_of(name)
    assert_same(warehouse, definition, tables, wanted=wanted)
    assert wanted["qualified_at"].null_count() < wanted.height


def test_without_tables_of_users_and_accounts_the_events_say_who_there_is(warehouse):
    for definition in (VARIANTS["users"], VARIANTS["all"]):
        tables = draw_product(replace(definition, eligible=()), 12, users=30)
        few = {name: tables[name] for name in ("events", "conversions")}
        assert_same(warehouse, replace(definition, eligible=()), few, without="users,accounts")
    tables = draw_product(VARIANTS["all"], 12, users=30)
    few = {name: tables[name] for name in ("events", "users", "conversions")}
    assert_same(warehouse, VARIANTS["all"], few, without="accounts")


def test_whom_the_projects_filter_leaves_out_is_nobody(warehouse):
    definition = VARIANTS["users"]
    tables = draw_product(definition, 9, users=30)
    staff = Condition(name="signup_plan", operator=Operator.NOT_IN, values=("trial",))
    wanted = assert_same(warehouse, definition, tables, replace(PROJECT, population=(staff,)))
    assert 0 < wanted.height < 30


def test_accounts_of_none_but_users_who_are_left_out_are_nobody(warehouse):
    definition = replace(VARIANTS["all"], eligible=(FREE,))
    tables = draw_product(definition, 9, users=45)
    testers = Condition(name="signup_plan", operator=Operator.IN, values=("free",))
    everybody = scored(definition, tables)
    wanted = assert_same(warehouse, definition, tables, replace(PROJECT, population=(testers,)))
    assert 0 < wanted.height < everybody.height
    # Those who stay did less: colleagues who are left out did something, too.
    both = wanted.join(everybody, on="account_id", suffix="_of_all")
    assert (both["evidence"].fill_null("") != both["evidence_of_all"].fill_null("")).any()


def test_a_filter_of_users_whose_accounts_only_events_name(warehouse):
    definition = VARIANTS["all"]
    tables = draw_product(replace(definition, eligible=(FREE,)), 9, users=45)
    tables["users"] = tables["users"].drop("account_id")
    project = replace(PROJECT, population=(FREE,))
    wanted = assert_same(warehouse, definition, tables, project, "users.account_id")
    assert 0 < wanted.height < tables["accounts"].height
