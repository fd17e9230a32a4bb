"""The as-of moment: which one, why, and when the conversions fall silent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pqlkit.durations import DAY
from pqlkit.errors import DataError, UsageError
from pqlkit.exports.dataset import Dataset, Table
from pqlkit.population.as_of import as_of, day_of, events_from, events_silence, midnight, silence

T0 = 1_700_006_400_000_000  # 2023-11-15 00:00 UTC


def data(zone="UTC", **times):
    tables = {
        name: Table(name=name, paths=(f"{name}.parquet",), columns={}, rows=2, first=T0, last=last)
        for name, last in times.items()
    }
    return Dataset(folder=None, tables=tables, zone=zone)


def test_the_newest_row_of_events_and_conversions():
    assert as_of(data(events=T0 + 5, conversions=T0 + 3, users=T0 + 9)).at == T0 + 5
    newest = as_of(data(events=T0 + 5, conversions=T0 + 7))
    assert (newest.at, newest.reason) == (T0 + 7, "newest row of conversions")


def test_the_earliest_complete_through_wins():
    base = data(events=T0 + 90, conversions=T0 + 95)
    tables = {
        "events": replace(base.tables["events"], complete_through=T0 + 50),
        "conversions": replace(base.tables["conversions"], complete_through=T0 + 40),
    }
    found = as_of(replace(base, tables=tables))
    assert (found.at, found.reason) == (T0 + 40, "conversions are complete through then")


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2023-11-20", "UTC", T0 + 6 * DAY - 1),
        ("2023-11-20", "America/New_York", T0 + 6 * DAY + 5 * 3_600_000_000 - 1),
        ("2023-11-20T00:00", "UTC", T0 + 5 * DAY),
        ("2023-11-20T00:00", "Asia/Tokyo", T0 + 5 * DAY - 9 * 3_600_000_000),
        ("2023-11-20T00:00:00.000001+00:00", "Asia/Tokyo", T0 + 5 * DAY + 1),
        (" 2023-11-20T01:00+01:00 ", "UTC", T0 + 5 * DAY),
    ],
)
def test_as_stated(text, zone, expected):
    found = as_of(data(zone, events=T0 + DAY), text)
    assert (found.at, found.reason) == (expected, "--as-of")


@pytest.mark.parametrize("text", ["yesterday", "2023-13-01", "", "20231120", "2023-11-14", "9999-12-31"])
def test_moments_that_cannot_be(text):
    if text == "20231120":
        assert as_of(data(events=T0), text).at == T0 + 5 * DAY  # ISO basic form, an instant to Python
        return
    with pytest.raises(UsageError, match="--as-of"):
        as_of(data(events=T0), text)


def test_nothing_to_go_by():
    with pytest.raises(DataError, match="no table has a row"):
        as_of(data(events=None))


def test_the_day_with_a_clock_change_is_shorter():
    from datetime import date

    march = midnight(date(2026, 3, 29), "Europe/Paris")
    assert midnight(date(2026, 3, 30), "Europe/Paris") - march == 23 * 3_600_000_000
    assert day_of(march - 1, "Europe/Paris") == date(2026, 3, 28)


def test_silence_needs_an_improbable_gap():
    pace = np.arange(101) * DAY
    assert silence(pace, 100 * DAY + 6 * DAY) is None  # exp(-6) = 0.0025
    sentence = silence(pace, 100 * DAY + 7 * DAY)  # exp(-7) = 0.0009
    assert sentence is not None
    assert "conversions.complete_through (1970-04-11)" in sentence
    assert silence(pace[:1], 10**9 * DAY) is None
    assert silence(np.zeros(5, dtype=np.int64), DAY) is None
    assert silence(np.empty(0, dtype=np.int64), DAY) is None


def test_conversions_on_a_date_of_their_own_have_no_pace():
    renewals = np.arange(200) * 60_000_000
    assert silence(renewals, 40 * DAY) is None
    yearly = np.concatenate([renewals, renewals + 365 * DAY])
    assert silence(yearly, 365 * DAY + 200 * DAY) is None
    assert silence(yearly, 365 * DAY + 400 * DAY) is not None


@pytest.mark.parametrize(
    ("rows", "days", "said"),
    [
        (100_000, 8, True),  # ten visits a day: exp(-80)
        (100_000, 7, False),  # a week of holidays
        (1_000, 60, False),  # exp(-6) = 0.0025
        (1_000, 70, True),  # exp(-7) = 0.0009
    ],
)
def test_events_that_end_before_the_data_are_said(rows, days, said):
    events = replace(data(events=100 * DAY).tables["events"], rows=rows, first=0)
    at = (100 + days) * DAY
    sentence = events_silence(events, at)
    assert (sentence is not None) is said
    assert sentence is None or "state events.complete_through (1970-04-11)" in sentence
    assert events_silence(replace(events, complete_through=at), at) is None
    assert events_silence(replace(events, first=None), at) is None


@pytest.mark.parametrize(
    ("stated", "zone", "expected"),
    [
        (None, "UTC", T0),
        (None, "America/New_York", T0 - DAY + 5 * 3_600_000_000),
        ("2023-11-01", "UTC", T0 - 14 * DAY),
        ("2023-11-01", "Asia/Tokyo", T0 - 14 * DAY - 9 * 3_600_000_000),
        ("2023-11-01T01:00+01:00", "Asia/Tokyo", T0 - 14 * DAY),
    ],
)
def test_where_the_events_begin(stated, zone, expected):
    assert events_from(data(zone, events=T0 + DAY), stated, T0 + 2 * DAY) == expected


def test_events_that_begin_after_the_end():
    with pytest.raises(UsageError, match="--events-from"):
        events_from(data(events=T0 + DAY), "2024-01-01", T0 + DAY)
