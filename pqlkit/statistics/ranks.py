"""The ranking: how well the level of a behaviour tells converters from the others.

Columns are histograms: `positive[..., level]` converters and `negative[..., level]` others, levels ascending along the last
axis; leading axes are behaviours. Results have the leading axes. NaN where undefined: one class empty, or a single level.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from pqlkit.statistics.arrays import Z95, Floats, Numbers, exp, floats, log, ratio, together

__all__ = [
    "auc",
    "auc_error",
    "auc_interval",
    "average_precision",
    "information_value",
    "mann_whitney",
    "mutual_information",
    "point_biserial",
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


def auc_error(positive: Numbers, negative: Numbers, *, method: Literal["delong", "hanley-mcneil"] = "delong") -> Floats:
    """Give the standard error of the area under the ROC curve.

    Parameters
    ----------
    positive, negative
        Histograms along the last axis.
    method
        ``delong`` needs no model and at least two of each class; ``hanley-mcneil`` assumes exponential scores.

    Returns
    -------
    Floats
        Standard errors; NaN where a class is too small.

    References
    ----------
    DeLong, E. R., DeLong, D. M. and Clarke-Pearson, D. L. (1988). Comparing the areas under two or more correlated receiver
    operating characteristic curves: a nonparametric approach. Biometrics 44, 837-845.

    Hanley, J. A. and McNeil, B. J. (1982). The meaning and use of the area under a receiver operating characteristic (ROC)
    curve. Radiology 143, 29-36.

    Examples
    --------
    >>> auc_error([[10, 30]], [[30, 10]]).round(4)
    array([0.049])
    """
    pos, neg = together(positive, negative)
    variance = _delong(pos, neg) if method == "delong" else _hanley_mcneil(pos, neg)
    return floats(np.sqrt(np.maximum(variance, 0.0)))


def _delong(pos: Floats, neg: Floats) -> Floats:
    n1, n0 = pos.sum(axis=-1), neg.sum(axis=-1)
    area = auc(pos, neg)[..., None]
    over_others = ratio(_below(neg), n0[..., None])
    under_converters = 1 - ratio(_below(pos), n1[..., None])
    among_converters = (pos * (over_others - area) ** 2).sum(axis=-1)
    among_others = (neg * (under_converters - area) ** 2).sum(axis=-1)
    return ratio(among_converters, n1 * (n1 - 1)) + ratio(among_others, n0 * (n0 - 1))


def _hanley_mcneil(pos: Floats, neg: Floats) -> Floats:
    n1, n0, area = pos.sum(axis=-1), neg.sum(axis=-1), auc(pos, neg)
    two_converters, two_others = area / (2 - area), 2 * area * area / (1 + area)
    spread = area * (1 - area) + (n1 - 1) * (two_converters - area**2) + (n0 - 1) * (two_others - area**2)
    return ratio(spread, n1 * n0)


def auc_interval(positive: Numbers, negative: Numbers) -> tuple[Floats, Floats, Floats]:
    """Give the area under the ROC curve with a 95 % interval (DeLong's error, on the logit scale).

    Returns
    -------
    tuple of Floats
        Area, lower and upper end, within [0, 1]. The ends are NaN where the area is 0 or 1 or a class has fewer than two.

    References
    ----------
    DeLong, E. R., DeLong, D. M. and Clarke-Pearson, D. L. (1988). Comparing the areas under two or more correlated receiver
    operating characteristic curves: a nonparametric approach. Biometrics 44, 837-845.

    Pepe, M. S. (2003). The Statistical Evaluation of Medical Tests for Classification and Prediction. Oxford University
    Press.

    Examples
    --------
    >>> [column.round(3) for column in auc_interval([[10, 30]], [[30, 10]])]
    [array([0.75]), array([0.642]), array([0.834])]
    """
    area = auc(positive, negative)
    spread = ratio(Z95 * auc_error(positive, negative), area * (1 - area))
    middle = log(area) - log(1 - area)
    low, high = 1 / (1 + exp(spread - middle)), 1 / (1 + exp(-spread - middle))
    return area, floats(low), floats(high)


def mann_whitney(positive: Numbers, negative: Numbers, *, continuity: bool = True) -> Floats:
    """Test whether converters stand at other levels than the rest (Mann-Whitney U, normal approximation, ties corrected).

    Parameters
    ----------
    positive, negative
        Histograms along the last axis.
    continuity
        Move U by half a step towards its mean, as R and SciPy do by default.

    Returns
    -------
    Floats
        Two-sided p values; NaN where a class is empty or all stand at one level.

    References
    ----------
    Mann, H. B. and Whitney, D. R. (1947). On a test of whether one of two random variables is stochastically larger than
    the other. Annals of Mathematical Statistics 18, 50-60.

    Lehmann, E. L. (1975). Nonparametrics: Statistical Methods Based on Ranks. Holden-Day, San Francisco.

    Examples
    --------
    >>> mann_whitney([[10, 30]], [[30, 10]]).round(6)
    array([9.e-06])
    """
    from scipy.special import ndtr

    pos, neg = together(positive, negative)
    n1, n0, ties = pos.sum(axis=-1), neg.sum(axis=-1), pos + neg
    total = n1 + n0
    tied = ratio((ties**3 - ties).sum(axis=-1), total * (total - 1))
    error = np.sqrt(np.maximum(n1 * n0 / 12 * (total + 1 - tied), 0.0))
    away = np.abs((pos * _below(neg)).sum(axis=-1) - n1 * n0 / 2)
    z = ratio(np.maximum(away - (0.5 if continuity else 0.0), 0.0), error)
    return floats(2 * ndtr(-z))


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


def point_biserial(levels: Numbers, positive: Numbers, negative: Numbers) -> Floats:
    """Correlate log(1 + level) with having converted.

    Parameters
    ----------
    levels
        Levels along the last axis; negative ones (of sums) keep their sign: -log(1 + |level|). Logarithms, because
        raw counts have tails that a correlation would follow.
    positive, negative
        Histograms along the last axis.

    Returns
    -------
    Floats
        Correlation in [-1, 1].

    References
    ----------
    Tate, R. F. (1954). Correlation between a discrete and a continuous variable. Point-biserial correlation. Annals of
    Mathematical Statistics 25, 603-607.

    Examples
    --------
    >>> point_biserial([0, 1], [[10, 30]], [[30, 10]])
    array([0.5])
    """
    values, pos, neg = together(levels, positive, negative)
    return _correlation(floats(np.sign(values) * np.log1p(np.abs(values))), pos, neg)


def _correlation(scores: Floats, pos: Floats, neg: Floats) -> Floats:
    """Correlate scores of the levels with the class, from counts."""
    both = pos + neg
    n1, total = pos.sum(axis=-1), both.sum(axis=-1)
    centred = scores - ratio((scores * both).sum(axis=-1), total)[..., None]
    spread = (both * centred**2).sum(axis=-1)
    size = np.sqrt(spread) * np.sqrt(ratio(n1 * (total - n1), total))
    return floats(np.clip(ratio((pos * centred).sum(axis=-1), size), -1.0, 1.0))


def information_value(positive: Numbers, negative: Numbers) -> Floats:
    r"""Measure how differently converters and others are spread over bins (information value).

    Parameters
    ----------
    positive, negative
        Counts over bins along the last axis, for instance those of `pqlkit.statistics.histogram.COUNT_BINS`.

    Returns
    -------
    Floats
        At least 0. Below 0.02 nothing, to 0.1 weak, to 0.3 medium, to 0.5 strong, above suspiciously strong. NaN where a
        class is empty.

    Notes
    -----
    .. math:: \sum_b (P_b - N_b) \ln (P_b / N_b)

    Half a count is added to each bin that holds anybody; a bin with nobody carries no information.

    References
    ----------
    Kullback, S. (1959). Information Theory and Statistics. Wiley, New York.

    Siddiqi, N. (2006). Credit Risk Scorecards: Developing and Implementing Intelligent Credit Scoring. Wiley, Hoboken.

    Examples
    --------
    >>> information_value([[10, 30]], [[30, 10]]).round(3)
    array([1.04])
    """
    pos, neg = together(positive, negative)
    held = pos + neg > 0
    p, n = np.where(held, pos + 0.5, 0.0), np.where(held, neg + 0.5, 0.0)
    p, n = ratio(p, p.sum(axis=-1, keepdims=True)), ratio(n, n.sum(axis=-1, keepdims=True))
    terms = (p - n) * np.log(np.where(held, p, 1.0) / np.where(held, n, 1.0))
    both = (pos.sum(axis=-1) > 0) & (neg.sum(axis=-1) > 0)
    return floats(np.where(both, terms.sum(axis=-1), np.nan))


def mutual_information(positive: Numbers, negative: Numbers) -> Floats:
    """Measure in bits what the bin of an entity says about its conversion, corrected for chance (Miller-Madow).

    Parameters
    ----------
    positive, negative
        Counts over bins along the last axis.

    Returns
    -------
    Floats
        Bits, at most 1; a little below 0 means no more than chance. NaN where a class is empty.

    Notes
    -----
    The raw value is too large by about (occupied bins - 1) / (2 N ln 2), which is taken off.

    References
    ----------
    Miller, G. A. (1955). Note on the bias of information estimates. In: Quastler, H. (ed.), Information Theory in
    Psychology: Problems and Methods. Free Press, Glencoe, 95-100.

    Cover, T. M. and Thomas, J. A. (2006). Elements of Information Theory, 2nd edition. Wiley, Hoboken.

    Examples
    --------
    >>> mutual_information([[10, 30]], [[30, 10]]).round(4)
    array([0.1797])
    """
    pos, neg = together(positive, negative)
    both = pos + neg
    n1, n0, total = pos.sum(axis=-1), neg.sum(axis=-1), both.sum(axis=-1)
    known = _surprise(both) + _surprise(np.stack([n1, n0], axis=-1)) - _surprise(np.concatenate([pos, neg], axis=-1))
    bias = ratio((both > 0).sum(axis=-1) - 1, 2 * total)
    return floats(np.where((n1 > 0) & (n0 > 0), (known - bias) / np.log(2), np.nan))


def _surprise(counts: Floats) -> Floats:
    """Compute the entropy in nats of the counts along the last axis."""
    share = ratio(counts, counts.sum(axis=-1, keepdims=True))
    return floats(-(share * np.log(np.where(share > 0, share, 1.0))).sum(axis=-1))
