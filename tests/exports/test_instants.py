from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqlkit.exports.instants import instants


def read(values, form=None, zone="UTC", dates_in="UTC"):
    series = values if isinstance(values, pl.Series) else pl.Series("t", values)
    found, flags = instants(series, form=form, zone=zone, dates_in=dates_in)
    assert found.dtype == pl.Datetime("us", "UTC")
    return [None if one is None else one.isoformat().replace("+00:00", "Z") for one in found], flags.to_list()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02 03:04:05 UTC", "2026-01-02T03:04:05Z"),
        ("2026-01-02 03:04", "2026-01-02T03:04:00Z"),
        ("2026-01-02T03:04:05.5", "2026-01-02T03:04:05.500000Z"),
        ("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456Z"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"),
        ("2026-01-02T03:04:05-0530", "2026-01-02T08:34:05Z"),
        ("2026-01-02T03:04:05+02", "2026-01-02T01:04:05Z"),
        ("  2026-01-02T03:04:05Z ", "2026-01-02T03:04:05Z"),
        ("2026-02-30", None),
        ("2026-01-02T24:00:00", None),
        ("2026-01-02T03:60:00", None),
        ("2026-01-02T03:04:59Z", "2026-01-02T03:04:59Z"),
        ("2026-01-02T03:04:60+02:00", None),
        ("yesterday", None),
        ("", None),
        ("1767323045", None),
    ],
)
def test_iso_8601(text, expected):
    assert read([text, "2026-01-02"])[0][0] == expected
    assert read([text])[0] == [expected]


def test_a_date_is_known_by_its_form_and_not_by_midnight():
    assert read(["2026-01-02", "2026-01-02T00:00:00Z", None]) == (
        ["2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z", None],
        [True, False, None],
    )


def test_a_date_is_a_day_of_the_zone_of_dates_and_not_of_times():
    assert read(["2026-01-02"], zone="Asia/Tokyo", dates_in="Europe/Berlin")[0] == ["2026-01-01T23:00:00Z"]
    assert read(pl.Series([date(2026, 1, 2)]), dates_in="Europe/Berlin") == (["2026-01-01T23:00:00Z"], [True])


def test_local_times_that_happen_twice_or_never():
    times = ["2026-10-25 02:30:00", "2026-03-29 02:30:00", "2026-03-29 03:30:00", "2026-07-01 12:00:00"]
    assert read(times, zone="Europe/Berlin")[0] == [
        "2026-10-25T00:30:00Z",  # the first of the two
        "2026-03-29T01:30:00Z",  # with the offset before the jump
        "2026-03-29T01:30:00Z",
        "2026-07-01T10:00:00Z",
    ]


def test_a_day_without_a_midnight_starts_when_the_clocks_have_jumped():
    assert read(["2018-11-04"], dates_in="America/Sao_Paulo")[0] == ["2018-11-04T03:00:00Z"]


@pytest.mark.parametrize(
    ("values", "form", "expected"),
    [
        ([1767323045, None], "epoch_s", ["2026-01-02T03:04:05Z", None]),
        ([1767323045.25, float("nan")], "epoch_s", ["2026-01-02T03:04:05.250000Z", None]),
        (
            ["1767323045", "1767323045.25", "x"],
            "epoch_s",
            ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.250000Z", None],
        ),
        ([1767323045001], "epoch_ms", ["2026-01-02T03:04:05.001000Z"]),
        ([1767323045000001], "epoch_us", ["2026-01-02T03:04:05.000001Z"]),
        ([2**62], "epoch_ms", [None]),
        ([1767323045001], "epoch_s", [None]),
    ],
)
def test_epochs(values, form, expected):
    assert read(values, form)[0] == expected


def test_a_named_format():
    assert read(["22-04-2014 03:53", "nonsense"], "%d-%m-%Y %H:%M", zone="Asia/Tokyo") == (
        ["2014-04-21T18:53:00Z", None],
        [False, None],
    )
    assert read(["22.04.2014"], "%d.%m.%Y", dates_in="Asia/Tokyo") == (["2014-04-21T15:00:00Z"], [True])
    assert read(["2014-04-22 01:00 +0200"], "%Y-%m-%d %H:%M %z")[0] == ["2014-04-21T23:00:00Z"]


def test_parquets_own_times():
    stamp = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - without a zone on purpose
    assert read(pl.Series([stamp], dtype=pl.Datetime("ns")), zone="Asia/Tokyo")[0] == ["2026-01-01T18:04:05Z"]
    assert read(pl.Series([stamp], dtype=pl.Datetime("ms")).dt.replace_time_zone("Asia/Tokyo"))[0] == [
        "2026-01-01T18:04:05Z"
    ]


moments = st.datetimes(datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2040-01-01"))
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])


@settings(max_examples=80, deadline=None)
@given(moments, zones)
def test_every_way_to_write_a_moment_reads_the_same(naive, zone):
    moment = naive.replace(tzinfo=UTC)
    local = moment.astimezone(ZoneInfo(zone))
    texts = [moment.isoformat(), local.isoformat(), moment.isoformat().replace("+00:00", "Z")]
    found, _ = instants(pl.Series(texts), form=None, zone="Asia/Tokyo", dates_in="UTC")
    assert found.to_list() == [moment] * 3


@settings(max_examples=80, deadline=None)
@given(moments, zones)
def test_local_times_agree_with_the_standard_library(naive, zone):
    found, _ = instants(pl.Series([naive.isoformat()]), form=None, zone=zone, dates_in="UTC")
    expected = naive.replace(tzinfo=ZoneInfo(zone), fold=0)
    assert abs(found[0] - expected.astimezone(UTC)) < timedelta(microseconds=1)
