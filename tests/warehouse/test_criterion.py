"""Every measure, window and bound of the grid as SQL, run on real warehouses, against the oracle's literal reading."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from sqlglot import exp

from pqlkit.definitions.model import (
    Anchor,
    Condition,
    Criterion,
    EntityKind,
    Limit,
    Measure,
    MeasureKind,
    Operator,
    Outcome,
    Window,
    WindowKind,
)
from pqlkit.durations import Duration
from pqlkit.measures.tasks import tasks_of
from pqlkit.options.warehouse import ColumnType
from pqlkit.warehouse.clocks import Extent, Tables
from pqlkit.warehouse.criterion import CriterionSteps
from pqlkit.warehouse.naming import Naming
from pqlkit.warehouse.steps import Steps
from tests.measures.grid import every_criterion
from tests.measures.oracle import DAY, Question, Rules
from tests.measures.worlds import PROPERTIES, START, draw_lives, event_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.options.warehouse import SqlDialect
    from tests.measures.oracle import Life
    from tests.warehouse.warehouses import Warehouse

AT_ONCE = 12
"""Criteria of one statement."""

EVER = Window(kind=WindowKind.EVER)
MARCH = 1_772_427_600_000_000  # 2026-03-02 in New York
OCTOBER = 1_792_447_200_000_000  # 2026-10-20 in Berlin


def instants(frame: pl.DataFrame, name: str, *, naive: bool) -> pl.DataFrame:
    return frame.with_columns(pl.col(name).cast(pl.Datetime("us", None if naive else "UTC")))


def tables_of(lives: Sequence[Life], *, naive: bool = False) -> dict[str, pl.DataFrame]:
    """The lives as accounts, with their events and conversions; nobody is a user."""
    events = (
        event_table(lives).rename({column: name for name, column in PROPERTIES.items()}).rename({"at": "timestamp"})
    )
    accounts = pl.DataFrame(
        {
            "account_id": [f"acc{place}" for place in range(len(lives))],
            "signed_up_at": [life.anchor for life in lives],
            "cap": [life.traits.get("cap") for life in lives],
        },
        schema={"account_id": pl.String, "signed_up_at": pl.Int64, "cap": pl.Float64},
    )
    bought = [(f"acc{place}", life.converted) for place, life in enumerate(lives) if life.converted is not None]
    conversions = pl.DataFrame(bought, schema={"account_id": pl.String, "converted_at": pl.Int64}, orient="row")
    nobody = pl.DataFrame(schema={"user_id": pl.String, "account_id": pl.String, "signed_up_at": pl.Int64})
    return {
        "events": instants(events, "timestamp", naive=naive),
        "users": instants(nobody, "signed_up_at", naive=naive),
        "accounts": instants(accounts, "signed_up_at", naive=naive),
        "conversions": instants(conversions, "converted_at", naive=naive),
    }


def statement(dialect: SqlDialect, criteria: Sequence[Criterion], rules: Rules, types: dict[str, ColumnType]) -> str:
    """The spells and the values of several criteria, one below the other."""
    steps = Steps(dialect)
    naming = Naming(dialect=dialect, without=frozenset({"conversions.user_id"}), types=types)
    extent = Extent(zone=rules.zone, as_of=rules.as_of)
    tables = Tables(steps=steps, naming=naming, extent=extent, kind=EntityKind.ACCOUNT, traits=["cap"])
    tables.parameters()
    tables.reserve_events()
    entities = tables.entities(())
    tables.ownership(entities)
    conversions = tables.conversions(Outcome(within=Duration.parse("1d")), entities)
    lives = tables.lives(entities, Anchor(), conversions)
    measured = [CriterionSteps(tables, task, lives.begun).write() for task in tasks_of(criteria)]
    tables.events()
    parts = []
    nothing = exp.cast(exp.null(), exp.DataType.Type.DOUBLE)
    value = exp.cast(exp.column("value", "s"), exp.DataType.Type.DOUBLE)
    for criterion, steps_of in zip(criteria, measured, strict=True):
        name = exp.Literal.string(criterion.id)
        spells = "SELECT _id AS id, s.entity_id, s.on_us, s.off_us, _nothing AS value FROM _spells AS s"
        parts.append(steps.plan(spells, id=name, nothing=nothing, spells=steps_of.spells))
        values = "SELECT _id AS id, s.entity_id, CAST(NULL AS BIGINT) AS on_us, CAST(NULL AS BIGINT) AS off_us, _value AS value FROM _values AS s"
        parts.append(steps.plan(values, id=name, value=value, values=steps_of.values or ""))
    return steps.statement(exp.select("*").from_(exp.union(*parts, distinct=False).subquery("u")))


def compare(
    warehouse: Warehouse,
    lives: Sequence[Life],
    rules: Rules,
    criteria: Sequence[Criterion],
    *,
    naive: bool = False,
    types: dict[str, ColumnType] | None = None,
) -> int:
    """Hold spells and values of every life to the oracle; count the spells."""
    warehouse.load(tables_of(lives, naive=naive))
    kinds = {"text.amount": ColumnType.TEXT} | (types or {})
    seen = 0
    for start in range(0, len(criteria), AT_ONCE):
        part = criteria[start : start + AT_ONCE]
        rows = warehouse.rows(statement(warehouse.dialect, part, rules, kinds))
        told = defaultdict(list)
        for name, entity, on, off, _ in sorted((row for row in rows if row[2] is not None), key=lambda row: row[:3]):
            told[name, entity].append((on, off))
        amounts = {(name, entity): value for name, entity, on, _, value in rows if on is None}
        for criterion in part:
            unit = 1_000_000 if criterion.measure.kind.scaled else 1
            nothing = None if criterion.measure.kind.facts.null_without_events else 0.0
            for place, life in enumerate(lives):
                question, key = Question(rules, life, criterion), (criterion.id, f"acc{place}")
                wanted = question.spells()
                assert told[key] == wanted, (criterion, life)
                seen += len(wanted)
                if life.anchor is None:
                    continue
                shown, value = question.shown(rules.clock(question.end)), amounts.get(key, nothing)
                assert (value is None) == (shown is None), (criterion, life)
                assert value is None or value / unit == pytest.approx(float(shown or 0), abs=1e-9), (criterion, life)
    return seen


def test_some_criteria_of_every_kind_equal_the_words_of_the_definition(warehouse):
    assert compare(warehouse, draw_lives(1, 12), Rules(as_of=START + 15 * DAY), every_criterion()[::17]) > 50


@pytest.mark.slow
@pytest.mark.parametrize("naive", [False, True], ids=["with a zone", "without a zone"])
def test_every_criterion_of_the_grid_equals_the_words_of_the_definition(warehouse, naive):
    lives, rules = draw_lives(1 + naive, 40), Rules(as_of=START + 15 * DAY)
    assert compare(warehouse, lives, rules, every_criterion(), naive=naive) > 3000


ZONES = [
    ("America/New_York", MARCH),
    ("Europe/Berlin", OCTOBER),
    ("Africa/Cairo", 1_776_722_400_000_000),
    ("Asia/Kathmandu", START),
    # Where the clock went back at a minute past midnight: the evening before came twice.
    ("America/St_Johns", 1_288_666_800_000_000),
]


@pytest.mark.parametrize(("zone", "start"), ZONES, ids=[zone for zone, _ in ZONES])
def test_dates_lie_in_the_projects_zone_whatever_the_sessions(warehouse, zone, start):
    lives = draw_lives(11, 12, start=start)
    days = [criterion for criterion in every_criterion() if criterion.measure.kind is MeasureKind.DAYS]
    assert compare(warehouse, lives, Rules(as_of=start + 15 * DAY, zone=zone), days[::12]) > 10


@pytest.mark.slow
@pytest.mark.parametrize(("zone", "start"), ZONES, ids=[zone for zone, _ in ZONES])
def test_every_count_of_days_in_every_zone(warehouse, zone, start):
    lives = draw_lives(11, 40, start=start)
    days = [criterion for criterion in every_criterion() if criterion.measure.kind is MeasureKind.DAYS]
    assert compare(warehouse, lives, Rules(as_of=start + 15 * DAY, zone=zone), days) > 100


def conditions() -> list[Condition]:
    """Every operator on every type."""
    cases: list[tuple[str, Operator, tuple[Any, ...]]] = [
        ("kind", Operator.EQUALS, ("x",)),
        ("kind", Operator.IN, ("x", "y")),
        ("kind", Operator.NOT_IN, ("x", "y")),
        ("kind", Operator.MATCHING, ("^[xX]y?$",)),
        ("kind", Operator.NOT_MATCHING, ("y$",)),
        ("kind", Operator.STARTS_WITH, ("X",)),
        ("kind", Operator.ENDS_WITH, ("y",)),
        ("kind", Operator.CONTAINS, ("y",)),
        ("kind", Operator.EXISTS, (True,)),
        ("kind", Operator.EXISTS, (False,)),
        ("amount", Operator.EQUALS, (2,)),
        ("amount", Operator.IN, (2, 0.1)),
        ("amount", Operator.NOT_IN, (2, 0.1)),
        ("amount", Operator.AT_LEAST, (2.5,)),
        ("amount", Operator.AT_MOST, (2.5,)),
        ("text.amount", Operator.AT_LEAST, (2,)),
        ("text.amount", Operator.AT_MOST, (2,)),
        ("text.amount", Operator.IN, ("many", "other")),
        ("flag", Operator.EQUALS, (True,)),
        ("flag", Operator.NOT_IN, (True,)),
    ]
    return [Condition(name=name, operator=operator, values=values) for name, operator, values in cases]


@pytest.mark.parametrize("stated", [False, True], ids=["told by its use", "stated"])
def test_every_operator_on_every_type_equals_its_meaning(warehouse, stated):
    asked = [
        Criterion(id=f"c{place}", events=None, window=EVER, where=(case,)) for place, case in enumerate(conditions())
    ]
    types = {"kind": ColumnType.TEXT, "amount": ColumnType.NUMBER, "flag": ColumnType.BOOLEAN} if stated else {}
    assert compare(warehouse, draw_lives(21, 12), Rules(as_of=START + 30 * DAY), asked, types=types) > 100


def test_truth_values_are_added_up_as_ones_where_they_are_stated_as_such(warehouse):
    measure = Measure(kind=MeasureKind.SUM, property="flag")
    total = Criterion(id="total", events=None, measure=measure, window=EVER, at_least=2)
    lives = draw_lives(3, 12)
    for life in lives:
        for seen in life.events:
            flag = seen.properties["flag"]
            seen.properties["amount"] = None if flag is None else float(flag)
    asked = [
        Criterion(
            id="total", events=None, measure=Measure(kind=MeasureKind.SUM, property="amount"), window=EVER, at_least=2
        )
    ]
    rules, types = Rules(as_of=START + 30 * DAY), {"flag": ColumnType.BOOLEAN}
    warehouse.load(tables_of(lives))
    wanted = {(f"acc{i}", on) for i, life in enumerate(lives) for on, _ in Question(rules, life, asked[0]).spells()}
    assert {
        (entity, on)
        for _, entity, on, _, _ in warehouse.rows(statement(warehouse.dialect, [total], rules, types))
        if on is not None
    } == wanted
    assert wanted


def test_a_limit_of_more_than_the_whole_does_not_overflow(warehouse):
    lives = draw_lives(5, 8)
    for life in lives:
        for seen in life.events:
            seen.properties |= {"amount": 8e12, "limit": 9e12}
    asked = [
        Criterion(
            id=f"p{place}",
            events=None,
            measure=Measure(kind=MeasureKind.LAST, property="amount"),
            window=EVER,
            at_least=Limit(percent=percent, property="limit"),
        )
        for place, percent in enumerate((88.8888, 88.89))
    ]
    assert compare(warehouse, lives, Rules(as_of=START + 30 * DAY), asked) > 0
