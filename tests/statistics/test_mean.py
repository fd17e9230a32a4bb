"""Means and their differences, against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pqlkit.statistics.estimate import Undefined
from pqlkit.statistics.mean import difference_of_means, mean


@pytest.mark.parametrize("n", [2, 5, 300])
def test_the_interval_of_a_mean_is_students(n: int) -> None:
    values = np.random.default_rng(n).exponential(40, n)
    estimate = mean(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((values.mean(), expected.low, expected.high))


@pytest.mark.parametrize(("n", "m"), [(2, 2), (5, 40), (300, 30)])
def test_the_interval_of_a_difference_is_welchs(n: int, m: int) -> None:
    generator = np.random.default_rng(n)
    values, others = generator.exponential(40, n), generator.normal(30, 5, m)
    estimate = difference_of_means(values, others)
    expected = stats.ttest_ind(values, others, equal_var=False).confidence_interval(0.95)
    assert estimate.value == pytest.approx(values.mean() - others.mean())
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high))


def test_what_has_no_interval_says_so() -> None:
    assert mean([]).undefined is Undefined.EMPTY_GROUP
    assert difference_of_means([], [1]).undefined is Undefined.EMPTY_GROUP
    assert (mean([7]).value, mean([7]).low) == (7, None)
    assert (difference_of_means([7], [1, 2]).value, difference_of_means([7], [1, 2]).low) == (5.5, None)
    assert difference_of_means([3, 3], [1, 1]).high is None


def test_the_order_of_the_rows_moves_nothing() -> None:
    values = np.random.default_rng(3).exponential(1e6, 1000)
    assert mean(values) == mean(values[::-1])
    assert difference_of_means(values, values[:9]) == difference_of_means(values[::-1], values[:9])
