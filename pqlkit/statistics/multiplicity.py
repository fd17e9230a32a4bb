"""The correction for many tests. NaN stays NaN and is not counted as a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pqlkit.statistics.arrays import Floats, Numbers, floats, together

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["attainable", "attainable_level", "benjamini_hochberg", "bonferroni", "holm", "miller_siegmund"]


def bonferroni(p: Numbers, tests: Numbers) -> Floats:
    """Multiply p values by the number of tests among which the smallest was chosen.

    Parameters
    ----------
    p
        The smallest p value of each row.
    tests
        How many thresholds were tried for it, at least 1; one number or one a row.

    Returns
    -------
    Floats
        min(1, p x tests): a bound that holds however the tests depend on one another.

    References
    ----------
    Dunn, O. J. (1961). Multiple comparisons among means. Journal of the American Statistical Association 56, 52-64.

    Examples
    --------
    >>> bonferroni([0.01, 0.4], [5, 3])
    array([0.05, 1.  ])
    """
    smallest, count = together(p, tests)
    return floats(np.minimum(smallest * count, 1.0))


def benjamini_hochberg(p: Numbers) -> Floats:
    """Turn p values into q values: the share of false findings among all at least as small.

    Parameters
    ----------
    p
        P values of *everything* tested, not only of what is shown. NaN: not tested.

    Returns
    -------
    Floats
        In the order given, never below p. Holds for independent tests and for positively dependent ones, as the nested
        thresholds of one behaviour are.

    References
    ----------
    Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate: a practical and powerful approach to
    multiple testing. Journal of the Royal Statistical Society, Series B 57, 289-300.

    Benjamini, Y. and Yekutieli, D. (2001). The control of the false discovery rate in multiple testing under dependency.
    The Annals of Statistics 29, 1165-1188.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.02, float("nan"), 0.5])
    array([0.03, 0.03,  nan, 0.5 ])
    """

    def upward(ordered: Floats) -> Floats:
        scaled = ordered * len(ordered) / np.arange(1, len(ordered) + 1)
        return floats(np.minimum.accumulate(scaled[::-1])[::-1])

    return _in_order(upward, p)


def holm(p: Numbers) -> Floats:
    """Adjust p values so that no true null falls below the level in 95 of 100 analyses (Holm's step-down).

    Parameters
    ----------
    p
        P values of one family. NaN: not tested.

    Returns
    -------
    Floats
        In the order given; holds however the tests depend on one another and is never larger than Bonferroni's.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """

    def downward(ordered: Floats) -> Floats:
        return floats(np.maximum.accumulate(ordered * np.arange(len(ordered), 0, -1)))

    return _in_order(downward, p)


def attainable(p: Numbers, chance: Numbers) -> Floats:
    r"""Correct p values of findings that must also have a size that matters, counting what each could find by chance.

    Parameters
    ----------
    p
        P values of one family. NaN: not tested.
    chance
        The chance that each finds its size where there is nothing, known from the numbers of entities alone; 1 where no size
        is asked for. NaN, where it is not known, counts as 1.

    Returns
    -------
    Floats
        In the order given: the chance that any finding of the family is as significant as this one if there is nothing to
        find. Never below p, and never above Bonferroni's.

    Notes
    -----
    .. math:: \tilde p_i = \max\Bigl(p_i, \min\bigl(1, \sum_k \min(p_i, \pi_k)\bigr)\Bigr)

    A test that asks for a size as well finds something with a chance of at most :math:`\min(p, \pi)` at the level p, and the
    chances of a family add up to no less than that of any (Bonferroni). This is the correction of Westfall and Wolfinger for
    tests whose p values cannot all be reached: those that cannot alarm by chance cost the others nothing.

    References
    ----------
    Tarone, R. E. (1990). A modified Bonferroni method for discrete data. Biometrics 46, 515-522.

    Westfall, P. H. and Wolfinger, R. D. (1997). Multiple tests with discrete distributions. The American Statistician 51,
    3-8.

    Examples
    --------
    >>> attainable([0.01, 0.03, 0.5], [1, 0.02, 0.0001])
    array([0.0201, 0.0501, 0.5201])
    """
    values, chances = together(p, chance)
    tested, chances = ~np.isnan(values), np.where(np.isnan(chances), 1.0, chances)
    result = np.full(values.shape, np.nan)
    sums = np.minimum(values[tested][:, None], chances[tested]).sum(axis=1)
    result[tested] = np.maximum(values[tested], np.minimum(sums, 1.0))
    return result


def attainable_level(chance: Numbers, level: float) -> float:
    """Find the largest p that `attainable` still leaves at `level` or below: the level of each single test.

    Parameters
    ----------
    chance
        As in `attainable`, of what was tested.
    level
        Of the whole family.

    Returns
    -------
    float
        Between level / number of tests and `level`.

    References
    ----------
    Westfall, P. H. and Wolfinger, R. D. (1997). Multiple tests with discrete distributions. The American Statistician 51,
    3-8.

    Examples
    --------
    >>> round(attainable_level([1, 1, 0.01, 0.0], 0.05), 4), attainable_level([0.001, 0.002], 0.05)
    (0.02, 0.05)
    """
    known = floats(chance)
    rising = np.sort(np.where(np.isnan(known), 1.0, known))
    # What is left of the level for each of the others, if those that can least alarm by chance use up theirs.
    left = level - np.concatenate([[0.0], np.cumsum(rising)[:-1]])[: len(rising)]
    shares = left / np.arange(len(rising), 0, -1)
    fitting = shares[shares <= rising]
    return min(float(fitting[0]), level) if len(fitting) else level


def _in_order(adjust: Callable[[Floats], Floats], p: Numbers) -> Floats:
    """Adjust the tested p values in ascending order, and put the results where they came from."""
    values = floats(p)
    flat = values.ravel()
    tested = np.flatnonzero(~np.isnan(flat))
    order = tested[np.argsort(flat[tested], kind="stable")]
    result = np.full(flat.shape, np.nan)
    if len(order):
        result[order] = np.minimum(adjust(flat[order]), 1.0)
    return result.reshape(values.shape)


def miller_siegmund(p: Numbers, smallest_share: float) -> Floats:
    r"""Correct the p value of the best of all cut-points of one behaviour: a note beside Bonferroni's bound.

    Parameters
    ----------
    p
        Smallest two-sided p value over the cut-points.
    smallest_share
        Smallest share of entities that a cut-point may leave on either side, in (0, 0.5).

    Returns
    -------
    Floats
        Corrected p, between p and 1. An approximation for many cut-points and small p; where it would fall below
        p itself, p is returned.

    Notes
    -----
    .. math:: \varphi(z) (z - 1/z) \ln\frac{(1-\epsilon)^2}{\epsilon^2} + 4 \varphi(z)/z

    References
    ----------
    Miller, R. and Siegmund, D. (1982). Maximally selected chi square statistics. Biometrics 38, 1011-1016.

    Altman, D. G., Lausen, B., Sauerbrei, W. and Schumacher, M. (1994). Dangers of using "optimal" cutpoints in the
    evaluation of prognostic factors. Journal of the National Cancer Institute 86, 829-835.

    Examples
    --------
    A best cut-point with a nominal p of 0.05, tried from the 10th to the 90th percentile:

    >>> miller_siegmund([0.05], 0.1).round(2)
    array([0.49])
    """
    from scipy.special import ndtri

    if not 0 < smallest_share < 0.5:
        message = f"the smallest share lies between 0 and 0.5, not {smallest_share}"
        raise ValueError(message)
    values = floats(p)
    # A p of 0 or 1 has no finite or no useful z: the smallest float, and z = 0 where the formula diverges, are avoided.
    z = -ndtri(np.clip(values, 1e-300, 1 - 1e-16) / 2)
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    span = 2 * np.log((1 - smallest_share) / smallest_share)
    corrected = density * (z - 1 / z) * span + 4 * density / z
    # Where z^2 is below 1 + sqrt(2) (p above 0.12), the approximation can turn downwards; such a p is far from significant anyway.
    return floats(np.where(z * z < 1 + np.sqrt(2), 1.0, np.clip(corrected, values, 1.0)))
