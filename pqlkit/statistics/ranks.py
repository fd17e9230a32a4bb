"""The ranking: how well the level of a behaviour tells converters from the others.

Columns are histograms: `positive[..., level]` converters and `negative[..., level]` others, levels ascending along the last
axis; leading axes are behaviours. Results have the leading axes. NaN where undefined: one class empty, or a single level.
"""

from __future__ import annotations

import numpy as np

from pqlkit.statistics.arrays import Floats, Numbers, floats, ratio, together

__all__ = [
    "auc",
    "auc_error",
    "average_precision",
    "spearman",
]


def auc(positive: Numbers, negative: Numbers) -> Floats:
    """Measure how often a converter stands above another entity, ties counting half.

    Returns
    -------
    Floats
        Area under the ROC curve in [0, 1]; 0.5 says nothing, above: converters did it more. NaN where a class is empty.

    References
    ----------
    Hanley, J. A. and McNeil, B. J. (1982). The meaning and use of the area under a receiver operating characteristic (ROC)
    curve. Radiology 143, 29-36.

    Examples
    --------
    >>> auc([[1, 3], [2, 2]], [[3, 1], [2, 2]])
    array([0.75, 0.5 ])
    """
    pos, neg = together(positive, negative)
    return ratio((pos * _below(neg)).sum(axis=-1), pos.sum(axis=-1) * neg.sum(axis=-1))


def _below(counts: Floats) -> Floats:
    """Count those below each level, and half of those at it."""
    return floats(np.cumsum(counts, axis=-1) - counts / 2)


def average_precision(positive: Numbers, negative: Numbers) -> Floats:
    """Average the share of converters among those from a level on, over the levels at which converters stand.

    Returns
    -------
    Floats
        In (0, 1]: each level counts by its converters, and those at one level are taken together, not one after another. A
        ranking that says nothing comes to about the share of converters. NaN where a class is empty.

    References
    ----------
    Buckley, C. and Voorhees, E. M. (2000). Evaluating evaluation measure stability. SIGIR 23, 33-40; without interpolation.

    Examples
    --------
    >>> average_precision([[1, 3], [2, 2]], [[3, 1], [2, 2]])
    array([0.6875, 0.5   ])
    """
    pos, neg = together(positive, negative)
    above, others = (floats(np.cumsum(counts[..., ::-1], axis=-1)[..., ::-1]) for counts in (pos, neg))
    share = np.nan_to_num(ratio(above, above + others))  # NaN only above the topmost, where nobody is counted
    whole = pos.sum(axis=-1)
    return ratio((pos * share).sum(axis=-1), np.where(neg.sum(axis=-1) > 0, whole, 0))


def auc_error(positive: Numbers, negative: Numbers) -> Floats:
    """Give the standard error of the area under the ROC curve (DeLong's: it needs no model).

    Returns
    -------
    Floats
        Standard errors; NaN where a class has fewer than two.

    References
    ----------
    DeLong, E. R., DeLong, D. M. and Clarke-Pearson, D. L. (1988). Comparing the areas under two or more correlated receiver
    operating characteristic curves: a nonparametric approach. Biometrics 44, 837-845.

    Examples
    --------
    >>> auc_error([[10, 30]], [[30, 10]]).round(4)
    array([0.049])
    """
    pos, neg = together(positive, negative)
    n1, n0 = pos.sum(axis=-1), neg.sum(axis=-1)
    area = auc(pos, neg)[..., None]
    over_others = ratio(_below(neg), n0[..., None])
    under_converters = 1 - ratio(_below(pos), n1[..., None])
    among_converters = (pos * (over_others - area) ** 2).sum(axis=-1)
    among_others = (neg * (under_converters - area) ** 2).sum(axis=-1)
    variance = ratio(among_converters, n1 * (n1 - 1)) + ratio(among_others, n0 * (n0 - 1))
    return floats(np.sqrt(np.maximum(variance, 0.0)))


def spearman(positive: Numbers, negative: Numbers) -> Floats:
    """Correlate the ranks of the levels (ties share the middle rank) with having converted.

    Returns
    -------
    Floats
        Spearman's rho in [-1, 1]; its largest value is below 1 when most entities stand at one level.

    References
    ----------
    Spearman, C. (1904). The proof and measurement of association between two things. The American Journal of Psychology 15,
    72-101.

    Examples
    --------
    >>> spearman([[10, 30]], [[30, 10]])
    array([0.5])
    """
    pos, neg = together(positive, negative)
    return _correlation(_below(pos + neg), pos, neg)


def _correlation(scores: Floats, pos: Floats, neg: Floats) -> Floats:
    """Correlate scores of the levels with the class, from counts."""
    both = pos + neg
    n1, total = pos.sum(axis=-1), both.sum(axis=-1)
    centred = scores - ratio((scores * both).sum(axis=-1), total)[..., None]
    spread = (both * centred**2).sum(axis=-1)
    size = np.sqrt(spread) * np.sqrt(ratio(n1 * (total - n1), total))
    return floats(np.clip(ratio((pos * centred).sum(axis=-1), size), -1.0, 1.0))
