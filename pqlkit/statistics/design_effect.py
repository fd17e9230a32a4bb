"""The design effect: how many dependent rows are worth one independent row.

Users of one account, or snapshots of one entity, resemble each other; intervals that take them for independent are too short.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pqlkit.statistics.arrays import Numbers, together

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ClusterSums", "design_effect", "mean_design_effect", "unsteadiness"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSums:
    """What a table of clusters adds up to: enough for every formula here. Sums over disjoint clusters add.

    Parameters
    ----------
    clusters
        Clusters with at least one row.
    rows, converted
        Sums of rows, and of converted rows, over clusters.
    rows_squared, converted_squared, product
        Sums over clusters of rows squared, converted squared, and rows x converted.
    """

    clusters: int
    rows: int
    converted: int
    rows_squared: float
    converted_squared: float
    product: float

    @classmethod
    def of(cls, converted: Numbers, rows: Numbers) -> ClusterSums:
        """Add up a column of clusters.

        Parameters
        ----------
        converted, rows
            Converted rows and rows of each cluster; clusters without rows are left out.

        Examples
        --------
        >>> ClusterSums.of([2, 0, 1], [2, 3, 1]).rows_squared
        14.0
        """
        y, m = together(converted, rows)
        y, m = y[m > 0], m[m > 0]
        return cls(
            clusters=len(m),
            rows=int(m.sum()),
            converted=int(y.sum()),
            rows_squared=float(m @ m),
            converted_squared=float(y @ y),
            product=float(y @ m),
        )

    def __add__(self, other: ClusterSums) -> ClusterSums:
        """Merge with the sums of other clusters; a cluster must not be in both."""
        return ClusterSums(
            clusters=self.clusters + other.clusters,
            rows=self.rows + other.rows,
            converted=self.converted + other.converted,
            rows_squared=self.rows_squared + other.rows_squared,
            converted_squared=self.converted_squared + other.converted_squared,
            product=self.product + other.product,
        )

    @property
    def ratio(self) -> float | None:
        """Design effect as clustered over binomial variance of the rate; at least 1.

        The clustered variance is that of a ratio of sums over clusters. None with fewer than two clusters, or when nobody or
        everybody converted.

        References
        ----------
        Cochran, W. G. (1977). Sampling Techniques, 3rd edition. Wiley, New York.

        Rao, J. N. K. and Scott, A. J. (1992). A simple method for the analysis of clustered binary data. Biometrics 48,
        577-585.

        Examples
        --------
        >>> ClusterSums.of([1, 0, 0, 1], [1, 1, 1, 1]).ratio  # doctest: +ELLIPSIS
        1.333...
        """
        if self.clusters < 2 or self.converted in (0, self.rows):
            return None
        rate = self.converted / self.rows
        squares = self.converted_squared - 2 * rate * self.product + rate * rate * self.rows_squared
        clustered = squares * self.clusters / (self.clusters - 1)
        return max(1.0, clustered / (self.rows * rate * (1 - rate)))


def design_effect(outcome: Numbers, cluster: NDArray[Any]) -> float | None:
    """Measure from rows how many dependent rows are worth one independent row.

    Parameters
    ----------
    outcome
        Converted (1) or not (0), one a row.
    cluster
        Label of the entity or account that each row belongs to.

    Returns
    -------
    float or None
        Clustered over binomial variance, at least 1; None with fewer than two clusters, or when nobody or everybody
        converted.

    References
    ----------
    Rao, J. N. K. and Scott, A. J. (1992). A simple method for the analysis of clustered binary data. Biometrics 48,
    577-585.

    Examples
    --------
    Two snapshots of each of four entities that always agree count for one:

    >>> y, who = np.array([1, 1, 0, 0, 1, 1, 0, 0] * 50), np.repeat(np.arange(200), 2)
    >>> round(design_effect(y, who), 2)
    2.01
    """
    _, labels = np.unique(cluster, return_inverse=True)
    y = np.asarray(outcome, dtype=np.float64)
    return ClusterSums.of(np.bincount(labels, weights=y), np.bincount(labels)).ratio


def mean_design_effect(bins: NDArray[np.integer], cluster: NDArray[Any]) -> float | None:
    r"""Measure how many dependent rows are worth one independent row where rows fall into several bins.

    Parameters
    ----------
    bins
        The bin of each row.
    cluster
        Label of the entity or account that each row belongs to.

    Returns
    -------
    float or None
        What a chi-squared over the bins is divided by, at least 1; None with fewer than two clusters, or fewer than two bins
        that hold a row.

    Notes
    -----
    With the share :math:`p_b` and the design effect :math:`d_b` of each of :math:`B` bins:
    :math:`\sum_b (1 - p_b) d_b / (B - 1)`.

    References
    ----------
    Rao, J. N. K. and Scott, A. J. (1981). The analysis of categorical data from complex sample surveys: chi-squared tests
    for goodness of fit and independence in two-way tables. Journal of the American Statistical Association 76, 221-230.

    Examples
    --------
    >>> level, who = np.array([0, 0, 1, 1, 2, 2] * 50), np.repeat(np.arange(150), 2)
    >>> round(mean_design_effect(level, who), 2)
    2.01
    """
    held = np.unique(bins)
    inside = [bins == level for level in held]
    effects = [design_effect(met, cluster) for met in inside]
    if len(held) < 2 or any(effect is None for effect in effects):
        return None
    weighted = sum((1 - met.mean()) * (effect or 1.0) for met, effect in zip(inside, effects, strict=True))
    return float(weighted / (len(held) - 1))


def unsteadiness(converted: Numbers, rows: Numbers, *, level: float = 0.1) -> float:
    """Give how much more a rate varies from stretch to stretch than chance lets it, as a design effect of at least 1.

    Parameters
    ----------
    converted, rows
        Of each stretch of time.
    level
        Stretches that chance sets this far apart in one case of so many are steady; .1 is usual, for such a test sees little.

    Returns
    -------
    float
        Pearson's chi-squared over its degrees of freedom; 1 where there is one stretch alone, or they may be steady.

    Notes
    -----
    After a sale, or in a season, a rate is the mean of months that differ. That of a later stretch, months as well, differs
    from it by as much as they do from each other.

    References
    ----------
    Cochran, W. G. (1954). Some methods for strengthening the common chi-squared tests. Biometrics 10, 417-451.

    McCullagh, P. and Nelder, J. A. (1989). Generalized Linear Models, 2nd ed. Chapman and Hall, section 4.5.

    Examples
    --------
    >>> round(unsteadiness([10, 12, 30], [40, 40, 40]), 2), unsteadiness([10, 12, 11], [40, 40, 40]), unsteadiness([3], [9])
    (12.35, 1.0, 1.0)
    """
    from scipy.special import chdtrc

    y, m = together(converted, rows)
    y, m = y[m > 0], m[m > 0]
    rate = y.sum() / m.sum() if len(m) > 1 else 0.0
    if not 0 < rate < 1:
        return 1.0
    squares, degrees = float(((y - m * rate) ** 2 / (m * rate * (1 - rate))).sum()), len(m) - 1
    return squares / degrees if chdtrc(degrees, squares) <= level else 1.0
