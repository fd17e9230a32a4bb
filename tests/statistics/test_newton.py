"""A system that has no single solution is a reason on every processor, never an exception."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.statistics.adjusted import fit_logistic, ridge_logistic
from pqlkit.statistics.estimate import Undefined
from pqlkit.statistics.newton import climb, whitening
from pqlkit.statistics.survival import LifeTable, log_rank

# Snapshots at three ages: two log counts that differ in one kind of row, which always converts. Solved as they stand, the
# steps' equations are singular on some processors before the separation shows.
INDICATOR = [1, 0, 0, 0, 0, 0, 1, 0, 0]
LONG = [0.0, 0.0, 0.69314718, 4.10, 4.17438727, -1.18, 0.0, 0.69314718, 0.0]
SHORT = [0.0, 0.0, 0.69314718, 4.10, 4.10, -1.18, 0.0, 0.69314718, 0.0]
OUTCOME = [0, 0, 1, 1, 1, 1, 1, 0, 1]
ROWS = [301, 4773, 80, 3, 3, 1, 240, 1016, 282]


def test_separation_in_a_direction_that_columns_hardly_span_is_separation() -> None:
    design = np.column_stack([INDICATOR, LONG, SHORT]).astype(float)
    assert fit_logistic(np.repeat(design, ROWS, axis=0), np.repeat(OUTCOME, ROWS)).undefined is Undefined.SEPARATION


@pytest.mark.parametrize("differ", [1e-9, 1e-7, 1e-5])
def test_columns_that_differ_by_nearly_nothing_are_collinear(differ: float) -> None:
    column = np.random.default_rng(0).normal(size=400)
    y = np.arange(400) % 3 == 0
    twin = column * (1 + differ * (np.arange(400) == 7))
    assert fit_logistic(np.column_stack([column, twin]), y).undefined is Undefined.COLLINEAR


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans(), st.integers(1, 1000)), min_size=3, max_size=12
    ),
    st.floats(0, 1e-3),
)
def test_every_table_has_a_fit_or_a_reason(kinds: list[tuple[int, int, bool, int]], blur: float) -> None:
    many = [kind[3] for kind in kinds]
    first, second, y = (np.repeat(np.array(part, dtype=float), many) for part in list(zip(*kinds, strict=True))[:3])
    design = np.column_stack([first, second, first + blur * second])
    fit = fit_logistic(design, y)
    assert (fit.undefined is None) is (fit.coefficients is not None)
    if fit.covariance is not None:
        assert np.isfinite(fit.covariance).all()
        assert (np.diag(fit.covariance) >= 0).all()
    ridge = ridge_logistic(design, y)
    assert (ridge is None) is (len(set(y)) == 1)
    assert ridge is None or np.isfinite(ridge.coefficients).all()


def test_shares_and_weights_are_rows_grouped() -> None:
    design, penalty = np.array([[1.0, 0.0], [1.0, 1.0]]), np.zeros(2)
    grouped = climb(design, np.array([0.2, 0.5]), np.array([10.0, 20.0]), penalty)
    rows = np.repeat(design, [10, 20], axis=0)
    single = climb(rows, np.r_[np.arange(10) < 2, np.arange(20) < 10].astype(float), np.ones(30), penalty)
    assert grouped.coefficients == pytest.approx(single.coefficients)
    assert grouped.coefficients == pytest.approx([np.log(2 / 8), np.log(8 / 2)])
    assert grouped.inverse == pytest.approx(single.inverse)


def test_a_matrix_is_singular_in_any_units() -> None:
    whole = np.array([[2.0, 1.0], [1.0, 3.0]])
    for unit in (1e-9, 1.0, 1e9):
        scale = np.diag([1.0, unit])
        white = whitening(scale @ whole @ scale)
        assert white is not None
        assert white @ white.T == pytest.approx(np.linalg.inv(scale @ whole @ scale))
        assert whitening(scale @ np.array([[1.0, 2.0], [2.0, 4.0]]) @ scale) is None
    assert whitening(np.array([[1.0, np.nan], [np.nan, 1.0]])) is None
    assert whitening(np.zeros((1, 1))) is None


def test_groups_without_spread_have_no_log_rank() -> None:
    # Whoever is at risk converts at the same moment: nothing was left to chance.
    assert log_rank([LifeTable.of([1.0], 1, 0), LifeTable.of([1.0], 1, 0)]).p_value is None
