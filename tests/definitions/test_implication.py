"""Implication is sound: what it proves holds on drawn worlds, as the evaluator sees them."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import product
from typing import TYPE_CHECKING

import pytest

from pqlkit.definitions.implication import contradicts, implies, most_dates, node_implies, unsatisfiable
from pqlkit.definitions.model import (
    All,
    Anchor,
    Any,
    Condition,
    Criterion,
    Limit,
    Measure,
    MeasureKind,
    NOf,
    Operator,
    Window,
    WindowKind,
)
from pqlkit.durations import DAY, Duration
from pqlkit.measures.evaluation import criterion_spells
from tests.measures.grid import MEASURES, has_meaning
from tests.measures.oracle import Rules
from tests.measures.worlds import START, draw_lives, make_world

if TYPE_CHECKING:
    from pqlkit.definitions.model import Bound

Spells = dict[tuple[int, int], list[tuple[int, float]]]
CHUNK = 60
WINDOWS = (
    *(Window(kind=WindowKind.WITHIN, length=Duration.parse(length)) for length in ("2d", "7d")),
    *(Window(kind=WindowKind.ROLLING, length=Duration.parse(length)) for length in ("2d", "7d")),
    *(Window(kind=WindowKind.TRAILING, length=Duration.parse(length)) for length in ("2d", "7d")),
    Window(kind=WindowKind.EVER),
)
BOUNDS: tuple[tuple[Bound | None, Bound | None], ...] = (
    *(((low, None)) for low in (0, 1, 2, 3)),
    *(((None, high)) for high in (0, 1, 2)),
    (1, 2),
    (2, 2),
    (Limit(percent=40, property="limit"), None),
    (Limit(percent=80, property="limit"), None),
    (None, Limit(percent=80, property="limit")),
)
WHERES: tuple[tuple[Condition, ...], ...] = (
    (),
    (),
    (),
    (Condition(name="kind", operator=Operator.EQUALS, values=("x",)),),
    (Condition(name="kind", operator=Operator.IN, values=("x", "y")),),
    (Condition(name="amount", operator=Operator.AT_LEAST, values=(1,)),),
    (Condition(name="amount", operator=Operator.AT_LEAST, values=(2.5,)),),
)
EVENTS: tuple[tuple[str, ...] | None, ...] = (("a",), ("a", "b"), None)


def drawn(seed: int, size: int) -> list[Criterion]:
    dice = random.Random(seed)
    every = [
        (measure, window, low, high)
        for measure, window, (low, high) in product(MEASURES, WINDOWS, BOUNDS)
        if has_meaning(measure, window, high)
    ]
    # Counts and plain thresholds are what most proofs are about.
    weights = [(5 if m.property is None else 1) * (3 if isinstance(low, int) else 1) for m, _, low, _ in every]
    return [
        Criterion(
            id=f"c{i}",
            events=dice.choice(EVENTS),
            where=dice.choice(WHERES),
            measure=m,
            window=w,
            at_least=low,
            at_most=high,
        )
        for i, (m, w, low, high) in enumerate(dice.choices(every, weights=weights, k=size))
    ]


def spells(criteria: list[Criterion], seed: int) -> tuple[Spells, int]:
    lives = draw_lives(seed, 80)
    world = make_world(lives, Rules(as_of=START + 25 * DAY))
    found: Spells = defaultdict(list)
    for start in range(0, len(criteria), CHUNK):
        part = criterion_spells(world, criteria[start : start + CHUNK])
        for entity, criterion, on, off in world.engine.collect(part).sort("entity", "criterion", "on").iter_rows():
            found[start + criterion, entity].append((on, float("inf") if off is None else off))
    return found, len(lives)


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_proved_holds_in_every_life(seed: int) -> None:
    criteria = drawn(seed, 200)
    found, entities = spells(criteria, seed)
    proved = refuted = 0
    for (i, a), (j, b) in product(enumerate(criteria), repeat=2):
        implied, excluded = i != j and implies(a, b), contradicts(a, b)
        if not implied and not excluded:
            continue
        proved, refuted = proved + implied, refuted + excluded
        for entity in range(entities):
            mine, other = found.get((i, entity), []), found.get((j, entity), [])
            if implied:
                assert all(any(on <= start and end <= off for on, off in other) for start, end in mine), (a, b)
            if excluded:
                assert not any(start < off and on < end for start, end in mine for on, off in other), (a, b)
    assert proved > 300
    assert refuted > 5


def login(times: int, days: str = "14d") -> Criterion:
    window = Window(kind=WindowKind.WITHIN, length=Duration.parse(days))
    return Criterion(id=f"login_{times}_{days}", events=("login",), window=window, at_least=times)


def test_a_formula_implies_by_its_parts() -> None:
    signup = Anchor()
    one, two, five, other = (
        login(1),
        login(2),
        login(5),
        Criterion(id="o", events=("o",), window=Window(kind=WindowKind.EVER), at_least=1),
    )
    assert node_implies(All(parts=(other, five)), two, signup)
    assert not node_implies(Any(parts=(other, five)), two, signup)
    assert node_implies(Any(parts=(two, five)), one, signup)
    assert node_implies(NOf(n=2, parts=(other, two, five)), one, signup)
    assert not node_implies(NOf(n=1, parts=(other, two, five)), one, signup)


@pytest.mark.parametrize(("days", "dates"), [("14d", 15), ("2w", 15), ("1d", 2), ("12h", 2), ("36h", 3), ("1m", 2)])
def test_a_window_touches_no_more_dates(days: str, dates: int) -> None:
    assert most_dates(Window(kind=WindowKind.TRAILING, length=Duration.parse(days))) == dates
    assert most_dates(Window(kind=WindowKind.EVER)) is None


def condition(operator: Operator, *values: str | float | bool) -> Condition:
    return Condition(name="x", operator=operator, values=values)


@pytest.mark.parametrize(
    ("first", "second", "empty"),
    [
        (condition(Operator.EQUALS, "a"), condition(Operator.IN, "b", "c"), True),
        (condition(Operator.EQUALS, "a"), condition(Operator.IN, "a", "c"), False),
        (condition(Operator.EQUALS, "5"), condition(Operator.EQUALS, 5), False),
        (condition(Operator.AT_LEAST, 5), condition(Operator.AT_MOST, 4), True),
        (condition(Operator.AT_LEAST, 5), condition(Operator.AT_MOST, 5), False),
        (condition(Operator.IN, "a", "b"), condition(Operator.NOT_IN, "a", "b", "c"), True),
        (condition(Operator.IN, "a", "b"), condition(Operator.NOT_IN, "a"), False),
        (condition(Operator.EXISTS, False), condition(Operator.EQUALS, "a"), True),
        (condition(Operator.EXISTS, False), condition(Operator.NOT_IN, "a"), False),
        (condition(Operator.EXISTS, False), condition(Operator.EXISTS, True), True),
        (condition(Operator.MATCHING, "a"), condition(Operator.NOT_MATCHING, "a"), False),
    ],
)
def test_conditions_that_no_value_passes(first: Condition, second: Condition, empty: bool) -> None:
    assert (unsatisfiable((first, second)) is not None) == empty
    assert (unsatisfiable((second, first)) is not None) == empty


def test_measures_are_compared_only_where_they_may_be() -> None:
    window = Window(kind=WindowKind.WITHIN, length=Duration.parse("7d"))
    days = Criterion(id="d", events=("a",), measure=Measure(kind=MeasureKind.DAYS), window=window, at_least=3)
    count = Criterion(id="c", events=("a",), window=window, at_least=3)
    assert implies(days, count)
    assert not implies(count, days)
