"""The agreement of a rule with the outcome: what a search maximises.

Columns of counts in, columns out: `tp` converters who meet the rule, `fp` others who meet it, `positives` all converters,
`total` all entities. All of them rise with `tp` and fall with `fp`. NaN where undefined.
"""

from __future__ import annotations

from pqlkit.statistics.arrays import Floats, Numbers, ratio, together

__all__ = ["f_beta", "kappa", "youden"]


def f_beta(tp: Numbers, fp: Numbers, positives: Numbers, total: Numbers, *, beta: float = 1.0) -> Floats:
    """Average precision and recall harmonically, recall counting `beta` times as much.

    Parameters
    ----------
    tp, fp, positives, total
        Counts, elementwise.
    beta
        How much more recall weighs than precision.

    Returns
    -------
    Floats
        In [0, 1]; 0 where nobody meets the rule, NaN where nobody converted either.

    References
    ----------
    van Rijsbergen, C. J. (1979). Information Retrieval, 2nd edition. Butterworths, London.

    Examples
    --------
    >>> f_beta([30, 0], [70, 0], 100, 1000)
    array([0.3, 0. ])
    """
    tp, fp, positives, _ = together(tp, fp, positives, total)
    weight = beta * beta
    return ratio((1 + weight) * tp, weight * positives + tp + fp)


def kappa(tp: Numbers, fp: Numbers, positives: Numbers, total: Numbers) -> Floats:
    r"""Measure agreement beyond chance between meeting the rule and converting (Cohen's kappa).

    Returns
    -------
    Floats
        At most 1; 0 when the rule is no better than chance. NaN where nobody meets it and nobody converts, or everybody
        does both.

    Notes
    -----
    .. math:: \kappa = \frac{2 (aN - n_1 m_1)}{n_1 (N - m_1) + m_1 (N - n_1)}

    References
    ----------
    Cohen, J. (1960). A coefficient of agreement for nominal scales. Educational and Psychological Measurement 20, 37-46.

    Examples
    --------
    >>> kappa([30], [70], 100, 1000).round(4)
    array([0.2222])
    """
    tp, fp, positives, total = together(tp, fp, positives, total)
    met = tp + fp
    return ratio(2 * (tp * total - met * positives), met * (total - positives) + positives * (total - met))


def youden(tp: Numbers, fp: Numbers, positives: Numbers, total: Numbers) -> Floats:
    """Subtract the share of the others who meet the rule from the share of the converters who do (Youden's J).

    Returns
    -------
    Floats
        In [-1, 1]; NaN where nobody or everybody converted.

    References
    ----------
    Youden, W. J. (1950). Index for rating diagnostic tests. Cancer 3, 32-35.

    Examples
    --------
    >>> youden([30], [70], 100, 1000).round(4)
    array([0.2222])
    """
    tp, fp, positives, total = together(tp, fp, positives, total)
    return ratio(tp, positives) - ratio(fp, total - positives)
