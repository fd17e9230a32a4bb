"""The change of a rate, of an effect or of a distribution between periods, and whether chance explains it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from pqlkit.statistics import comparison
from pqlkit.statistics.arrays import Z95, Floats, Numbers, exp, floats, number, ratio, together
from pqlkit.statistics.estimate import Estimate, Undefined

__all__ = [
    "StabilityIndex",
    "Trend",
    "at_same_ages",
    "chance_of_size",
    "cochran_armitage",
    "ratio_error",
    "risk_ratio_change",
    "stability_index",
]

LARGE: Final = 0.1
"""A population stability index from which on a distribution has shifted."""
_LEVEL: Final = 0.05


def ratio_error(
    successes: Numbers, total: Numbers, other: Numbers, other_total: Numbers, *, design_effect: Numbers = 1.0
) -> Floats:
    r"""Give the standard error that the log ratio of two rates has if they are the same.

    Parameters
    ----------
    successes, total
        One group.
    other, other_total
        The other.
    design_effect
        Rows per independent row, in both.

    Returns
    -------
    Floats
        NaN where a group is empty or nobody in either succeeded.

    Notes
    -----
    With the pooled rate :math:`\bar p` and the design effect :math:`d`:
    :math:`\sqrt{d (1 - \bar p) / \bar p \cdot (1 / n_1 + 1 / n_0)}`.

    References
    ----------
    Katz, D., Baptista, J., Azen, S. P. and Pike, M. C. (1978). Obtaining confidence intervals for the risk ratio in cohort
    studies. Biometrics 34, 469-474.

    Examples
    --------
    >>> ratio_error([60], [300], [90], [300]).round(4)
    array([0.1414])
    """
    x1, n1, x0, n0, deff = together(successes, total, other, other_total, design_effect)
    pooled = ratio(x1 + x0, n1 + n0)
    return floats(np.sqrt(deff * ratio(1 - pooled, pooled) * (ratio(1, n1) + ratio(1, n0))))


def chance_of_size(error: Numbers, low: float, high: float = math.inf) -> Floats:
    """Give the chance that a ratio whose true value is 1 comes out at `low` or less, or at `high` or more.

    Parameters
    ----------
    error
        Standard error of its logarithm.
    low, high
        Sizes that matter, below and above 1.

    Returns
    -------
    Floats
        By the normal approximation on the log scale.

    References
    ----------
    Katz, D., Baptista, J., Azen, S. P. and Pike, M. C. (1978). Obtaining confidence intervals for the risk ratio in cohort
    studies. Biometrics 34, 469-474.

    Examples
    --------
    >>> chance_of_size([0.1, 0.2], 0.8).round(4)
    array([0.0128, 0.1323])
    >>> chance_of_size([0.1, 0.2], 0.75, 1.25).round(4)
    array([0.0148, 0.2074])
    """
    from scipy.special import ndtr

    return floats(ndtr(ratio(math.log(low), error)) + ndtr(ratio(-math.log(high), error)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A test whether a rate goes up or down over ordered periods.

    Parameters
    ----------
    z
        Positive: upwards. None when there is nothing to test.
    p_value
        Two-sided.
    """

    z: float | None
    p_value: float | None


def cochran_armitage(successes: Numbers, totals: Numbers) -> Trend:
    """Test for a linear trend of a rate over ordered periods.

    Parameters
    ----------
    successes, totals
        Counts, one a period, in order.

    Returns
    -------
    Trend
        Undefined when nobody or everybody converted, or only one period holds anybody.

    References
    ----------
    Cochran, W. G. (1954). Some methods for strengthening the common chi-squared tests. Biometrics 10, 417-451.

    Armitage, P. (1955). Tests for linear trends in proportions and frequencies. Biometrics 11, 375-386.

    Examples
    --------
    >>> trend = cochran_armitage([30, 20, 10], [100, 100, 100])
    >>> round(trend.z, 4), round(trend.p_value, 6)
    (-3.5355, 0.000407)
    """
    from scipy.special import ndtr

    x, n = together(successes, totals)
    place = np.arange(len(n), dtype=np.float64)
    rate = ratio(x.sum(), n.sum())
    centred = place - ratio(n @ place, n.sum())
    error = np.sqrt(rate * (1 - rate) * (n @ centred**2))
    z = number(ratio(centred @ x, error))
    return Trend(z=z, p_value=None if z is None else float(2 * ndtr(-abs(z))))


def at_same_ages(
    now: Numbers, now_total: Numbers, then: Numbers, then_total: Numbers
) -> tuple[Floats, float, Floats, float]:
    r"""Give the counts of two periods as they would be if both had entities of the same ages.

    Parameters
    ----------
    now, then
        Successes in each age band, one row a band; further columns are counted likewise (the bins of a behaviour).
    now_total, then_total
        Entities in each band.

    Returns
    -------
    tuple
        Successes and entities now, and then: fractional counts, worth as many entities of one age. A band that one of the
        periods lacks says nothing. With one band they are the counts themselves.

    Notes
    -----
    Band b weighs :math:`w_b \propto n_b m_b / (n_b + m_b)`, so that no band counts more than the smaller period can bear
    out. A period stands for :math:`1 / \sum_b (w_b^2 / n_b)` entities.

    References
    ----------
    Mantel, N. and Haenszel, W. (1959). Statistical aspects of the analysis of data from retrospective studies of disease.
    Journal of the National Cancer Institute 22, 719-748.

    Kish, L. (1965). Survey Sampling. Wiley, New York.

    Examples
    --------
    The later period holds older entities; at either age the rate is what it was:

    >>> x1, n1, x0, n0 = at_same_ages([5, 40], [50, 100], [10, 20], [100, 50])
    >>> round(float(x1) / n1, 3), round(float(x0) / n0, 3), round(n1)
    (0.25, 0.25, 133)
    """
    n, m = floats(now_total), floats(then_total)
    shared = (n > 0) & (m > 0)
    n, m = n[shared], m[shared]
    if not len(n):
        empty = np.zeros(floats(now).shape[1:])
        return empty, 0.0, empty, 0.0
    weight = n * m / (n + m)
    weight = weight / weight.sum()
    sizes = [1 / float((weight**2 / total).sum()) for total in (n, m)]
    counts = [
        np.tensordot(weight / total, floats(successes)[shared], axes=1) * size
        for successes, total, size in zip((now, then), (n, m), sizes, strict=True)
    ]
    return floats(counts[0]), sizes[0], floats(counts[1]), sizes[1]


