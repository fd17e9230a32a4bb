"""The standardisation: from a logistic model back to a relative risk, among those who did it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pqlkit.statistics.arrays import Z95, Flags, Floats, Numbers, exp, floats
from pqlkit.statistics.estimate import Estimate, Undefined
from pqlkit.statistics.newton import chances

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pqlkit.statistics.adjusted import LogisticFit
    from pqlkit.statistics.firth import FirthFit

__all__ = ["firth_risk_ratio", "log_ratio_change", "risk_ratio"]


def risk_ratio(fit: LogisticFit, design: Numbers, *, weights: Numbers, shift: float = 0.0) -> Estimate:
    """Compare how many of those who did it are expected to convert with how many would be if they were like the others.

    Parameters
    ----------
    fit
        Of `design`; its first column says who did it (1) and who did not (0).
    design
        Rows x columns, as fitted.
    weights
        How many rows of the population each row stands for (one over its sampling fraction).
    shift
        Added to the intercept: the logarithm of the sampling fraction of those who did not convert over that of those who did.

    Returns
    -------
    Estimate
        The sum of the chances of those who did it over that of the same rows' chances had they not, with a 95 % interval by
        the delta method on the log scale from the fit's robust errors. Undefined with the reason of the fit.

    References
    ----------
    Sato, T. and Matsuyama, Y. (2003). Marginal structural models as a tool for standardization. Epidemiology 14, 680-686.

    Muller, C. J. and MacLehose, R. F. (2014). Estimating predicted probabilities from logistic regression: different methods
    correspond to different target populations. International Journal of Epidemiology 43, 962-970.

    Examples
    --------
    With nothing else in the model it is the plain relative risk, 30 of 100 against 70 of 900:

    >>> from pqlkit.statistics.adjusted import fit_logistic
    >>> x, y = np.repeat([[1.0], [0.0]], [100, 900], axis=0), np.r_[np.ones(30), np.zeros(70), np.ones(70), np.zeros(830)]
    >>> found = risk_ratio(fit_logistic(x, y), x, weights=np.ones(1000))
    >>> round(found.value, 3), round(found.low, 2), round(found.high, 2)
    (3.857, 2.65, 5.61)
    """
    asked = fit.odds_ratio(0)
    standard = _standardised(fit, design, weights, shift)
    if standard is None or fit.joint_covariance is None:
        return asked
    middle, gradient, places = standard
    error = float(np.sqrt(gradient @ fit.joint_covariance[np.ix_(places, places)] @ gradient))
    value, low, high = exp([middle, middle - Z95 * error, middle + Z95 * error])
    return Estimate.of(value, low, high)


def _standardised(
    fit: LogisticFit, design: Numbers, weights: Numbers, shift: float
) -> tuple[float, Floats, Flags] | None:
    """Give the logarithm of the ratio, its gradient, and the intercept and coefficients that this is of (bool); None without a fit."""
    if fit.coefficients is None or fit.used is None or fit.intercept is None or not np.isfinite(fit.coefficients[0]):
        return None
    finite = np.isfinite(fit.coefficients)
    x, w = floats(design), floats(weights)
    did = fit.used & (x[:, 0] == 1)
    rows, w, slopes = x[np.ix_(did, finite)], w[did], fit.coefficients[finite]
    with_ = chances(fit.intercept + shift + rows @ slopes)
    without = chances(fit.intercept + shift + rows @ slopes - slopes[0])
    doing = np.column_stack([np.ones(len(rows)), rows])
    being = doing.copy()
    being[:, 1] = 0.0
    gradient = (w * with_ * (1 - with_)) @ doing / (w @ with_) - (w * without * (1 - without)) @ being / (w @ without)
    return float(np.log(w @ with_) - np.log(w @ without)), floats(gradient), np.r_[True, finite]


def log_ratio_change(
    before: tuple[LogisticFit, Numbers],
    after: tuple[LogisticFit, Numbers],
    outcome: Numbers,
    *,
    weights: Numbers,
    shift: float = 0.0,
    clusters: NDArray[Any] | None = None,
) -> tuple[float, float] | None:
    """Tell by how much the standardised relative risk falls when columns are added to a model.

    Parameters
    ----------
    before, after
        Two fits of the same rows with their designs; the first column of both says who did it.
    outcome
        Converted (1) or not (0), one a row.
    weights, shift
        As for `risk_ratio`.
    clusters
        Label of the entity or account of each row; None = every row stands for itself.

    Returns
    -------
    tuple or None
        The logarithm of the ratio before less that after, and its standard error. None where one of them does not exist.

    Notes
    -----
    Both ratios come from the same rows, so that they rise and fall together: the estimating equations of both models are stacked,
    and the error is that of the difference of the influences of each cluster.

    References
    ----------
    Stefanski, L. A. and Boos, D. D. (2002). The calculus of M-estimation. The American Statistician 56, 29-38.

    Examples
    --------
    What is added explains all of it: within each kind as many convert with as without.

    >>> from pqlkit.statistics.adjusted import fit_logistic
    >>> did, kind = np.repeat([1.0, 1.0, 0.0, 0.0], [80, 20, 20, 80]), np.repeat([1.0, 0.0, 1.0, 0.0], [80, 20, 20, 80])
    >>> y = np.concatenate([np.arange(n) < n * share for n, share in [(80, 0.5), (20, 0.1), (20, 0.5), (80, 0.1)]])
    >>> plain, wide = did[:, None], np.column_stack([did, kind])
    >>> fell, error = log_ratio_change(
    ...     (fit_logistic(plain, y), plain), (fit_logistic(wide, y), wide), y, weights=np.ones(200)
    ... )
    >>> round(float(np.exp(fell)), 2), fell > 1.96 * error
    (2.33, True)
    """
    y, ratios, influences = floats(outcome), [], []
    for fit, design in (before, after):
        standard = _standardised(fit, design, weights, shift)
        if standard is None or fit.used is None or fit.coefficients is None or fit.intercept is None:
            return None
        ratio, gradient, places = standard
        x = np.column_stack([np.ones(len(y)), floats(design)])[np.ix_(fit.used, places)]
        chance = chances(x @ np.r_[fit.intercept, fit.coefficients][places])
        bread = np.linalg.pinv((x * (chance * (1 - chance))[:, None]).T @ x)
        own = np.zeros(len(y))
        own[fit.used] = (x * (y[fit.used] - chance)[:, None]) @ (bread @ gradient)
        ratios.append(ratio)
        influences.append(own)
    change = floats(influences[0] - influences[1])
    if clusters is not None:
        change = floats(np.bincount(np.unique(clusters, return_inverse=True)[1], weights=change))
    return ratios[0] - ratios[1], float(np.sqrt((change**2).sum()))


def firth_risk_ratio(fit: FirthFit, design: Numbers, *, weights: Numbers, shift: float = 0.0) -> Estimate:
    """Do as `risk_ratio` for a penalised fit: its interval is that of the odds ratio, each end standardised.

    References
    ----------
    Puhr, R., Heinze, G., Nold, M., Lusa, L. and Geroldinger, A. (2017). Firth's logistic regression with rare events:
    accurate effect estimates and predictions? Statistics in Medicine 36, 2302-2317.

    Examples
    --------
    >>> from pqlkit.statistics.firth import fit_firth
    >>> x, y = np.repeat([[1.0], [0.0]], [10, 90], axis=0), np.r_[np.ones(5), np.zeros(95)]
    >>> found = firth_risk_ratio(fit_firth(x, y), x, weights=np.ones(100))
    >>> found.low > 1 and found.value > found.low
    True
    """
    x, w = floats(design), floats(weights)
    did = x[:, 0] == 1
    if not did.any():
        return Estimate.none(Undefined.EMPTY_GROUP)
    rows, w = x[did], w[did]

    def at(intercept: float, slopes: Floats) -> float:
        log_odds = floats(intercept + shift + rows @ slopes)
        return float((w @ chances(log_odds)) / (w @ chances(log_odds - slopes[0])))

    ends = [None if place is None else at(place.intercept, place.coefficients) for place in (fit.low, fit.high)]
    return Estimate(value=at(fit.best.intercept, fit.best.coefficients), low=ends[0], high=ends[1])
