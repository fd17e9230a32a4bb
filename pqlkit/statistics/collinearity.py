"""The collinearity of behaviours: which of them cannot be told apart."""

from __future__ import annotations

import numpy as np

from pqlkit.statistics.arrays import Floats, Numbers, floats, ratio

__all__ = ["interchangeable", "spearman_matrix"]


def _correlation(columns: Floats) -> Floats:
    centred = columns - columns.mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=0))
    size = np.where(size > 1e-12 * np.abs(columns).max(axis=0, initial=0.0) * np.sqrt(len(columns)), size, 0.0)
    # The last digits differ between processors; a correlation of exactly the threshold may not.
    matrix = np.round(ratio(centred.T @ centred, np.outer(size, size)), 12)
    return floats(np.clip(matrix, -1.0, 1.0))


def spearman_matrix(design: Numbers) -> Floats:
    """Correlate the ranks of every pair of columns.

    Parameters
    ----------
    design
        Rows x columns; ties share the middle rank.

    Returns
    -------
    Floats
        Columns x columns, symmetric, 1 on the diagonal; NaN for a column that never varies.

    References
    ----------
    Spearman, C. (1904). The proof and measurement of association between two things. The American Journal of Psychology 15,
    72-101.

    Examples
    --------
    >>> spearman_matrix([[1, 30], [2, 20], [9, 10]])
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    columns = floats(design)
    return _correlation(np.column_stack([_midranks(column) for column in columns.T]) if columns.size else columns)


def _midranks(values: Floats) -> Floats:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2
    return floats(middle[place.ravel()])


def interchangeable(correlation: Numbers, *, threshold: float = 0.8) -> tuple[tuple[int, ...], ...]:
    """Group columns that go so closely together that the data cannot say which of them matters.

    Parameters
    ----------
    correlation
        Columns x columns, for instance of `spearman_matrix`; NaN is no link.
    threshold
        Two columns are linked when their correlation is above this, on either side of 0.

    Returns
    -------
    tuple of tuples of int
        Numbers of the columns of each group of two or more, ascending; chains of links form one group.

    References
    ----------
    Spearman, C. (1904). The proof and measurement of association between two things. The American Journal of Psychology 15,
    72-101.

    Examples
    --------
    >>> interchangeable([[1.0, 0.9, 0.1], [0.9, 1.0, 0.2], [0.1, 0.2, 1.0]])
    ((0, 1),)
    """
    from scipy.sparse.csgraph import connected_components

    linked = np.abs(np.nan_to_num(floats(correlation))) > threshold
    count, labels = connected_components(linked, directed=False)
    groups = [tuple(int(column) for column in np.flatnonzero(labels == group)) for group in range(count)]
    return tuple(sorted(group for group in groups if len(group) > 1))
