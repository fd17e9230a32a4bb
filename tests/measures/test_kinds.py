"""Kinds of events: which are looked at, and that each cell is the value of the criterion with that condition."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from pqlkit.definitions.model import Measure, WindowKind
from pqlkit.durations import Duration
from pqlkit.engines import ENGINES
from pqlkit.measures.cube import cube
from pqlkit.measures.kinds import ALTOGETHER, DIFFERENT, VALUES, Kind, joined, kinds, kinds_cube
from tests.measures.oracle import DAY, Life, Rules, Seen
from tests.measures.test_cube import draw_snapshots, level_of
from tests.measures.worlds import START, draw_lives, make_world

if TYPE_CHECKING:
    from collections.abc import Mapping

RULES = Rules(as_of=START + 40 * DAY)


def life(*events: tuple[str, Mapping[str, object]]) -> Life:
    seen = [
        Seen(
            at=START + index * 1_000_000, event=event, user="u1", properties={**dict.fromkeys(PROPERTIES), **properties}
        )
        for index, (event, properties) in enumerate(events)
    ]
    return Life(anchor=START, converted=None, since=None, traits={"cap": None}, events=seen)


PROPERTIES = ("amount", "text.amount", "kind", "limit", "flag")


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("kind", [WindowKind.WITHIN, WindowKind.TRAILING])
def test_a_cell_is_the_value_of_the_criterion_with_its_condition(name: str, kind: WindowKind) -> None:
    dice = random.Random(7)
    lives = draw_lives(11, 40, since=True)
    world = make_world(lives, RULES, name=name)
    snapshots = draw_snapshots(dice, lives, "every" if kind is WindowKind.TRAILING else "age", START)
    asked = kinds(world, ["a", "b"])
    assert {(each.event, each.property) for each in asked if each.value is not None} >= {("a", "kind"), ("a", "flag")}
    assert {(each.event, each.property) for each in asked if each.value is None} >= {("a", "amount"), ("b", "limit")}
    windows = [Duration.parse("7d"), Duration.parse("14d")]
    made = kinds_cube(world, snapshots, asked, kind=kind, windows=windows)
    assert len(made.behaviours) > 20
    for index, behaviour in enumerate(made.behaviours):
        rows, levels = made.column(index)
        cells = dict(zip(rows.tolist(), levels.tolist(), strict=True))
        criterion = behaviour.criterion(at_least=1)
        for snapshot, entity, cutoff, _ in snapshots.iter_rows():
            assert cells.get(snapshot, 0) == level_of(RULES, lives[entity], cutoff, criterion), (behaviour, cutoff)


def test_every_value_of_few_is_looked_at_and_numbers_are_added_up() -> None:
    plan = [("plan_chosen", {"kind": "pro" if n % 3 else "free", "amount": float(n % 7)}) for n in range(90)]
    world = make_world([life(*plan, *[("login", {})] * 50)], RULES)
    assert kinds(world, ["plan_chosen", "login"]) == (
        Kind(event="plan_chosen", property="amount"),
        Kind(event="plan_chosen", property="kind", value="free"),
        Kind(event="plan_chosen", property="kind", value="pro"),
    )


@pytest.mark.parametrize(
    "properties",
    [
        [{"kind": "only"} for _ in range(100)],
        [{"kind": f"id {n}"} for n in range(DIFFERENT * 40)],
        [{"amount": 3.0} for _ in range(100)],
        [{"amount": 1.7e12 + n} for n in range(100)],
        [{"kind": "rare"} if n == 0 else {} for n in range(100)],
    ],
    ids=["one value", "ids", "one number", "times", "rare"],
)
def test_what_tells_no_kinds_apart_is_left_out(properties: list[dict[str, object]]) -> None:
    assert kinds(make_world([life(*(("e", each) for each in properties))], RULES), ["e"]) == ()


def test_values_are_bounded_in_all_and_the_commonest_stay() -> None:
    events = [
        (f"e{event}", {"kind": f"v{value}"})
        for event in range(10)
        for value in range(30)
        for _ in range(20 + event + value)
    ]
    found = kinds(make_world([life(*events)], RULES), [f"e{event}" for event in range(10)])
    assert len(found) == ALTOGETHER
    assert max(sum(each.event == f"e{event}" for each in found) for event in range(10)) <= VALUES
    assert {each.value for each in found if each.event == "e9"} == {f"v{value}" for value in range(14, 30)}


def test_the_sample_of_many_events_is_the_same_in_any_order() -> None:
    dice = random.Random(3)
    events = [("e", {"kind": dice.choice("abc"), "amount": float(dice.randint(1, 90))}) for _ in range(1_000)]
    world = make_world([life(*events)], RULES)
    from pqlkit.measures import kinds as module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_ROWS", 400)
        few = module._sample(world, ["p0", "p2"], ["e"])
        other = make_world([life(*events)], RULES, name="duckdb")
        again = module._sample(other, ["p0", "p2"], ["e"])
    assert 300 < few.height < 700
    assert few.sort(few.columns).equals(again.sort(few.columns))


def test_joined_cubes_keep_every_column() -> None:
    lives = draw_lives(5, 30)
    world = make_world(lives, RULES)
    snapshots = draw_snapshots(random.Random(1), lives, "once", START)
    windows = [Duration.parse("7d")]
    one = cube(world, snapshots, kind=WindowKind.WITHIN, windows=windows, measures=[Measure()])
    two = kinds_cube(world, snapshots, kinds(world, ["a"]), kind=WindowKind.WITHIN, windows=windows)
    both = joined(one, two, snapshots=snapshots.height)
    assert both.behaviours == (*one.behaviours, *two.behaviours)
    for place in range(len(both.behaviours)):
        part, at = (one, place) if place < len(one.behaviours) else (two, place - len(one.behaviours))
        assert [column.tolist() for column in both.column(place)] == [column.tolist() for column in part.column(at)]
    assert (
        joined(
            one, kinds_cube(world, snapshots, (), kind=WindowKind.WITHIN, windows=windows), snapshots=snapshots.height
        ).behaviours
        == one.behaviours
    )
