"""What a night is held to: bounds are allowed values."""

from __future__ import annotations

import pytest

from pqlkit.durations import DAY, HOUR, Duration
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
    assert guards.on_new(3, usual(nights, SUNDAY)) == []
    assert len(guards.on_new(4, usual(nights, SUNDAY))) == 1  # a median below 1 counts as 1


def test_a_quiet_sunday_is_no_fault_and_a_quiet_monday_is():
    guards = Guards(min_new=Bound.parse("1"))
    assert guards.on_new(0, usual(history(8), SUNDAY)) == []
    assert guards.on_new(0, usual(history(8), MONDAY)) == ["0 new leads, fewer than --min-new 1"]
    # A number is never raised to what is usual.
    assert guards.on_new(1, usual(history(8), MONDAY)) == []


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
