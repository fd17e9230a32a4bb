"""The adjusted association: logistic regression, its odds ratios and their robust errors.

`fit_logistic` gives odds ratios that may be printed; `ridge_logistic` only puts many behaviours in an order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pqlkit.statistics.arrays import Z95, Flags, Floats, Indices, Numbers, floats, number
from pqlkit.statistics.estimate import Estimate, Undefined
from pqlkit.statistics.newton import chances, climb, log_likelihood

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LogisticFit", "RidgeFit", "alike", "contrasts", "fit_logistic", "ridge_logistic"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LogisticFit:
    """An unpenalised logistic regression.

    Parameters
    ----------
    intercept
        Log-odds where all columns are 0; None when the fit does not exist.
    coefficients
        Log odds ratios per unit, one a column; None when the fit does not exist. Infinite for a 0/1 column all of whose ones
        (or zeros) have the same outcome, NaN for one that does not vary in what is left without those rows.
    covariance
        Their robust (sandwich) covariance, without the intercept's; NaN where there is no finite coefficient.
    joint_covariance
        The robust covariance of the intercept and the coefficients, in this order.
    model_covariance
        The covariance that holds only if rows are independent and the model is right: for comparison.
    log_likelihood
        At the solution.
    used
        The rows that the finite coefficients rest on: without those that infinite ones explain.
    undefined
        Why there is no fit; None when there is one.
    """

    intercept: float | None = None
    coefficients: Floats | None = None
    covariance: Floats | None = None
    joint_covariance: Floats | None = None
    model_covariance: Floats | None = None
    log_likelihood: float | None = None
    used: Flags | None = None
    undefined: Undefined | None = None

    def odds_ratio(self, column: int, *, per: float = 1.0) -> Estimate:
        """Give the adjusted odds ratio of one column, with Wald's 95 % interval from robust errors.

        Parameters
        ----------
        column
            Number of the column in the design, from 0.
        per
            Units of the column that the ratio is for, such as its standard deviation.

        Returns
        -------
        Estimate
            "Adjusted association", never "effect". Undefined with the reason of the fit.

        References
        ----------
        Hosmer, D. W. and Lemeshow, S. (2000). Applied Logistic Regression, 2nd edition. Wiley, New York.

        Examples
        --------
        >>> x, y = np.repeat([[1.0], [0.0]], [100, 900], axis=0), np.r_[np.ones(30), np.zeros(70), np.ones(70), np.zeros(830)]
        >>> round(fit_logistic(x, y).odds_ratio(0).value, 4)
        5.0816
        """
        if self.coefficients is None or self.covariance is None:
            return Estimate.none(self.undefined or Undefined.NOT_CONVERGED)
        if not np.isfinite(self.coefficients[column]):
            infinite = np.isinf(self.coefficients[column])
            return Estimate.none(Undefined.SEPARATION if infinite else Undefined.COLLINEAR)
        middle = self.coefficients[column] * per
        half = Z95 * np.sqrt(self.covariance[column, column]) * abs(per)
        return Estimate.of(np.exp(middle), np.exp(middle - half), np.exp(middle + half))

    def p_value(self, column: int) -> float | None:
        """Test by Wald's z with robust errors whether a column matters given the others.

        References
        ----------
        Wald, A. (1943). Tests of statistical hypotheses concerning several parameters when the number of observations is
        large. Transactions of the American Mathematical Society 54, 426-482.

        Examples
        --------
        >>> x, y = np.repeat([[1.0], [0.0]], 500, axis=0), np.tile([1.0, 0.0], 500)
        >>> round(fit_logistic(x, y).p_value(0), 4)
        1.0
        """
        from scipy.special import ndtr

        if self.coefficients is None or self.covariance is None or not np.isfinite(self.coefficients[column]):
            return None
        z = abs(self.coefficients[column]) / np.sqrt(self.covariance[column, column])
        return number(2 * ndtr(-z))


def fit_logistic(design: Numbers, outcome: Numbers, *, clusters: NDArray[Any] | None = None) -> LogisticFit:
    """Fit an unpenalised logistic regression, with errors that stand when rows depend on each other.

    Parameters
    ----------
    design
        Rows x columns, without the intercept, which is added.
    outcome
        Converted (1) or not (0), one a row.
    clusters
        Label of the entity or account of each row: errors then allow for any likeness within them. Without it every row
        stands for itself.

    Returns
    -------
    LogisticFit
        Without coefficients, and with the reason, when one class is empty, a column is a sum of others (``collinear``), the
        columns split the classes without error (``separation``), or the fit does not settle.

    Notes
    -----
    A 0/1 column such as a quarter in which nobody converted has no finite coefficient, but the others have: the likelihood
    rises to that of the other rows alone. So such rows are left out, again and again until none is left.

    Iteratively reweighted least squares on standardised columns. Errors are the sandwich of White, with the usual factors
    n / (n - 1) over rows, or G / (G - 1) over clusters.

    References
    ----------
    McCullagh, P. and Nelder, J. A. (1989). Generalized Linear Models, 2nd edition. Chapman and Hall, London.

    White, H. (1982). Maximum likelihood estimation of misspecified models. Econometrica 50, 1-25.

    Liang, K.-Y. and Zeger, S. L. (1986). Longitudinal data analysis using generalized linear models. Biometrika 73, 13-22.

    Albert, A. and Anderson, J. A. (1984). On the existence of maximum likelihood estimates in logistic regression models.
    Biometrika 71, 1-10.

    Examples
    --------
    A behaviour that every converter shows has no finite odds ratio:

    >>> fit_logistic([[1.0], [1.0], [0.0], [1.0]], [1, 1, 0, 0]).undefined.value
    'separation'
    """
    x, y = _columns(design, outcome)
    used, limits = contrasts(x, y) if 0 < y.sum() < len(y) else (np.ones(len(y), dtype=np.bool_), np.zeros(x.shape[1]))
    if not used.all():
        finite = limits == 0
        labels = None if clusters is None else clusters[used]
        inner = _fit(x[np.ix_(used, finite)], y[used], labels) if finite.any() else None
        return _spread_out(inner, used, limits)
    return replace(_fit(x, y, clusters), used=used)


def contrasts(x: Floats, y: Floats, *, asked: int | None = None) -> tuple[Flags, Floats]:
    """Find the rows that say something of the finite coefficients, and the columns that have none.

    Parameters
    ----------
    x, y
        Rows x columns, and the outcome (0 or 1) of each row.
    asked
        A column that stays whatever its outcomes.

    Returns
    -------
    tuple
        The rows to fit on, and for each column 0 where it has a finite coefficient, plus or minus infinity where all its ones (or
        zeros) have one outcome, NaN where it no longer varies.

    References
    ----------
    Albert, A. and Anderson, J. A. (1984). On the existence of maximum likelihood estimates in logistic regression models.
    Biometrika 71, 1-10.

    Examples
    --------
    >>> used, limits = contrasts(np.array([[0.0], [0.0], [1.0]]), np.array([0.0, 1.0, 0.0]))
    >>> used, limits
    (array([ True,  True, False]), array([-inf]))
    """
    used, limits = np.ones(len(y), dtype=np.bool_), np.zeros(x.shape[1])
    binary = ((x == 0) | (x == 1)).all(axis=0)
    if asked is not None:
        binary[asked] = False  # what is asked about is never explained away
    while True:
        n, ones, converted = int(used.sum()), x[used].sum(axis=0), y[used].sum()
        both = x[used].T @ y[used]
        open_ = binary & (limits == 0) & (ones > 0) & (ones < n)
        of_ones = open_ & ((both == 0) | (both == ones))
        of_zeros = open_ & ((both == converted) | (converted - both == n - ones))
        pure = np.flatnonzero(of_ones | of_zeros)
        if not len(pure):
            break
        column = pure[0]
        rises = both[column] == (ones[column] if of_ones[column] else converted)
        limits[column] = np.inf if rises else -np.inf
        used &= x[:, column] == (0 if of_ones[column] else 1)
    if not used.all():
        still = np.ptp(x[used], axis=0) == 0
        limits = np.where(still & (limits == 0), np.nan, limits)
    return used, limits


def _spread_out(inner: LogisticFit | None, used: Flags, limits: Floats) -> LogisticFit:
    """Put the finite coefficients in their places among those that are not."""
    if inner is None or inner.coefficients is None:
        one_sided = inner is None or inner.undefined in {Undefined.NO_CONVERTERS, Undefined.ALL_CONVERTED}
        return LogisticFit(undefined=Undefined.SEPARATION if one_sided or inner is None else inner.undefined)
    finite = limits == 0
    places = np.flatnonzero(finite)

    def square(matrix: Floats | None, at: Indices, size: int) -> Floats | None:
        if matrix is None:
            return None
        whole = np.full((size, size), np.nan)
        whole[np.ix_(at, at)] = matrix
        return whole

    coefficients = limits.copy()
    coefficients[places] = inner.coefficients
    return replace(
        inner,
        coefficients=coefficients,
        covariance=square(inner.covariance, places, len(limits)),
        joint_covariance=square(inner.joint_covariance, np.r_[0, places + 1], len(limits) + 1),
        model_covariance=square(inner.model_covariance, places, len(limits)),
        used=used,
    )


def _fit(x: Floats, y: Floats, clusters: NDArray[Any] | None) -> LogisticFit:
    first, place = alike(x, y)
    kinds, outcomes, weight = x[first], y[first], floats(np.bincount(place))
    why = _impossible(kinds, outcomes, rows=len(y))
    if why:
        return LogisticFit(undefined=why)
    centre, scale = kinds.mean(axis=0), kinds.std(axis=0)
    z = np.column_stack([np.ones(len(first)), (kinds - centre) / scale])
    top = climb(z, outcomes, weight, np.zeros(z.shape[1]))
    beta, bread = top.coefficients, top.inverse
    if beta is None or bread is None:
        return LogisticFit(undefined=top.undefined)
    robust = bread @ _meat(z * (outcomes - chances(z @ beta))[:, None], place, clusters) @ bread
    unscale = np.outer(scale, scale)
    slopes = beta[1:] / scale
    # From standardised columns back: the intercept at 0 is the one at the means less what the means add.
    back = np.diag(1 / np.r_[1.0, scale])
    back[0, 1:] = -centre / scale
    return LogisticFit(
        intercept=float(beta[0] - slopes @ centre),
        coefficients=slopes,
        covariance=floats(robust[1:, 1:] / unscale),
        joint_covariance=floats(back @ robust @ back.T),
        model_covariance=floats(bread[1:, 1:] / unscale),
        log_likelihood=log_likelihood(z @ beta, outcomes, weight),
    )


def alike(x: Floats, y: Floats) -> tuple[Indices, Indices]:
    """Find the kinds of rows, which are far fewer than rows where columns are counts: a row of each, and the kind of each row."""
    digits = np.column_stack([y, x]).view(np.uint64)
    # Sums modulo 2^64 of odd multiples: rows that differ may share one, hence the check.
    odd = np.random.default_rng(0).integers(0, 2**63, digits.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    _, first, place = np.unique((digits * odd).sum(axis=1), return_index=True, return_inverse=True)
    place = place.ravel()
    if not np.array_equal(digits[first[place]], digits):
        first = place = np.arange(len(y))
    return first, place


def _columns(design: Numbers, outcome: Numbers) -> tuple[Floats, Floats]:
    x, y = floats(design), floats(outcome)
    if x.ndim != 2 or y.shape != (x.shape[0],):
        message = f"the design must be rows x columns with one outcome a row, not {x.shape} and {y.shape}"
        raise ValueError(message)
    return x, y


def _impossible(x: Floats, y: Floats, *, rows: int) -> Undefined | None:
    """Find a reason, visible before fitting, why no fit exists."""
    if not y.any():
        return Undefined.NO_CONVERTERS
    if y.all():
        return Undefined.ALL_CONVERTED
    if rows <= x.shape[1] + 1:
        return Undefined.TOO_FEW
    return Undefined.COLLINEAR if (x.std(axis=0) <= 1e-12 * np.abs(x).max(axis=0)).any() else None


def _meat(scores: Floats, place: Indices, clusters: NDArray[Any] | None) -> Floats:
    """Add up the outer products of the scores, of rows or of clusters; `scores` are those of kinds, `place` the rows' kinds."""
    if clusters is None:
        count = len(place)
        total = scores.T @ (scores * np.bincount(place)[:, None])
    else:
        _, labels = np.unique(clusters, return_inverse=True)
        order = np.argsort(labels, kind="stable")
        starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
        sums = np.add.reduceat(scores[place][order], starts, axis=0)
        count, total = len(sums), sums.T @ sums
    return floats(total * (count / max(1, count - 1)))


