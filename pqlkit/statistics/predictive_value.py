"""The relative predictive value: how many times as often those converted who meet one rule as those who meet another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pqlkit.statistics.arrays import Z95
from pqlkit.statistics.estimate import Estimate, Undefined

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["relative_predictive_value"]


def relative_predictive_value(
    own: NDArray[np.bool_], other: NDArray[np.bool_], converted: NDArray[np.bool_], clusters: NDArray[np.int64]
) -> Estimate:
    r"""Divide the rate of the rows that meet one rule by the rate of those that meet another; rows may meet both.

    Parameters
    ----------
    own, other
        Whether each row meets the rule.
    converted
        Whether each row converted.
    clusters
        Rows of one label are not independent.

    Returns
    -------
    Estimate
        Undefined where nobody meets a rule, or nobody who meets it converted.

    Notes
    -----
    The interval is that of the logarithm, whose variance is the sum over clusters of the squared sum of

    .. math:: \psi_i = \frac{A_i (y_i - \hat p_A)}{n_A \hat p_A} - \frac{B_i (y_i - \hat p_B)}{n_B \hat p_B}

    so that a row which meets both rules counts for both, and two equal rules differ by exactly nothing.

    References
    ----------
    Moskowitz, C. S. and Pepe, M. S. (2006). Comparing the predictive values of diagnostic tests: sample size and analysis for
    paired study designs. Clinical Trials 3, 272-279.

    Examples
    --------
    >>> import numpy as np
    >>> row = np.arange(400)
    >>> found = relative_predictive_value(row < 100, row >= 100, row % 100 < np.where(row < 100, 30, 10), row)
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (3.0, 1.91, 4.72)
    """
    shares, counts = [], []
    for met in (own, other):
        counts.append(int(met.sum()))
        if not counts[-1]:
            return Estimate.none(Undefined.EMPTY_GROUP)
        shares.append(float(converted[met].mean()))
        if not shares[-1]:
            return Estimate.none(Undefined.NO_CONVERTERS)
    parts = [
        np.where(met, (converted - share) / (count * share), 0.0)
        for met, share, count in zip((own, other), shares, counts, strict=True)
    ]
    _, label = np.unique(clusters, return_inverse=True)
    error = math.sqrt(float((np.bincount(label, weights=parts[0] - parts[1]) ** 2).sum()))
    value = shares[0] / shares[1]
    return Estimate.of(value, value * math.exp(-Z95 * error), value * math.exp(Z95 * error))
