"""The exact distribution of a 2x2 table whose margins are fixed: for few converters, and for gates that must hold.

Cells: `a` did it and converted, `b` did it and did not convert, `c` did not do it and converted, `d` neither. Given the
margins, and that doing it and converting have nothing to do with each other, `a` is hypergeometric.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.statistics.arrays import Floats, Indices, Numbers, floats, together
from pqlkit.statistics.estimate import Estimate, Undefined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["fisher", "fisher_greater", "odds_ratio"]

_CELLS: Final = 2_000_000
_TIES: Final = 1 + 1e-7
"""Tables as probable as the one seen, but for rounding, count as equally extreme (as in R and SciPy)."""


def fisher(a: Numbers, b: Numbers, c: Numbers, d: Numbers) -> Floats:
    """Test by Fisher's exact test whether doing it and converting go together, on either side.

    Parameters
    ----------
    a, b, c, d
        Whole counts, elementwise.

    Returns
    -------
    Floats
        Two-sided p values: the probability of all tables with these margins that are no more probable than the one
        seen; NaN where a margin is 0.

    References
    ----------
    Fisher, R. A. (1935). The logic of inductive inference. Journal of the Royal Statistical Society 98, 39-82.

    Agresti, A. (1992). A survey of exact inference for contingency tables. Statistical Science 7, 131-153.

    Examples
    --------
    The lady tasting tea, three of four right on each side: 34/70.

    >>> round(float(fisher(3, 1, 1, 3)), 6)
    0.485714
    """

    def extreme(seen: Indices, chance: Floats) -> Floats:
        own = np.take_along_axis(chance, seen, axis=1)
        return floats(np.minimum(1.0, np.where(chance <= own * _TIES, chance, 0.0).sum(axis=1)))

    return _over_tables(extreme, a, b, c, d)


def fisher_greater(a: Numbers, b: Numbers, c: Numbers, d: Numbers, *, mid_p: bool = False) -> Floats:
    """Test exactly whether those who did it convert *more*: P(A >= a), or P(A > a) + P(A = a) / 2.

    Parameters
    ----------
    a, b, c, d
        Whole counts, elementwise.
    mid_p
        Count half of the probability of the table seen, which takes off most of the conservatism of Fisher's test while the
        true size stays close to the nominal one.

    Returns
    -------
    Floats
        One-sided p values; NaN where a margin is 0. Small: more converters among those who did it than chance gives.

    References
    ----------
    Fisher, R. A. (1935). The logic of inductive inference. Journal of the Royal Statistical Society 98, 39-82.

    Lancaster, H. O. (1961). Significance tests in discrete distributions. Journal of the American Statistical
    Association 56, 223-234.

    Examples
    --------
    All four guessed right: 1/70, or half of it.

    >>> round(float(fisher_greater(4, 0, 0, 4)), 6), round(float(fisher_greater(4, 0, 0, 4, mid_p=True)), 6)
    (0.014286, 0.007143)
    """
    own = 0.5 if mid_p else 1.0
    return _over_tables(lambda seen, chance: _above(seen, chance, own=own), a, b, c, d)


def _above(seen: Indices, chance: Floats, *, own: float) -> Floats:
    """Add up the chances of all that lies above what was seen, and of that itself the share `own`."""
    beyond = np.arange(chance.shape[1]) > seen
    here = np.take_along_axis(chance, seen, axis=1)[:, 0]
    return floats(np.where(beyond, chance, 0.0).sum(axis=1) + own * here)


def _over_tables(rule: Callable[[Indices, Floats], Floats], *cells: Numbers) -> Floats:
    """Apply a rule to (index of the cell seen, probabilities of all its values), block by block."""
    columns = together(*cells)
    shape = columns[0].shape
    a, b, c, d = (column.ravel() for column in columns)
    result = np.full(a.shape, np.nan)
    margins = np.minimum(np.minimum(a + b, c + d), np.minimum(a + c, b + d))
    rows = np.flatnonzero(margins > 0)
    for block in _like_sized(rows, margins):
        lowest, chance = _distribution(a[block], b[block], c[block], d[block])
        seen = (a[block] - lowest).astype(np.int64)[:, None]
        result[block] = rule(seen, chance)
    return result.reshape(shape)


def _like_sized(rows: Indices, widths: Floats) -> Iterator[Indices]:
    """Cut rows, widest first, into blocks of bounded size, so that narrow tables are not padded to the widest."""
    order = rows[np.argsort(-widths[rows], kind="stable")]
    start = 0
    while start < len(order):
        step = max(1, int(_CELLS // (widths[order[start]] + 1)))
        yield order[start : start + step]
        start += step


def _distribution(a: Floats, b: Floats, c: Floats, d: Floats, log_odds: float = 0.0) -> tuple[Floats, Floats]:
    """Lay out P(A = lowest + j) for each table; the ratios of neighbours avoid factorials of large numbers."""
    n1, m1, total = a + b, a + c, a + b + c + d
    lowest = np.maximum(0.0, n1 + m1 - total)
    width = np.minimum(n1, m1) - lowest
    step = np.arange(int(width.max()))[None, :]
    x = lowest[:, None] + step
    inside = step < width[:, None]
    up = np.where(inside, (n1[:, None] - x) * (m1[:, None] - x), 1.0)
    down = np.where(inside, (x + 1) * (total[:, None] - n1[:, None] - m1[:, None] + x + 1), 1.0)
    weight = np.concatenate([np.zeros((len(a), 1)), np.cumsum(np.log(up / down) + log_odds, axis=1)], axis=1)
    weight = np.where(np.arange(weight.shape[1])[None, :] <= width[:, None], weight, -np.inf)
    chance = np.exp(weight - weight.max(axis=1, keepdims=True))
    return lowest, chance / chance.sum(axis=1, keepdims=True)


def odds_ratio(a: int, b: int, c: int, d: int, *, mid_p: bool = False, confidence: float = 0.95) -> Estimate:
    """Estimate the odds ratio with its exact interval, for tables of any size.

    Parameters
    ----------
    a, b, c, d
        Whole counts.
    mid_p
        Count half of the table seen in each tail: a shorter interval, no longer guaranteed but closer to nominal.
    confidence
        Coverage of the interval.

    Returns
    -------
    Estimate
        The conditional maximum-likelihood odds ratio (a little nearer to 1 than ad/bc) and its interval. Where the data do
        not bound it above, `high` is None, and so is `value`, with the reason ``separation``.

    References
    ----------
    Cornfield, J. (1956). A statistical problem arising from retrospective studies. Proceedings of the Third Berkeley
    Symposium on Mathematical Statistics and Probability 4, 135-148.

    Agresti, A. (1992). A survey of exact inference for contingency tables. Statistical Science 7, 131-153.

    Examples
    --------
    >>> tea = odds_ratio(3, 1, 1, 3)
    >>> round(tea.value, 4), round(tea.low, 4), round(tea.high, 2)
    (6.4083, 0.2117, 626.24)
    """
    if min(a + b, c + d) == 0:
        return Estimate.none(Undefined.EMPTY_GROUP)
    if min(a + c, b + d) == 0:
        return Estimate.none(Undefined.NO_CONVERTERS if a + c == 0 else Undefined.ALL_CONVERTED)
    lowest, highest = max(0, a - d), min(a + b, a + c)
    tail, own = (1 - confidence) / 2, 0.5 if mid_p else 1.0
    seen = a - lowest
    cells = (np.array([float(a)]), np.array([float(b)]), np.array([float(c)]), np.array([float(d)]))

    def chances(log_odds: float) -> Floats:
        return floats(_distribution(*cells, log_odds)[1][0])

    def upward(log_odds: float) -> float:
        chance = chances(log_odds)
        return float(chance[seen + 1 :].sum() + own * chance[seen]) - tail

    def downward(log_odds: float) -> float:
        chance = chances(log_odds)
        return tail - float(chance[:seen].sum() + own * chance[seen])

    def mean(log_odds: float) -> float:
        chance = chances(log_odds)
        return float(chance @ np.arange(len(chance))) - seen

    low = _root(upward) if a > lowest else 0.0
    high = _root(downward) if a < highest else None
    if high is None:
        return Estimate(value=None, low=low, undefined=Undefined.SEPARATION)
    return Estimate(value=_root(mean) if a > lowest else 0.0, low=low, high=high)


def _root(rising: Callable[[float], float]) -> float:
    """Find the odds ratio at which a rising function of its logarithm is 0."""
    from scipy.optimize import brentq

    edge = 1.0
    while rising(-edge) > 0 or rising(edge) < 0:
        edge *= 2
    return float(np.exp(brentq(rising, -edge, edge, xtol=1e-13, rtol=1e-13)))
