"""The comparison of those who did it with those who did not, for columns of 2x2 tables.

Cells: `a` did it and converted, `b` did it and did not convert, `c` did not do it and converted, `d` neither. The
functions take columns of cells and give columns, NaN where a number is undefined. `pqlkit.statistics.contingency` holds
single tables and runs the same formulas.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pqlkit.statistics import exact
from pqlkit.statistics.arrays import Z95, Flags, Floats, Numbers, exp, floats, log, ratio, together
from pqlkit.statistics.rate import wilson

__all__ = [
    "lift",
    "log_relative_risk",
    "mid_p",
    "newcombe",
    "odds_ratio",
    "p_value",
    "phi",
    "relative_risk",
    "risk_difference",
]

_HALVINGS: Final = 56
"""So many halvings of a factor of a million are finer than a float's last digit."""

_LARGEST: Final = 1e12
"""No ratio of rates of real tables is larger, nor smaller than one over it."""


def lift(a: Numbers, b: Numbers, c: Numbers, d: Numbers) -> tuple[Floats, Floats, Floats]:
    """Divide the rate of those who did it by the rate of all.

    Returns
    -------
    tuple of Floats
        Lift and its 95 % interval, which is Wilson's of the rate among those who did it, over the base rate taken as known.
        At most 1 / share, so it cannot be compared between rare and common behaviours. NaN where nobody did it or nobody
        converted.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the American
    Statistical Association 22, 209-212.

    Examples
    --------
    >>> lift(30, 70, 70, 830)[0]
    array(3.)
    """
    a, b, c, d = together(a, b, c, d)
    base = ratio(a + c, a + b + c + d)
    low, high = wilson(a, a + b)
    return ratio(ratio(a, a + b), base), ratio(low, base), ratio(high, base)


def relative_risk(
    a: Numbers, b: Numbers, c: Numbers, d: Numbers, *, design_effect: Numbers = 1.0
) -> tuple[Floats, Floats, Floats]:
    """Divide the rate with by the rate without, with a 95 % interval.

    Parameters
    ----------
    a, b, c, d
        Cells, elementwise.
    design_effect
        Rows per independent row: the standard error grows by its root.

    Returns
    -------
    tuple of Floats
        Relative risk, lower and upper end. The interval is Katz's on the log scale; where one side has no converter, or
        everybody converted, that does not exist and it is Koopman's score interval. Nobody of the others converted: the ratio
        and its upper end are infinite, and the lower end is the one-sided 97.5 % limit. NaN where a side is empty or nobody
        converted.

    References
    ----------
    Katz, D., Baptista, J., Azen, S. P. and Pike, M. C. (1978). Obtaining confidence intervals for the risk ratio in cohort
    studies. Biometrics 34, 469-474.

    Koopman, P. A. R. (1984). Confidence intervals for the ratio of two binomial proportions. Biometrics 40, 513-517.

    Examples
    --------
    >>> value, low, high = relative_risk([30, 22], [70, 74], [70, 0], [830, 899])
    >>> value.round(2), low.round(2), high.round(2)
    (array([3.86,  inf]), array([ 2.65, 53.83]), array([5.61,  inf]))
    """
    a, b, c, d, deff = together(a, b, c, d, design_effect)
    defined = (a + b > 0) & (c + d > 0) & (a + c > 0)
    edge = _at_the_edge(a, b, c, d)
    with_, without = ratio(a, a + b), ratio(c, c + d)
    variance = ratio(1 - with_, a) + ratio(1 - without, c)
    value, low, high = _log_interval(ratio(with_, without), variance * deff, defined & ~edge)
    edge &= defined
    if edge.any():
        value[edge] = np.where(c[edge] == 0, np.inf, ratio(with_[edge], without[edge]))
        low[edge], high[edge] = _koopman(*(cell[edge] / deff[edge] for cell in (a, b, c, d)))
    return value, low, high


