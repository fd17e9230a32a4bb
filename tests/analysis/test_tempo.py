"""The pace: the last week against the mean of the four before it, counted by hand."""

from __future__ import annotations

from typing import Any

import pytest

from pqlkit.analysis.analyzing import analyze
from pqlkit.analysis.observation import observe
from pqlkit.analysis.tempo import paces
from pqlkit.durations import DAY, Duration
from pqlkit.options.settings import Settings
from pqlkit.reporting.records.analysis import record
from tests.analysis.canonical import in_memory

LATER = Settings(snapshots="once:56d", conversion_window=Duration(30, "d"))
RATES = {"faster": 30, "same": 20, "slower": 10}


@pytest.fixture(scope="module")
def people():
    """A hundred users a pace: a login in each of four weeks, and two, one or none in the week before day 56."""
    users, events = [], []
    for number in range(300):
        name, anchor, pace = f"u{number:03}", (10 + number % 20) * DAY, number % 3
        bought = number // 3 < tuple(RATES.values())[pace]
        users.append({"id": name, "anchor": anchor, "converted": anchor + 60 * DAY if bought else None})
        weeks = [anchor + (22 + 7 * week) * DAY for week in range(4)]  # the oldest, 34 days before, is just counted
        newest = [anchor + (50 + step) * DAY for step in range((2, 1, 0)[pace])]
        events += [(name, "login", at) for at in (*weeks, *newest)]
        events += [(name, "export", anchor + 50 * DAY)]  # not before the last week: it has no pace
    return in_memory(users, events, as_of=200 * DAY)


def test_conversions_are_counted_by_whether_the_last_week_holds_more_or_less(people):
    (login,) = paces(observe(people, LATER), ["login", "export"])  # of any event nobody has slowed down
    assert login.event == "login"
    for pace, bought in RATES.items():
        rate = getattr(login, pace)
        assert (rate.numerator, rate.denominator) == (bought, 100), pace


def test_nothing_is_said_where_five_weeks_are_not_known(people):
    assert paces(observe(people, Settings(snapshots="once:28d")), ["login"]) == ()


def test_an_analysis_describes_it(people):
    written: Any = record(analyze(people, LATER))
    told = next(row for row in written["pace"] if row["event"] == "login")
    assert [(told[pace]["converted"], told[pace]["snapshots"]) for pace in RATES] == [(30, 100), (20, 100), (10, 100)]
