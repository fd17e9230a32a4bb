"""The change point: since when a kind of moments converts more, or less, often than comparable others than it did before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.statistics.stratified import Moments, expected_rates, matched

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ChangePoint", "change_point"]

TRIMMED: Final = 0.15
"""The share of moments at each end among which no change is looked for."""
CONVERSIONS: Final = 10
"""The conversions that each side of a change must have."""
DRAWS: Final = 199
_PLACES: Final = 60
_AT_ONCE: Final = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """Where the ratio of observed to expected conversions changes most.

    Parameters
    ----------
    place
        The first moment after the change, of those in order of time.
    z
        How far the logarithms of both ratios lie apart, in standard errors; positive where it fell.
    p_value
        How often as much is seen somewhere although nothing changed.
    """

    place: int
    z: float
    p_value: float


def change_point(kind: Moments, others: Moments, *, seed: int = 0) -> ChangePoint | None:
    """Look for one change of the relative risk, and say whether chance explains it.

    Parameters
    ----------
    kind
        Moments in order of time; those of one label convert together in the draws.
    others
        Those they are compared with, within strata, as in `pqlkit.statistics.stratified.excess`.
    seed
        Of the `DRAWS` worlds of a constant relative risk that the largest change is compared with.

    Returns
    -------
    ChangePoint or None
        None where no place leaves 15 % of the moments and 10 conversions on each side.

    Notes
    -----
    At each place the observed over the expected conversions before it are compared with those after it, on the log scale. The largest
    of many such differences is large by chance, moments of one cluster go together, and what is expected is itself seen in so
    many others only. So it is compared with the largest of draws in which the relative risk is the same throughout, clusters
    convert as wholes, and the rates of the others vary (normally) as their clusters' influences do.

    References
    ----------
    Andrews, D. W. K. (1993). Tests for parameter instability and structural change with unknown change point. Econometrica 61,
    821-856; the trimming. Phipson, B. and Smyth, G. K. (2010). Permutation p-values should never be zero. Statistical Applications
    in Genetics and Molecular Biology 9, 39.

    Examples
    --------
    >>> random, one = np.random.default_rng(1), np.zeros(3_000, dtype=np.int64)
    >>> kind = Moments(y=random.random(600) < np.repeat([0.3, 0.1], 300), cluster=np.arange(600), strata=[one[:600]])
    >>> others = Moments(y=random.random(3_000) < 0.05, cluster=600 + np.arange(3_000), strata=[one])
    >>> found = change_point(kind, others)
    >>> 240 < found.place < 360, found.z > 4, found.p_value
    (True, True, 0.005)
    """
    expected = np.nan_to_num(expected_rates(kind, others))
    y, n, total = kind.y, len(kind.y), float(expected.sum())
    edge = int(np.ceil(TRIMMED * n))
    places = np.unique(np.linspace(edge, n - edge, min(_PLACES, max(n - 2 * edge + 1, 0))).astype(np.int64))
    before = np.cumsum(expected)[places[(places > 0) & (places < n)] - 1]
    places = places[(places > 0) & (places < n)]
    kept = (before > 0) & (before < total)
    places, before = places[kept], before[kept]
    if not len(places) or not y.any():
        return None
    shared = _of_others(kind, others, places, before, total)
    spread = np.diag(shared)
    seen = _distances(y[None, :], places, before, total, spread, np.zeros((1, len(places))))[0]
    if not np.isfinite(seen).any():
        return None
    best = int(np.nanargmax(np.abs(seen)))
    chance = np.minimum(1.0, expected * (y.sum() / total))
    owner = np.unique(kind.cluster, return_inverse=True)[1]
    random, larger, size = np.random.default_rng(seed), 0, max(1, _AT_ONCE // n)
    noise = random.multivariate_normal(np.zeros(len(places)), shared, size=DRAWS, method="eigh")
    for first in range(0, DRAWS, size):
        rows = min(size, DRAWS - first)
        drawn = random.random((rows, int(owner.max()) + 1))[:, owner] < chance
        apart = np.abs(_distances(drawn, places, before, total, spread, noise[first : first + rows]))
        larger += int((np.nan_to_num(apart).max(axis=1) >= abs(seen[best])).sum())
    return ChangePoint(place=int(places[best]), z=float(seen[best]), p_value=(1 + larger) / (1 + DRAWS))


def _distances(
    y: NDArray[np.bool_],
    places: NDArray[np.int64],
    before: NDArray[np.float64],
    total: float,
    spread: NDArray[np.float64],
    noise: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Give for each row of outcomes the difference at each place in standard errors; NaN where a side has too few conversions."""
    counts = np.cumsum(y, axis=1, dtype=np.int64)
    early, whole = counts[:, places - 1], counts[:, -1:]
    late = whole - early
    enough = (early >= CONVERSIONS) & (late >= CONVERSIONS)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.log(early / before) - np.log(late / (total - before)) + noise
        variance = 1 / early - 1 / places + 1 / late - 1 / (y.shape[1] - places) + spread
        z: NDArray[np.float64] = np.where(enough & (variance > 0), apart / np.sqrt(variance), np.nan)
    return z


def _of_others(
    kind: Moments, others: Moments, places: NDArray[np.int64], before: NDArray[np.float64], total: float
) -> NDArray[np.float64]:
    """Give the covariance that the others' rates bring into the differences at all places, by their clusters' influences."""
    from scipy.sparse import csr_matrix

    owner = np.unique(others.cluster, return_inverse=True)[1]
    influence = np.zeros((int(owner.max()) + 1 if len(owner) else 0, len(places)))
    for level in matched(kind, others):
        strata, index = np.unique(level.kind[level.rows], return_inverse=True)
        # Of each stratum, the moments of the kind before each place.
        early = np.zeros((len(strata), len(places)))
        column = np.searchsorted(places, level.rows, side="right")
        np.add.at(early, (index[column < len(places)], column[column < len(places)]), 1.0)
        early = np.cumsum(early, axis=1)
        late = np.bincount(index, minlength=len(strata))[:, None] - early
        weight = (late / (total - before) - early / before) / level.size[strata][:, None]
        place = np.searchsorted(strata, level.others)
        inside = np.flatnonzero((place < len(strata)) & (strata[np.minimum(place, len(strata) - 1)] == level.others))
        residual = others.y[inside] - level.rate[level.others[inside]]
        influence += csr_matrix((residual, (owner[inside], place[inside])), (len(influence), len(strata))) @ weight
    shared: NDArray[np.float64] = influence.T @ influence
    return shared
