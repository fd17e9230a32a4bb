from __future__ import annotations

import numpy as np
import pytest

from pqlkit.statistics import adjusted
from pqlkit.statistics.adjusted import fit_logistic, ridge_logistic
from pqlkit.statistics.contingency import Contingency
from pqlkit.statistics.estimate import Undefined


def world(n: int = 4000, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = np.column_stack([generator.integers(0, 2, n), np.log1p(generator.poisson(20, n))]).astype(float)
    return x, (generator.random(n) < 1 / (1 + np.exp(3 - x[:, 0] - 0.5 * x[:, 1]))).astype(float)


def rows(table: Contingency) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat([[1.0], [1.0], [0.0], [0.0]], table.cells, axis=0), np.repeat([1.0, 0.0, 1.0, 0.0], table.cells)


def test_one_indicator_is_the_odds_ratio_of_the_table() -> None:
    table = Contingency(30, 70, 70, 830)
    fit = fit_logistic(*rows(table))
    assert fit.odds_ratio(0).value == pytest.approx(table.odds_ratio().value)
    assert fit.model_covariance is not None
    assert fit.model_covariance[0, 0] == pytest.approx(1 / 30 + 1 / 70 + 1 / 70 + 1 / 830)


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ((30, 0, 10, 60), Undefined.SEPARATION),
        ((0, 30, 10, 60), Undefined.SEPARATION),
        ((40, 0, 0, 60), Undefined.SEPARATION),
        ((0, 30, 0, 60), Undefined.NO_CONVERTERS),
        ((30, 0, 60, 0), Undefined.ALL_CONVERTED),
        ((30, 20, 0, 0), Undefined.COLLINEAR),
        ((1, 1, 0, 0), Undefined.TOO_FEW),
    ],
)
def test_a_fit_that_does_not_exist_says_why(cells: tuple[int, int, int, int], why: Undefined) -> None:
    fit = fit_logistic(*rows(Contingency(*cells)))
    assert fit.undefined is why
    assert fit.odds_ratio(0).undefined is why
    assert fit.p_value(0) is None


def test_separation_by_a_mix_of_columns_is_found() -> None:
    generator = np.random.default_rng(1)
    x = generator.normal(size=(300, 3))
    assert fit_logistic(x, (x @ [1, -2, 0.5] > 0.2).astype(float)).undefined is Undefined.SEPARATION


def test_one_exception_among_thousands_is_no_separation() -> None:
    table = Contingency(2999, 1, 10, 90_000)
    fit = fit_logistic(*rows(table))
    assert fit.odds_ratio(0).value == pytest.approx(table.odds_ratio().value, rel=1e-6)


def test_a_sum_of_other_columns_is_collinear() -> None:
    x, y = world()
    assert fit_logistic(np.column_stack([x, x.sum(axis=1)]), y).undefined is Undefined.COLLINEAR


def test_units_of_a_column_do_not_matter() -> None:
    x, y = world()
    plain, scaled = fit_logistic(x, y), fit_logistic(x * [1, 1e6] + [0, 3e6], y)
    assert plain.odds_ratio(0).value == pytest.approx(scaled.odds_ratio(0).value, rel=1e-7)
    assert plain.odds_ratio(1).high == pytest.approx(scaled.odds_ratio(1, per=1e6).high, rel=1e-7)
    assert plain.p_value(1) == pytest.approx(scaled.p_value(1), rel=1e-5)


def test_row_order_does_not_matter_and_doubled_rows_shrink_nothing_by_cluster() -> None:
    x, y = world(800)
    order = np.random.default_rng(2).permutation(800)
    one, two = fit_logistic(x, y), fit_logistic(x[order], y[order])
    assert one.odds_ratio(0).low == pytest.approx(two.odds_ratio(0).low, rel=1e-9)
    doubled = fit_logistic(np.repeat(x, 2, axis=0), np.repeat(y, 2), clusters=np.repeat(np.arange(800), 2))
    assert doubled.odds_ratio(0).low == pytest.approx(one.odds_ratio(0).low, rel=1e-9)
    naive = fit_logistic(np.repeat(x, 2, axis=0), np.repeat(y, 2))
    assert (naive.odds_ratio(0).low or 0) > (one.odds_ratio(0).low or 0)