def log_relative_risk(
    a: Numbers, b: Numbers, c: Numbers, d: Numbers, *, design_effect: Numbers = 1.0
) -> tuple[Floats, Floats]:
    """Give the logarithm of the relative risk and its standard error, for tests that need both.

    Parameters
    ----------
    a, b, c, d
        Cells, elementwise.
    design_effect
        Rows per independent row: the standard error grows by its root.

    Returns
    -------
    tuple of Floats
        Where one side has no converter, or everybody converted, half a converter is added to each side and 1 to its size: such a
        value is for a test and never for print.

    References
    ----------
    Katz, D., Baptista, J., Azen, S. P. and Pike, M. C. (1978). Obtaining confidence intervals for the risk ratio in cohort
    studies. Biometrics 34, 469-474.

    Examples
    --------
    >>> middle, error = log_relative_risk(30, 70, 70, 830)
    >>> round(float(middle), 4), round(float(error), 4)
    (1.3499, 0.1911)
    """
    a, b, c, d, deff = together(a, b, c, d, design_effect)
    half = np.where(_at_the_edge(a, b, c, d), 0.5, 0.0)
    with_, without = ratio(a + half, a + b + 2 * half), ratio(c + half, c + d + 2 * half)
    variance = ratio(1 - with_, a + half) + ratio(1 - without, c + half)
    return log(ratio(with_, without)), floats(np.sqrt(variance * deff))


def _at_the_edge(a: Floats, b: Floats, c: Floats, d: Floats) -> Flags:
    """Find tables whose ratio has no standard error: no converter on one side, or converters only."""
    edge: Flags = (a == 0) | (c == 0) | ((b == 0) & (d == 0))
    return edge


def _koopman(a: Floats, b: Floats, c: Floats, d: Floats) -> tuple[Floats, Floats]:
    """Find Koopman's 95 % score interval of the relative risk, by halving it on the log scale."""
    n1, n0 = a + b, c + d
    rate1, rate0 = a / n1, c / n0

    def rejected(risk: Floats) -> Flags:
        """Whether the score test rejects a relative risk, with the rates that are likeliest under it."""
        both = n1 * risk + a + n0 + c * risk
        root = np.sqrt(np.maximum(both**2 - 4 * (n1 + n0) * risk * (a + c), 0.0))
        likeliest = 2 * (a + c) / (both + root)
        variance = risk * likeliest * (1 - risk * likeliest) / n1 + risk**2 * likeliest * (1 - likeliest) / n0
        far: Flags = (rate1 - risk * rate0) ** 2 > Z95**2 * variance
        return far

    def between(inside: Floats, outside: Floats) -> Floats:
        for _ in range(_HALVINGS):
            middle = np.sqrt(inside * outside)
            far = rejected(middle)
            inside, outside = np.where(far, inside, middle), np.where(far, middle, outside)
        return inside

    least, most = np.full_like(a, 1 / _LARGEST), np.full_like(a, _LARGEST)
    centre = np.where(c == 0, most, np.where(a == 0, least, 1.0))
    return (
        np.where(a == 0, 0.0, between(centre, least)),
        np.where(c == 0, np.inf, between(centre, most)),
    )


def _log_interval(value: Floats, variance: Floats, defined: Flags) -> tuple[Floats, Floats, Floats]:
    """Spread a ratio by its standard error on the log scale, where it is defined."""
    spread = exp(Z95 * np.sqrt(variance))
    columns = (value, value / spread, value * spread)
    low_to_high = [np.where(defined, column, np.nan) for column in columns]
    return low_to_high[0], low_to_high[1], low_to_high[2]


def newcombe(
    successes: Numbers, total: Numbers, other: Numbers, other_total: Numbers, *, design_effect: Numbers = 1.0
) -> tuple[Floats, Floats, Floats]:
    """Subtract two proportions, with Newcombe's 95 % hybrid score interval (his method 10).

    Parameters
    ----------
    successes, total
        The first group.
    other, other_total
        The group that is subtracted.
    design_effect
        Rows per independent row, in both groups.

    Returns
    -------
    tuple of Floats
        Difference, lower and upper end, within [-1, 1]; NaN where a group is empty.

    References
    ----------
    Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions: comparison of eleven
    methods. Statistics in Medicine 17, 873-890.

    Examples
    --------
    >>> [round(float(x), 4) for x in newcombe(56, 70, 48, 80)]
    [0.2, 0.0524, 0.3339]
    """
    x1, n1, x0, n0 = together(successes, total, other, other_total)
    p1, p0 = ratio(x1, n1), ratio(x0, n0)
    low1, high1 = wilson(x1, n1, design_effect=design_effect)
    low0, high0 = wilson(x0, n0, design_effect=design_effect)
    difference = p1 - p0
    return difference, difference - np.hypot(p1 - low1, high0 - p0), difference + np.hypot(high1 - p1, p0 - low0)


