from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from pqlkit.statistics.collinearity import interchangeable, spearman_matrix

X = np.random.default_rng(3).poisson(3, (400, 4)).astype(float)


def test_spearman_matrix_is_scipys() -> None:
    np.testing.assert_allclose(spearman_matrix(X), spearmanr(X).statistic, atol=1e-12)
    assert np.isnan(spearman_matrix(np.column_stack([X[:, 0], np.ones(400)]))[0, 1])


def test_groups_are_chains_of_links() -> None:
    correlation = np.eye(6)
    for one, two in ((0, 1), (1, 4), (2, 5)):
        correlation[one, two] = correlation[two, one] = -0.85
    correlation[3, :] = np.nan
    assert interchangeable(correlation) == ((0, 1, 4), (2, 5))
    assert interchangeable(correlation, threshold=0.85) == ()


@pytest.mark.parametrize("size", [1, 2])
def test_nothing_linked(size: int) -> None:
    assert interchangeable(np.eye(size)) == ()
