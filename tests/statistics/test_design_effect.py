from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.statistics.design_effect import ClusterSums, design_effect, mean_design_effect

cluster = st.integers(1, 6).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows)))
clusters = st.lists(cluster, min_size=1, max_size=20)


def build(found: list[tuple[int, int]]) -> ClusterSums:
    return ClusterSums.of([y for y, _ in found], [m for _, m in found])


@given(clusters, clusters)
def test_sums_add(one: list[tuple[int, int]], two: list[tuple[int, int]]) -> None:
    whole, parts = build(one + two), build(one) + build(two)
    assert (whole.clusters, whole.rows, whole.converted) == (parts.clusters, parts.rows, parts.converted)
    for name in ("rows_squared", "converted_squared", "product"):
        assert getattr(whole, name) == pytest.approx(getattr(parts, name))


@given(clusters)
def test_effects_are_at_least_one_or_undefined(found: list[tuple[int, int]]) -> None:
    sums = build(found)
    assert sums.ratio is None or sums.ratio >= 1


def test_alone_everybody_counts_in_full() -> None:
    y = np.tile([1, 0, 0, 0], 500)
    assert design_effect(y, np.arange(2000)) == pytest.approx(2000 / 1999)


def test_copies_count_once() -> None:
    y = np.repeat(np.tile([1, 0, 0, 0], 500), 3)
    assert design_effect(y, np.repeat(np.arange(2000), 3)) == pytest.approx(3, rel=1e-3)


@pytest.mark.parametrize("found", [[(1, 3)], [(0, 2), (0, 3)], [(2, 2), (3, 3)], []])
def test_undefined(found: list[tuple[int, int]]) -> None:
    assert build(found).ratio is None


def test_labels_may_be_text_in_any_order() -> None:
    y, who = np.array([1, 1, 0, 1]), np.array(["b", "a", "b", "a"])
    assert design_effect(y, who) == ClusterSums.of([2, 1], [2, 2]).ratio


def test_of_two_bins_the_mean_effect_is_that_of_either() -> None:
    generator = np.random.default_rng(5)
    who = np.repeat(np.arange(80), 3)
    happened = (generator.random(80)[who] < 0.4) ^ (generator.random(240) < 0.1)
    found = mean_design_effect(happened.astype(np.int64), who)
    assert found == pytest.approx(design_effect(happened, who))
    assert (found or 0) > 1.5


def test_rows_that_always_agree_count_for_one_in_any_number_of_bins() -> None:
    generator = np.random.default_rng(6)
    level, who = np.repeat(generator.integers(0, 4, 500), 5), np.repeat(np.arange(500), 5)
    assert mean_design_effect(level, who) == pytest.approx(5, rel=0.01)
    assert mean_design_effect(generator.permutation(level), who) == pytest.approx(1, abs=0.1)


def test_one_bin_or_one_cluster_has_no_mean_effect() -> None:
    assert mean_design_effect(np.array([3, 3, 3]), np.array([1, 2, 3])) is None
    assert mean_design_effect(np.array([1, 2, 3]), np.array([7, 7, 7])) is None
