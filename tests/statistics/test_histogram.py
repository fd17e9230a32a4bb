from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.statistics.histogram import Histogram

rows = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 9), st.integers(0, 9)), min_size=0, max_size=20)


def build(found: list[tuple[int, int, int]]) -> Histogram:
    levels, positive, negative = np.array(found, dtype=float).reshape(-1, 3).T
    return Histogram.of(levels, positive, negative)


def same(one: Histogram, two: Histogram) -> bool:
    pairs = ((one.levels, two.levels), (one.positive, two.positive), (one.negative, two.negative))
    return all(np.array_equal(a, b) for a, b in pairs)


@given(rows, rows, rows)
def test_histograms_add(
    one: list[tuple[int, int, int]], two: list[tuple[int, int, int]], three: list[tuple[int, int, int]]
) -> None:
    a, b, c = build(one), build(two), build(three)
    assert same((a + b) + c, a + (b + c))
    assert same(a + b, build(one + two))
    assert same(a + b, b + a)


@given(rows, st.lists(st.integers(0, 14), min_size=1, max_size=5))
def test_a_threshold_splits_everybody(found: list[tuple[int, int, int]], thresholds: list[int]) -> None:
    a, b, c, d = build(found).at_least(thresholds)
    for place, threshold in enumerate(thresholds):
        assert a[place] == sum(p for level, p, _ in found if level >= threshold)
        assert b[place] == sum(n for level, _, n in found if level >= threshold)
        assert c[place] == sum(p for level, p, _ in found if level < threshold)
        assert d[place] == sum(n for level, _, n in found if level < threshold)
