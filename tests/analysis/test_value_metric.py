"""Events compared as value metrics."""

from __future__ import annotations

import numpy as np
import pytest

from pqlkit.analysis.observation import observe
from pqlkit.analysis.value_metric import AGE, FEWEST, PERIOD, ValueMetric, compare
from pqlkit.durations import DAY
from pqlkit.errors import UsageError
from pqlkit.options.settings import Settings
from tests.analysis.canonical import in_memory

USERS = 800


def upgrades(number: int) -> bool:
    return (number % 4 >= 2 and number % 7 < (1, 6, 3)[number % 3]) or number % 17 == 0


def metrics(*events: str, by: tuple[str, ...] = ("signup_month",)) -> tuple[ValueMetric, ...]:
    """`posted` goes with converting throughout, `viewed` only up to 2, `turned` only in the first half of the time."""
    users, log, plans = [], [], []
    for number in range(USERS):
        name, anchor = f"{number:03}", (100 + number // 5) * DAY
        posted = number % 4
        viewed = 2 * (number % 3)
        converts = upgrades(number)
        early = number < USERS // 2
        turned = (converts if early else not converts) != (number % 9 == 0)
        users.append({"id": name, "anchor": anchor, "converted": anchor + 20 * DAY if converts else None})
        plans.append("team" if number % 2 else "solo")
        for event, count in (("posted", posted), ("viewed", viewed), ("turned", 1 + 2 * turned)):
            log += [(name, event, anchor + (1 + index) * DAY) for index in range(count)]
    people = in_memory(users, log, as_of=400 * DAY, history_from=90 * DAY, fixed={"plan": plans})
    return compare(observe(people, Settings(snapshots="once:14d", by=by)), events)


def test_the_better_metric_stands_first_and_the_other_says_how_far_behind() -> None:
    best, other = metrics("viewed", "posted")
    assert [best.behaviour.event, other.behaviour.event] == ["posted", "viewed"]
    assert str(best.behaviour.window.length) == "14d"
    assert best.difference is None
    assert other.difference is not None
    assert best.area.value is not None
    assert other.area.value is not None
    assert other.difference.value == pytest.approx(best.area.value - other.area.value)
    assert (other.difference.low or 0) > 0


def test_counts_are_those_of_the_snapshots() -> None:
    (posted,) = metrics("posted")
    converted = [n for n in range(USERS) if upgrades(n)]
    assert (posted.recall.numerator, posted.recall.denominator) == (
        sum(n % 4 > 0 for n in converted),
        len(converted),
    )
    assert (posted.share.numerator, posted.share.denominator) == (USERS * 3 // 4, USERS)
    assert [rung.threshold for rung in posted.ladder] == [1, 2, 3]
    assert [rung.rate.denominator for rung in posted.ladder] == [USERS * left // 4 for left in (3, 2, 1)]
    assert posted.ladder[2].rate.numerator == sum(n % 4 == 3 for n in converted)


def test_a_ladder_that_falls_says_where() -> None:
    posted, viewed = sorted(metrics("posted", "viewed"), key=lambda one: one.behaviour.event or "")
    assert posted.monotonic
    assert posted.breaks_at is None
    assert not viewed.monotonic
    assert viewed.breaks_at == 3  # those with 4 convert less than those with 2


def test_a_metric_that_turns_round_is_not_steady() -> None:
    steady, turned = metrics("posted", "turned")
    assert {kind.by: kind.stable for kind in steady.stability} == {PERIOD: True}
    assert {kind.by: kind.stable for kind in turned.stability} == {PERIOD: False}
    assert all(part.rate.denominator > 0 for part in turned.parts)


def test_segments_are_the_traits_asked_for() -> None:
    (posted,) = metrics("posted", by=("signup_month", "plan"))
    parts = [part for part in posted.parts if part.by == "plan"]
    assert [part.name for part in parts] == ["solo", "team"]
    assert sum(part.rate.denominator for part in parts) == USERS
    assert [kind.by for kind in posted.stability] == [PERIOD, "plan"]
    assert AGE not in {part.by for part in posted.parts}


def test_the_same_event_twice_is_one_metric() -> None:
    assert len(metrics("posted", "posted")) == 1
    assert metrics() == ()


def test_an_event_that_nobody_did_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="--compare postd: no snapshot has such an event") as caught:
        metrics("postd")
    assert caught.value.hint == "did you mean posted?"


def test_too_few_converters_leave_a_part_without_an_area() -> None:
    users = [{"id": f"{n:02}", "anchor": n * DAY, "converted": (n + 20) * DAY if n < 4 else None} for n in range(60)]
    log = [(f"{n:02}", "posted", n * DAY + 1) for n in range(60) for _ in range(1 + n % 2)]
    people = in_memory(users, log, as_of=400 * DAY)
    (posted,) = compare(observe(people, Settings(snapshots="once:14d")), ["posted"])
    assert {part.area.value for part in posted.parts} == {None}
    assert {kind.stable for kind in posted.stability} == {None}
    assert all(rung.rate.denominator >= FEWEST for rung in posted.ladder)
    assert np.isfinite(posted.area.value or np.nan)
