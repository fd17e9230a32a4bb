"""The activity: when an entity last did something of its own accord, by the week."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import narwhals as nw
import polars as pl

from pqlkit.columns import AT, CUTOFF, ENTITY, EVENT
from pqlkit.durations import WEEK
from pqlkit.measures.ownership import owned
from pqlkit.population.phases import monday

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.durations import Duration
    from pqlkit.population.population import Population
    from pqlkit.typing import LazyFrame

_EARLY: Final = 2_000
"""Weeks between 1961 and `monday`."""

_SPAN: Final = 1 << 20
"""More weeks than there are: an entity and a week in one sortable integer."""


def active(population: Population, snapshots: pl.DataFrame, within: Duration) -> pl.Series:
    """Say whether the entity did anything not automatic in [cutoff - within, cutoff).

    Parameters
    ----------
    population
        Whose events; those marked automatic in the project file do not count.
    snapshots
        ``entity``, ``cutoff``, sorted by both; every cutoff is a Monday 00:00 as `monday` counts them.

    Returns
    -------
    Series
        Bool, in the order of `snapshots`.
    """
    key = pl.col(ENTITY) * _SPAN + pl.col("week")
    origin = monday(population.world.zone)
    if within.microseconds % WEEK == 0:
        # Whether an event of a week is recent enough then does not depend on when in the week it was.
        ends = pl.lit(origin - 1) + (pl.col("key") % _SPAN + 1) * WEEK
        bins = pl.DataFrame({"key": active_weeks(population)}).with_columns(ends.alias("last")).set_sorted("key")
    else:
        bins = last_by_week(population).with_columns(key=key).select("key", "last").sort("key").set_sorted("key")
    asked = snapshots.select(ENTITY, CUTOFF, week=(pl.col(CUTOFF) - origin) // WEEK - 1).with_columns(key=key)
    frame = asked.set_sorted("key").join_asof(bins, on="key", strategy="backward", coalesce=False)
    same = pl.col("key_right") // _SPAN == pl.col(ENTITY)
    recent = pl.col("last") >= pl.col(CUTOFF) - within.microseconds
    return frame.select(active=(same & recent).fill_null(value=False))["active"]


def active_weeks(population: Population) -> NDArray[np.int64]:
    """Give each entity and week with an event that is not automatic, packed into one number, ascending.

    Events are those of `last_by_week`.
    """
    weeks = _by_week(population).select((nw.col(ENTITY) * _SPAN + nw.col("week")).alias("key"))
    return population.world.engine.distinct(weeks)


def last_by_week(population: Population) -> pl.DataFrame:
    """Give the last event that is not automatic of each entity and week: ``entity``, ``week``, ``last`` (microseconds).

    Weeks are counted from `monday`; events before `since` are not there; those after the conversion are, and no snapshot asks for them.
    """
    plan = _by_week(population).group_by(ENTITY, "week").agg(last=nw.col(AT).max())
    return population.world.engine.collect(plan)


def _by_week(population: Population) -> LazyFrame:
    """Plan the events that are not automatic, with their ``entity`` and ``week``."""
    world = population.world
    automatic = sorted(name for name, note in population.project.events.items() if note.automatic)
    events = world.events
    if automatic:
        events = events.filter(~nw.col(EVENT).is_in(automatic))
    # One week more than there can be keeps the division away from negative numbers, which engines round differently.
    week = (nw.col(AT) - (monday(world.zone) - _EARLY * WEEK)) // WEEK - _EARLY
    return owned(world, events).with_columns(week=week)
