from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, norm
from scipy.stats.contingency import relative_risk

from pqlkit.statistics.change import (
    at_same_ages,
    chance_of_size,
    cochran_armitage,
    ratio_error,
    risk_ratio_change,
    stability_index,
)
from pqlkit.statistics.comparison import p_value
from pqlkit.statistics.estimate import Undefined


def test_nothing_to_test() -> None:
    for successes, totals in (([0, 0], [9, 9]), ([9, 9], [9, 9]), ([3, 0], [9, 0]), ([], [])):
        assert cochran_armitage(successes, totals).p_value is None


def test_trend_is_n_times_the_squared_correlation() -> None:
    x, n = [30, 22, 17, 4], [100, 90, 120, 40]
    y = np.concatenate([np.repeat([1, 0], [s, t - s]) for s, t in zip(x, n, strict=True)])
    place = np.repeat(np.arange(4), n)
    r = np.corrcoef(y, place)[0, 1]
    found = cochran_armitage(x, n)
    assert found.z == pytest.approx(r * np.sqrt(350))


def test_two_periods_have_the_trend_of_a_table() -> None:
    trend = cochran_armitage([30, 50], [100, 110])
    assert trend.p_value == pytest.approx(float(p_value(30, 70, 50, 60)))


def test_a_base_rate_that_doubles_everywhere_is_no_change_of_effect() -> None:
    change, p = risk_ratio_change((60, 140, 160, 1640), (30, 170, 80, 1720))
    assert change.value == pytest.approx(1)
    assert p == pytest.approx(1)


def test_the_change_turns_round() -> None:
    one, two = (30, 70, 70, 830), (10, 90, 70, 830)
    (there, p), (back, same) = risk_ratio_change(one, two), risk_ratio_change(two, one)
    assert there.value is not None
    assert there.low is not None
    assert back.high is not None
    assert there.value == pytest.approx(3)
    assert there.low * back.high == pytest.approx(1)
    assert p == pytest.approx(same)


@pytest.mark.parametrize(("x", "n", "m"), [(60, 300, 1), (25, 100, 2), (3, 400, 5)])
def test_the_error_of_a_ratio_of_equal_rates_is_that_of_the_relative_risk(x: int, n: int, m: int) -> None:
    interval = relative_risk(x, n, m * x, m * n).confidence_interval(0.95)
    assert float(ratio_error(x, n, m * x, m * n)) == pytest.approx(np.log(interval.high) / norm.ppf(0.975))


def test_the_chance_of_a_size_is_what_comes_out_where_nothing_changed() -> None:
    error = np.array([0.05, 0.1, 0.3])
    expected = norm(scale=error).cdf(np.log(0.75)) + norm(scale=error).sf(np.log(1.25))
    np.testing.assert_allclose(chance_of_size(error, 0.75, 1.25), expected)
    np.testing.assert_allclose(chance_of_size(error, 0.8), norm(scale=error).cdf(np.log(0.8)))
    generator = np.random.default_rng(4)
    x, y = generator.binomial(300, 0.25, (2, 20_000))
    assert float(chance_of_size(ratio_error(75, 300, 75, 300), 0.8)) == pytest.approx(np.mean(x / y <= 0.8), abs=0.01)


def test_no_error_no_chance() -> None:
    assert np.isnan(ratio_error([0, 0, 3], [9, 0, 0], [0, 3, 3], [9, 9, 9])).tolist() == [True, True, True]
    assert np.isnan(chance_of_size(np.nan, 0.8))


def test_an_index_that_matters_comes_by_chance_among_few_only() -> None:
    few, many = stability_index([50, 30, 20], [48, 29, 23]), stability_index([500, 300, 200], [480, 290, 230])
    assert few.chance_of_size == pytest.approx(chi2(2).sf(0.1 / (2 / 100)))
    assert many.chance_of_size == pytest.approx(chi2(2).sf(0.1 / (2 / 1000)))
    assert stability_index([5], [9]).chance_of_size == 0
    assert stability_index([0], [9]).chance_of_size is None


def test_an_undefined_effect_says_why() -> None:
    change, p = risk_ratio_change((0, 0, 70, 830), (10, 90, 70, 830))
    assert (change.undefined, p) == (Undefined.EMPTY_GROUP, None)
    change, p = risk_ratio_change((10, 90, 70, 830), (0, 9, 0, 9))
    assert (change.undefined, p) == (Undefined.NO_CONVERTERS, None)


@given(st.lists(st.integers(0, 500), min_size=2, max_size=6), st.integers(1, 5))
def test_the_same_distribution_has_not_moved(counts: list[int], times: int) -> None:
    found = stability_index(counts, counts)
    if not sum(counts):
        assert found.value is None
    else:
        assert found.value == 0
        assert found.p_value == 1
    moved = stability_index(counts, [times * count + 1 for count in counts[::-1]])
    assert moved.value is None or moved.value >= 0


def test_a_large_index_of_few_entities_is_no_shift() -> None:
    few, many = stability_index([6, 4], [4, 6]), stability_index([600, 400], [400, 600])
    assert not few.shifted
    assert many.shifted
    assert (few.value or 0) > 0.1
    small = stability_index([50_000, 50_000], [51_000, 49_000])
    assert (small.p_value or 1) < 0.001
    assert not small.shifted


def test_the_index_by_chance_is_as_often_significant_as_it_says() -> None:
    generator = np.random.default_rng(6)
    share = [0.5, 0.2, 0.1, 0.1, 0.05, 0.05]
    draws = [(generator.multinomial(2000, share), generator.multinomial(800, share)) for _ in range(1500)]
    rate = np.mean([(stability_index(then, now).p_value or 0) <= 0.05 for then, now in draws])
    assert 0.03 <= rate <= 0.07


def test_dependent_rows_pay_for_it() -> None:
    assert float(ratio_error(60, 300, 90, 300, design_effect=4)) == pytest.approx(
        2 * float(ratio_error(60, 300, 90, 300))
    )
    then, now = [500, 300, 200], [400, 300, 300]
    found = stability_index(then, now, design_effect=5)
    assert found.value == stability_index(then, now).value
    assert found.p_value == pytest.approx(chi2.sf((found.value or 0) / (1 / 1000 + 1 / 1000) / 5, 2))


def test_counts_at_the_same_ages_weigh_each_band_by_what_the_smaller_period_bears() -> None:
    x1, n1, x0, n0 = at_same_ages([30, 10, 7], [100, 40, 20], [20, 30, 0], [50, 200, 0])
    weights = np.array([100 * 50 / 150, 40 * 200 / 240])
    weights /= weights.sum()
    assert float(x1) / n1 == pytest.approx(weights @ [0.3, 0.25])
    assert float(x0) / n0 == pytest.approx(weights @ [0.4, 0.15])
    assert 1 / n1 + 1 / n0 == pytest.approx(1 / (100 * 50 / 150 + 40 * 200 / 240))
