"""The rate: how many of how many, with its 95 % interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pqlkit.statistics.arrays import Z95, Floats, Numbers, floats, number, ratio, together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.typing import Json

__all__ = ["Rate", "wilson"]


def wilson(successes: Numbers, total: Numbers, *, design_effect: Numbers = 1.0) -> tuple[Floats, Floats]:
    r"""Bound proportions by Wilson's score interval.

    Parameters
    ----------
    successes, total
        Counts, elementwise; `successes` lies in [0, `total`].
    design_effect
        How many dependent rows are worth one independent row, at least 1 (see `pqlkit.statistics.design_effect`): the
        interval is that of `total` / `design_effect` rows with the same proportion.

    Returns
    -------
    tuple of Floats
        Lower and upper ends, both within [0, 1] and around the proportion; NaN where `total` is 0.

    Notes
    -----
    .. math:: \frac{\hat p + z^2/2n \pm z \sqrt{\hat p(1-\hat p)/n + z^2/4n^2}}{1 + z^2/n}

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the American
    Statistical Association 22, 209-212.

    Brown, L. D., Cai, T. T. and DasGupta, A. (2001). Interval estimation for a binomial proportion. Statistical Science
    16, 101-133.

    Examples
    --------
    >>> low, high = wilson([0, 2, 10], 10)
    >>> low.round(4), high.round(4)
    (array([0.    , 0.0567, 0.7225]), array([0.2775, 0.5098, 1.    ]))
    """
    x, n, deff = together(successes, total, design_effect)
    p, z = ratio(x, n), Z95
    size = ratio(n, deff)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = (p + z * z / (2 * size)) / (1 + z * z / size)
        half = z * np.sqrt(p * (1 - p) / size + z * z / (4 * size * size)) / (1 + z * z / size)
    # At 0 and at n the formula gives exactly 0 and 1, which rounding would miss by 1e-17.
    low = np.where(x == 0, 0.0, np.minimum(np.maximum(middle - half, 0.0), p))
    high = np.where(x == n, 1.0, np.maximum(np.minimum(middle + half, 1.0), p))
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many of how many, with Wilson's 95 % interval.

    Build it with `Rate.of`. Rates of disjoint groups add.

    Parameters
    ----------
    numerator, denominator
        Counts; the numerator is among the denominator.
    rate, low, high
        Fractions in [0, 1]; None when `denominator` is 0.
    design_effect
        At least 1: rows per independent row, already in `low` and `high`.
    """

    numerator: int
    denominator: int
    rate: float | None
    low: float | None
    high: float | None
    design_effect: float = 1.0

    @classmethod
    def of(cls, numerator: int, denominator: int, *, design_effect: float | None = None) -> Rate:
        """Build a rate from its counts.

        Parameters
        ----------
        numerator, denominator
            Counts, 0 <= numerator <= denominator.
        design_effect
            Rows per independent row; None and anything below 1 count as 1.

        Raises
        ------
        ValueError
            The counts are not 0 <= numerator <= denominator.

        References
        ----------
        Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the
        American Statistical Association 22, 209-212.

        Examples
        --------
        >>> Rate.of(2, 10).low  # doctest: +ELLIPSIS
        0.0566...
        >>> Rate.of(0, 0).rate is None
        True
        """
        return cls.of_each([(numerator, denominator)], design_effect=design_effect)[0]

    @classmethod
    def of_each(cls, counts: Sequence[tuple[int, int]], *, design_effect: float | None = None) -> list[Rate]:
        """Build many rates at once, as `of` does each: one by one, their intervals cost a hundred times as much.

        Parameters
        ----------
        counts
            Numerator and denominator of each.
        design_effect
            Of all of them.

        References
        ----------
        Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the
        American Statistical Association 22, 209-212.

        Examples
        --------
        >>> [rate.rate for rate in Rate.of_each([(2, 10), (0, 0)])]
        [0.2, None]
        """
        for numerator, denominator in counts:
            if not 0 <= numerator <= denominator:
                message = f"a rate needs 0 <= numerator <= denominator, not {numerator} of {denominator}"
                raise ValueError(message)
        effect = max(1.0, design_effect or 1.0)
        above, below = np.reshape(floats(counts), (-1, 2)).T
        ends = (ratio(above, below), *wilson(above, below, design_effect=effect))
        return [
            cls(
                numerator=int(numerator),
                denominator=int(denominator),
                rate=number(rate),
                low=number(low),
                high=number(high),
                design_effect=effect,
            )
            for (numerator, denominator), rate, low, high in zip(counts, *ends, strict=True)
        ]

    def __add__(self, other: Rate) -> Rate:
        """Merge with the rate of a disjoint group; the larger design effect stays (the cautious one)."""
        effect = max(self.design_effect, other.design_effect)
        return Rate.of(self.numerator + other.numerator, self.denominator + other.denominator, design_effect=effect)

    def to_json(self, *, numerator: str = "numerator", denominator: str = "denominator") -> dict[str, Json]:
        """Give the five keys of the JSON contract.

        Parameters
        ----------
        numerator, denominator
            The names that the two counts have there.

        Examples
        --------
        >>> Rate.of(0, 0).to_json(numerator="converted", denominator="entities")
        {'entities': 0, 'converted': 0, 'rate': None, 'low': None, 'high': None}
        """
        return {
            denominator: self.denominator,
            numerator: self.numerator,
            "rate": self.rate,
            "low": self.low,
            "high": self.high,
        }
