"""The histogram: how many converters and others stand at each level of a behaviour.

It is all that the tables, thresholds and rankings of one behaviour need, whatever the number of entities, and it adds up over
partitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from pqlkit.statistics.arrays import Floats, Numbers, floats

__all__ = ["COUNT_BINS", "Histogram"]

COUNT_BINS: Final = (0.0, 1.0, 2.0, 3.0, 5.0, 10.0)
"""Lower ends of the bins 0, 1, 2, 3-4, 5-9, 10 and more."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Histogram:
    """Counts of converters and others at each level. Histograms of disjoint groups add.

    Build it with `Histogram.of`.

    Parameters
    ----------
    levels
        Distinct levels, ascending.
    positive, negative
        Converters, and others, at each level.
    """

    levels: Floats
    positive: Floats
    negative: Floats

    @classmethod
    def of(cls, levels: Numbers, positive: Numbers, negative: Numbers) -> Histogram:
        """Build one from rows in any order; rows of one level are added up.

        Examples
        --------
        >>> h = Histogram.of([3, 0, 3], [1, 5, 1], [2, 40, 0])
        >>> h.levels, h.positive, h.negative
        (array([0., 3.]), array([5., 2.]), array([40.,  2.]))
        """
        distinct, place = np.unique(floats(levels), return_inverse=True)
        size = len(distinct)
        return cls(
            levels=distinct,
            positive=floats(np.bincount(place, weights=floats(positive), minlength=size)),
            negative=floats(np.bincount(place, weights=floats(negative), minlength=size)),
        )

    def __add__(self, other: Histogram) -> Histogram:
        """Merge with the histogram of a disjoint group."""
        return Histogram.of(
            np.concatenate([self.levels, other.levels]),
            np.concatenate([self.positive, other.positive]),
            np.concatenate([self.negative, other.negative]),
        )

    def at_least(self, thresholds: Numbers) -> tuple[Floats, Floats, Floats, Floats]:
        """Cut at thresholds: the cells of one 2x2 table each.

        Parameters
        ----------
        thresholds
            In any order; an entity did it when its level is at or above the threshold.

        Returns
        -------
        tuple of Floats
            Columns a, b, c, d as in `pqlkit.statistics.contingency`.

        Examples
        --------
        >>> Histogram.of([0, 1, 3], [5, 1, 2], [40, 10, 2]).at_least([1, 3])
        (array([3., 2.]), array([12.,  2.]), array([5., 6.]), array([40., 50.]))
        """
        first = np.searchsorted(self.levels, floats(thresholds), side="left")
        below_positive = np.concatenate([[0.0], np.cumsum(self.positive)])
        below_negative = np.concatenate([[0.0], np.cumsum(self.negative)])
        c, d = below_positive[first], below_negative[first]
        return below_positive[-1] - c, below_negative[-1] - d, c, d
