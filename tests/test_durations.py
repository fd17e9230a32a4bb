"""Durations are whole numbers with a unit, echoed as written and emitted in days where whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.durations import DAY, Duration


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [("0d", 0), ("1m", 60_000_000), ("24h", DAY), ("14d", 14 * DAY), ("2w", 14 * DAY), ("36500d", 36_500 * DAY)],
)
def test_units(text: str, microseconds: int) -> None:
    assert Duration.parse(text).microseconds == microseconds


@pytest.mark.parametrize(
    "text", ["", "14", "d", "1.5d", "-1d", "14 d", "14D", "14days", "1e3d", "١d", "99999999999d", "14d\n7d"]
)
def test_what_is_not_a_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        Duration.parse(text)


def test_a_century_is_the_longest() -> None:
    with pytest.raises(ValueError, match="longer than 100 years"):
        Duration.parse("40000d")


@given(st.integers(0, 5000), st.sampled_from("mhdw"))
def test_echoed_and_emitted(amount: int, unit: str) -> None:
    duration = Duration.parse(f"{amount}{unit}")
    assert str(duration) == f"{amount}{unit}"
    assert Duration.parse(duration.emitted) == duration
    assert hash(Duration.parse(duration.emitted)) == hash(duration)


def test_order_and_words() -> None:
    assert Duration.parse("1d") < Duration.parse("25h") < Duration.parse("1w")
    assert [Duration.parse(t).in_words for t in ("1d", "2w", "30m")] == ["1 day", "2 weeks", "30 minutes"]
    assert Duration.parse("48h").emitted == "2d"
    assert Duration.parse("36h").emitted == "36h"
