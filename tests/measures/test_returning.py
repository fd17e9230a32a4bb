"""When an entity next did something, against a search through all its events."""

from __future__ import annotations

import numpy as np
import pytest

from pqlkit.durations import DAY
from pqlkit.measures.returning import NEVER, Returns


def returns(events: list[tuple[int, int]]) -> Returns:
    """Index events (entity, microsecond) as the engine would group them."""
    seconds: dict[tuple[int, int], list[int]] = {}
    for entity, at in events:
        seconds.setdefault((entity, at // 1_000_000), []).append(at)
    rows = sorted(
        (entity * (1 << 34) + second + (1 << 32), min(times), max(times)) for (entity, second), times in seconds.items()
    )
    key, first, last = (
        (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
        if rows
        else [np.zeros(0, np.int64)] * 3
    )
    return Returns(key=key, first=first, last=last)


@pytest.mark.parametrize("seed", range(5))
def test_the_next_event_is_the_first_in_the_window(seed: int) -> None:
    generator = np.random.default_rng(seed)
    # Seconds apart, so that the first in a second is the only one.
    events = [(int(entity), int(day) * 1_000_000) for entity, day in generator.integers(0, (20, 4000), (400, 2))]
    entity, at = (
        generator.integers(0, 22, 500),
        generator.integers(-100, 4100, 500) * 1_000_000 + generator.integers(0, 3, 500),
    )
    after, until = 300 * 1_000_000, 900 * 1_000_000
    found = returns(events).between(entity, at, after, until)
    for who, moment, came in zip(entity, at, found, strict=True):
        inside = [when for owner, when in events if owner == who and moment + after < when <= moment + until]
        assert came == min(inside, default=NEVER)


def test_both_ends_are_exact() -> None:
    made, at = returns([(3, 10 * DAY)]), np.array([0])
    entity = np.array([3])
    assert made.between(entity, at, 10 * DAY - 1, 10 * DAY)[0] == 10 * DAY
    assert made.between(entity, at, 10 * DAY, 20 * DAY)[0] == NEVER
    assert made.between(entity, at, 0, 10 * DAY - 1)[0] == NEVER
    assert made.between(np.array([2]), at, 0, 20 * DAY)[0] == NEVER


def test_of_one_second_a_later_event_counts_where_the_first_comes_too_soon() -> None:
    made = returns([(0, 5_000_000), (0, 5_000_400)])
    assert made.between(np.array([0]), np.array([0]), 5_000_000, DAY)[0] == 5_000_400


def test_nobody_did_anything() -> None:
    made = returns([])
    assert made.between(np.array([0]), np.array([0]), 0, DAY)[0] == NEVER
    assert not made.before(np.array([0]), np.array([DAY]))[0]


def test_before_is_before() -> None:
    made = returns([(1, DAY), (2, DAY)])
    assert made.before(np.array([0, 1, 1, 2, 9]), np.array([9 * DAY, DAY, DAY + 1, 2 * DAY, 9 * DAY])).tolist() == [
        False,
        False,
        True,
        True,
        False,
    ]
