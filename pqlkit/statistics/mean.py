"""The mean of a quantity, and the difference of two means, with 95 % intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.statistics.arrays import floats
from pqlkit.statistics.estimate import Estimate, Undefined

if TYPE_CHECKING:
    from pqlkit.statistics.arrays import Numbers

__all__ = ["difference_of_means", "mean"]

_TAIL: Final = 0.975


def mean(values: Numbers) -> Estimate:
    """Average a quantity, with Student's interval.

    Parameters
    ----------
    values
        One per entity.

    Returns
    -------
    Estimate
        Undefined without a value. One value alone has no interval.

    References
    ----------
    Student (1908). The probable error of a mean. Biometrika 6, 1-25.

    Examples
    --------
    >>> found = mean([10, 20, 30])
    >>> found.value, round(found.low, 1), round(found.high, 1)
    (20.0, -4.8, 44.8)
    """
    from scipy.special import stdtrit

    x = np.sort(floats(values))  # The order of the rows must not move the last digit.
    if not len(x):
        return Estimate.none(Undefined.EMPTY_GROUP)
    middle = float(x.mean())
    if len(x) == 1:
        return Estimate(value=middle)
    half = float(stdtrit(len(x) - 1, _TAIL)) * float(x.std(ddof=1)) / len(x) ** 0.5
    return Estimate.of(middle, middle - half, middle + half)


def difference_of_means(values: Numbers, others: Numbers) -> Estimate:
    """Subtract the mean of others, with Welch's interval, which lets both sides vary differently.

    Parameters
    ----------
    values, others
        One per entity.

    Returns
    -------
    Estimate
        Undefined where a side is empty; without an interval where a side has one value, or neither varies.

    References
    ----------
    Welch, B. L. (1947). The generalization of 'Student's' problem when several different population variances are
    involved. Biometrika 34, 28-35.

    Examples
    --------
    >>> found = difference_of_means([10, 20, 30, 40], [10, 12, 14])
    >>> found.value, round(found.low, 1), round(found.high, 1)
    (13.0, -7.2, 33.2)
    """
    from scipy.special import stdtrit

    x, y = np.sort(floats(values)), np.sort(floats(others))
    if not len(x) or not len(y):
        return Estimate.none(Undefined.EMPTY_GROUP)
    difference = float(x.mean() - y.mean())
    if min(len(x), len(y)) < 2:
        return Estimate(value=difference)
    parts = [float(side.var(ddof=1)) / len(side) for side in (x, y)]
    total = sum(parts)
    if not total:
        return Estimate(value=difference)
    freedom = total**2 / sum(part**2 / (len(side) - 1) for part, side in zip(parts, (x, y), strict=True))
    half = float(stdtrit(freedom, _TAIL)) * total**0.5
    return Estimate.of(difference, difference - half, difference + half)
