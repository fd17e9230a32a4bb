"""Literals enter by floors in heads, at thresholds that people would write, the same snapshots once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pqlkit.definitions.model import Condition, Operator
from pqlkit.proposal.literals import COARSE, Floors, Literal, Trait, literals, roundness
from pqlkit.proposal.rule import holds, plainness
from tests.proposal.worlds import behaviour, cube_of


def listed(found: tuple[Literal, ...]) -> list[tuple[str, int | None]]:
    return [(literal.name, literal.threshold) for literal in found]


def snapshot_at(columns: dict[Any, Any], converted: int = 0, **options: Any) -> tuple[Literal, ...]:
    cube = cube_of(columns)
    y = np.arange(cube.snapshots) < converted
    fit = options.pop("fit", np.ones(cube.snapshots, dtype=bool))
    return literals(cube, y, fit, **options)


def test_each_floor_holds_at_its_edge():
    counts = np.repeat([0, 1, 2, 3], [100, 40, 30, 30])
    floors = Floors(entities=30, converters=0, reach=0.5, apart=0.0)
    assert listed(snapshot_at({behaviour("a"): counts}, floors=floors)) == [("a", 1), ("a", 2), ("a", 3)]
    floors = Floors(entities=31, converters=0, reach=0.499, apart=0.0)
    assert listed(snapshot_at({behaviour("a"): counts}, floors=floors)) == [("a", 2)]


def test_converters_are_counted_among_those_who_do_it():
    counts = np.repeat([3, 1, 0], [10, 30, 60])
    floors = Floors(entities=1, converters=20, apart=0.0)
    assert listed(snapshot_at({behaviour("a"): counts}, 20, floors=floors)) == [("a", 1)]
    assert listed(snapshot_at({behaviour("a"): counts}, 19, floors=floors)) == []


def test_a_threshold_too_near_the_one_kept_before_is_skipped():
    counts = np.repeat([0, 1, 2, 3, 4], [100, 10, 5, 3, 82])
    # Reaches 100, 90, 85, 82: 90 is at the edge of 10 % of 100, the others are nearer to 90.
    found = snapshot_at({behaviour("a"): counts}, floors=Floors(entities=1, converters=0))
    assert listed(found) == [("a", 1), ("a", 2)]


def test_little_data_uses_the_coarse_grid():
    counts = np.repeat(np.arange(31), 100)
    found = snapshot_at(
        {behaviour("a"): counts}, floors=Floors(entities=1, converters=0, reach=1.0, apart=0.0, thresholds=COARSE)
    )
    assert [literal.threshold for literal in found] == [1, 3, 5, 10, 25]


def test_floors_scale_with_the_data():
    assert Floors.of(1_000, 60) == Floors(entities=20, converters=12)
    assert Floors.of(1_000, 60, thresholds=COARSE) == Floors(entities=20, converters=12, thresholds=COARSE)
    assert Floors.of(50_000, 2_000) == Floors()


def test_floors_count_heads_not_snapshots():
    counts = np.repeat([1, 0], [90, 110])
    entities = np.arange(200) // 3
    floors = Floors(entities=31, converters=0)
    assert listed(snapshot_at({behaviour("a"): counts}, floors=floors)) == [("a", 1)]
    assert listed(snapshot_at({behaviour("a"): counts}, floors=floors, entities=entities)) == []
    floors = Floors(entities=30, converters=0)
    assert listed(snapshot_at({behaviour("a"): counts}, floors=floors, entities=entities)) == [("a", 1)]


def test_converted_heads_are_counted_once():
    counts = np.repeat([1, 0], [90, 110])
    entities = np.arange(200) // 3
    floors = Floors(entities=1, converters=10)
    assert listed(snapshot_at({behaviour("a"): counts}, 30, floors=floors, entities=entities)) == [("a", 1)]
    assert listed(snapshot_at({behaviour("a"): counts}, 27, floors=floors, entities=entities)) == []


def test_only_the_fit_part_counts():
    counts = np.repeat([1, 0], [50, 150])
    fit = np.arange(200) >= 25
    assert listed(snapshot_at({behaviour("a"): counts}, fit=fit, floors=Floors(entities=25, converters=0))) == [
        ("a", 1)
    ]
    assert listed(snapshot_at({behaviour("a"): counts}, fit=fit, floors=Floors(entities=26, converters=0))) == []


def test_the_same_snapshots_are_searched_once_and_named_both():
    counts = np.repeat([0, 2], [60, 40])
    columns = {behaviour("b", 7): counts, behaviour("b", 14): counts, behaviour("a", 14): counts // 2}
    (found,) = snapshot_at(columns, floors=Floors(entities=1, converters=0))
    assert (found.name, found.threshold) == ("b", 1)
    assert {(other.name, other.threshold) for other in found.same} == {("a", 1), ("b", 1)}


def test_events_left_out_and_events_alone():
    counts = np.repeat([0, 1], [60, 40])
    columns = {behaviour("a"): counts, behaviour("limit"): counts[::-1].copy(), behaviour(None): np.roll(counts, 7)}
    floors = Floors(entities=1, converters=0)
    assert listed(snapshot_at(columns, floors=floors, exclude={"limit"})) == [("any event", 1), ("a", 1)]
    assert listed(snapshot_at(columns, floors=floors, only={"limit"})) == [("limit", 1)]


def test_a_trait_is_a_literal_of_its_own_group():
    condition = Condition(name="country", operator=Operator.IN, values=("DE", "FR"))
    met = np.arange(100) % 2 == 0
    trait = Trait(condition=condition, holds=met)
    columns = {behaviour("a"): np.repeat([0, 1], [60, 40])}
    one, two = snapshot_at(columns, floors=Floors(entities=1, converters=0), traits=[trait])
    assert (two.name, two.threshold, two.group) == ("country", None, ("trait", ""))
    assert one.group == ("event", "a")
    np.testing.assert_array_equal(holds(cube_of(columns), [one, two], [trait]), (np.arange(100) >= 60) & met)


def test_a_trait_below_the_floors_is_left_out():
    condition = Condition(name="country", operator=Operator.IN, values=("DE", "FR"))
    trait = Trait(condition=condition, holds=np.arange(100) < 5)
    assert (
        snapshot_at({behaviour("a"): np.zeros(100, int)}, floors=Floors(entities=6, converters=0), traits=[trait]) == ()
    )


@pytest.mark.parametrize("event", ["any event", "", "\0", "=cmd()", "é" * 5_000])
def test_hostile_names_are_names(event):
    counts = np.repeat([0, 1], [60, 40])
    columns = {behaviour(event): counts, behaviour(None): counts[::-1].copy()}
    found = snapshot_at(columns, floors=Floors(entities=1, converters=0))
    assert len({literal.group for literal in found}) == 2


def test_plainer_rules_sort_first():
    def literal(event: str, days: int, level: int) -> Literal:
        return Literal(column=0, level=level, behaviour=behaviour(event, days))

    one, five, seven = (literal("a", 7, level) for level in (1, 5, 7))
    other = literal("b", 14, 1)
    rules = [[one, other], [seven], [five], [literal("b", 7, 1), one], [one]]
    assert sorted(rules, key=plainness) == [[one], [five], [seven], [literal("b", 7, 1), one], [one, other]]
    assert roundness(200) < roundness(150) < roundness(7500)