def risk_ratio_change(now: Numbers, then: Numbers, *, design_effect: float = 1.0) -> tuple[Estimate, float | None]:
    """Compare two relative risks: a mere change of the base rate leaves them alone.

    Parameters
    ----------
    now, then
        The four cells (did it and converted, did it and not, did not and converted, neither) of the later and of the baseline
        period, of different entities.
    design_effect
        Rows per independent row, in both.

    Returns
    -------
    tuple
        Ratio of the relative risks (now / then) with its 95 % interval, and a two-sided p value. Undefined when either
        relative risk is; where a side has no converter, half counts make it and it is ``corrected``.

    References
    ----------
    Altman, D. G. and Bland, J. M. (2003). Interaction revisited: the difference between two estimates. BMJ 326, 219.

    Katz, D., Baptista, J., Azen, S. P. and Pike, M. C. (1978). Obtaining confidence intervals for the risk ratio in cohort
    studies. Biometrics 34, 469-474.

    Examples
    --------
    >>> change, p = risk_ratio_change((30, 170, 70, 1330), (60, 140, 70, 1330))
    >>> round(change.value, 2), round(p, 4)
    (0.5, 0.0075)
    """
    from scipy.special import ndtr

    a, b, c, d = floats([floats(now), floats(then)]).T
    if ((a + b == 0) | (c + d == 0)).any():
        return Estimate.none(Undefined.EMPTY_GROUP), None
    if (a + c == 0).any():
        return Estimate.none(Undefined.NO_CONVERTERS), None
    middles, errors = comparison.log_relative_risk(a, b, c, d, design_effect=design_effect)
    middle, error = float(middles[0] - middles[1]), float(np.hypot(*errors))
    value, low, high = exp([middle, middle - Z95 * error, middle + Z95 * error])
    corrected = bool(((a == 0) | (c == 0) | (b + d == 0)).any())
    return Estimate.of(value, low, high, corrected=corrected), float(2 * ndtr(-abs(middle) / error))


@dataclass(frozen=True, slots=True, kw_only=True)
class StabilityIndex:
    """How far the distribution of a behaviour has moved since the baseline.

    Parameters
    ----------
    value
        Population stability index, at least 0; None when either period is empty.
    p_value
        Chance of a value as large if nothing had moved.
    shifted
        Both significant and of a size that matters (0.1 or more).
    chance_of_size
        Chance of a value of 0.1 or more if nothing had moved; None when either period is empty.
    """

    value: float | None
    p_value: float | None
    shifted: bool
    chance_of_size: float | None


def stability_index(baseline: Numbers, current: Numbers, *, design_effect: float = 1.0) -> StabilityIndex:
    r"""Measure how far a distribution over bins has moved (population stability index).

    Parameters
    ----------
    baseline, current
        Entities in each bin, for instance of `pqlkit.statistics.histogram.COUNT_BINS`.
    design_effect
        Rows per independent row, the mean over bins (see `pqlkit.statistics.design_effect.mean_design_effect`).

    Returns
    -------
    StabilityIndex
        With the significance that the rule of thumb (0.1, 0.25) lacks: without any shift the index is about
        (1/n + 1/m) times the design effect times a chi-squared with bins - 1 degrees of freedom.

    Notes
    -----
    .. math:: \sum_b (q_b - p_b) \ln (q_b / p_b)

    Half an entity is added to each bin that holds anybody in either period.

    References
    ----------
    Yurdakul, B. and Naranjo, J. (2020). Statistical properties of the population stability index. Journal of Risk Model
    Validation 14.

    Rao, J. N. K. and Scott, A. J. (1981). The analysis of categorical data from complex sample surveys. Journal of the
    American Statistical Association 76, 221-230.

    Examples
    --------
    >>> index = stability_index([500, 300, 200], [300, 300, 400])
    >>> round(index.value, 3), index.shifted
    (0.24, True)
    """
    from scipy.special import chdtrc

    then, now = together(baseline, current)
    held = then + now > 0
    then, now = then[held], now[held]
    n, m = float(then.sum()), float(now.sum())
    if min(n, m) == 0:
        return StabilityIndex(value=None, p_value=None, shifted=False, chance_of_size=None)
    p, q = (then + 0.5) / (then + 0.5).sum(), (now + 0.5) / (now + 0.5).sum()
    value = float(((q - p) * np.log(q / p)).sum())
    degrees = len(then) - 1
    # A distribution over one bin cannot move.
    p_value, chance = (
        chdtrc(degrees, np.array([value, LARGE]) / (1 / n + 1 / m) / design_effect) if degrees else (1.0, 0.0)
    )
    return StabilityIndex(
        value=value,
        p_value=float(p_value),
        shifted=bool(p_value <= _LEVEL and value >= LARGE),
        chance_of_size=float(chance),
    )
