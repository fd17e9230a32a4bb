"""Files of events: where they are cut, and how they are sorted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pqlkit.exports import event_files
from pqlkit.exports.event_files import cuts, days_of, ordered, partitioned
from pqlkit.exports.numbering import HOME

START = datetime(2026, 1, 1, tzinfo=UTC)


def rows(count: int, *, seed: int = 1, users: int = 4) -> pl.DataFrame:
    dice = np.random.default_rng(seed)
    user = pl.Series(dice.integers(-1, users, count), dtype=pl.Int32)
    return pl.DataFrame(
        {
            "event": pl.Series(dice.choice(["b", "a", "é", "B"], count)),
            "user_id": user.set(user < 0, None),
            HOME: user.set(user < 0, None),
            "timestamp": pl.Series(
                [START + timedelta(days=int(n)) for n in dice.integers(0, 6, count)], dtype=pl.Datetime("us", "UTC")
            ),
            "p": pl.Series(
                [{"-": None}.get(value, value) for value in dice.choice(["-", "x", "y"], count).tolist()],
                dtype=pl.String,
            ),
            "n": pl.Series(dice.random(count).round(1)),
        }
    )


@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_rows_are_sorted_by_event_user_and_time_and_alike_ones_by_the_rest(count):
    frame = rows(count)
    assert_frame_equal(ordered(frame), frame.sort("event", "user_id", "timestamp", HOME, "p", "n"))


def test_the_order_does_not_depend_on_that_of_the_rows():
    frame = rows(300)
    assert_frame_equal(ordered(frame), ordered(frame.sample(fraction=1, shuffle=True, seed=2)))


def test_users_of_any_number_are_sorted():
    frame = rows(200).with_columns(pl.col("user_id") * 500_000_000)
    assert_frame_equal(ordered(frame), frame.sort("event", "user_id", "timestamp", HOME, "p", "n"))


def test_blocks_end_where_a_home_does(monkeypatch):
    monkeypatch.setattr(event_files, "BLOCK_ROWS", 10)
    homes = pl.DataFrame({HOME: [0, 2, 5, 6, 9], "rows": [4, 4, 25, 3, 3]})
    assert cuts(homes) == [(0, 6), (6, 10)]
    assert cuts(homes.clear()) == []


def test_each_row_comes_once_with_those_of_its_block(tmp_path, monkeypatch):
    monkeypatch.setattr(event_files, "BLOCK_ROWS", 20)
    frame = rows(400)
    days = days_of(frame.lazy())
    assert len(days) > 1
    parts = list(partitioned(frame.lazy(), [0, 2], days, tmp_path / "parts"))
    assert [place for place, _ in parts] == [0, 1, *(-1 - number for number in range(len(days)))]
    assert set(parts[0][1][HOME]) == {0, 1}
    assert set(parts[1][1][HOME]) == {2, 3}
    assert all(part["user_id"].null_count() == part.height for place, part in parts if place < 0)
    assert_frame_equal(pl.concat([part for _, part in parts]), frame, check_row_order=False)


def test_a_row_of_an_account_that_nobody_will_be_found_for_lies_with_the_account(tmp_path):
    frame = pl.DataFrame(
        {"event": "a", "user_id": None, "anonymous_id": [None, "d", "d"], HOME: [3, 3, None], "timestamp": START},
        schema={
            "event": pl.String,
            "user_id": pl.Int32,
            "anonymous_id": pl.String,
            HOME: pl.Int32,
            "timestamp": pl.Datetime("us", "UTC"),
        },
    )
    parts = dict(partitioned(frame.lazy(), [0], days_of(frame.lazy()), tmp_path / "parts"))
    assert parts[0]["anonymous_id"].to_list() == [None]
    assert parts[-1].height == 2
