"""Days off: weekdays, dates and spans of a project's zone."""

from __future__ import annotations

from datetime import date

import pytest

from pqlkit.definitions.yaml_source import parse
from pqlkit.durations import DAY, HOUR
from pqlkit.exports.days_off import DaysOff
from pqlkit.exports.project import check_project
from pqlkit.exports.zones import start_of

BERLIN = "Europe/Berlin"


def project(text: str):
    return check_project(parse(f"pqlkit: 1\ntimezone: {BERLIN}\ncalendar: {{days_off: {text}}}\n", "pqlkit.yml"))


def test_a_project_says_weekdays_dates_and_spans():
    known, faults = project("[saturday, Sunday, 2026-12-25, 2026-12-28..2027-01-01]")
    assert faults == []
    assert known is not None
    off = known.days_off
    assert off.zone == BERLIN
    days = {day: off.has(date(2026, 12, day)) for day in range(21, 32)}
    assert [day for day, free in days.items() if free] == [25, 26, 27, 28, 29, 30, 31]
    assert off.has(date(2027, 1, 1))
    assert not off.has(date(2027, 1, 4))


@pytest.mark.parametrize("text", ["[caturday]", "[2026-13-01]", "[2026-12-25..2026-12-24]", "[..2026-12-24]", "[7]"])
def test_what_is_no_day_is_refused_with_its_place(text):
    _, (fault,) = project(text)
    assert "a weekday, a date, or a first and a last date belongs here" in fault.message
    assert (fault.line, fault.hint) == (3, "write saturday, 2026-12-25 or 2026-12-24..2027-01-01")


def test_the_dates_are_those_of_the_zone_and_a_day_may_be_short():
    off = DaysOff.parse(["2026-03-29"], BERLIN)  # clocks go forward
    begin = start_of(date(2026, 3, 29), BERLIN)
    assert off.within(begin - DAY, begin + 3 * DAY) == 23 * HOUR
    assert off.within(begin + HOUR, begin + 2 * HOUR) == HOUR
    assert (off.on(begin - 1), off.on(begin)) == (False, True)
    assert DaysOff().within(0, 9 * DAY) == 0
