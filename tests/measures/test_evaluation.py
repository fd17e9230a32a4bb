"""Spells and values of every measure, window and bound, against the oracle and at drawn boundaries."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from pqlkit.definitions.model import (
    All,
    Condition,
    Criterion,
    Definition,
    EntityKind,
    Limit,
    Measure,
    MeasureKind,
    Operator,
    Window,
    WindowKind,
)
from pqlkit.definitions.model import Any as AnyOf
from pqlkit.durations import Duration
from pqlkit.engines import ENGINES
from pqlkit.errors import DataError, DefinitionError
from pqlkit.exports import event_files
from pqlkit.exports.manifest import read_manifest
from pqlkit.measures.evaluation import criterion_spells, evaluate, keep_spells, spells_of, spells_of_each, values
from tests.measures.grid import covering, every_criterion
from tests.measures.oracle import DAY, Life, Question, Rules, Seen
from tests.measures.worlds import START, draw_lives, load_lives, make_world

CHUNK = {"polars": 40, "duckdb": 7, "spark": 14}  # as one plan; the others plan large unions slowly


def microseconds(year, month, day, hour=0):
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp()) * 1_000_000


def compare(lives, rules, criteria, name="polars", dataset=None):
    world = make_world(lives, rules, name=name, dataset=dataset)
    for start in range(0, len(criteria), CHUNK[name]):
        part = criteria[start : start + CHUNK[name]]
        found = defaultdict(list)
        spells = world.engine.collect(criterion_spells(world, part)).sort("entity", "criterion", "on")
        for entity, criterion, on, off in spells.iter_rows():
            found[entity, criterion].append((on, off))
        shown = {(e, c): v for e, c, v in values(world, part).iter_rows()}
        definition = Definition(name="d", entity=EntityKind.ACCOUNT, qualify=AnyOf(parts=tuple(part)), outcome=None)
        at_once = {(e, c): rest for e, c, *rest in evaluate(world, definition).criteria.iter_rows()}
        assert at_once.keys() == shown.keys()
        for position, criterion in enumerate(part):
            for entity, life in enumerate(lives):
                question = Question(rules, life, criterion)
                wanted_spells = question.spells()
                assert found[entity, position] == wanted_spells, (criterion, life)
                if life.anchor is None:
                    assert (entity, position) not in shown
                else:
                    wanted = question.shown(rules.clock(question.end))
                    value = shown[entity, position]
                    assert (value is None) == (wanted is None), (criterion, life)
                    assert value is None or value == pytest.approx(float(wanted or 0), abs=1e-9), (criterion, life)
                    first = wanted_spells[0][0] if wanted_spells else None
                    held = bool(wanted_spells) and wanted_spells[-1][1] is None
                    assert at_once[entity, position] == [value, first, held], (criterion, life)


@pytest.mark.parametrize("seed", [1, 2])
def test_spells_and_values_equal_the_words_of_the_definition(seed):
    rules = Rules(as_of=START + 15 * DAY)
    compare(draw_lives(seed, 40, since=seed == 2), rules, every_criterion()[seed - 1 :: 2])


NEW_YORK, ST_JOHNS = "America/New_York", "America/St_Johns"
OTHERS = [name for name in ENGINES if name != "polars"]


@pytest.mark.parametrize("name", OTHERS)
def test_other_engines_give_the_same(name):
    start = microseconds(2026, 3, 2, 5)  # the clock goes forward within the lives
    rules = Rules(as_of=start + 15 * DAY, zone=NEW_YORK)
    compare(draw_lives(7, 20, start=start, since=True), rules, covering(every_criterion()), name=name)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
@pytest.mark.parametrize("name", OTHERS)
def test_the_whole_grid_is_the_same_on_other_engines(name, part):
    zones = [("UTC", START), (NEW_YORK, microseconds(2026, 3, 2, 5)), (ST_JOHNS, microseconds(2010, 11, 2, 3))]
    zone, start = zones[part % 3]
    rules = Rules(as_of=start + 15 * DAY, zone=zone)
    compare(draw_lives(part, 25, start=start, since=part > 3), rules, every_criterion()[part::8], name=name)


@pytest.mark.parametrize("name", ["polars", "duckdb"])
def test_a_dataset_that_nights_were_added_to_gives_the_same(name, tmp_path, monkeypatch):
    monkeypatch.setattr(event_files, "BLOCK_ROWS", 90)
    monkeypatch.setattr(event_files, "MOST_ADDED", 0.7)
    lives, rules = draw_lives(5, 40, since=True), Rules(as_of=START + 15 * DAY)
    dataset = load_lives(lives, tmp_path, nights=5)
    parts = read_manifest(dataset).tables["events"].parts
    assert parts is not None
    assert len(parts.blocks) > 1
    assert parts.deltas
    compare(lives, rules, every_criterion()[:: 11 if name == "polars" else 29], name, dataset)


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("America/New_York", microseconds(2026, 3, 2, 5)),
        ("Europe/Berlin", microseconds(2026, 10, 19, 22)),
        ("Africa/Cairo", microseconds(2026, 4, 20, 22)),
        ("Asia/Kathmandu", START),
        # Where the clock went back at a minute past midnight: the evening before came twice.
        (ST_JOHNS, microseconds(2010, 11, 2, 3)),
    ],
)
@pytest.mark.parametrize("dates_only", [False, True])
def test_dates_follow_the_zone_where_its_offset_changes(zone, start, dates_only):
    rules = Rules(as_of=start + 15 * DAY, zone=zone, dates_only=dates_only)
    lives = draw_lives(11, 30, start=start)
    if dates_only:
        for life in lives:
            for seen in life.events:
                seen.at = rules.instant(rules.clock(seen.at))
    chosen = [c for c in every_criterion() if dates_only or c.measure.kind is MeasureKind.DAYS]
    compare(lives, rules, chosen[start % 7 :: 17 if dates_only else 4])


# Boundaries, drawn. Time runs to the right in microseconds around the edge of a window of one day from START.

A = "a"


def lives_at(*times, **others):
    return [
        Life(
            anchor=START, events=[Seen(at=at, event=A, user="u", properties={"amount": 1.0}) for at in times], **others
        )
    ]


def on_of(lives, *, as_of=START + 30 * DAY, **criterion):
    world = make_world(lives, Rules(as_of=as_of))
    spells = world.engine.collect(criterion_spells(world, [Criterion(id="x", events=(A,), **criterion)]))
    return sorted(
        (on - START, None if off is None else off - START) for on, off in spells.select("on", "off").iter_rows()
    )


WITHIN = Window(kind=WindowKind.WITHIN, length=Duration.parse("1d"))
ROLLING = Window(kind=WindowKind.ROLLING, length=Duration.parse("1d"))
TRAILING = Window(kind=WindowKind.TRAILING, length=Duration.parse("1d"))
EVER = Window(kind=WindowKind.EVER)


@pytest.mark.parametrize(
    ("offset", "counted"), [(-1, False), (0, True), (DAY - 1, True), (DAY, False), (DAY + 1, False)]
)
def test_within_is_half_open(offset, counted):
    assert on_of(lives_at(START + offset), window=WITHIN) == ([(offset, None)] if counted else [])


@pytest.mark.parametrize(("gap", "reached"), [(DAY - 1, True), (DAY, False), (DAY + 1, False)])
@pytest.mark.parametrize("kind", [MeasureKind.COUNT, MeasureKind.SUM])
def test_rolling_spans_less_than_its_length(gap, reached, kind):
    measure = Measure(kind=kind, property="amount" if kind is MeasureKind.SUM else None)
    found = on_of(lives_at(START, START + gap), window=ROLLING, measure=measure, at_least=2)
    assert found == ([(gap, None)] if reached else [])


def test_trailing_lapses_as_the_event_leaves():
    assert on_of(lives_at(START), window=TRAILING) == [(0, DAY)]
    assert on_of(lives_at(START, START + DAY - 1), window=TRAILING) == [(0, 2 * DAY - 1)]
    assert on_of(lives_at(START, START + DAY), window=TRAILING) == [(0, 2 * DAY)]
    assert on_of(lives_at(START, START + DAY + 1), window=TRAILING) == [(0, DAY), (DAY + 1, 2 * DAY + 1)]


def test_a_spell_that_began_before_the_anchor_starts_there():
    assert on_of(lives_at(START - 1), window=TRAILING) == [(0, DAY - 1)]
    assert on_of(lives_at(START - DAY), window=TRAILING) == []
    assert on_of(lives_at(START - DAY), window=EVER) == [(0, None)]


@pytest.mark.parametrize(("offset", "exists"), [(-1, True), (0, False), (1, False)])
def test_only_what_is_strictly_before_the_conversion_exists(offset, exists):
    converted = START + 5
    assert on_of(lives_at(converted + offset, converted=converted), window=EVER) == (
        [(5 + offset, None)] if exists else []
    )


@pytest.mark.parametrize(("offset", "exists"), [(-1, True), (0, True), (1, False)])
def test_rows_at_as_of_exist_and_later_ones_do_not(offset, exists):
    found = on_of(lives_at(START + 9 + offset), as_of=START + 9, window=EVER)
    assert found == ([(9 + offset, None)] if exists else [])


@pytest.mark.parametrize(("offset", "exists"), [(-1, False), (0, True)])
def test_after_an_expansion_only_later_events_exist(offset, exists):
    found = on_of(lives_at(START + 9 + offset, since=START + 9), window=EVER)
    assert bool(found) is exists


def test_at_most_is_judged_when_its_window_ends():
    assert on_of(lives_at(START), window=WITHIN, at_most=1) == [(DAY, None)]
    assert on_of(lives_at(START, START + 1), window=WITHIN, at_most=1) == []
    assert on_of(lives_at(), window=WITHIN, at_most=1, at_least=1) == []
    assert on_of(lives_at(), window=TRAILING, at_most=0) == [(DAY, None)]
    assert on_of(lives_at(START + 2 * DAY), window=TRAILING, at_most=0) == [(DAY, 2 * DAY), (3 * DAY, None)]


@pytest.mark.parametrize(("as_of", "judged"), [(START + DAY - 1, False), (START + DAY, True)])
def test_at_most_waits_for_as_of(as_of, judged):
    assert bool(on_of(lives_at(), as_of=as_of, window=WITHIN, at_most=1)) is judged


def test_a_conversion_at_or_before_the_anchor_leaves_no_spell():
    for converted in (START - 1, START):
        assert on_of(lives_at(START - 5, converted=converted), window=EVER) == []
    assert on_of(lives_at(START - 5, converted=START + 1), window=EVER) == [(0, None)]


def test_events_of_one_instant_go_together():
    lives = lives_at(START, START)
    lives[0].events[1].properties["amount"] = -1.0
    total = Measure(kind=MeasureKind.SUM, property="amount")
    assert on_of(lives, window=EVER, measure=total, at_least=1) == []
    newest = Measure(kind=MeasureKind.LAST, property="amount")
    assert on_of(lives, window=EVER, measure=newest, at_least=1) == [(0, None)]


def test_a_limit_on_the_event_is_the_one_of_that_moment():
    lives = lives_at(START, START + 1, START + 2)
    for seen, (amount, limit) in zip(lives[0].events, [(80, 100), (80, 101), (90, 100)], strict=True):
        seen.properties |= {"amount": float(amount), "limit": float(limit)}
    newest = Measure(kind=MeasureKind.LAST, property="amount")
    bound = Limit(percent=80, property="limit")
    assert on_of(lives, window=EVER, measure=newest, at_least=bound) == [(0, 1), (2, None)]


def test_every_operator_on_every_type_equals_its_meaning():
    lives = draw_lives(21, 30)
    cases = [
        Condition(name="kind", operator=Operator.EQUALS, values=("x",)),
        Condition(name="kind", operator=Operator.IN, values=("x", "y")),
        Condition(name="kind", operator=Operator.NOT_IN, values=("x", "y")),
        Condition(name="kind", operator=Operator.MATCHING, values=("^[xX]y?$",)),
        Condition(name="kind", operator=Operator.NOT_MATCHING, values=("y$",)),
        Condition(name="kind", operator=Operator.STARTS_WITH, values=("X",)),
        Condition(name="kind", operator=Operator.ENDS_WITH, values=("y",)),
        Condition(name="kind", operator=Operator.CONTAINS, values=("y",)),
        Condition(name="kind", operator=Operator.EXISTS, values=(True,)),
        Condition(name="kind", operator=Operator.EXISTS, values=(False,)),
        Condition(name="amount", operator=Operator.EQUALS, values=(2,)),
        Condition(name="amount", operator=Operator.AT_LEAST, values=(2.5,)),
        Condition(name="amount", operator=Operator.AT_MOST, values=(2.5,)),
        Condition(name="text.amount", operator=Operator.AT_LEAST, values=(2,)),
        Condition(name="text.amount", operator=Operator.AT_MOST, values=(2,)),
        Condition(name="flag", operator=Operator.EQUALS, values=(True,)),
        Condition(name="flag", operator=Operator.NOT_IN, values=(True,)),
    ]
    criteria = [Criterion(id=f"c{i}", events=None, window=EVER, where=(case,)) for i, case in enumerate(cases)]
    criteria.append(Criterion(id="both", events=("a", "b"), window=EVER, where=(cases[1], cases[11])))
    compare(lives, Rules(as_of=START + 30 * DAY), criteria)
    compare(lives, Rules(as_of=START + 30 * DAY), criteria, name="duckdb")


def test_a_sum_too_large_is_an_error_and_never_a_wrap():
    lives = lives_at(START, START + 1)
    for seen in lives[0].events:
        seen.properties["amount"] = 5e12
    total = Measure(kind=MeasureKind.SUM, property="amount")
    with pytest.raises(DataError, match=r"criterion x: sum\(amount\) goes beyond 9.2e\+12"):
        on_of(lives, window=EVER, measure=total, at_least=1)
    lives.append(lives_at(START)[0])
    lives[0].events.pop()
    lives[1].events[0].properties["amount"] = 5e12
    assert on_of(lives, window=EVER, measure=total, at_least=1) == [(0, None), (0, None)]


def test_what_has_no_meaning_is_refused():
    newest = Measure(kind=MeasureKind.LAST, property="amount")
    with pytest.raises(DefinitionError, match="last is measured within or ever, not trailing"):
        on_of(lives_at(START), window=TRAILING, measure=newest, at_least=1)
    with pytest.raises(DefinitionError, match="at_most needs a window that ends"):
        on_of(lives_at(START), window=EVER, at_most=1)
    with pytest.raises(DataError, match="the data has no property 'amuont'\n  did you mean 'amount'"):
        on_of(lives_at(START), window=EVER, measure=Measure(kind=MeasureKind.SUM, property="amuont"), at_least=1)


def test_the_whole_of_one_criterion_is_its_spells():
    lives = draw_lives(5, 40)
    world = make_world(lives, Rules(as_of=START + 12 * DAY))
    criterion = Criterion(id="x", events=(A,), window=TRAILING, at_least=2)
    definition = Definition(name="d", entity=EntityKind.ACCOUNT, qualify=criterion, outcome=None)
    whole = evaluate(world, definition)
    alone = world.engine.collect(criterion_spells(world, [criterion])).drop("criterion").sort("entity", "on")
    assert whole.spells.equals(alone)
    assert spells_of(world, definition).equals(alone)
    assert whole.criteria.height == sum(life.anchor is not None for life in lives)
    held = set(alone.filter(pl.col("off").is_null()).get_column("entity"))
    assert set(whole.criteria.filter("holds").get_column("entity")) == held


def test_spells_of_several_definitions_are_those_of_each_alone():
    world = make_world(draw_lives(5, 40), Rules(as_of=START + 12 * DAY))
    criteria = [replace(criterion, id=f"c{n}") for n, criterion in enumerate(every_criterion()[::13])]
    definitions = [
        Definition(name="d", entity=EntityKind.ACCOUNT, qualify=All(parts=tuple(part)), outcome=None)
        for part in itertools.pairwise(criteria)
    ]
    kept = replace(world)
    keep_spells(kept)
    for early in (False, True, False):
        for found, one in zip(spells_of_each(world, definitions, early=early), definitions, strict=True):
            assert found.equals(spells_of(world, one, early=early))
            assert found.equals(spells_of(kept, one, early=early))
        for found, again in zip(*(spells_of_each(own, definitions, early=early) for own in (world, kept)), strict=True):
            assert found.equals(again)
    assert spells_of_each(world, []) == []


def test_criteria_that_see_the_same_events_are_told_apart():
    lives = lives_at(START, START + 1, START + 2)
    for seen, amount in zip(lives[0].events, (1.0, 2.0, 3.0), strict=True):
        seen.properties["amount"] = amount
    large = Condition(name="amount", operator=Operator.AT_LEAST, values=(2,))
    asked = [
        Criterion(id="one", events=(A,), window=EVER),
        Criterion(id="two", events=(A, "b"), window=EVER, at_least=2),
        Criterion(id="large", events=(A, A), window=EVER, where=(large,)),
        Criterion(id="any", events=None, window=EVER, at_least=3),
    ]
    world = make_world(lives, Rules(as_of=START + DAY))
    found = world.engine.collect(criterion_spells(world, asked)).sort("criterion")
    assert (found.get_column("on") - START).to_list() == [0, 1, 1, 2]


def test_no_criteria_have_no_spells_and_no_values():
    world = make_world(draw_lives(1, 3), Rules(as_of=START))
    assert world.engine.collect(criterion_spells(world, [])).is_empty()
    assert values(world, []).is_empty()


def test_the_value_at_a_cutoff_is_that_of_the_microsecond_before():
    world = make_world(lives_at(START, START + 5, START + 6), Rules(as_of=START + DAY))
    criterion = Criterion(id="x", events=(A,), window=EVER)
    for cutoff, wanted in [(START, 0), (START + 1, 1), (START + 6, 2), (START + 7, 3)]:
        cutoffs = pl.DataFrame({"entity": [0], "cutoff": [cutoff]})
        found = values(world, [criterion], cutoffs=cutoffs)
        assert found.get_column("value").to_list() == [wanted]
