"""The Newton solver: every logistic model is brought to its largest likelihood here.

Sums come from the linear algebra library, whose last digits depend on the processor. So nothing is decided by a digit that
depends on it: systems are solved in coordinates in which they are well-conditioned, and one that cannot be is a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from pqlkit.statistics.arrays import Floats, floats
from pqlkit.statistics.estimate import Undefined

__all__ = ["Climb", "chances", "climb", "log_likelihood", "whitening"]

_STEPS: Final = 60
"""Newton steps before giving up; a fit that exists settles in about 8, and one that does not runs off in about 25."""
_SETTLED: Final = 1e-9
"""Largest change of a coefficient, in the units of its column, in the last step."""
_FLAT: Final = 1e-11
"""The likelihood's curvature in some direction, against that at the start, below which it rises without end that way:
each Newton step of a separated fit flattens it by about e."""
_BLOCK: Final = 1 << 14
"""Rows that are worked on at once."""
_FULL_RANK: Final = 1e-9
"""Smallest eigenvalue of a matrix, scaled to a diagonal of ones, that is told from rounding."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Climb:
    """Where the climb has ended.

    Parameters
    ----------
    coefficients
        Of the columns; None when the likelihood has no highest place, or none was found.
    inverse
        Inverse of the curvature there: the model's covariance.
    undefined
        Why there is no such place; None when there is one.
    """

    coefficients: Floats | None = None
    inverse: Floats | None = None
    undefined: Undefined | None = None


def whitening(matrix: Floats) -> Floats | None:
    """Find `t` with ``t.T @ matrix @ t`` the identity and ``t @ t.T`` the inverse.

    Parameters
    ----------
    matrix
        Symmetric, without a negative eigenvalue, like a covariance.

    Returns
    -------
    Floats or None
        None for a matrix that is singular but for rounding, in whatever units its rows are.

    Examples
    --------
    >>> whitening(np.array([[4.0, 0.0], [0.0, 9.0]])).round(4)
    array([[0.5   , 0.    ],
           [0.    , 0.3333]])
    >>> whitening(np.array([[1.0, 1.0], [1.0, 1.0]])) is None
    True
    """
    size = np.sqrt(np.diag(matrix))
    if not np.isfinite(matrix).all() or not (size > 0).all():
        return None
    values, vectors = np.linalg.eigh(matrix / np.outer(size, size))
    if values[0] < _FULL_RANK:
        return None
    return floats(vectors / np.sqrt(values) / size[:, None])


def climb(design: Floats, share: Floats, weight: Floats, penalty: Floats) -> Climb:
    """Find the coefficients that make the penalised likelihood highest.

    Parameters
    ----------
    design
        Kinds of rows x columns, the first column the intercept's ones, the others of a size near 1.
    share
        Of the rows of each kind, how many converted: 0 or 1 where kinds know the outcome.
    weight
        Rows of each kind, at least 0; their converters are neither none nor all.
    penalty
        A column: half of it, times the square of its coefficient, is taken off the log-likelihood.

    Returns
    -------
    Climb
        Undefined when a column is a sum of others (``collinear``), the columns split the outcomes without error
        (``separation``), or the steps do not settle.

    References
    ----------
    McCullagh, P. and Nelder, J. A. (1989). Generalized Linear Models, 2nd edition. Chapman and Hall, London.

    Examples
    --------
    Of 10 without the behaviour 2 convert, of 20 with it 10:

    >>> design, shares, rows = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([0.2, 0.5]), np.array([10.0, 20.0])
    >>> climb(design, shares, rows, np.zeros(2)).coefficients.round(4)
    array([-1.3863,  1.3863])
    """
    beta = np.zeros(design.shape[1])
    beta[0] = np.log((weight @ share) / (weight @ (1 - share)))
    log_odds = design @ beta
    here: float | None = None
    white: Floats | None = None
    for _ in range(_STEPS):
        chance = chances(log_odds)
        curvature = _curvature(design, weight * chance * (1 - chance), penalty)
        # In coordinates in which the start curves alike in all directions, flatness is seen before rounding can hide it.
        white = whitening(curvature) if white is None else white
        if white is None:
            return Climb(undefined=Undefined.COLLINEAR)
        values, vectors = np.linalg.eigh(white.T @ curvature @ white)
        if values[0] < _FLAT:
            return Climb(undefined=Undefined.SEPARATION)
        root = white @ (vectors / np.sqrt(values))
        step = root @ (root.T @ (design.T @ (weight * (share - chance)) - penalty * beta))
        move = design @ step
        part, here = _part((beta, step), (log_odds, move), share, weight, penalty, here)
        beta, log_odds = beta + part * step, log_odds + part * move
        if np.abs(step).max() <= _SETTLED:
            return Climb(coefficients=beta, inverse=floats(root @ root.T))
    return Climb(undefined=Undefined.NOT_CONVERGED)


def chances(log_odds: Floats) -> Floats:
    """Turn log-odds into chances.

    Examples
    --------
    >>> chances(np.array([0.0]))
    array([0.5])
    """
    from scipy.special import expit

    return floats(expit(log_odds))


def log_likelihood(log_odds: Floats, share: Floats, weight: Floats) -> float:
    """Add up the log-likelihood of kinds of rows, of which a share converted.

    Examples
    --------
    >>> round(log_likelihood(np.array([0.0]), np.array([0.5]), np.array([2.0])), 4)
    -1.3863
    """
    return float(weight @ (share * log_odds - np.logaddexp(0.0, log_odds)))


def _curvature(design: Floats, weight: Floats, penalty: Floats) -> Floats:
    """Compute minus the second derivative of the penalised likelihood, block by block, to spare a copy of `design`."""
    root = np.sqrt(weight)
    total = np.zeros((design.shape[1], design.shape[1]))
    for start in range(0, len(design), _BLOCK):
        rows = slice(start, start + _BLOCK)
        part = design[rows] * root[rows, None]
        total += part.T @ part
    return floats(total + np.diag(penalty))


def _part(
    beta: tuple[Floats, Floats],
    log_odds: tuple[Floats, Floats],
    share: Floats,
    weight: Floats,
    penalty: Floats,
    here: float | None = None,
) -> tuple[float, float]:
    """Halve a Newton step until it does not lead downwards: the part of it to take, and the height there.

    `here` is the height of the place itself, where the step before has left it.
    """

    def height(part: float) -> float:
        trial = beta[0] + part * beta[1]
        return log_likelihood(log_odds[0] + part * log_odds[1], share, weight) - float(penalty @ trial**2) / 2

    start = height(0.0) if here is None else here
    floor = start - 1e-10 * abs(start)
    for part in 0.5 ** np.arange(30):
        reached = height(float(part))
        if reached >= floor:
            return float(part), reached
    return 0.0, start
