"""The activity: who did something lately, event by event."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pqlkit.durations import DAY, WEEK, Duration
from pqlkit.population.phases import monday
from pqlkit.population.recent_activity import active, active_weeks, last_by_week
from tests.analysis.canonical import in_memory

START = monday("UTC") + 1_300 * WEEK


def drawn(seed: int):
    dice = np.random.default_rng(seed)
    events = [
        (f"u{int(who):02}", "e", START + int(at))
        for who, at in zip(dice.integers(0, 12, 60), dice.integers(0, 20 * WEEK, 60), strict=True)
    ]
    edges = [("u12", "e", START + 4 * WEEK), ("u12", "e", START + 9 * WEEK - 1)]
    people = [{"id": f"u{number:02}", "anchor": START} for number in range(14)]
    return in_memory(people, [*events, *edges], as_of=START + 30 * WEEK), [*events, *edges]


@pytest.mark.parametrize("within", ["7d", "28d", "10d", "1d"])
@pytest.mark.parametrize("seed", [1, 2])
def test_active_is_an_event_in_the_stretch_before_the_cutoff(within, seed):
    people, events = drawn(seed)
    length = Duration.parse(within)
    snapshots = pl.DataFrame(
        [(entity, START + week * WEEK) for entity in range(14) for week in range(1, 24)],
        schema={"entity": pl.Int64, "cutoff": pl.Int64},
        orient="row",
    )
    wanted = [
        any(f"u{entity:02}" == who and cutoff - length.microseconds <= at < cutoff for who, _, at in events)
        for entity, cutoff in snapshots.iter_rows()
    ]
    assert active(people, snapshots, length).to_list() == wanted
    assert 0 < sum(wanted) < len(wanted)


def test_weeks_are_packed_once_each_in_order():
    people, _ = drawn(3)
    weeks = last_by_week(people).sort("entity", "week")
    packed = active_weeks(people)
    assert packed.tolist() == (weeks["entity"] * (1 << 20) + weeks["week"]).to_list()
    assert (weeks["last"] // DAY >= weeks["week"] * 7).all()
