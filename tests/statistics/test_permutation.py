from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.statistics.permutation import permutation_p_value, shuffled, shuffles

rows = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4)), min_size=1, max_size=60)


@given(rows, st.integers(0, 2**32 - 1))
def test_every_block_keeps_its_converters(found: list[tuple[int, int]], seed: int) -> None:
    y, block = np.array(found).T
    new = shuffled(y, block, generator=np.random.default_rng(seed))
    for label in range(5):
        assert new[block == label].sum() == y[block == label].sum()


def test_every_order_within_a_block_is_as_likely() -> None:
    y, block = np.array([1, 0, 0, 1, 0]), np.array(["a", "a", "a", "b", "b"])
    counts = sum(shuffles(y, block, times=6000, seed=1))
    np.testing.assert_allclose(counts / 6000, [1 / 3, 1 / 3, 1 / 3, 1 / 2, 1 / 2], atol=0.03)


def test_the_same_seed_gives_the_same_shuffles_however_many() -> None:
    y, block = np.arange(50) % 3 == 0, np.arange(50) % 4
    few, many = list(shuffles(y, block, times=2, seed=9)), list(shuffles(y, block, times=5, seed=9))
    for one, two in zip(few, many, strict=False):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(many[0], many[1])
    assert many[0].dtype == y.dtype


def test_p_values_are_never_zero_and_count_ties() -> None:
    assert permutation_p_value(9.0, np.zeros(19)) == 0.05
    assert permutation_p_value(1.0, [1.0, 0.0, 2.0]) == 0.75
    assert permutation_p_value(1.0, []) == 1.0
    assert permutation_p_value(1.0, [np.nan, 0.0]) == 1 / 3