def risk_difference(
    a: Numbers, b: Numbers, c: Numbers, d: Numbers, *, design_effect: Numbers = 1.0
) -> tuple[Floats, Floats, Floats]:
    """Subtract the rate without from the rate with, with Newcombe's 95 % interval.

    Parameters
    ----------
    a, b, c, d
        Cells, elementwise.
    design_effect
        Rows per independent row, on both sides.

    References
    ----------
    Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions: comparison of eleven
    methods. Statistics in Medicine 17, 873-890.

    Examples
    --------
    >>> [round(float(x), 4) for x in risk_difference(56, 14, 48, 32)]
    [0.2, 0.0524, 0.3339]
    """
    a, b, c, d = together(a, b, c, d)
    return newcombe(a, a + b, c, c + d, design_effect=design_effect)


def odds_ratio(
    a: Numbers, b: Numbers, c: Numbers, d: Numbers, *, design_effect: Numbers = 1.0
) -> tuple[Floats, Floats, Floats, Floats]:
    """Divide the odds with by the odds without, with Woolf's 95 % interval on the log scale.

    Parameters
    ----------
    a, b, c, d
        Cells, elementwise.
    design_effect
        Rows per independent row: the standard error grows by its root.

    Returns
    -------
    tuple of Floats
        Odds ratio, lower and upper end, and 1.0 where a cell is 0 and 0.5 was added to all four (0.0 elsewhere). NaN where
        a margin is 0.

    References
    ----------
    Woolf, B. (1955). On estimating the relation between blood group and disease. Annals of Human Genetics 19, 251-253.

    Haldane, J. B. S. (1956). The estimation and significance of the logarithm of a ratio of frequencies. Annals of Human
    Genetics 20, 309-311.

    Anscombe, F. J. (1956). On estimating binomial response relations. Biometrika 43, 461-464.

    Examples
    --------
    >>> value, low, high, corrected = odds_ratio(30, 70, 70, 830)
    >>> round(float(value), 4), round(float(low), 4), round(float(high), 4)
    (5.0816, 3.1058, 8.3146)
    """
    a, b, c, d, deff = together(a, b, c, d, design_effect)
    defined = _margins(a, b, c, d) > 0
    corrected = np.minimum(np.minimum(a, b), np.minimum(c, d)) == 0
    a, b, c, d = (cell + np.where(corrected, 0.5, 0.0) for cell in (a, b, c, d))
    value = (a * d) / (b * c)
    variance = (1 / a + 1 / b + 1 / c + 1 / d) * deff
    return (*_log_interval(value, variance, defined), np.where(defined, corrected, 0.0))


