"""Two areas under the ROC curve of the same entities, and one area in several parts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from pqlkit.statistics.arrays import Z95
from pqlkit.statistics.discrimination import area_difference, heterogeneity


def joint(first: np.ndarray, second: np.ndarray, size: int = 6) -> np.ndarray:
    return np.bincount(first * size + second, minlength=size * size).reshape(size, size)


def by_pairs(one: np.ndarray, two: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """DeLong's difference and its error from the definition: every converter beside every other."""
    kernels = []
    for levels in (one, two):
        positive, negative = levels[y][:, None], levels[~y][None, :]
        kernels.append((positive > negative) + 0.5 * (positive == negative))
    gap = kernels[0] - kernels[1]
    variance = gap.mean(axis=1).var(ddof=1) / gap.shape[0] + gap.mean(axis=0).var(ddof=1) / gap.shape[1]
    return float(gap.mean()), math.sqrt(variance)


@pytest.mark.parametrize("seed", range(5))
def test_the_difference_of_two_areas_is_that_of_all_pairs(seed: int) -> None:
    dice = np.random.default_rng(seed)
    y = dice.random(300) < 0.3
    one = np.minimum(5, dice.poisson(1 + 2 * y))
    two = np.clip(one + dice.integers(-1, 2, 300), 0, 5)
    difference, low, high = area_difference(joint(one[y], two[y]), joint(one[~y], two[~y]))
    expected, error = by_pairs(one, two, y)
    assert difference == pytest.approx(expected, abs=1e-12)
    assert (high - low) / (2 * Z95) == pytest.approx(error, rel=1e-9)


def test_the_interval_of_the_difference_holds_what_it_promises() -> None:
    dice, hits = np.random.default_rng(7), 0
    rounds = 400
    for _ in range(rounds):
        y = dice.random(400) < 0.25
        shared = dice.normal(size=400)
        one, two = (np.digitize(shared + y + dice.normal(size=400), [-1, 0, 1, 2, 3]) for _ in range(2))
        _, low, high = area_difference(joint(one[y], two[y]), joint(one[~y], two[~y]))
        hits += low <= 0 <= high
    assert abs(hits / rounds - 0.95) < 3.3 * math.sqrt(0.95 * 0.05 / rounds)


def test_dependent_rows_widen_the_difference() -> None:
    one, two = np.array([[3, 2], [1, 6]]), np.array([[8, 2], [3, 2]])
    narrow, wide = area_difference(one, two), area_difference(one, two, design_effect=4.0)
    assert wide[0] == narrow[0]
    assert wide[2] - wide[1] == pytest.approx(2 * (narrow[2] - narrow[1]))


def test_one_converter_has_an_area_without_an_interval() -> None:
    difference, low, high = area_difference([[0, 0], [0, 1]], [[3, 1], [1, 3]])
    assert difference == 0
    assert math.isnan(low)
    assert math.isnan(high)


def test_two_estimates_differ_as_a_z_test_says() -> None:
    z = (0.9 - 0.1) / math.hypot(0.2, 0.3)
    assert heterogeneity([0.1, 0.9], [0.2, 0.3]) == pytest.approx(2 * norm.sf(z))
    assert math.isnan(heterogeneity([0.4, np.nan], [0.1, 0.1]))


def test_equal_parts_are_called_different_one_time_in_twenty() -> None:
    dice = np.random.default_rng(3)
    values = dice.normal(size=(2000, 4)) * [0.1, 0.2, 0.3, 0.4]
    rate = np.mean([heterogeneity(row, [0.1, 0.2, 0.3, 0.4]) < 0.05 for row in values])
    assert abs(rate - 0.05) < 3.3 * math.sqrt(0.05 * 0.95 / 2000)
