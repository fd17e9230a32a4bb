"""The stratified excess: how many more conversions than those of like moments, where people have several of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, exp, inf, log, pi, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

FEW: Final = 5
"""Others of a stratum below which a coarser one stands for it."""

FEW_CONVERSIONS: Final = 10
"""Conversions of either side below which the normal is no guide."""

_LEAST_EXPECTED: Final = 0.5
"""So many conversions are expected at least: where none of the others converted, more of them would have."""

_Z: Final = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """Moments, and what followed each: one row per moment.

    Parameters
    ----------
    y
        Converted.
    cluster
        Moments of one label are not independent.
    strata
        Labels of the strata, the finest first; each further one joins strata of the one before.
    """

    y: NDArray[np.bool_]
    cluster: NDArray[np.int64]
    strata: Sequence[NDArray[np.int64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """What one kind of moments was followed by, against others of the same strata.

    Parameters
    ----------
    n, converted
        Moments of the kind, and those of them that converted.
    others, others_converted
        Moments they are compared with.
    expected
        Conversions of the kind, if each moment had converted like the others of its stratum.
    z
        (converted - expected) / its standard error by clusters; 0 without one.
    relative_risk, low, high
        converted / expected and its 95 % interval; None without a bound (nobody expected).
    clusters_converted, design_effect
        Clusters of the kind with a conversion, and how many conversions of theirs are worth one: 1 if each is another's.
    mid_p
        Where fewer than ten of either converted, the exact one-sided chance of so many; else None.
    """

    n: int
    converted: int
    others: int
    others_converted: int
    expected: float
    z: float
    relative_risk: float | None
    low: float | None
    high: float | None
    clusters_converted: int
    design_effect: float
    mid_p: float | None

    @property
    def rate(self) -> float | None:
        """Of the kind, converted."""
        return self.converted / self.n if self.n else None

    @property
    def others_rate(self) -> float | None:
        """Of the others, converted, at the strata of the kind."""
        return self.expected / self.n if self.n else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Level:
    """The strata of one level that stand for some moments of a kind.

    Parameters
    ----------
    rows
        The moments of the kind that they stand for.
    kind, others
        The stratum of each moment of the kind, and of each other: the last one, if there is none of the kind in its own.
    size, rate
        Of each stratum: others, and how many of them converted, as a share.
    """

    rows: NDArray[np.intp]
    kind: NDArray[np.intp]
    others: NDArray[np.intp]
    size: NDArray[np.intp]
    rate: NDArray[np.float64]


def matched(kind: Moments, others: Moments, *, few: int = FEW) -> Iterator[Level]:
    """Match each moment of a kind with the others of its finest stratum that has enough of them, level by level."""
    open_ = np.ones(len(kind.y), dtype=np.bool_)
    for level in range(len(kind.strata)):
        if not open_.any():
            return
        last = level == len(kind.strata) - 1
        size, other, rate, own = _level(kind.strata[level], others.strata[level], others.y)
        here = open_ & (size[own] >= (1 if last else few))
        open_ &= ~here
        if here.any():
            yield Level(rows=np.flatnonzero(here), kind=own, others=other, size=size, rate=rate)


def expected_rates(kind: Moments, others: Moments, *, few: int = FEW) -> NDArray[np.float64]:
    """Give for each moment of a kind the rate of the others in its stratum; NaN where there is nobody at any level."""
    return _rates(len(kind.y), matched(kind, others, few=few))


def _rates(size: int, levels: Iterable[Level]) -> NDArray[np.float64]:
    rates = np.full(size, np.nan)
    for level in levels:
        rates[level.rows] = level.rate[level.kind[level.rows]]
    return rates


def excess(kind: Moments, others: Moments, *, few: int = FEW) -> Excess:
    """Compare moments with others of their strata.

    Parameters
    ----------
    kind
        The moments in question.
    others
        Those they are compared with; one label is one cluster in both.
    few
        A stratum with fewer others is replaced by the coarser one around it.

    Notes
    -----
    U = sum of (y - r) over the kind, where r is the rate of the others in the stratum. Its variance is the sum over clusters of
    the squared influence: what its own moments add, less what its other moments take from the rates, each weighted by
    moments of the kind per other. The relative risk is converted / expected; its interval is that of its logarithm, by the
    same influence. Where nobody of the kind converted, the interval goes from 0 to -log(0.025) / expected: were the relative risk
    any higher, at least one would have converted with a probability of more than 97.5 %.

    References
    ----------
    Breslow, N. E. and Day, N. E. (1987). Statistical Methods in Cancer Research, Volume II: The Design and Analysis of Cohort
    Studies. IARC Scientific Publications 82, chapter 2: observed over expected by the rates of the strata.

    Examples
    --------
    >>> one = np.zeros(100, dtype=np.int64)
    >>> kind = Moments(y=np.arange(100) < 20, cluster=np.arange(100), strata=[one])
    >>> others = Moments(y=np.arange(100) < 10, cluster=np.arange(100, 200), strata=[one])
    >>> found = excess(kind, others)
    >>> found.converted, round(found.expected, 1), round(found.relative_risk, 1), round(found.z, 2)
    (20, 10.0, 2.0, 1.96)
    """
    levels = list(matched(kind, others, few=few))
    rates = _rates(len(kind.y), levels)
    known = ~np.isnan(rates)
    y, r, cluster = kind.y[known], rates[known], kind.cluster[known]
    a, expected = int(y.sum()), float(r.sum())
    risk = a / expected if expected > 0 else None
    taken: NDArray[np.float64] = np.zeros(len(others.y))
    for level in levels:
        wanted = np.bincount(level.kind[level.rows], minlength=len(level.size))
        weight = np.divide(wanted, level.size, out=np.zeros(len(level.size)), where=level.size > 0)
        taken += weight[level.others] * (others.y - level.rate[level.others])
    variance = _squared(cluster, y - r, others.cluster, -taken)
    z = (a - expected) / sqrt(variance) if variance > 0 else 0.0
    low: float | None
    high: float | None
    if risk is None:
        low = high = None
    elif a == 0:
        low, high = 0.0, -log(0.025) / expected
    else:
        width = _Z * sqrt(
            _squared(cluster, np.asarray((y - np.minimum(1.0, risk * r)) / a), others.cluster, -taken / expected)
        )
        low, high = risk * exp(-width), risk * exp(width)
    _, converted = np.unique(cluster[y], return_counts=True)
    effect = float((converted**2).sum() / a) if a else 1.0
    rare = min(a, int(others.y.sum())) < FEW_CONVERSIONS
    return Excess(
        n=int(known.sum()),
        converted=a,
        others=len(others.y),
        others_converted=int(others.y.sum()),
        expected=expected,
        z=z,
        relative_risk=risk,
        low=low,
        high=high,
        clusters_converted=len(converted),
        design_effect=effect,
        mid_p=mid_p(a, r, design_effect=effect) if rare else None,
    )


def mid_p(count: int, chances: NDArray[np.float64], *, design_effect: float = 1.0) -> float:
    """Give the chance that more than `count` of some happen, and half that of `count` itself: the Poisson-binomial mid-p.

    Parameters
    ----------
    count
        How many happened.
    chances
        Of each. Half of one is expected at least.
    design_effect
        So many are worth one: counts are divided by it, and every so-manieth chance stands for its neighbours.

    References
    ----------
    Hong, Y. (2013). On computing the distribution function for the Poisson binomial distribution. Computational Statistics and
    Data Analysis 59, 41-51; the recursion. Lancaster, H. O. (1961). Significance tests in discrete distributions. Journal of the
    American Statistical Association 56, 223-234; the mid-p.

    Examples
    --------
    >>> round(mid_p(2, np.array([0.5, 0.5, 0.5])), 4), round(mid_p(1, np.array([0.2, 0.4])), 4)
    (0.3125, 0.3)
    """
    size = max(1, round(len(chances) / design_effect))
    drawn = ((np.arange(size) + 0.5) * len(chances) / size).astype(np.intp)
    own = np.sort(chances)[drawn] if len(chances) else np.zeros(1)
    own = np.minimum(1.0, own + max(0.0, _LEAST_EXPECTED / design_effect - own.sum()) / size)
    happened = np.zeros(min(round(count / design_effect), size) + 1)
    happened[0] = 1.0
    for chance in own.tolist():
        happened[1:] = happened[1:] * (1 - chance) + happened[:-1] * chance
        happened[0] *= 1 - chance
    return max(0.0, 1.0 - float(happened[:-1].sum()) - float(happened[-1]) / 2)


def _level(
    kind: NDArray[np.int64], others: NDArray[np.int64], y: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.intp], NDArray[np.float64], NDArray[np.intp]]:
    """Count the strata of one level: others in each, the stratum of each other, their rate, the stratum of each of the kind."""
    names, own = np.unique(kind, return_inverse=True)
    other = np.searchsorted(names, others)
    # Others whose stratum holds none of the kind are as many as all the rest together, and say nothing.
    other[names[np.minimum(other, len(names) - 1)] != others] = len(names)
    size = np.bincount(other, minlength=len(names) + 1)
    hits = np.bincount(other, weights=y, minlength=len(names) + 1)
    return size, other, np.divide(hits, size, out=np.zeros(len(size)), where=size > 0), own


def _squared(
    first: NDArray[np.int64], own: NDArray[np.float64], second: NDArray[np.int64], other: NDArray[np.float64]
) -> float:
    """Add up the influences of each cluster, and square the sums."""
    told = other != 0
    _, code = np.unique(np.concatenate([first, second[told]]), return_inverse=True)
    sums = np.bincount(code, weights=np.concatenate([own, other[told]]))
    return float((sums**2).sum())


def conditional_mean(z: float, bar: float) -> float:
    """Give the mean of a normal z that would be seen at `z` on average, among those seen only where they exceed `bar`.

    What passed a test narrowly is larger than it is: of means near the bar only lucky ones pass.

    References
    ----------
    Zhong, H. & Prentice, R. L. (2008). Bias-reduced estimators and confidence intervals for odds ratios in genome-wide
    association studies. Biostatistics 9, 621-634; the conditional maximum likelihood, here of a one-sided test.

    Examples
    --------
    >>> round(conditional_mean(2.6, 2.326), 2), round(conditional_mean(8.0, 2.326), 2)
    (-0.81, 8.0)
    """
    if z <= bar:
        return -inf

    def expected(mean: float) -> float:
        return mean + _hazard(bar - mean)

    low, high = -60.0, z
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if expected(middle) < z else (low, middle)
    return (low + high) / 2


def _hazard(x: float) -> float:
    """Give the density over the upper tail of the normal."""
    if x > 30:
        return x + 1 / x
    return exp(-x * x / 2) / sqrt(2 * pi) / (0.5 * (1 - erf(x / sqrt(2)))) if x < 6 else x + 1 / x - 2 / x**3


def mantel_haenszel(
    converted: NDArray[np.int64], size: NDArray[np.int64], all_converted: NDArray[np.int64], all_size: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Test whether a kind converts as often as the others of its strata, for several kinds at once.

    Parameters
    ----------
    converted, size
        Of the kind, by stratum (rows); further columns are further kinds.
    all_converted, all_size
        Of the kind and the others together, by stratum.

    Returns
    -------
    tuple of arrays
        For each kind the conversions expected if it makes no difference, and z = (converted - expected) / standard error, without
        a correction for continuity; z is NaN where no stratum holds both the kind and others.

    References
    ----------
    Mantel, N. and Haenszel, W. (1959). Statistical aspects of the analysis of data from retrospective studies of disease.
    Journal of the National Cancer Institute 22, 719-748.

    Examples
    --------
    >>> expected, z = mantel_haenszel(np.array([[5]]), np.array([[100]]), np.array([25]), np.array([200]))
    >>> expected.tolist(), z.round(2).tolist()
    ([12.5], [-3.2])
    """
    n, m = all_size[:, None].astype(np.float64), all_converted[:, None].astype(np.float64)
    own = size.astype(np.float64)
    # A stratum in which nobody is one of the others says nothing.
    told = (n - own > 0) & (own > 0) & (n > 1)
    divisor = np.where(told, n, 2.0)
    expected = np.where(told, own * m / divisor, 0.0).sum(axis=0)
    spread = np.where(told, own * (n - own) * m * (n - m) / (divisor**2 * (divisor - 1)), 0.0).sum(axis=0)
    seen = np.where(told, converted, 0).sum(axis=0)
    z = np.divide(seen - expected, np.sqrt(spread), out=np.full(expected.shape, np.nan), where=spread > 0)
    return expected, z
