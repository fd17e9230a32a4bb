"""Tiers: which results are offered for a number of usable converters, so that luck is never sold as a finding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Final

DESCRIBE_BELOW: Final = 10
HYPOTHESES_BELOW: Final = 50
COARSE_BELOW: Final = 200
HEADS: Final = 200
CONVERTERS: Final = 30


class Tier(StrEnum):
    """How much the data bears (snapshots.md, "Little data")."""

    DESCRIBE = "describe"
    HYPOTHESES = "hypotheses"
    COARSE = "coarse"
    EVERYTHING = "everything"


def tier(converters: int) -> Tier:
    """Give the tier of a number of usable converters.

    Examples
    --------
    >>> [tier(n).value for n in (9, 10, 49, 50, 199, 200)]
    ['describe', 'hypotheses', 'hypotheses', 'coarse', 'coarse', 'everything']
    """
    if converters < DESCRIBE_BELOW:
        return Tier.DESCRIBE
    if converters < HYPOTHESES_BELOW:
        return Tier.HYPOTHESES
    return Tier.COARSE if converters < COARSE_BELOW else Tier.EVERYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """A behaviour enters a search with at least this many snapshots doing it, and this many of them converters."""

    snapshots: int
    converters: int

    @classmethod
    def of(cls, snapshots: int, converters: int) -> Floors:
        """Scale the floors of 200 and 30 heads down where there is little data: 2 % of the snapshots, 20 % of the converters.

        Parameters
        ----------
        snapshots, converters
            Of the fit part.

        Examples
        --------
        >>> Floors.of(100_000, 4_000), Floors.of(900, 60)
        (Floors(snapshots=200, converters=30), Floors(snapshots=18, converters=12))
        """
        return cls(
            snapshots=min(HEADS, ceil(snapshots / 50)),
            converters=min(CONVERTERS, max(10, ceil(converters / 5))),
        )
