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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jan 15, 2026", "2026-01-15T00:00:00"),
        ("15-Jan-2026", "2026-01-15T00:00:00"),
        ("15-JAN-26 23:30", "2026-01-15T23:30:00"),
        ("02 Jan 2026", "2026-01-02T00:00:00"),
        ("13 January 2026", "2026-01-13T00:00:00"),
        ("January 2nd, 2026 at 10:00 am", "2026-01-02T10:00:00"),
        ("Jan 2, 2026 12:00 AM", "2026-01-02T00:00:00"),
        ("Jan 2, 2026, 12:05:09 p.m.", "2026-01-02T12:05:09"),
        ("2026-1-5 3:04:05", "2026-01-05T03:04:05"),
        ("2026/01/05 3:04", "2026-01-05T03:04:00"),
        ("2026-01-05 10:00:00 America/New_York", "2026-01-05T15:00:00"),
        ("2026-07-05 10:00:00 Europe/Berlin", "2026-07-05T08:00:00"),
        ("2026-01-02 10:00:00 +0000 UTC", "2026-01-02T10:00:00"),
        ("Thu, 15 Jan 2026 15:04:05 +0100", "2026-01-15T14:04:05"),
        ("15 Jan 2026 15:04:05 GMT", "2026-01-15T15:04:05"),
        ("Thu Jan 15 2026 10:00:00 GMT+0100 (Central European Standard Time)", "2026-01-15T09:00:00"),
        ("2026-1-5 3:04:05.123456789", "2026-01-05T03:04:05.123456"),
        ("Jan 32, 2026", None),
        ("15-Jam-2026", None),
        ("Jan 2, 2026 13:00 PM", None),
        ("2026-1-5 25:00", None),
        ("2026-01-05 10:00 Mars/Olympus_Mons", None),
        ("1/2/2026", None),
        ("May", None),
    ],
)
def test_times_as_people_write_them_are_read_without_a_format(text, expected):
    read, _ = instants(pl.Series([text, "2026-01-01T00:00:00Z"]), form=None, zone="UTC", dates_in="UTC")
    assert read.dt.strftime("%Y-%m-%dT%H:%M:%S%.f").to_list() == [expected, "2026-01-01T00:00:00"]


def test_a_spelled_date_is_a_day_of_the_projects_zone_and_a_spelled_time_of_the_sources():
    texts = pl.Series(["Jan 15, 2026", "Jan 15, 2026 10:00"])
    read, dates = instants(texts, form=None, zone="America/New_York", dates_in="Europe/Berlin")
    assert read.dt.strftime("%Y-%m-%dT%H:%M").to_list() == ["2026-01-14T23:00", "2026-01-15T15:00"]
    assert dates.to_list() == [True, False]


@pytest.mark.parametrize("values", [[1767225600123456789, None], ["1767225600123456789", "x"]])
def test_nanoseconds_are_cut_to_microseconds(values):
    read, _ = instants(pl.Series(values), form="epoch_ns", zone="UTC", dates_in="UTC")
    assert read.dt.timestamp("us").to_list() == [1767225600123456, None]


@pytest.mark.parametrize("kind", [pl.String, pl.Float64])
def test_a_spreadsheets_days_are_dates_where_they_are_whole(kind):
    values = pl.Series(["46037", "46037.63125", "0", None]).cast(kind)
    read, dates = instants(values, form="excel", zone="Europe/Berlin", dates_in="UTC")
    assert read.dt.strftime("%Y-%m-%dT%H:%M:%S").to_list() == ["2026-01-15T00:00:00", "2026-01-15T14:09:00", None, None]
    assert dates.to_list() == [True, False, None, None]


def test_numbers_written_as_dates_are_read_by_a_pattern():
    for values in (pl.Series([20260115]), pl.Series([20260115.0]), pl.Series(["20260115"])):
        read, dates = instants(values, form="%Y%m%d", zone="UTC", dates_in="UTC")
        assert read.dt.strftime("%Y-%m-%d").to_list() == ["2026-01-15"]
        assert dates.to_list() == [True]