def test_no_columns_leave_the_base_rate() -> None:
    fit = fit_logistic(np.empty((100, 0)), np.repeat([1.0, 0.0], [20, 80]))
    assert fit.intercept == pytest.approx(np.log(0.25))


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match="rows x columns"):
        fit_logistic([1.0, 2.0], [1.0, 0.0])


def test_the_interval_covers_the_planted_odds_ratio() -> None:
    hits = 0
    for seed in range(200):
        found = fit_logistic(*world(600, seed)).odds_ratio(0)
        hits += (found.low or np.inf) <= np.e <= (found.high or 0)
    assert 0.91 <= hits / 200 <= 0.985


def test_ridge_orders_also_where_no_odds_ratio_exists() -> None:
    x, y = rows(Contingency(30, 0, 10, 60))
    still = np.column_stack([x, x, np.ones(len(y))])
    fit = ridge_logistic(still, y)
    assert fit is not None
    assert fit.coefficients[0] == pytest.approx(fit.coefficients[1])
    assert fit.coefficients[2] == 0
    assert fit.coefficients[0] > 0
    assert ridge_logistic(x, np.zeros(len(y))) is None
    assert ridge_logistic(x, np.ones(len(y))) is None


def test_a_stronger_penalty_draws_nearer_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = world()
    sizes = []
    for strength in (1e-4, 1e-2, 1.0, 100.0):
        monkeypatch.setattr(adjusted, "STRENGTH", strength)
        fit = ridge_logistic(x, y)
        assert fit is not None
        sizes.append(float(np.abs(fit.coefficients).sum()))
    assert sizes == sorted(sizes)
    free, scale = fit_logistic(x, y), x.std(axis=0)
    assert sizes[-1] == pytest.approx(float(np.abs(np.array(free.coefficients) * scale).sum()), rel=1e-3)


def test_a_column_with_one_outcome_is_left_out_with_its_rows_and_the_others_have_their_figures() -> None:
    x, y = rows(Contingency(20, 20, 10, 50))
    empty, full = np.tile([[1.0], [0.0]], (5, 1)), np.array([[1.0], [1.0], [0.0]])
    design = np.column_stack([np.concatenate([x, empty, full]), np.r_[np.zeros(100), np.ones(10), np.zeros(3)]])
    design = np.column_stack([design, np.r_[np.zeros(110), np.ones(3)]])
    fit, alone = fit_logistic(design, np.concatenate([y, np.zeros(10), np.ones(3)])), fit_logistic(x, y)
    assert fit.odds_ratio(0) == alone.odds_ratio(0)
    assert fit.coefficients is not None
    assert list(fit.coefficients[1:]) == [-np.inf, np.inf]
    assert fit.odds_ratio(1).undefined is fit.odds_ratio(2).undefined is Undefined.SEPARATION
    assert (fit.p_value(0), fit.p_value(1)) == (alone.p_value(0), None)
    assert fit.used is not None
    assert fit.used.sum() == 100


def test_leaving_out_goes_on_until_nothing_is_left_to_leave_out() -> None:
    """Without the converters of the first group, nobody of the second converted."""
    x, y = rows(Contingency(20, 20, 10, 50))
    first, second = np.r_[np.zeros(100), np.ones(5), np.zeros(5)], np.r_[np.zeros(100), np.ones(10)]
    design = np.column_stack([np.concatenate([x, np.tile([[1.0], [0.0]], (5, 1))]), first, second])
    fit = fit_logistic(design, np.concatenate([y, np.ones(5), np.zeros(5)]))
    assert fit.odds_ratio(0) == fit_logistic(x, y).odds_ratio(0)
