from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.statistics import ranks

counts = st.lists(st.integers(0, 50), min_size=4, max_size=4)


@given(counts, counts)
def test_swapping_the_classes_turns_the_ranking_round(positive: list[int], negative: list[int]) -> None:
    area, back = float(ranks.auc(positive, negative)), float(ranks.auc(negative, positive))
    if not sum(positive) or not sum(negative):
        assert np.isnan(area)
        assert np.isnan(ranks.average_precision(positive, negative))
        return
    assert area + back == pytest.approx(1)
    assert area == pytest.approx(1 - float(ranks.auc(positive[::-1], negative[::-1])))
    rho = float(ranks.spearman(positive, negative))
    assert np.isnan(rho) or (rho > 1e-9) == (area > 0.5 + 1e-12) or abs(area - 0.5) < 1e-9
    error = float(ranks.auc_error(positive, negative))
    assert np.isnan(error) or error >= 0


def test_rows_of_a_table_are_ranked_alone() -> None:
    generator = np.random.default_rng(7)
    positive, negative = generator.integers(0, 20, (6, 5)), generator.integers(0, 90, (6, 5))
    for formula in (ranks.auc, ranks.auc_error, ranks.average_precision, ranks.spearman):
        whole = formula(positive, negative)
        assert whole.shape == (6,)
        np.testing.assert_allclose(whole, [float(formula(p, n)) for p, n in zip(positive, negative, strict=True)])


def test_all_at_one_level_says_nothing() -> None:
    assert float(ranks.auc([5], [9])) == 0.5
    assert float(ranks.average_precision([5], [9])) == pytest.approx(5 / 14)
    assert np.isnan(ranks.spearman([5], [9]))


def test_one_converter() -> None:
    assert float(ranks.auc([0, 1], [9, 0])) == 1
    assert float(ranks.average_precision([0, 1], [9, 0])) == 1
    assert float(ranks.average_precision([1, 0, 0], [9, 2, 0])) == pytest.approx(1 / 12)
    assert np.isnan(ranks.auc_error([0, 1], [9, 0]))
