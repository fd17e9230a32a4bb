"""The discrimination of two behaviours: whether one tells converters from others better, and whether it does so everywhere."""

from __future__ import annotations

import numpy as np

from pqlkit.statistics.arrays import Z95, Floats, Numbers, exp, floats, log, ratio
from pqlkit.statistics.ranks import auc

__all__ = ["area_difference", "area_interval", "heterogeneity"]


def area_interval(area: Numbers, error: Numbers) -> tuple[Floats, Floats]:
    """Bound areas under the ROC curve from their standard errors, on the logit scale.

    Parameters
    ----------
    area, error
        Elementwise; errors may carry a design effect.

    Returns
    -------
    tuple of Floats
        Lower and upper 95 % ends within [0, 1]; NaN where the area is 0 or 1.

    References
    ----------
    Pepe, M. S. (2003). The Statistical Evaluation of Medical Tests for Classification and Prediction. Oxford University
    Press.

    Examples
    --------
    >>> [end.round(3) for end in area_interval([0.75], [0.05])]
    [array([0.64]), array([0.835])]
    """
    area, spread = floats(area), ratio(Z95 * floats(error), floats(area) * (1 - floats(area)))
    middle = log(area) - log(1 - area)
    return floats(1 / (1 + exp(spread - middle))), floats(1 / (1 + exp(-spread - middle)))


def area_difference(positive: Numbers, negative: Numbers, *, design_effect: float = 1.0) -> tuple[float, float, float]:
    """Compare the areas under the ROC curves of two behaviours of the same entities.

    Parameters
    ----------
    positive, negative
        Square histograms of the converters and of the others: rows are levels of the first behaviour, columns of the
        second, both ascending.
    design_effect
        Rows per independent row.

    Returns
    -------
    tuple of float
        First area less second, with its 95 % interval. NaN with fewer than two converters or two others.

    References
    ----------
    DeLong, E. R., DeLong, D. M. and Clarke-Pearson, D. L. (1988). Comparing the areas under two or more correlated receiver
    operating characteristic curves: a nonparametric approach. Biometrics 44, 837-845.

    Examples
    --------
    >>> same = [[3, 0], [0, 7]], [[7, 0], [0, 3]]
    >>> area_difference(*same)
    (0.0, 0.0, 0.0)
    """
    pos, neg = floats(positive), floats(negative)
    n1, n0 = pos.sum(), neg.sum()
    first = _placements(pos.sum(axis=1), neg.sum(axis=1))
    second = _placements(pos.sum(axis=0), neg.sum(axis=0))
    difference = float(auc(pos.sum(axis=1), neg.sum(axis=1)) - auc(pos.sum(axis=0), neg.sum(axis=0)))
    # The variance of a difference of means is that of the paired differences, over converters and over the others.
    variance = 0.0
    for counts, side, n in ((pos, 0, n1), (neg, 1, n0)):
        gap = first[side][:, None] - second[side][None, :]
        middle = ratio((counts * gap).sum(), n)
        variance += float(ratio((counts * (gap - middle) ** 2).sum(), n * (n - 1)))
    half = Z95 * float(np.sqrt(variance * design_effect))
    return difference, difference - half, difference + half


def _placements(positive: Floats, negative: Floats) -> tuple[Floats, Floats]:
    """Give, per level, the share of others below it, and of converters above it (ties count half)."""
    below = ratio(np.cumsum(negative) - negative / 2, negative.sum())
    above = 1 - ratio(np.cumsum(positive) - positive / 2, positive.sum())
    return below, above


def heterogeneity(values: Numbers, errors: Numbers) -> float:
    """Test whether independent estimates are all of one value (Cochran's Q).

    Parameters
    ----------
    values, errors
        Estimates on a scale on which they are about normal, and their standard errors; NaN entries do not enter.

    Returns
    -------
    float
        P value; NaN with fewer than two estimates.

    References
    ----------
    Cochran, W. G. (1954). The combination of estimates from different experiments. Biometrics 10, 101-129.

    Examples
    --------
    >>> round(heterogeneity([0.1, 0.9], [0.2, 0.2]), 4), round(heterogeneity([0.5, 0.5], [0.2, 0.1]), 4)
    (0.0047, 1.0)
    """
    from scipy.special import chdtrc

    value, error = floats(values), floats(errors)
    known = np.isfinite(value) & np.isfinite(error) & (error > 0)
    if known.sum() < 2:
        return float("nan")
    weight = 1 / error[known] ** 2
    middle = (weight * value[known]).sum() / weight.sum()
    return float(chdtrc(int(known.sum()) - 1, (weight * (value[known] - middle) ** 2).sum()))
