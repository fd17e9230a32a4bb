"""Dates in a zone, against the standard library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import narwhals as nw
import polars as pl
import pytest

from pqlkit.measures.calendar import Calendar
from tests.measures.oracle import DAY, EPOCH, Rules

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
]
FIRST = int(datetime(2009, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
LAST = int(datetime(2027, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000


def applied(expression, values):
    frame = nw.from_native(pl.DataFrame({"at": values}, schema={"at": pl.Int64}))
    return frame.select(expression.alias("x")).to_native().get_column("x").to_list()


@pytest.mark.parametrize("zone", ZONES)
def test_dates_are_those_of_the_zone_also_around_each_change(zone):
    calendar = Calendar.of(zone, FIRST, LAST)
    instants = list(range(FIRST, LAST, 5 * DAY + 12_345_678_901))
    instants += [turn + step for turn, _, _ in calendar.changes for step in (-1, 0, 1, -DAY, DAY)]
    rules = Rules(as_of=LAST, zone=zone)
    assert applied(calendar.date(nw.col("at")), instants) == [rules.local_date(at) for at in instants]


@pytest.mark.parametrize("zone", ZONES)
def test_midnights_come_back_as_instants(zone):
    calendar = Calendar.of(zone, FIRST, LAST)
    dates = range(FIRST // DAY + 2, LAST // DAY - 2)
    found = applied(calendar.instant(nw.col("at")), [date * DAY for date in dates])
    for date, at in zip(dates, found, strict=True):
        wanted = EPOCH.date() + timedelta(days=date)
        local = (EPOCH + timedelta(microseconds=at)).astimezone(ZoneInfo(zone))
        before = (EPOCH + timedelta(microseconds=at - 1)).astimezone(ZoneInfo(zone))
        skipped = local.date() > wanted  # Apia left out 30 December 2011
        assert skipped or local.date() == wanted
        assert before.date() < wanted


def test_a_zone_changes_to_the_microsecond():
    (turn, before, after), *_ = Calendar.of("Europe/Berlin", LAST - 300 * DAY, LAST).changes
    assert turn == int(datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp()) * 1_000_000
    assert (before, after) == (DAY // 24, DAY // 12)