STRENGTH: Final = 0.1
"""Weight of the data against the ridge's penalty (scikit-learn's C): sum of squares / 2 + C x loss is made smallest."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RidgeFit:
    """A logistic regression whose coefficients are drawn towards 0: for an order, not for print.

    Parameters
    ----------
    intercept
        Log-odds at the mean of all columns.
    coefficients
        Log odds ratios per standard deviation, one a column; 0 for a column that never varies.
    centre, scale
        Means and standard deviations that the columns were standardised with.
    """

    intercept: float
    coefficients: Floats
    centre: Floats
    scale: Floats

    def log_odds(self, design: Numbers) -> Floats:
        """Score rows.

        Examples
        --------
        >>> fit = ridge_logistic([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
        >>> bool(np.all(np.diff(fit.log_odds([[0.0], [1.0]])) > 0))
        True
        """
        safe = np.where(self.scale > 0, self.scale, 1.0)
        return floats(self.intercept + ((floats(design) - self.centre) / safe) @ self.coefficients)


def ridge_logistic(design: Numbers, outcome: Numbers) -> RidgeFit | None:
    """Fit a ridge logistic regression on standardised columns.

    Parameters
    ----------
    design
        Rows x columns, without the intercept, which is added and not penalised.
    outcome
        Converted (1) or not (0), one a row.

    Returns
    -------
    RidgeFit or None
        None when one class is empty. Otherwise a fit always exists, also with separated or collinear columns.

    References
    ----------
    le Cessie, S. and van Houwelingen, J. C. (1992). Ridge estimators in logistic regression. Journal of the Royal
    Statistical Society, Series C (Applied Statistics) 41, 191-201.

    Examples
    --------
    >>> ridge_logistic([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]).coefficients.round(3)
    array([0.163])
    """
    x, y = _columns(design, outcome)
    if not y.any() or y.all():
        return None
    centre, scale = x.mean(axis=0), x.std(axis=0)
    still = scale <= 1e-12 * np.maximum(np.abs(x).max(axis=0), 1e-300)
    z = np.column_stack([np.ones(len(y)), (x - centre) / np.where(still, 1.0, scale) * ~still])
    penalty = np.full(z.shape[1], 1 / STRENGTH)
    penalty[0] = 0.0
    beta = climb(z, y, np.ones_like(y), penalty).coefficients
    if beta is None:
        return None
    return RidgeFit(
        intercept=float(beta[0]),
        coefficients=np.where(still, 0.0, beta[1:]),
        centre=centre,
        scale=np.where(still, 0.0, scale),
    )
