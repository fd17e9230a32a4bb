"""The standardisation: from a logistic model back to a relative risk, among those who did it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pqlkit.statistics.arrays import Z95, Floats, Numbers, exp, floats
from pqlkit.statistics.estimate import Estimate, Undefined
from pqlkit.statistics.newton import chances

if TYPE_CHECKING:
    from pqlkit.statistics.adjusted import LogisticFit
    from pqlkit.statistics.firth import FirthFit

__all__ = ["firth_risk_ratio", "risk_ratio"]


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
    if fit.coefficients is None or fit.joint_covariance is None or fit.used is None or fit.intercept is None:
        return asked
    if asked.value is None:
        return asked
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
    places = np.r_[True, finite]
    error = float(np.sqrt(gradient @ fit.joint_covariance[np.ix_(places, places)] @ gradient))
    middle = float(np.log(w @ with_) - np.log(w @ without))
    value, low, high = exp([middle, middle - Z95 * error, middle + Z95 * error])
    return Estimate.of(value, low, high)


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
