"""The homogeneity of several 2x2 tables: whether doing it goes with converting equally in each of some groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.statistics.arrays import Floats, floats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.statistics.contingency import Contingency

__all__ = ["homogeneity"]

FEW: Final = 5
"""A cell with fewer than this, and the test is the exact one."""
_TABLES: Final = 200_000
"""Ways to fill the tables that are enumerated; of more a sample of `_DRAWS` is drawn."""
_DRAWS: Final = 19_999
_TIES: Final = 1e-7


def homogeneity(tables: Sequence[Contingency]) -> float | None:
    """Test whether the odds ratio is the same in several groups.

    Parameters
    ----------
    tables
        One per group; those in which nobody, or everybody, did it or converted say nothing and are left out.

    Returns
    -------
    float or None
        A p-value; None with fewer than two groups that say something.

    Notes
    -----
    With a cell below 5 it is Zelen's exact test: given all margins and the number of converters who did it, the chance of tables
    that are together no more probable than those seen, where all odds ratios are one. Else it is Woolf's: logarithms of the odds ratios
    about their weighted mean. Rows that go together count as fewer, by the design effect of each table.

    References
    ----------
    Woolf, B. (1955). On estimating the relation between blood group and disease. Annals of Human Genetics 19, 251-253.

    Zelen, M. (1971). The analysis of several 2 x 2 contingency tables. Biometrika 58, 129-137.

    Examples
    --------
    >>> from pqlkit.statistics.contingency import Contingency
    >>> same, other = Contingency(20, 80, 10, 90), Contingency(10, 90, 30, 70)
    >>> round(homogeneity([same, same]), 3), homogeneity([same, other]) < 0.001, homogeneity([same])
    (1.0, True, None)
    """
    kept = [table for table in tables if min(table.n1, table.n0, table.m1, table.total - table.m1) > 0]
    if len(kept) < 2:
        return None
    if min(min(table.independent.cells) for table in kept) < FEW:
        return _zelen([table.independent for table in kept], np.random.default_rng(0))
    from scipy.special import chdtrc

    cells = floats([table.cells for table in kept])
    deff = floats([max(table.design_effect, 1.0) for table in kept])
    log_odds = np.log(cells[:, 0] * cells[:, 3] / (cells[:, 1] * cells[:, 2]))
    weight = 1 / (deff * (1 / cells).sum(axis=1))
    spread = float(weight @ (log_odds - weight @ log_odds / weight.sum()) ** 2)
    return float(chdtrc(len(kept) - 1, spread))


def _zelen(tables: Sequence[Contingency], random: np.random.Generator) -> float | None:
    """Give the chance of what is no more probable than the tables seen, given their margins and the sum of their first cells."""
    from scipy.special import gammaln

    seen = [table for table in tables if min(table.n1, table.n0, table.m1, table.total - table.m1) > 0]
    if len(seen) < 2:
        return None
    lows = [max(0, table.m1 - table.n0) for table in seen]
    chances: list[Floats] = []
    for table, low in zip(seen, lows, strict=True):
        a = np.arange(low, min(table.n1, table.m1) + 1)
        ways = gammaln(a + 1) + gammaln(table.n1 - a + 1) + gammaln(table.m1 - a + 1)
        chances.append(floats(-(ways + gammaln(table.n0 - table.m1 + a + 1))))
    own = sum(float(chance[table.a - low]) for table, low, chance in zip(seen, lows, chances, strict=True))
    total = sum(table.a - low for table, low in zip(seen, lows, strict=True))
    if np.prod([float(len(chance)) for chance in chances[:-1]]) <= _TABLES:
        every = _enumerated(chances, total)
        mass = np.exp(every - every.max())
        return float(min(1.0, mass[every <= own + _TIES].sum() / mass.sum()))
    drawn = _drawn(chances, total, random)
    return float((1 + np.count_nonzero(drawn <= own + _TIES)) / (1 + len(drawn)))


def _enumerated(chances: Sequence[Floats], total: int) -> Floats:
    """Give the logarithm of the probability of each way to fill the tables with this sum."""
    sums, logs = np.zeros(1, dtype=np.int64), np.zeros(1)
    for chance in chances[:-1]:
        sums = (sums[:, None] + np.arange(len(chance))).ravel()
        logs = (logs[:, None] + chance).ravel()
    rest = total - sums
    open_ = (rest >= 0) & (rest < len(chances[-1]))
    return floats(logs[open_] + chances[-1][rest[open_]])


def _drawn(chances: Sequence[Floats], total: int, random: np.random.Generator) -> Floats:
    """Draw ways to fill the tables with this sum, by their probability: the last table first, given what is left for the others."""
    masses = [np.exp(chance - chance.max()) for chance in chances]
    before = [np.ones(1)]
    for mass in masses:
        joint = np.convolve(before[-1], mass)
        before.append(joint / joint.max())
    left, logs = np.full(_DRAWS, total), np.zeros(_DRAWS)
    for place in range(len(chances) - 1, -1, -1):
        for sum_ in np.unique(left):
            rows = np.flatnonzero(left == sum_)
            cells = np.arange(min(len(masses[place]), sum_ + 1))
            others = sum_ - cells
            fits = others < len(before[place])
            weight = masses[place][cells[fits]] * before[place][others[fits]]
            cell = random.choice(cells[fits], size=len(rows), p=weight / weight.sum())
            logs[rows] += chances[place][cell]
            left[rows] -= cell
    return floats(logs)
