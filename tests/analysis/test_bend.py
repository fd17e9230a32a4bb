"""The shape: those who never did it may convert as often as those who did it much."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pqlkit.analysis.analyzing import analyze
from pqlkit.analysis.associations import Levels
from pqlkit.analysis.bend import TIMES, shape_at, shapes
from pqlkit.analysis.observation import observe
from pqlkit.durations import DAY
from pqlkit.options.settings import Settings
from pqlkit.reporting.records.analysis import record
from pqlkit.reporting.renderers.analysis import not_monotone
from tests.analysis.canonical import in_memory

ONCE = Settings(snapshots="once:14d")


def world(rates: tuple[float, float, float], *, seed: int = 1, users: int = 2_400):
    """Make users of whom a third did it never, a third once to three times, a third four times or more, at these rates."""
    rng = np.random.default_rng(seed)
    people, events = [], []
    for number in range(users):
        name, anchor = f"u{number:05}", int(rng.integers(0, 150 * DAY))
        third = number % 3
        times = (0, int(rng.integers(1, 4)), int(rng.integers(4, 9)))[third]
        converted = anchor + 15 * DAY + int(rng.integers(1, 20 * DAY)) if rng.random() < rates[third] else None
        people.append({"id": name, "anchor": anchor, "converted": converted})
        events += [(name, "report", anchor + int(at)) for at in rng.integers(0, 14 * DAY, times)]
    return in_memory(people, events, as_of=200 * DAY)


@pytest.fixture(scope="module")
def curved():
    return world((0.2, 0.06, 0.22))


def test_a_behaviour_of_which_some_is_worse_than_none_is_said(curved):
    found = analyze(curved, ONCE)
    (shape,) = found.shapes
    assert (shape.behaviour.event, shape.threshold, shape.as_often) == ("report", 4, True)
    assert shape.none.denominator + shape.some.denominator + shape.much.denominator == len(found.observed.y)
    assert shape.none.numerator + shape.some.numerator + shape.much.numerator == int(found.observed.y.sum())
    assert "at 1 to 3" in not_monotone([shape])
    assert "convert as often" in not_monotone([shape])
    written: Any = record(found)
    assert [row["threshold"] for row in written["not_monotone"]] == [4]


@pytest.mark.parametrize("rates", [(0.06, 0.12, 0.22), (0.22, 0.12, 0.06), (0.12, 0.12, 0.12)])
def test_what_rises_falls_or_stays_is_not_said(rates):
    observed = observe(world(rates), ONCE)
    assert shapes(observed, Levels.of(observed.cube, observed.y)) == ()


def test_zero_may_convert_more_often_than_the_middle_and_less_often_than_the_top():
    observed = observe(world((0.14, 0.05, 0.4)), ONCE)
    (shape,) = shapes(observed, Levels.of(observed.cube, observed.y))
    assert not shape.as_often
    assert "more often than the middle" in not_monotone([shape])


def test_beside_a_rule_it_is_read_at_the_rules_threshold(curved):
    observed = observe(curved, ONCE)
    column = max(
        index
        for index, one in enumerate(observed.cube.behaviours)
        if one.event == "report" and one.measure.kind == "count"
    )
    shape = shape_at(observed.cube, observed, column, 4)
    assert shape is not None
    assert shape.none.numerator * shape.some.denominator >= TIMES * shape.some.numerator * shape.none.denominator
    assert shape_at(observed.cube, observed, column, 1) is None


def test_chance_bends_nothing():
    bent = 0
    for seed in range(30):
        observed = observe(world((0.12, 0.12, 0.12), seed=seed, users=600), ONCE)
        bent += bool(shapes(observed, Levels.of(observed.cube, observed.y)))
    assert bent <= 4
