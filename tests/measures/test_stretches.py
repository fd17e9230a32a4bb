"""Stretches: between which dates the events lie that an amount is made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from pqlkit.definitions.model import (
    Any,
    Criterion,
    Definition,
    EntityKind,
    Limit,
    Measure,
    MeasureKind,
    Window,
    WindowKind,
)
from pqlkit.durations import Duration
from pqlkit.engines import ENGINES
from pqlkit.measures.evaluation import evaluate
from pqlkit.measures.stretches import stretches
from tests.measures.grid import every_criterion
from tests.measures.oracle import DAY, Life, Rules, Seen
from tests.measures.worlds import START, draw_lives, make_world

WEEK = Duration(8, "d")
SUM = Measure(kind=MeasureKind.SUM, property="amount")
EVER = Window(kind=WindowKind.EVER)


@pytest.mark.parametrize("name", ENGINES)
def test_the_dates_of_what_counts_are_told(name):
    """Of the events in the window; none for a state, for a window that is chosen among many, and without events."""
    moments = (START - DAY, START, START + 2 * DAY, START + 9 * DAY, START + 30 * DAY)
    seen = [Seen(at=at, event="a", user="u", properties={"amount": 1.0}) for at in moments]
    criteria = [
        Criterion(id="ever", events=("a",), window=EVER),
        Criterion(id="late", events=("a",), window=Window(kind=WindowKind.TRAILING, length=WEEK)),
        Criterion(id="begin", events=None, window=Window(kind=WindowKind.WITHIN, length=WEEK)),
        Criterion(id="sum", events=("a",), window=EVER, measure=SUM, at_least=Limit(percent=80, trait="seats")),
        Criterion(id="last", events=("a",), window=EVER, measure=replace(SUM, kind=MeasureKind.LAST), at_least=1),
        Criterion(id="rolling", events=("a",), window=Window(kind=WindowKind.ROLLING, length=WEEK)),
        Criterion(id="never", events=("z",), window=EVER),
    ]
    world = make_world([Life(anchor=START, events=seen)], Rules(as_of=START + 10 * DAY), name=name)
    told = stretches(world, criteria)
    assert told.rows() == [
        (0, 0, date(2025, 12, 31), date(2026, 1, 10)),
        (0, 1, date(2026, 1, 10), date(2026, 1, 10)),
        (0, 2, date(2026, 1, 1), date(2026, 1, 3)),
        (0, 3, date(2025, 12, 31), date(2026, 1, 10)),
    ]
    assert stretches(world, criteria[4:5]).schema == told.schema


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("dates_only", [False, True])
def test_what_the_evaluation_told_already_is_the_same(name, dates_only):
    """Also where the clock went back over midnight, so that a date came twice."""
    start = int(datetime(2010, 11, 2, 3, tzinfo=UTC).timestamp()) * 1_000_000
    rules = Rules(as_of=start + 12 * DAY, zone="America/St_Johns", dates_only=dates_only)
    lives = draw_lives(3, 40, start=start, since=True)
    if dates_only:
        for seen in (seen for life in lives for seen in life.events):
            seen.at = rules.instant(rules.clock(seen.at))
    criteria = every_criterion()[:: 11 if name == "polars" else 59]
    world = make_world(lives, rules, name=name)
    definition = Definition(name="d", entity=EntityKind.ACCOUNT, qualify=Any(parts=tuple(criteria)), outcome=None)
    told = evaluate(world, definition).stretches
    assert told.height
    assert stretches(world, criteria, told).equals(stretches(world, criteria))
