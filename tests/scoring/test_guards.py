"""What a night is held to: bounds are allowed values."""

from __future__ import annotations

import numpy as np
import pytest

from pqlkit.durations import DAY, HOUR, Duration
from pqlkit.exports.days_off import DaysOff
from pqlkit.options.bound import Bound
from pqlkit.scoring.guards import Guards, Usual, usual


@pytest.mark.parametrize(("new", "breached"), [(1, True), (2, False), (5, False), (6, True)])
def test_the_bounds_themselves_are_allowed(new, breached):
    guards = Guards(min_new=Bound.parse("2"), max_new=Bound.parse("5"))
    assert bool(guards.on_new(new, Usual())) is breached


@pytest.mark.parametrize(("age", "breached"), [(6 * HOUR, False), (6 * HOUR + 1, True)])
def test_an_event_of_exactly_the_greatest_age_is_not_too_old(age, breached):
    guards = Guards(max_age=Duration.parse("6h"))
    assert bool(guards.on_age(0, age)) is breached


def history(weeks, *, weekday=10, weekend=0, shift=0):
    """Nights before a Monday (day 0), newest first: ten new leads on working days, none on weekends."""
    return [(-day * DAY + shift, weekend if day % 7 in (1, 2) else weekday) for day in range(1, 7 * weeks + 1)]


SUNDAY = 6 * DAY
MONDAY = 0


def test_a_night_is_held_to_its_own_weekday():
    guards = Guards(max_new=Bound.parse("3x"), min_new=Bound.parse("0.5x"))
    nights = history(8)
    assert usual(nights, MONDAY) == Usual(nights=(10,) * 8, same_weekday=True)
    assert guards.on_new(30, usual(nights, MONDAY)) == []
    (said,) = guards.on_new(31, usual(nights, MONDAY))
    assert (
        said == "31 new leads, more than --max-new 3x (30, of the median 10 of the last 8 nights of the same weekday)"
    )
    assert usual(nights, SUNDAY).nights == (0,) * 8
    # A median below 1 counts as 1, and chance brings 6 where 1 is usual.
    assert guards.on_new(6, usual(nights, SUNDAY)) == []
    (said,) = guards.on_new(7, usual(nights, SUNDAY))
    assert "--max-new 3x (6, which chance alone hardly brings where so many are usual: the median 0 of" in said


def test_a_quiet_sunday_is_no_fault_and_a_quiet_monday_is():
    guards = Guards(min_new=Bound.parse("1"))
    assert guards.on_new(0, usual(history(8), SUNDAY)) == []
    assert guards.on_new(0, usual(history(8), MONDAY)) == ["0 new leads, fewer than --min-new 1"]
    # A number is never raised to what is usual.
    assert guards.on_new(1, usual(history(8), MONDAY)) == []


def test_good_nights_pass_and_bad_ones_do_not():
    """Forty weeks of a product that brings 12 leads on a working day and 1 on a day of the weekend, four times over."""
    guards = Guards(max_new=Bound.parse("3x"), min_new=Bound.parse("0.2x"))
    plain = Guards(min_new=Bound.parse("1"))
    stopped, nights = 0, 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        new = {day: int(rng.poisson(1 if day % 7 in (5, 6) else 12)) for day in range(280)}
        for day in range(28, 280):
            before = usual([(earlier * DAY, new[earlier]) for earlier in range(day - 1, -1, -1)], day * DAY)
            nights += 1
            stopped += bool(guards.on_new(new[day], before) or plain.on_new(new[day], before))
            working = day % 7 not in (5, 6)
            assert guards.on_new(60, before)
            assert bool(plain.on_new(0, before)) is working
    assert stopped <= nights // 200


WEEKEND = DaysOff(weekdays=frozenset({5, 6}))
FRIDAY = 15 * DAY  # midnight that ends Friday 2 January 1970, and two weeks


def test_time_on_days_off_is_no_age_and_no_night_about_them_is_held_to_a_minimum():
    guards = Guards(max_age=Duration.parse("36h"), min_new=Bound.parse("1"), days_off=WEEKEND)
    newest, monday_night = FRIDAY + 20 * HOUR, FRIDAY + 4 * DAY + 2 * HOUR
    assert guards.on_age(newest, monday_night) == []  # 4 hours of Friday and 26 of Monday and Tuesday
    (said,) = guards.on_age(newest, monday_night + 7 * HOUR)
    assert said == "the newest event is 37.0 hours old, days off not counted, more than --max-age 36h"
    assert len(Guards(max_age=Duration.parse("36h")).on_age(newest, monday_night)) == 1
    held = [bool(guards.on_new(0, Usual(), FRIDAY + day * DAY + 2 * HOUR)) for day in range(1, 6)]
    assert held == [True, False, False, True, True]  # Saturday's run is about Friday, Monday's about Sunday


@pytest.mark.parametrize(("weeks", "same"), [(2, False), (3, True), (8, True), (9, True)])
def test_too_few_nights_of_a_weekday_fall_back_on_the_last_seven(weeks, same):
    found = usual(history(weeks), MONDAY)
    assert found.same_weekday is same
    assert len(found.nights) == (min(weeks, 8) if same else 7)


@pytest.mark.parametrize(
    ("shift", "same"),
    [(DAY // 2 - 1, True), (DAY // 2, False), (DAY // 2 + 1, False), (1 - DAY // 2, True), (-(DAY // 2), False)],
)
def test_a_night_that_ran_some_hours_off_is_still_its_weekdays(shift, same):
    nights = [(-7 * week * DAY + shift, 1) for week in range(1, 9)]
    assert usual(nights, MONDAY).same_weekday is same
