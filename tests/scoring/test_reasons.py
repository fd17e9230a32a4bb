"""Reasons: what was done, in which time, as a rep reads it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pqlkit.definitions.folders import load_definition
from pqlkit.engines.factory import engine
from pqlkit.scoring.reasons import _distinct
from pqlkit.scoring.scoring import score
from tests.analysis.canonical import in_memory
from tests.scoring.nights import START, at, definition

TODAY = 34.5  # Wednesday 4 February 2026; the week begins on day 32


def told(tmp_path, criterion, days, *, today=TODAY, event="invite", zone="UTC", properties=None):
    """Say what an account did whose events lie on these days."""
    meaning = load_definition(definition(tmp_path, f"qualify: {criterion}\noutcome: {{within: 10d}}\n"))
    events = [("a", event, at(day)) for day in days]
    people = in_memory([{"id": "a", "anchor": START}], events, as_of=at(today), zone=zone)
    if properties is not None:
        ((name, values),) = properties.items()
        rows = pl.DataFrame({"user_id": "a", "event": event, "at": [at(day) for day in days], "p0": values})
        world = replace(people.world, events=engine().lift(rows), properties={name: "p0"})
        people = replace(people, world=world)
    return score(people, meaning).frame.get_column("evidence").to_list()[0]


COUNT = "{event: invite, at_least: 1, ever: true}"
DAYS = "{event: any, measure: days, at_least: 1, trailing: 28d}"


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([30, 30.5, 31], "3 invites in 2 days"),
        ([22.9, 27, 31.1], "3 invites in 10 days"),
        ([32, 33, 34], "3 invites this week"),
        ([34, 34.1], "2 invites today"),
        ([20, 20.5], "2 invites on 21 Jan"),
        ([2, 3], "2 invites in 2 days to 4 Jan"),
        ([], None),
    ],
)
def test_a_count_names_its_own_time_frame(tmp_path, days, expected):
    assert told(tmp_path, COUNT, days) == expected


def test_a_long_stretch_is_told_by_its_dates(tmp_path):
    assert told(tmp_path, COUNT, [1, 80, 399], today=400) == "3 invites since 2 Jan 2026"
    assert told(tmp_path, COUNT, [1, 80], today=100) == "2 invites since 2 Jan"
    assert told(tmp_path, COUNT, [1, 80], today=400) == "2 invites from 2 Jan 2026 to 22 Mar 2026"


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([20, 24, 28], "active on 3 of 9 days"),
        ([28, 29, 30], "active on 3 days in a row"),
        ([32, 34], "active on 2 days this week"),
        ([20], "active on 21 Jan"),
        ([33], "active once this week"),
        ([34], "active today"),
        ([1, 34], "active today"),  # of what lies in the window
    ],
)
def test_days_are_told_of_how_many(tmp_path, days, expected):
    assert told(tmp_path, DAYS, days) == expected


def test_dates_are_those_of_the_projects_zone(tmp_path):
    late = [20.99, 22.99]  # 21 and 23 January in UTC, one later in Auckland
    assert told(tmp_path, COUNT, late[:1], zone="Pacific/Auckland") == "1 invite on 22 Jan"
    assert told(tmp_path, COUNT, late) == "2 invites in 3 days"


def test_a_rolling_window_is_its_own_time_frame_and_a_state_has_none(tmp_path):
    rolling = "{event: invite, at_least: 3, rolling: 7d}"
    assert told(tmp_path, rolling, [1, 20, 21, 22]) == "3 invites within 7 days"
    dates = "{event: any, measure: days, at_least: 2, rolling: 7d}"
    assert told(tmp_path, dates, [1, 20, 21, 22]) == "active on 3 of 7 days"
    last = "{event: invite, measure: {last: seats}, at_least: 3, ever: true}"
    assert told(tmp_path, last, [1, 20], properties={"seats": [4, 6]}) == "6 seats"


LIMIT = "{event: counted, measure: {last: contacts}, at_least: {percent: 80, of: 10000}, ever: true}"


@pytest.mark.parametrize(
    ("days", "values", "expected"),
    [
        ([6, 34], [6600, 8600], "8,600 of 10,000 contacts, full in about 3 weeks"),
        (
            [6.5, 34],
            [6600, 8600],
            "8,600 of 10,000 contacts, full in about 3 weeks",
        ),  # what was there four weeks ago to the instant
        ([34], [8600], "8,600 of 10,000 contacts"),  # nothing to compare with
        ([20, 34], [8600, 8600], "8,600 of 10,000 contacts"),
        ([20, 34], [9000, 8600], "8,600 of 10,000 contacts"),
        ([27, 34], [8100, 8800], "8,800 of 10,000 contacts, full in about 12 days"),  # there for less than four weeks
        ([6, 34], [8000, 10400], "10,400 of 10,000 contacts, full"),
        ([6, 34], [8000, 8001], "8,001 of 10,000 contacts"),  # not within a year
    ],
)
def test_the_pace_towards_a_limit_is_told(tmp_path, days, values, expected):
    assert told(tmp_path, LIMIT, days, event="counted", properties={"contacts": values}) == expected


def test_of_whom_nobody_reads_the_time_is_not_looked_up(tmp_path):
    assert told(tmp_path, COUNT.replace("1", "9"), [33]) == "1 invite"


@pytest.mark.parametrize(
    "values",
    [
        [],
        [np.nan, np.nan],
        [3, 0, np.nan, 3, 1],
        [65534, 0, np.nan],
        [65535, 0, np.nan],
        [1e9, 2],
        [-1, 2, np.nan],
        [0.5, 2],
        [np.inf, 2],
    ],
)
def test_distinct_values_and_their_places(values):
    asked = np.array(values, dtype=np.float64)
    distinct, place = _distinct(asked)
    np.testing.assert_array_equal(distinct, np.unique(asked))
    np.testing.assert_array_equal(distinct[place], asked)
