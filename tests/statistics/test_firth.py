from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from pqlkit.statistics.firth import fit_firth
from pqlkit.statistics.newton import chances


def rows(a: int, b: int, c: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat([[1.0], [1.0], [0.0], [0.0]], (a, b, c, d), axis=0), np.repeat([1.0, 0.0, 1.0, 0.0], (a, b, c, d))


@pytest.mark.parametrize("cells", [(22, 74, 0, 899), (0, 12, 9, 30), (5, 0, 3, 20), (3, 4, 5, 6)])
def test_in_a_2x2_table_it_adds_half_a_row_to_each_cell(cells: tuple[int, int, int, int]) -> None:
    """The known result of Jeffreys' prior in a saturated model (Heinze and Schemper 2002)."""
    a, b, c, d = (cell + 0.5 for cell in cells)
    fit = fit_firth(*rows(*cells))
    assert fit is not None
    assert fit.odds_ratio().value == pytest.approx(a * d / (b * c), rel=1e-4)


def test_the_interval_is_where_the_penalised_profile_falls_by_half_the_chi_squared() -> None:
    cells = np.array([22, 74, 0, 899]) + 0.5
    fit = fit_firth(*rows(22, 74, 0, 899))
    assert fit is not None

    def profile(log_odds_ratio: float) -> float:
        def loss(level: float) -> float:
            with_, without = chances(np.array([level + log_odds_ratio, level]))
            return -float(cells @ np.log([with_, 1 - with_, without, 1 - without]))

        return -float(minimize_scalar(loss, bounds=(-40, 10), method="bounded", options={"xatol": 1e-10}).fun)

    found = fit.odds_ratio()
    assert found.value is not None
    for end in (found.low, found.high):
        assert end is not None
        assert profile(np.log(found.value)) - profile(np.log(end)) == pytest.approx(3.8414588 / 2, abs=2e-3)


def test_as_many_are_expected_to_convert_as_did_and_likeness_widens_the_interval() -> None:
    x, y = rows(22, 74, 0, 899)
    fit, wide = fit_firth(x, y), fit_firth(x, y, design_effect=2.0)
    assert fit is not None
    assert wide is not None
    assert chances(fit.best.intercept + x @ fit.best.coefficients).sum() == pytest.approx(22)
    assert (wide.odds_ratio().low or 0) < (fit.odds_ratio().low or 0)


def test_columns_that_say_the_same_have_no_fit() -> None:
    x, y = rows(5, 5, 0, 10)
    assert fit_firth(np.column_stack([x, x]), y) is None
