"""Advice about time: conversion windows, early converters, spikes, and when search opens."""

from __future__ import annotations

import pytest

from pqlkit.analysis.window_advice import conversion_ages, conversion_window_advice, early_warning, search_opens
from pqlkit.durations import DAY, WEEK
from pqlkit.snapshots.schedule import parse_snapshots
from pqlkit.snapshots.snapshots import snapshots_of
from pqlkit.snapshots.spike import spike
from tests.analysis.canonical import days, in_memory

MONDAY = 946_857_600_000_000 + 1000 * WEEK


def crowd(ages, *, starts=0, silent=0, end=400):
    people = [
        {"id": f"u{i:04}", "anchor": MONDAY + starts * DAY, "converted": MONDAY + int((starts + age) * DAY)}
        for i, age in enumerate(ages)
    ]
    people += [{"id": f"x{i:04}", "anchor": MONDAY} for i in range(silent)]
    return in_memory(people, as_of=MONDAY + end * DAY, history_from=MONDAY)


def test_the_smallest_conversion_window_that_holds_four_fifths():
    advice = conversion_window_advice(crowd([14 + d for d in (1, 5, 9, 13, 20, 25, 29, 29, 50, 88, 200)]), days("14d"))
    shares = {str(option.conversion_window): option.holds for option in advice.options}
    assert shares == {"14d": 0.4, "30d": 0.8, "60d": 0.9, "90d": 1.0}
    assert str(advice.advised) == "30d"
    assert advice.n == 11
    assert dict(advice.delays)[0.5] == 25.0


def test_the_advice_is_said_with_its_counts():
    advice = conversion_window_advice(crowd([14 + d for d in [1, 5, 20, 25, 29] * 4 + [50] * 4], silent=6), days("14d"))
    assert (
        advice.says(days("30d"))
        == "the conversion window 30d holds 20 of 24 conversions of the first 90d after the snapshot"
    )
    said = "--conversion-window 30d would hold 20 of 24 conversions of the first 90d after the snapshot"
    assert advice.says(days("14d")) == f"{said} (14d: 8), with 30 of 30 snapshots old enough"
    assert advice.says(days("21d")) == f"{said}, with 30 of 30 snapshots old enough"


def test_no_conversion_window_is_advised_where_none_suits_or_too_few_converted():
    few = conversion_window_advice(crowd([20] * 19), days("14d"))
    assert few.advised is not None
    assert few.says(days("30d")) is None
    young = conversion_window_advice(crowd([94] * 20, silent=200, end=120), days("14d"))
    assert young.advised is not None
    late = conversion_window_advice(
        in_memory(
            [
                *({"id": f"u{i}", "anchor": MONDAY, "converted": MONDAY + 90 * DAY} for i in range(20)),
                *({"id": f"x{i}", "anchor": MONDAY + 80 * DAY} for i in range(200)),
            ],
            as_of=MONDAY + 120 * DAY,
            history_from=MONDAY,
        ),
        days("14d"),
    )
    assert late.advised is None
    assert str(late.says(days("30d"))).startswith("no conversion window of 14d to 90d holds four in five")


def test_how_long_after_their_beginning_entities_converted():
    found = conversion_ages(crowd([1, 2, 3, 4, 5], silent=3))
    assert (found.n, found.median) == (5, 3.0)
    assert conversion_ages(crowd([])).median is None
    before = in_memory([{"id": "a", "anchor": 5 * DAY, "converted": 4 * DAY}], as_of=90 * DAY)
    assert conversion_ages(before).n == 0


def test_too_young_a_population_gets_no_advice():
    advice = conversion_window_advice(crowd([30] * 5, silent=20, end=20), days("14d"))
    assert advice.advised is None
    assert advice.options[0].mature == 0
    assert (advice.options[0].holds, advice.n, advice.delays) == (None, 0, ())


def test_nobody_at_all():
    advice = conversion_window_advice(crowd([]), days("14d"))
    assert advice.options[0].mature is None


def test_those_who_bought_by_the_landmark_are_not_at_risk_after_it():
    advice = conversion_window_advice(crowd([14, 15]), days("14d"))
    assert advice.n == 1


@pytest.mark.parametrize(("early", "warned"), [(3, False), (4, True)])
def test_more_than_three_in_ten_before_the_landmark(early, warned):
    population = crowd([6] * early + [20] * (10 - early))
    text = early_warning(population, parse_snapshots("once:14d"))
    assert (text is not None) is warned
    if text is not None:
        assert text.startswith("4 of 10 conversions (40%) come before the first snapshot")
        assert "--snapshots once:3d" in text


def test_those_whose_time_is_not_over_do_not_warn():
    assert early_warning(crowd([6] * 10, end=43), parse_snapshots("once:14d")) is None
    assert early_warning(crowd([6] * 10, end=44), parse_snapshots("once:14d")) is not None


def test_no_landmark_helps_when_they_buy_at_once():
    text = early_warning(crowd([0.1] * 10), parse_snapshots("once:14d"))
    assert text is not None
    assert text.endswith("try --snapshots age")


def test_a_spike_is_more_than_three_in_ten_on_one_day():
    assert spike(crowd([14.5] * 6 + list(range(20, 34)))) is None
    found = spike(crowd([14.5] * 7 + list(range(20, 33))))
    assert found is not None
    assert (found.day, found.converted, found.of) == (14, 7, 20)
    assert found.when == "day 14 after the start"
    assert spike(crowd([14.5] * 19)) is None


def test_when_search_opens_at_the_present_pace():
    people = [{"id": f"u{i}", "anchor": MONDAY + i * DAY, "converted": MONDAY + (i + 20) * DAY} for i in range(11)]
    population = in_memory(people, as_of=MONDAY + 100 * DAY, history_from=MONDAY)
    found = snapshots_of(population, "once:14d")
    assert search_opens(found, population, needed=11) == population.as_of
    # Eleven in ten days: eleven more in ten.
    assert search_opens(found, population, needed=22) == population.as_of + 10 * DAY
    nobody = in_memory([{"id": "a", "anchor": MONDAY}], as_of=MONDAY + 100 * DAY, history_from=MONDAY)
    assert search_opens(snapshots_of(nobody, "once:14d"), nobody) is None
