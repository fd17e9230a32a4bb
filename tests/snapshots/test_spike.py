"""Spikes: days on which conversions pile up, and starts whose window ends before them."""

from __future__ import annotations

from datetime import date

import polars as pl

from pqlkit.durations import DAY, WEEK
from pqlkit.snapshots.qualifications import pql_conversion_rate, starts
from pqlkit.snapshots.spike import spike, too_soon_in_words, unreached
from tests.analysis.canonical import days, in_memory

MONDAY = 946_857_600_000_000 + 1000 * WEEK
END = MONDAY + 300 * DAY


def course(*, passed: int = 30, early: int = 5, failed: int = 25):
    """Who passes converts on day 56; some convert on day 10 to 14, others never. They begin two days apart."""
    ages = [56.2] * passed + [10.0 + i for i in range(early)] + [None] * failed
    people = [
        {
            "id": f"u{i:03}",
            "anchor": MONDAY + 2 * i * DAY,
            "converted": None if age is None else MONDAY + int((2 * i + age) * DAY),
        }
        for i, age in enumerate(ages)
    ]
    return in_memory(people, as_of=END, history_from=MONDAY)


def started(population, ages, window="30d"):
    """Everybody qualifies at one of some ages, in turn."""
    anchors = population.entities["anchor"].to_list()
    rows = [(i, anchor + int(ages[i % len(ages)] * DAY), None) for i, anchor in enumerate(anchors)]
    schema = {"entity": pl.Int64, "on": pl.Int64, "off": pl.Int64}
    return starts(population, pl.DataFrame(rows, schema=schema, orient="row"), conversion_window=days(window))


def test_a_day_of_age_is_found_with_the_window_that_reaches_it():
    found = spike(course())
    assert found is not None
    assert (found.day, found.date, found.converted, found.of) == (56, None, 30, 35)
    assert (str(found.covers), found.when) == ("63d", "day 56 after the start")


def test_a_day_of_the_calendar_is_found_where_lives_began_apart():
    people = [{"id": f"u{i}", "anchor": MONDAY + i * DAY, "converted": MONDAY + 90 * DAY + 1} for i in range(40)]
    found = spike(in_memory(people, as_of=END, history_from=MONDAY))
    assert found is not None
    assert (found.day, found.date) == (None, date(2019, 6, 2))
    assert found.covers == days("91d")
    together = [{"id": f"u{i}", "anchor": MONDAY + i, "converted": MONDAY + (i % 12) * DAY + DAY} for i in range(40)]
    assert spike(in_memory(together, as_of=END, history_from=MONDAY)) is None


def test_starts_whose_window_ends_before_the_day_are_in_no_rate():
    population = course()
    counted = started(population, [3.0])
    assert counted["too_soon"].sum() == 60
    assert not counted["mature"].any()
    assert pql_conversion_rate(counted).rate is None
    words = str(too_soon_in_words(population, counted, days("30d")))
    assert words.startswith(
        "the 30d of 60 new PQLs end before day 56 after the start, on which 30 of them converted: they are in"
    )
    assert "--conversion-window 63d covers it" in words


def test_a_window_that_reaches_the_day_counts_everybody():
    population = course()
    counted = started(population, [3.0], "63d")
    assert not counted["too_soon"].any()
    assert str(pql_conversion_rate(counted)) == str(pql_conversion_rate(counted.filter("mature")))
    assert (pql_conversion_rate(counted).numerator, pql_conversion_rate(counted).denominator) == (35, 60)
    assert too_soon_in_words(population, counted, days("63d")) is None


def test_starts_that_reach_the_day_stay_in_the_rate_beside_those_that_do_not():
    counted = started(course(passed=40, early=0, failed=20), [3.0, 3.0, 3.0, 30.0])
    assert counted["too_soon"].sum() == 45
    assert pql_conversion_rate(counted).denominator == 15


def test_where_most_convert_in_time_all_starts_count():
    """Of those who qualify early more convert within their window than on the day: the window tells more."""
    counted = started(course(passed=12, early=25, failed=25), [8.0])
    assert not counted["too_soon"].any()
    assert pql_conversion_rate(counted).denominator == counted.height


def test_what_a_window_does_not_reach_is_said():
    assert unreached(course(), days("63d")) is None
    assert str(unreached(course(), days("30d"))).startswith("30 of 35 conversions (86%) fall on day 56 after the start")
    assert unreached(course(passed=0, early=30), days("30d")) is None
