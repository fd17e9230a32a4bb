"""What "95 %" promises, simulated or summed exactly: how often the intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from pqlkit.statistics import comparison
from pqlkit.statistics.comparison import newcombe
from pqlkit.statistics.design_effect import ClusterSums
from pqlkit.statistics.rate import wilson
from pqlkit.statistics.survival import kaplan_meier
from tests.statistics.life_tables import from_rows


def binomial_coverage(n: int, truth: float) -> float:
    x = np.arange(n + 1)
    low, high = wilson(x, n)
    return float(binom.pmf(x, n, truth)[(low <= truth) & (truth <= high)].sum())


def test_wilson_holds_on_average_and_nowhere_collapses() -> None:
    found = [binomial_coverage(n, truth) for n in (50, 200, 1000) for truth in np.linspace(0.02, 0.6, 30)]
    assert np.mean(found) == pytest.approx(0.95, abs=0.006)
    assert min(found) > 0.90


@pytest.mark.parametrize(
    ("n1", "p1", "n0", "p0"), [(100, 0.2, 2000, 0.04), (400, 0.3, 400, 0.2), (60, 0.15, 5000, 0.03)]
)
def test_comparisons_hold_the_truth(n1: int, p1: float, n0: int, p0: float) -> None:
    generator = np.random.default_rng(31)
    a, c = generator.binomial(n1, p1, 20_000), generator.binomial(n0, p0, 20_000)
    cells = (a, n1 - a, c, n0 - c)
    truths = (
        (comparison.relative_risk(*cells)[1:3], p1 / p0),
        (comparison.odds_ratio(*cells)[1:3], p1 * (1 - p0) / (p0 * (1 - p1))),
        (newcombe(a, n1, c, n0)[1:], p1 - p0),
    )
    for (low, high), truth in truths:
        assert 0.935 <= np.mean((low <= truth) & (truth <= high)) <= 0.975


def test_mid_p_keeps_its_level() -> None:
    generator = np.random.default_rng(37)
    a, c = generator.binomial(80, 0.04, 20_000), generator.binomial(2000, 0.04, 20_000)
    p = comparison.mid_p(a, 80 - a, c, 2000 - c)
    assert np.mean(p <= 0.01) <= 0.012
    assert np.mean(p <= 0.05) <= 0.055


def test_the_conversion_curve_is_held_under_censoring() -> None:
    generator = np.random.default_rng(43)
    truth = 1 - np.exp(-30 / 200)
    held = []
    for _ in range(1000):
        at, follow = generator.exponential(200, 250), generator.uniform(5, 90, 250)
        found = kaplan_meier(from_rows(np.minimum(at, follow), at <= follow)).converted_by(30)
        held.append((found.low or 0) <= truth <= (found.high or 1))
    assert 0.93 <= np.mean(held) <= 0.97


def test_the_design_effect_repairs_the_interval_of_clustered_rows() -> None:
    generator = np.random.default_rng(47)
    sizes = generator.integers(1, 9, 300)
    naive: list[bool] = []
    repaired: list[bool] = []
    for _ in range(800):
        converted = generator.binomial(sizes, generator.beta(0.3, 2.7, 300))
        x, n = converted.sum(), sizes.sum()
        for kept, effect in ((naive, 1.0), (repaired, ClusterSums.of(converted, sizes).ratio or 1.0)):
            low, high = wilson(x, n, design_effect=effect)
            kept.append(bool(low <= 0.1 <= high))
    assert np.mean(naive) < 0.85
    assert 0.92 <= np.mean(repaired) <= 0.97
