"""The penalised logistic regression of Firth: an odds ratio where a cell is empty, and the unpenalised one would be infinite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.statistics.adjusted import alike
from pqlkit.statistics.arrays import Z95, Floats, Numbers, exp, floats
from pqlkit.statistics.estimate import Estimate
from pqlkit.statistics.newton import chances, log_likelihood

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FirthFit", "Place", "fit_firth"]

_STEPS: Final = 200
_SETTLED: Final = 1e-7
_LONGEST: Final = 2.0
"""Largest change of a log odds ratio in one step."""
_FINE: Final = 1e-4
"""To so much of a log odds ratio the ends of the interval are found."""
_FIRST: Final = 1.0
"""Where an end is sought first, on the log scale."""
_FARTHEST: Final = 32.0
"""An end farther off than so much on the log scale is none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """The coefficients at one value of the first: the intercept corrected, so that as many are expected to convert as did."""

    intercept: float
    coefficients: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FirthFit:
    """The highest place, and the two at which the first coefficient is at the ends of its interval; None = no such end."""

    best: Place
    low: Place | None
    high: Place | None

    def odds_ratio(self) -> Estimate:
        """Give the odds ratio of the first column with its profile-likelihood interval.

        References
        ----------
        Heinze, G. and Schemper, M. (2002). A solution to the problem of separation in logistic regression. Statistics in
        Medicine 21, 2409-2419.

        Examples
        --------
        >>> found = fit_firth([[1.0]] * 10 + [[0.0]] * 90, [1] * 5 + [0] * 95).odds_ratio()
        >>> round(found.value, 3), round(5.5 * 90.5 / (5.5 * 0.5), 3)
        (181.0, 181.0)
        """
        ends = [None if place is None else float(exp(place.coefficients[0])) for place in (self.low, self.high)]
        return Estimate(value=float(exp(self.best.coefficients[0])), low=ends[0], high=ends[1])


def fit_firth(design: Numbers, outcome: Numbers, *, design_effect: float = 1.0) -> FirthFit | None:
    """Fit a logistic regression whose likelihood is penalised by Jeffreys' prior, with the intercept corrected.

    Parameters
    ----------
    design
        Rows x columns, without the intercept, which is added; the interval is of the first column.
    outcome
        Converted (1) or not (0), one a row, of both kinds.
    design_effect
        Rows per independent row: the interval is as wide as that of so many fewer.

    Returns
    -------
    FirthFit or None
        None where columns are sums of others, or the fit does not settle.

    Notes
    -----
    Intervals are those of the profile of the penalised likelihood: Wald's mislead where a cell is empty. The corrected
    intercept changes no odds ratio, only the chances.

    References
    ----------
    Firth, D. (1993). Bias reduction of maximum likelihood estimates. Biometrika 80, 27-38.

    Heinze, G. and Schemper, M. (2002). A solution to the problem of separation in logistic regression. Statistics in
    Medicine 21, 2409-2419.

    Puhr, R., Heinze, G., Nold, M., Lusa, L. and Geroldinger, A. (2017). Firth's logistic regression with rare events:
    accurate effect estimates and predictions? Statistics in Medicine 36, 2302-2317.

    Examples
    --------
    In a 2x2 table it is as if half a row were added to each cell:

    >>> round(fit_firth([[1.0], [1.0], [0.0], [0.0]], [1, 1, 0, 0]).odds_ratio().value, 3)
    25.0
    """
    x, y = floats(design), floats(outcome)
    first, place = alike(x, y)
    scale = np.where(np.ptp(x, axis=0) > 0, x.std(axis=0), 1.0)
    scale[0] = 1.0
    z = np.column_stack([np.ones(len(first)), x[first] / scale])
    share, weight = y[first], floats(np.bincount(place))
    best = _highest(z, share, weight, np.zeros(z.shape[1]), free=np.ones(z.shape[1], dtype=np.bool_))
    if best is None:
        return None
    free = np.arange(z.shape[1]) != 1
    floor = _height(z, share, weight, best) - Z95**2 * design_effect / 2
    ends = [_end(z, share, weight, best, free=free, floor=floor, way=way) for way in (-1.0, 1.0)]

    def corrected(beta: Floats | None) -> Place | None:
        if beta is None:
            return None
        return Place(intercept=_level(z[:, 1:] @ beta[1:], share, weight), coefficients=floats(beta[1:] / scale))

    top = corrected(best)
    return None if top is None else FirthFit(best=top, low=corrected(ends[0]), high=corrected(ends[1]))


def _information(z: Floats, weight: Floats, chance: Floats) -> Floats:
    return floats((z * (weight * chance * (1 - chance))[:, None]).T @ z)


def _height(z: Floats, share: Floats, weight: Floats, beta: Floats) -> float:
    log_odds = floats(z @ beta)
    sign, log_size = np.linalg.slogdet(_information(z, weight, chances(log_odds)))
    return log_likelihood(log_odds, share, weight) + float(log_size) / 2 if sign > 0 else -np.inf


def _highest(z: Floats, share: Floats, weight: Floats, start: Floats, *, free: NDArray[np.bool_]) -> Floats | None:
    """Climb by the modified score of the free coefficients, the others held."""
    beta = start.copy()
    height = _height(z, share, weight, beta)
    for _ in range(_STEPS):
        chance = chances(floats(z @ beta))
        information = _information(z, weight, chance)
        if not np.isfinite(information).all() or np.linalg.matrix_rank(information, hermitian=True) < len(beta):
            return None
        spread = weight * chance * (1 - chance)
        leverage = spread * ((z @ np.linalg.inv(information)) * z).sum(axis=1)
        score = (z.T @ (weight * (share - chance) + leverage * (0.5 - chance)))[free]
        step = np.zeros_like(beta)
        step[free] = np.linalg.solve(information[np.ix_(free, free)], score)
        step *= min(1.0, _LONGEST / max(np.abs(step).max(), 1e-300))
        for part in 0.5 ** np.arange(30):
            reached = _height(z, share, weight, beta + part * step)
            if reached >= height - 1e-10 * abs(height):
                beta, height = beta + part * step, reached
                break
        if np.abs(step).max() <= _SETTLED:
            return floats(beta)
    return None


def _end(
    z: Floats, share: Floats, weight: Floats, best: Floats, *, free: NDArray[np.bool_], floor: float, way: float
) -> Floats | None:
    """Find where the profile falls to the floor, the first coefficient going one way; None = nowhere."""
    reached = {0.0: best}

    def above(distance: float) -> float:
        if distance == 0:
            return _height(z, share, weight, best) - floor
        near = reached[max(key for key in reached if key <= distance)].copy()
        near[1] = best[1] + way * distance
        fitted = _highest(z, share, weight, near, free=free)
        if fitted is None:
            return -floor
        reached[distance] = fitted
        return _height(z, share, weight, fitted) - floor

    from scipy.optimize import brentq

    edge = _FIRST
    while above(edge) > 0:
        edge *= 2
        if edge > _FARTHEST:
            return None
    crossing = brentq(above, 0.0 if edge == _FIRST else edge / 2, edge, xtol=_FINE)
    return reached[min(reached, key=lambda distance: abs(distance - crossing))]


def _level(log_odds: Floats, share: Floats, weight: Floats) -> float:
    """Find the intercept at which as many are expected to convert as did."""
    from scipy.optimize import brentq

    seen = float(weight @ share)

    def excess(level: float) -> float:
        return float(weight @ chances(log_odds + level)) - seen

    edge = 1.0
    while excess(-edge) > 0 or excess(edge) < 0:
        edge *= 2
    return float(brentq(excess, -edge, edge, xtol=1e-12))
