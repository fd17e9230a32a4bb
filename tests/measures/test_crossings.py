"""The crossing of many thresholds at once says what a definition says of each."""

from __future__ import annotations

from itertools import product

import numpy as np
import polars as pl
import pytest

from pqlkit.definitions.model import Condition, Criterion, Measure, MeasureKind, Operator, Window, WindowKind
from pqlkit.durations import Duration
from pqlkit.engines import ENGINES
from pqlkit.measures import crossings as measured
from pqlkit.measures.behaviour import Behaviour
from pqlkit.measures.crossings import Line, Stretches, crossings
from pqlkit.measures.evaluation import criterion_spells
from tests.measures.oracle import Rules
from tests.measures.worlds import draw_lives, make_world

KINDS = (MeasureKind.COUNT, MeasureKind.DAYS, MeasureKind.USERS)
THRESHOLDS = (1, 2, 3)


def asked():
    windows = [
        Window(kind=kind, length=Duration.parse(length))
        for kind, length in product((WindowKind.WITHIN, WindowKind.TRAILING), ("1d", "3d", "7d"))
    ]
    plain = [
        Behaviour(event=event, measure=Measure(kind=kind), window=window)
        for event, kind, window in product(("a", "b", None), KINDS, windows)
    ]
    others = [
        Behaviour(event="a", measure=Measure(kind=MeasureKind.SUM, property="amount"), window=windows[4]),
        Behaviour(
            event="a",
            measure=Measure(),
            window=windows[1],
            where=(Condition(name="kind", operator=Operator.EQUALS, values=("x",)),),
        ),
    ]
    return dict.fromkeys([*plain, *others], THRESHOLDS)


def criterion(behaviour, threshold):
    return Criterion(
        id="x",
        events=None if behaviour.event is None else (behaviour.event,),
        measure=behaviour.measure,
        window=behaviour.window,
        where=behaviour.where,
        at_least=threshold,
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("seed", "zone", "dates", "since"),
    [
        (1, "UTC", False, False),
        (2, "America/St_Johns", False, True),
        (3, "Europe/Berlin", False, False),
        (4, "UTC", True, False),
    ],
)
def test_every_threshold_is_crossed_when_its_criterion_is(monkeypatch, engine, seed, zone, dates, since):
    rules = Rules(zone=zone, dates_only=dates, as_of=1_769_904_000_000_000)
    world = make_world(draw_lives(seed, 60, since=since), rules, name=engine)
    # Few entities to a line, so that there are several.
    monkeypatch.setattr(measured, "_ROOM", 47)
    wanted = dict(list(asked().items())[seed - 1 :: 4 if engine == "polars" else 15])
    found = crossings(world, wanted)
    assert len(found.lines) > 1
    keys = [(behaviour, threshold) for behaviour in wanted for threshold in THRESHOLDS]
    for start in range(0, len(keys), 12):
        part = keys[start : start + 12]
        plan = criterion_spells(world, [criterion(*key) for key in part])
        spells = world.engine.collect(plan).sort("criterion", "entity", "on")
        for place, key in enumerate(part):
            own = spells.filter(pl.col("criterion") == place)
            expected = [(entity, on, off) for entity, on, off in own.select("entity", "on", "off").iter_rows()]
            assert list(told(world, found, key)) == expected, key


def told(world, found, key):
    ends = {
        row["entity"]: min(world.as_of, (row["converted"] or world.as_of + 1) - 1)
        for row in world.entities.iter_rows(named=True)
    }
    for line, spells in zip(found.lines, found.spells, strict=True):
        own = spells[key]
        for entity, on, off in zip(
            line.entity(own.on).tolist(), line.moment(own.on).tolist(), line.moment(own.off).tolist(), strict=True
        ):
            yield entity, on, off if off <= ends[entity] else None


def test_places_keep_entity_and_moment():
    line = Line(first=3, entities=4, zero=100, bits=20)
    entity, at = np.array([3, 6]), np.array([100, 5_000])
    places = line.places(entity, at)
    assert (line.entity(places).tolist(), line.moment(places).tolist()) == ([3, 6], [100, 5_000])
    assert line.moment(line.places(entity, np.array([7, 8]))).tolist() == [100, 100]
    assert line.holds(np.array([2, 3, 6, 7])).tolist() == [False, True, True, False]


def test_both_hold_where_both_hold():
    random = np.random.default_rng(2)
    states = random.random((2, 400)) < 0.6

    def stretches(state):
        edges = np.diff(np.concatenate([[0], state.astype(int), [0]]))
        return Stretches(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1))

    both, expected = stretches(states[0]) & stretches(states[1]), states[0] & states[1]
    held = np.zeros(400, dtype=bool)
    for on, off in zip(both.on, both.off, strict=True):
        held[on:off] = True
    assert (held == expected).all()
    assert (np.diff(both.on) > 0).all()
