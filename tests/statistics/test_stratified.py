"""The stratified excess: its parts by hand, its size under chance, and its interval."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from pqlkit.statistics.stratified import Moments, conditional_mean, excess, expected_rates, mantel_haenszel, mid_p


def moments(y, cluster, *strata):
    return Moments(y=np.array(y, dtype=bool), cluster=np.array(cluster), strata=[np.array(labels) for labels in strata])


def test_each_moment_is_expected_to_do_as_the_others_of_its_stratum():
    kind = moments([1, 0, 1], [0, 1, 2], [0, 0, 1], [9, 9, 9])
    others = moments([1, 0, 0, 0, 1, 1], [3, 4, 5, 6, 7, 8], [0, 0, 0, 0, 1, 1], [9] * 6)
    assert expected_rates(kind, others, few=2).tolist() == [0.25, 0.25, 1.0]
    found = excess(kind, others, few=2)
    assert (found.n, found.converted, found.expected) == (3, 2, 1.5)
    # U = (1 - .25) + (0 - .25) + (1 - 1); the influences of the kind, then those of the others, by hand.
    kinds = [0.75, -0.25, 0.0]
    rest = [-0.5 * (1 - 0.25), 0.5 * 0.25, 0.5 * 0.25, 0.5 * 0.25, 0.0, 0.0]
    assert found.z == pytest.approx(0.5 / np.sqrt(np.sum(np.square([*kinds, *rest]))))


def test_too_few_others_give_way_to_a_coarser_stratum():
    kind = moments([1, 0], [0, 1], [0, 1], [9, 9])
    others = moments([1, 0, 0, 0, 0], [2, 3, 4, 5, 6], [0, 1, 1, 1, 1], [9] * 5)
    assert expected_rates(kind, others, few=3).tolist() == [0.2, 0.0]


def test_clusters_count_once():
    y = np.arange(200) < 60
    apart = excess(
        moments(y, np.arange(200), np.zeros(200)),
        moments(y[:0].tolist() + [0, 1] * 200, np.arange(200, 600), np.zeros(400)),
    )
    twice = excess(
        moments(np.repeat(y, 2), np.repeat(np.arange(200), 2), np.zeros(400)),
        moments(np.repeat([0, 1] * 200, 2), np.repeat(np.arange(200, 600), 2), np.zeros(800)),
    )
    assert twice.z == pytest.approx(apart.z)
    assert (apart.design_effect, twice.design_effect) == (1.0, 2.0)


def test_its_size_and_its_interval_under_chance():
    random = np.random.default_rng(5)
    zs, held = [], []
    for _ in range(400):
        stratum, others = random.integers(0, 4, 300), random.integers(0, 4, 2_000)
        rate = np.array([0.05, 0.1, 0.2, 0.3])
        found = excess(
            moments(random.random(300) < 1.5 * rate[stratum], np.arange(300), stratum),
            moments(random.random(2_000) < rate[others], np.arange(300, 2_300), others),
        )
        zs.append(found.z)
        held.append((found.low or 0) <= 1.5 <= (found.high or 0))
    assert 0.92 <= np.mean(held) <= 0.98
    assert np.mean(zs) > 2


def test_what_passed_narrowly_is_less_than_it_looks():
    random = np.random.default_rng(1)
    for mean in (1.0, 2.5, 4.0):
        seen = random.normal(mean, 1, 400_000)
        seen = seen[seen > 2.326]
        assert conditional_mean(float(seen.mean()), 2.326) == pytest.approx(mean, abs=0.1)
    assert conditional_mean(2.0, 2.326) == -np.inf


def test_strata_are_tested_together_as_mantel_and_haenszel_do():
    from statsmodels.stats.contingency_tables import StratifiedTable

    random = np.random.default_rng(4)
    size, all_size = random.integers(20, 60, 6), random.integers(80, 200, 6)
    converted, rest = random.binomial(size, 0.2), random.binomial(all_size - size, 0.35)
    tables = [
        np.array([[a, n - a], [c, m - n - c]]) for a, n, c, m in zip(converted, size, rest, all_size, strict=True)
    ]
    expected, z = mantel_haenszel(converted[:, None], size[:, None], converted + rest, all_size)
    assert z[0] ** 2 == pytest.approx(StratifiedTable(tables).test_null_odds(correction=False).statistic)
    assert z[0] < 0
    assert expected[0] == pytest.approx(
        sum(n * (a + c) / m for a, n, c, m in zip(converted, size, rest, all_size, strict=True))
    )


def test_a_stratum_without_others_says_nothing():
    two = mantel_haenszel(np.array([[5], [9]]), np.array([[100], [10]]), np.array([25, 9]), np.array([200, 10]))
    one = mantel_haenszel(np.array([[5]]), np.array([[100]]), np.array([25]), np.array([200]))
    assert [part.tolist() for part in two] == [part.tolist() for part in one]
    assert np.isnan(mantel_haenszel(np.array([[9]]), np.array([[10]]), np.array([9]), np.array([10]))[1]).all()


@pytest.mark.parametrize("count", [0, 1, 3, 6])
def test_the_mid_p_adds_up_all_that_can_happen(count):
    chances = np.array([0.05, 0.1, 0.2, 0.4, 0.45, 0.7])
    above = at = 0.0
    for happened in product([0, 1], repeat=len(chances)):
        likely = float(np.prod(np.where(happened, chances, 1 - chances)))
        above += likely * (sum(happened) > count)
        at += likely * (sum(happened) == count)
    assert mid_p(count, chances) == pytest.approx(above + at / 2)


def test_the_mid_p_of_equal_chances_is_binomial_and_of_clusters_that_of_fewer():
    chances = np.full(400, 0.01)
    assert mid_p(9, chances) == pytest.approx(binom.sf(9, 400, 0.01) + binom.pmf(9, 400, 0.01) / 2)
    assert mid_p(9, chances, design_effect=3) == pytest.approx(binom.sf(3, 133, 0.01) + binom.pmf(3, 133, 0.01) / 2)
    # Where nobody of the others converted, half a conversion is expected.
    assert mid_p(3, np.zeros(400)) == pytest.approx(binom.sf(3, 400, 0.5 / 400) + binom.pmf(3, 400, 0.5 / 400) / 2)


def test_only_few_conversions_are_counted_exactly():
    strata = [np.zeros(100, dtype=np.int64)]
    kinds = [Moments(y=np.arange(100) < n, cluster=np.arange(100), strata=strata) for n in (20, 9)]
    others = Moments(y=np.arange(100) < 10, cluster=100 + np.arange(100), strata=strata)
    assert excess(kinds[0], others).mid_p is None
    assert excess(kinds[1], others).mid_p == pytest.approx(binom.sf(9, 100, 0.1) + binom.pmf(9, 100, 0.1) / 2)
