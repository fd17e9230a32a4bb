"""What each dialect reads differently: none of the known traps is in any query, and what a file or an option names stays a name or a text."""

from __future__ import annotations

import logging
from dataclasses import replace
from logging.handlers import BufferingHandler
from typing import TYPE_CHECKING

import pytest
from sqlglot import exp, parse_one

from pqlkit.definitions.folders import load_definition
from pqlkit.definitions.model import Condition, Criterion, Definition, EntityKind, Operator, Outcome, Window, WindowKind
from pqlkit.durations import Duration
from pqlkit.exports.project import Project
from pqlkit.options.warehouse import ColumnType, SqlDialect, SqlOptions
from pqlkit.shipped import shipped
from pqlkit.warehouse.lead_query import query_of
from pqlkit.warehouse.naming import Naming
from pqlkit.warehouse.steps import identifier
from tests.warehouse.random_products import draw_case
from tests.warehouse.test_lead_query import with_histories
from tests.warehouse.test_random import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterator

BERLIN = Project(timezone="Europe/Berlin")
ALL_AT_ONCE = ("dropbox-user", "team-rollout", "crm-trial", "dropbox-limit", "scorecard", "breadth", "repeat-usage")
HOSTILE = """it's; DROP TABLE "x"; -- */ /* {{ y }} \\' \\ ` $$ é\n?"""


def parsed(name: str, dialect: SqlDialect) -> exp.Expr:
    definition = load_definition(shipped("definitions") / f"{name}.yml")
    return parse_one(query_of(definition, BERLIN, SqlOptions(dialect=dialect)).sql, dialect=str(dialect))


def everything(dialect: SqlDialect) -> Iterator[exp.Expr]:
    """Queries whose project filters users and accounts, whose traits have histories, whose events have ids, and which may start again soon."""
    for case in map(draw_case, range(200, 212)):
        places = {name: name.replace(".", "_") for name in case.tables}
        project = replace(with_histories(case.project, places), timezone="Europe/Berlin")
        options = SqlOptions(
            dialect=dialect, without=case.without, table=tuple(f"{name}={place}" for name, place in places.items())
        )
        known = {name: columns_of(table) for name, table in case.tables.items()}
        known["events"]["event_id"] = ColumnType.TEXT
        naming = replace(Naming.of(options, project), known=known)
        yield parse_one(query_of(case.definition, project, options, naming=naming).sql, dialect=str(dialect))


@pytest.fixture(scope="module", params=list(SqlDialect))
def trees(request: pytest.FixtureRequest) -> Iterator[tuple[SqlDialect, list[exp.Expr]]]:
    handler = BufferingHandler(1000)
    logging.getLogger("sqlglot").addHandler(handler)
    yield request.param, [parsed(name, request.param) for name in ALL_AT_ONCE]
    logging.getLogger("sqlglot").removeHandler(handler)
    assert handler.buffer == []


def test_every_step_is_read_and_nothing_is_left_unparsed(trees):
    dialect, queries = trees
    for query in queries:
        assert not list(query.find_all(exp.Command))
        steps = {cte.alias for cte in query.find_all(exp.CTE)}
        read = {table.name for table in query.find_all(exp.Table)}
        assert {"parameters", "known_events", "moments", "statuses"} <= steps
        assert steps - read <= {"users_listed"}, f"a step of {dialect} that nobody reads"
        assert read - steps <= {"events", "users", "accounts", "conversions", "history_plan", "history_tier"}


def test_no_exclusion_list_meets_a_null(trees):
    for query in trees[1]:
        assert not [node for node in query.find_all(exp.Not) if isinstance(node.this, exp.In)]


def test_no_window_depends_on_where_nulls_are_sorted(trees):
    for query in trees[1]:
        for window in query.find_all(exp.Window):
            order = window.args.get("order")
            assert order is not None or isinstance(window.this, exp.Max), window.sql()
            for item in order.expressions if order is not None else ():
                name = item.this
                moments = {"at_us", "on_us", "signed_up_us", "from_us", "entity_id"}
                # A delivery without a time is no event.
                assert isinstance(name, exp.Case) or name.name in moments or window.parent.alias == "delivery"


