from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.statistics.permutation import shuffled

rows = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4)), min_size=1, max_size=60)


@given(rows, st.integers(0, 2**32 - 1))
def test_every_block_keeps_its_converters(found: list[tuple[int, int]], seed: int) -> None:
    y, block = np.array(found).T
    new = shuffled(y, block, generator=np.random.default_rng(seed))
    for label in range(5):
        assert new[block == label].sum() == y[block == label].sum()


def test_every_order_within_a_block_is_as_likely() -> None:
    y, block = np.array([1, 0, 0, 1, 0]), np.array(["a", "a", "a", "b", "b"])
    generator = np.random.default_rng(1)
    counts = sum(shuffled(y, block, generator=generator) for _ in range(6000))
    np.testing.assert_allclose(counts / 6000, [1 / 3, 1 / 3, 1 / 3, 1 / 2, 1 / 2], atol=0.03)
