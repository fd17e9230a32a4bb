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
        assert np.isnan(ranks.mann_whitney(positive, negative))
        assert np.isnan(ranks.information_value(positive, negative))
        return
    assert area + back == pytest.approx(1)
    assert area == pytest.approx(1 - float(ranks.auc(positive[::-1], negative[::-1])))
    assert float(ranks.information_value(positive, negative)) >= -1e-12
    rho = float(ranks.spearman(positive, negative))
    assert np.isnan(rho) or (rho > 1e-9) == (area > 0.5 + 1e-12) or abs(area - 0.5) < 1e-9
    for method in ("delong", "hanley-mcneil"):
        error = float(ranks.auc_error(positive, negative, method=method))
        assert np.isnan(error) or error >= 0


@given(counts, counts)
def test_interval_contains_the_area(positive: list[int], negative: list[int]) -> None:
    area, low, high = (float(column) for column in ranks.auc_interval(positive, negative))
    if not np.isnan(low):
        assert 0 <= low <= area + 1e-12
        assert area - 1e-12 <= high <= 1


def test_rows_of_a_table_are_ranked_alone() -> None:
    generator = np.random.default_rng(7)
    positive, negative = generator.integers(0, 20, (6, 5)), generator.integers(0, 90, (6, 5))
    formulas = (ranks.auc, ranks.auc_error, ranks.average_precision, ranks.mann_whitney)
    for formula in (*formulas, ranks.spearman, ranks.mutual_information):
        whole = formula(positive, negative)
        assert whole.shape == (6,)
        np.testing.assert_allclose(whole, [float(formula(p, n)) for p, n in zip(positive, negative, strict=True)])


def test_all_at_one_level_says_nothing() -> None:
    assert float(ranks.auc([5], [9])) == 0.5
    assert float(ranks.average_precision([5], [9])) == pytest.approx(5 / 14)
    assert np.isnan(ranks.mann_whitney([5], [9]))
    assert np.isnan(ranks.spearman([5], [9]))
    assert np.isnan(ranks.point_biserial([3], [5], [9]))
    assert float(ranks.mutual_information([5], [9])) == 0


def test_one_converter() -> None:
    assert float(ranks.auc([0, 1], [9, 0])) == 1
    assert float(ranks.average_precision([0, 1], [9, 0])) == 1
    assert float(ranks.average_precision([1, 0, 0], [9, 2, 0])) == pytest.approx(1 / 12)
    assert np.isnan(ranks.auc_error([0, 1], [9, 0]))
    assert float(ranks.auc_error([0, 1], [9, 1], method="hanley-mcneil")) > 0
    assert np.isnan(ranks.auc_interval([0, 4], [9, 0])[1])


def test_hanley_mcneil_by_hand() -> None:
    area, n1, n0 = 0.75, 40, 40
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    by_hand = ((area * (1 - area) + (n1 - 1) * (q1 - area**2) + (n0 - 1) * (q2 - area**2)) / (n1 * n0)) ** 0.5
    assert float(ranks.auc_error([10, 30], [30, 10], method="hanley-mcneil")) == pytest.approx(by_hand)


def test_negative_sums_keep_their_sign() -> None:
    assert float(ranks.point_biserial([-5, 5], [0, 9], [9, 0])) == pytest.approx(1)


def test_empty_bins_carry_no_information() -> None:
    there = float(ranks.information_value([10, 30], [300, 100]))
    assert float(ranks.information_value([10, 0, 30, 0], [300, 0, 100, 0])) == pytest.approx(there)