def test_windows_that_add_up_say_which_rows_they_add(trees):
    for query in trees[1]:
        for window in query.find_all(exp.Window):
            if isinstance(window.this, exp.Sum):
                spec = window.args["spec"]
                assert (spec.args["kind"], spec.args["start"], spec.args["end"]) == ("ROWS", "UNBOUNDED", "CURRENT ROW")


def test_no_interval_of_days_meets_daylight_saving(trees):
    dialect, queries = trees
    for query in queries:
        units = {node.args["unit"].name for node in query.find_all(exp.Interval)}
        assert units <= ({"MICROSECOND"} if dialect is SqlDialect.POSTGRES else set())
        assert not list(query.find_all(exp.DateAdd, exp.TimestampAdd, exp.DateSub, exp.TimestampSub))


def test_only_the_newest_row_is_held_against_the_clock(trees):
    for query in trees[1]:
        for node in query.find_all(exp.CurrentTimestamp):
            step = node.find_ancestor(exp.CTE)
            assert step is not None
            assert step.alias == "parameters"


def test_nothing_compares_with_a_null_by_least_or_greatest(trees):
    for query in trees[1]:
        assert not list(query.find_all(exp.Least))
        for node in query.find_all(exp.Greatest):
            assert not list(node.find_all(exp.Null))
            assert {column.name.partition("_")[0] for column in node.find_all(exp.Column)} == {"share"}


def test_no_decimal_is_wider_than_the_dialect_has_them(trees):
    dialect, queries = trees
    for query in queries:
        for kind in query.find_all(exp.DataType):
            assert not (dialect is SqlDialect.BIGQUERY and kind.is_type("decimal") and kind.expressions), kind.sql()


def test_dates_lie_in_the_projects_zone(trees):
    dialect, queries = trees
    for query in queries:
        for cast in query.find_all(exp.Cast):
            if cast.is_type("date"):
                assert "Europe/Berlin" in cast.sql(), f"a date of {dialect} without its zone"
    assert any("Europe/Berlin" in query.sql() for query in queries)


def hostile() -> Definition:
    where = Condition(name=HOSTILE, operator=Operator.EQUALS, values=(HOSTILE,))
    window = Window(kind=WindowKind.WITHIN, length=Duration.parse("7d"))
    criterion = Criterion(id="select", events=(HOSTILE,), where=(where,), window=window)
    return Definition(
        name="d", title=HOSTILE, entity=EntityKind.USER, qualify=criterion, outcome=Outcome(within=Duration.parse("7d"))
    )


@pytest.mark.parametrize("dialect", list(SqlDialect))
def test_hostile_names_stay_names_and_texts(dialect):
    options = SqlOptions(dialect=dialect, since="7d")
    query = query_of(hostile(), Project(), options)
    (tree,) = [tree for tree in [parse_one(query.sql, dialect=str(dialect))] if isinstance(tree, exp.Select)]
    assert [text.this for text in tree.find_all(exp.Literal) if text.this == HOSTILE] == [HOSTILE] * 2
    assert HOSTILE in {name.this for name in tree.find_all(exp.Identifier) if name.quoted}
    plain = replace(hostile(), title="", qualify=replace(hostile().criteria[0], events=("x",), where=()))
    wanted = parse_one(query_of(plain, Project(), options).sql, dialect=str(dialect))
    shape = [type(node) for node in wanted.find_all(exp.CTE, exp.Table, exp.Select)]
    assert [type(node) for node in tree.find_all(exp.CTE, exp.Table, exp.Select)] == shape


@pytest.mark.parametrize("name", ["user", "order", "Group", "two words", "1st", "größe", "at"])
def test_names_that_a_dialect_keeps_or_folds_are_quoted(name):
    assert identifier(name).quoted


def test_hostile_names_run(warehouse):
    from tests.warehouse.products import draw_product
    from tests.warehouse.test_lead_query import assert_same

    definition = hostile()
    tables = draw_product(definition, 3, users=12)
    if warehouse.dialect is SqlDialect.DUCKDB:
        assert_same(warehouse, definition, tables)
    else:
        # The server refuses a column's name of more than 63 bytes with such letters in the test's own loading.
        tables["events"] = tables["events"].rename({HOSTILE: 'it"s'})
        renamed = replace(definition.criteria[0], where=(replace(definition.criteria[0].where[0], name='it"s'),))
        assert_same(warehouse, replace(definition, qualify=renamed), tables)
