from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.statistics.estimate import Undefined
from pqlkit.statistics.rate import Rate, wilson
from pqlkit.statistics.survival import LifeTable, disagreement, kaplan_meier, log_rank
from tests.statistics.life_tables import from_rows

entity = st.tuples(st.integers(0, 15), st.sampled_from(["converted", "censored"]))
entities = st.lists(entity, min_size=1, max_size=40)
TREATED = [6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def treated() -> LifeTable:
    events, censored = TREATED
    return LifeTable.of(events + censored, [1] * 9 + [0] * 12, [0] * 9 + [1] * 12)


def build(rows: list[tuple[int, str]]) -> LifeTable:
    times = [time for time, _ in rows]
    converted = [kind == "converted" for _, kind in rows]
    return from_rows(times, converted)


@given(entities, entities)
def test_tables_add(one: list[tuple[int, str]], two: list[tuple[int, str]]) -> None:
    whole, parts = build(one + two), build(one) + build(two)
    for name in ("times", "events", "censored", "at_risk"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))
    assert whole.entities == len(one) + len(two)


@given(entities)
def test_curves_rise_and_lie_within_their_intervals(rows: list[tuple[int, str]]) -> None:
    curve = kaplan_meier(build(rows))
    assert (np.diff(curve.converted) >= -1e-12).all()
    assert (curve.low <= curve.converted + 1e-9).all()
    assert (curve.converted <= curve.high + 1e-9).all()
    assert (curve.low >= 0).all()
    assert (curve.high <= 1).all()


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.integers(0, 9))
def test_without_censoring_the_curve_is_the_plain_rate(times: list[int], moment: int) -> None:
    rate = Rate.of(sum(time <= moment for time in times), len(times))
    found = kaplan_meier(from_rows([*times, 10], [*[True] * len(times), False])).converted_by(moment)
    assert found.value == pytest.approx((rate.rate or 0) * len(times) / (len(times) + 1))


def test_intervals_of_the_remission_data() -> None:
    """Stata's and R's log(-log) intervals of the survival of the treated: 0.857 [0.620, 0.952], 0.753 [0.503, 0.889]."""
    curve = kaplan_meier(treated())
    first, third = curve.converted_by(6), curve.converted_by(10)
    assert (first.low, first.high) == pytest.approx((1 - 0.952, 1 - 0.620), abs=0.0006)
    assert (third.low, third.high) == pytest.approx((1 - 0.889, 1 - 0.503), abs=0.0006)


def test_a_conversion_at_exactly_the_time_is_in_and_one_just_after_is_not() -> None:
    curve = kaplan_meier(LifeTable.of([30_000_000, 60_000_000], [1, 0], [0, 9]))
    np.testing.assert_allclose(curve.at([29_999_999, 30_000_000, 30_000_001])[0], [0, 0.1, 0.1])


def test_those_last_seen_at_a_conversion_are_at_risk_there() -> None:
    assert kaplan_meier(LifeTable.of([5], [1], [3])).converted[0] == 0.25


def test_beyond_what_was_observed_nothing_is_said() -> None:
    curve = kaplan_meier(LifeTable.of([5, 9], [1, 0], [0, 3]))
    assert curve.converted_by(9).value == 0.25
    assert curve.converted_by(9.001).undefined is Undefined.NOT_REACHED
    assert curve.quantile(0.5).undefined is Undefined.NOT_REACHED
    assert curve.quantile(0.5).value is None


def test_nobody_and_everybody_converted() -> None:
    nobody, everybody = kaplan_meier(LifeTable.of([9], [0], [20])), kaplan_meier(LifeTable.of([9], [20], [0]))
    assert nobody.converted_by(9).value == 0
    assert nobody.converted_by(9).high == pytest.approx(float(wilson(0, 20)[1]))
    assert everybody.converted_by(9).value == 1
    assert everybody.converted_by(9).low == pytest.approx(float(wilson(20, 20)[0]))
    assert everybody.converted_by(3).value == 0


def test_an_empty_table_has_an_empty_curve() -> None:
    empty = kaplan_meier(LifeTable.of([], [], []))
    assert empty.converted_by(1).undefined is Undefined.NOT_REACHED
    assert empty.times.shape == (0,)
    assert log_rank([LifeTable.of([], [], []), treated()]).p_value is None


def test_quantiles_respect_censoring() -> None:
    found = kaplan_meier(treated()).quantile(0.5)
    assert (found.value, found.low, found.high) == (23.0, 13.0, None)
    assert kaplan_meier(treated()).quantile(0.25).value == 13.0


def test_log_rank_needs_two_groups_and_a_conversion() -> None:
    assert log_rank([treated()]).p_value is None
    still = LifeTable.of([3], [0], [5])
    assert log_rank([still, still]).p_value is None
    same = log_rank([treated(), treated(), treated()])
    assert same.degrees == 2
    assert same.statistic == pytest.approx(0, abs=1e-9)
    assert same.p_value == pytest.approx(1)


def test_log_rank_does_not_depend_on_the_order_of_groups() -> None:
    placebo = from_rows(PLACEBO, [1] * 21)
    third = from_rows([2, 9, 30], [1, 1, 0])
    one, two = log_rank([treated(), placebo, third]), log_rank([third, treated(), placebo])
    assert one.statistic == pytest.approx(two.statistic)


def test_disagreement_is_rare_without_drift_and_seen_with_it() -> None:
    generator = np.random.default_rng(11)
    conversion_window = 30.0

    def warned(new_rate: float) -> bool:
        follow = generator.uniform(0, 90, 3000)
        rate = np.where(follow >= conversion_window, 0.10, new_rate)
        at = np.where(generator.random(3000) < rate, generator.uniform(0, conversion_window, 3000), np.inf)
        seen = at <= follow
        curve = kaplan_meier(from_rows(np.minimum(at, follow), seen))
        mature = follow >= conversion_window
        found = disagreement(curve, Rate.of(int((seen & mature).sum()), int(mature.sum())), conversion_window)
        assert found is not None
        return found.drift

    calm = np.mean([warned(0.10) for _ in range(400)])
    assert 0.02 <= calm <= 0.08
    assert np.mean([warned(0.30) for _ in range(40)]) > 0.9


def test_disagreement_needs_something_to_compare() -> None:
    table = LifeTable.of([10, 30], [40, 0], [0, 360])
    assert disagreement(kaplan_meier(table), Rate.of(40, 400), 30) is None
    assert disagreement(kaplan_meier(table), Rate.of(0, 0), 30) is None
    assert disagreement(kaplan_meier(table), Rate.of(40, 400), 31) is None
