from __future__ import annotations

from datetime import date

import pytest

from pqlkit.durations import DAY
from pqlkit.errors import UsageError
from pqlkit.exports.plausible_times import Y2K, bounds, gaps, narrowed, stated

NOW = (date(2026, 11, 23) - date(1970, 1, 1)).days * DAY
DAY_0 = (date(2026, 1, 1) - date(1970, 1, 1)).days


def test_outer_bounds_are_2000_and_a_day_after_the_clock():
    found = bounds(NOW)
    assert (found.first, found.last) == (Y2K, NOW + DAY)


def days(*pairs: tuple[int, int]) -> dict[int, int]:
    return {DAY_0 + day: rows for day, rows in pairs}


@pytest.mark.parametrize(
    ("silence", "rows", "cut"),
    [(31, 1, True), (30, 1, False), (31, 3, False), (31, 0, False)],
    ids=["few after 30 empty days", "29 empty days", "not fewer than 0.1 %", "nothing"],
)
def test_few_rows_beyond_a_long_silence_are_not_believed(silence, rows, cut):
    some = days((0, 1000), (10, 1000), *([(10 + silence, rows)] if rows else []))
    found = narrowed(bounds(NOW), some, early=False)
    assert (found.last == (DAY_0 + 11) * DAY - 1) is cut
    assert found.first == Y2K


def test_the_early_side_is_judged_alike_where_asked():
    some = days((-100, 1), (0, 1000), (10, 1000))
    assert narrowed(bounds(NOW), some, early=True).first == DAY_0 * DAY
    assert narrowed(bounds(NOW), some, early=False).first == Y2K


@pytest.mark.parametrize(("before", "cut"), [(999, False), (1000, True)])
def test_one_row_in_a_thousand_is_not_few(before, cut):
    found = narrowed(bounds(NOW), days((0, before), (40, 1)), early=False)
    assert (found.last == (DAY_0 + 1) * DAY - 1) is cut


def test_several_silences_are_cut_at_the_earliest_that_few_rows_follow():
    some = days((0, 5000), (40, 1), (80, 1), (120, 1))
    assert narrowed(bounds(NOW), some, early=False).last == (DAY_0 + 1) * DAY - 1


def test_days_outside_the_outer_bounds_do_not_count():
    some = {0: 50, DAY_0: 1000, 10**6: 50}
    found = narrowed(bounds(NOW), some, early=True)
    assert (found.first, found.last) == (Y2K, NOW + DAY)


def test_no_rows_at_all():
    assert narrowed(bounds(NOW), {}, early=True) == bounds(NOW)


def test_stated_dates_are_both_included():
    found = stated(("2026-01-01", "2026-01-31"), "Europe/Berlin")
    assert found.first == DAY_0 * DAY - DAY // 24
    assert found.last == (DAY_0 + 31) * DAY - DAY // 24 - 1


@pytest.mark.parametrize("span", [("2026-02-01", "2026-01-01"), ("x", "2026-01-01")])
def test_stated_dates_must_make_sense(span):
    with pytest.raises(UsageError):
        stated(span, "UTC")


def test_gaps_are_whole_days_between_rows():
    found = gaps("events", days((0, 1), (1, 1), (4, 1), (5, 2)), bounds(NOW))
    assert [(gap.first, gap.last, gap.days) for gap in found] == [("2026-01-03", "2026-01-04", 2)]
