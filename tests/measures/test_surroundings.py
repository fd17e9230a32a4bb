"""Surroundings of the conversion: hours and days drawn one microsecond before, at and after, and a plain recount."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from pqlkit.durations import DAY, HOUR
from pqlkit.measures.surroundings import surroundings
from tests.analysis.canonical import in_memory

C = 40 * DAY + 7 * HOUR + 123_456  # a conversion in the middle of a second
SECOND = 1_000_000


def around(*events: int, converted: int | None = C, **options):
    people = in_memory(
        [{"id": "a", "anchor": 0, "converted": converted}], [("a", "e", at) for at in events], as_of=90 * DAY
    )
    return surroundings(people.world, **options)


@pytest.mark.parametrize(
    ("at", "inside"),
    [
        (C - HOUR - 1, False),
        (C - HOUR, True),
        (C, True),
        (C - C % SECOND + SECOND - 1, True),
        (C - C % SECOND + SECOND, False),
    ],
    ids=["just before the hour", "at its start", "at the conversion", "its last microsecond", "the next second"],
)
def test_the_hazard_hour_includes_the_conversions_own_second(at, inside):
    assert around(at).hazard.tolist() == [int(inside)]


@pytest.mark.parametrize("days", [1, 2, 3])
@pytest.mark.parametrize(("shift", "inside"), [(-HOUR - 1, False), (-HOUR, True), (-1, True), (0, False)])
def test_the_control_hours_are_half_open(days, shift, inside):
    assert around(C - days * DAY + shift).control.tolist() == [pytest.approx(inside / 3)]


@pytest.mark.parametrize(("at", "late"), [(C - HOUR - 1, 0), (C - HOUR, 1), (C, 1), (C + DAY, 1)])
def test_first_late_begins_an_hour_before_the_conversion(at, late):
    assert around(at).first_late.tolist() == [late]
    assert around(at - 2 * HOUR, at).first_late.tolist() == [0 if at - 2 * HOUR < C - HOUR else late]


@pytest.mark.parametrize(("at", "soon"), [(C - DAY - 1, 0), (C - DAY, 1), (C, 1), (C + SECOND, 0)])
def test_within_a_day_of_the_first(at, soon):
    assert around(at).within_a_day.tolist() == [soon]


def test_until_ends_the_world():
    later = around(C, until=C - 1)
    assert later.converters == 0
    assert later.events == ()
    assert around(C, until=C).converters == 1


def test_only_the_asked_entities_count():
    import polars as pl

    people = in_memory(
        [{"id": name, "anchor": 0, "converted": C} for name in ("a", "b")],
        [("a", "e", C), ("b", "f", C)],
        as_of=90 * DAY,
    )
    found = surroundings(people.world, entities=pl.DataFrame({"entity": [1]}))
    assert (found.events, found.entities, found.converters) == (("f",), 1, 1)


def test_customers_before_their_anchor_are_left_out():
    people = in_memory([{"id": "a", "anchor": DAY, "converted": DAY - 1}], [("a", "e", DAY)], as_of=90 * DAY)
    found = surroundings(people.world)
    assert (found.entities, found.converters) == (0, 0)


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_a_plain_loop(seed):
    dice = random.Random(seed)
    people: list[dict[str, Any]] = []
    events: list[tuple[str, str, int]] = []
    for user in range(60):
        converted = dice.randrange(4 * DAY, 9 * DAY) if dice.random() < 0.6 else None
        people.append({"id": f"u{user:02}", "anchor": dice.randrange(DAY), "converted": converted})
        for _ in range(dice.randrange(12)):
            near = converted if converted is not None and dice.random() < 0.7 else dice.randrange(9 * DAY)
            at = near - dice.randrange(4) * DAY + dice.choice([-HOUR, -1, 0, 1, 10 * SECOND, -HOUR // 2])
            events.append((f"u{user:02}", dice.choice("ef"), max(0, at)))
    as_of = 8 * DAY
    found = surroundings(in_memory(people, events, as_of=as_of).world)
    for index, name in enumerate(found.events):
        users = {"users": 0, "converted": 0, "late": 0, "day": 0, "hazard": 0, "control": 0}
        for person in people:
            own = [at for who, event, at in events if who == person["id"] and event == name and at <= as_of]
            if not own:
                continue
            c = person["converted"] if person["converted"] is not None and person["converted"] <= as_of else None
            users["users"] += 1
            if c is None:
                continue
            end = c - c % SECOND + SECOND - 1
            users["converted"] += 1
            users["late"] += min(own) >= c - HOUR
            users["day"] += -(SECOND - 1) <= c - min(own) <= DAY
            users["hazard"] += any(c - HOUR <= at <= end for at in own)
            users["control"] += sum(any(c - d * DAY - HOUR <= at < c - d * DAY for at in own) for d in (1, 2, 3))
        notable = 2 * users["late"] >= users["converted"] or users["hazard"] >= 2 * users["control"] / 3 + 1
        assert found.users[index] == (users["users"] if notable else 0)
        assert found.users_converted[index] == users["converted"]
        assert found.first_late[index] == users["late"]
        assert found.within_a_day[index] == users["day"]
        assert found.hazard[index] == users["hazard"]
        assert found.control[index] == pytest.approx(users["control"] / 3)
    assert int(np.sum(found.users_converted)) > 20
