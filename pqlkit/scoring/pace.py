"""The pace: how soon an entity reaches the limit that a criterion is a share of, if it goes on as it did lately."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from pqlkit.columns import ANCHOR, CONVERTED, CUTOFF, ENTITY
from pqlkit.durations import DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pqlkit.definitions.model import Criterion
    from pqlkit.measures.world import World

LATELY: Final = (28, 7)
"""Days over which the pace is measured: the first after which there was something to measure."""

LONGEST: Final = 366
"""Days: what is further away is not told."""


def days_until_full(
    world: World, leaf: Criterion, values: NDArray[np.float64], limits: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the days until each entity reaches its limit: 0 = it has; NaN = not within a year, or it cannot be said.

    Parameters
    ----------
    world
        Whose entities; who has converted has no pace.
    leaf
        A criterion whose bound is a percentage of a limit.
    values, limits
        Of each entity, now.
    """
    grown = np.full(len(values), np.nan)
    for days in LATELY:
        before = _before(world, leaf, days)
        grown = np.where(np.isnan(grown), (values - before) / days, grown)
    left = limits - values
    pace = np.where(grown > 0, grown, np.nan)
    until = np.where(left <= 0, 0.0, left / pace)
    free = world.entities.get_column(CONVERTED).is_null().to_numpy()
    return np.where(free & (limits > 0) & (until <= LONGEST), until, np.nan)


def _before(world: World, leaf: Criterion, days: int) -> NDArray[np.float64]:
    """Measure what each entity that was there had so many days ago."""
    from pqlkit.measures.evaluation import values

    moment = world.as_of - days * DAY + 1
    there = world.entities.filter(pl.col(ANCHOR) < moment)
    measured = np.full(world.entities.height, np.nan)
    if there.height:
        cutoffs = there.select(ENTITY, pl.lit(moment, pl.Int64).alias(CUTOFF))
        frame = values(world, [leaf], cutoffs=cutoffs).sort(ENTITY)
        measured[frame.get_column(ENTITY).to_numpy()] = frame.get_column("value").fill_null(np.nan).to_numpy()
    return measured


def eta(days: float) -> str:
    """Say how soon, as roughly as it is known.

    Examples
    --------
    >>> [eta(days) for days in (0, 0.4, 9.6, 14, 59, 60)]
    ['full', 'full in about 1 day', 'full in about 10 days', 'full in about 2 weeks', 'full in about 8 weeks', 'full in about 2 months']
    """
    if days <= 0:
        return "full"
    for unit, length, most in (("day", 1, 14), ("week", 7, 60), ("month", 365.25 / 12, np.inf)):
        if days < most:
            count = max(1, round(days / length))
            return f"full in about {count} {unit}{'' if count == 1 else 's'}"
    raise AssertionError(days)