def _margins(a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """Give the smallest of the four margins."""
    return np.minimum(np.minimum(a + b, c + d), np.minimum(a + c, b + d))


def phi(a: Numbers, b: Numbers, c: Numbers, d: Numbers) -> Floats:
    """Correlate doing it with converting: phi, also known as Matthews' correlation.

    Returns
    -------
    Floats
        In [-1, 1]; 0 where a margin is 0 (the usual convention), NaN for an empty table. Its largest possible value is below
        1 when the margins differ, and falls with rarity: a rare behaviour has a low phi, however many of those who do it
        convert. So it is no measure of strength across behaviours of different share; the relative risk is. Ranking
        behaviours by phi against the one outcome asks something else: of how much of all converting does each tell? There
        the ceiling is meant, since who is rare tells of few. `pqlkit analyze` ranks by it, and answers with the largest
        adjusted ratio.

    References
    ----------
    Yule, G. U. (1912). On the methods of measuring association between two attributes. Journal of the Royal Statistical
    Society 75, 579-652.

    Matthews, B. W. (1975). Comparison of the predicted and observed secondary structure of T4 phage lysozyme. Biochimica
    et Biophysica Acta 405, 442-451.

    Examples
    --------
    >>> phi([30, 0], [70, 0], [70, 5], [830, 5]).round(4)
    array([0.2222, 0.    ])
    """
    a, b, c, d = together(a, b, c, d)
    size = np.sqrt(a + b) * np.sqrt(c + d) * np.sqrt(a + c) * np.sqrt(b + d)
    value = np.where(size > 0, ratio(a * d - b * c, size), 0.0)
    return np.where(a + b + c + d > 0, np.clip(value, -1.0, 1.0), np.nan)


def p_value(a: Numbers, b: Numbers, c: Numbers, d: Numbers, *, design_effect: Numbers = 1.0) -> Floats:
    """Test on either side whether doing it and converting go together.

    Parameters
    ----------
    a, b, c, d
        Whole counts, elementwise.
    design_effect
        Rows per independent row: chi-squared is divided by it (Rao and Scott's first-order correction), and the exact test
        sees the cells divided by it and rounded.

    Returns
    -------
    Floats
        Fisher's exact p where an expected cell lies below 5, else Pearson's chi-squared without Yates' correction. NaN where
        a margin is 0: there is nothing to test.

    References
    ----------
    Pearson, K. (1900). On the criterion that a given system of deviations from the probable in the case of a correlated
    system of variables is such that it can be reasonably supposed to have arisen from random sampling. Philosophical
    Magazine, Series 5, 50, 157-175.

    Fisher, R. A. (1935). The logic of inductive inference. Journal of the Royal Statistical Society 98, 39-82.

    Rao, J. N. K. and Scott, A. J. (1981). The analysis of categorical data from complex sample surveys: chi-squared tests
    for goodness of fit and independence in two-way tables. Journal of the American Statistical Association 76, 221-230.

    Examples
    --------
    >>> p_value([56, 3], [14, 1], [48, 1], [32, 3]).round(6)
    array([0.008045, 0.485714])
    """
    from scipy.special import chdtrc

    a, b, c, d, deff = together(a, b, c, d, design_effect)
    n1, n0, m1, m0, total = a + b, c + d, a + c, b + d, a + b + c + d
    chi_squared = ratio(ratio(a * d - b * c, n1) * ratio(a * d - b * c, n0) * total, m1 * m0)
    values = np.asarray(chdtrc(1, chi_squared / deff), dtype=np.float64)
    expected = ratio(np.minimum(n1, n0) * np.minimum(m1, m0), total) / deff
    small = (expected < 5) & (_margins(a, b, c, d) > 0)
    if small.any():
        cells = (np.rint(cell[small] / deff[small]) for cell in (a, b, c, d))
        values = values.copy()
        values[small] = exact.fisher(*cells)
    return values


def mid_p(a: Numbers, b: Numbers, c: Numbers, d: Numbers, *, design_effect: Numbers = 1.0) -> Floats:
    """Test exactly whether those who did it convert more: the gate that a candidate must pass on the holdout.

    Parameters
    ----------
    a, b, c, d
        Whole counts, elementwise.
    design_effect
        Rows per independent row: the test sees the cells divided by it and rounded.

    Returns
    -------
    Floats
        P(A > a) + P(A = a) / 2 of the hypergeometric distribution; NaN where a margin is 0.

    References
    ----------
    Lancaster, H. O. (1961). Significance tests in discrete distributions. Journal of the American Statistical
    Association 56, 223-234.

    Examples
    --------
    >>> round(float(mid_p(4, 0, 0, 4)), 6)
    0.007143
    """
    a, b, c, d, deff = together(a, b, c, d, design_effect)
    return exact.fisher_greater(*(np.rint(cell / deff) for cell in (a, b, c, d)), mid_p=True)
