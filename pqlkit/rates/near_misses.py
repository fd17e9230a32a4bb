"""Near misses: what became of those who had nearly qualified, and how many leads a nudge would add tonight."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import narwhals as nw
import polars as pl

from pqlkit.columns import ANCHOR, AT, CONVERTED, ENTITY, ON
from pqlkit.definitions.model import Criterion, WindowKind, leaves
from pqlkit.durations import DAY
from pqlkit.measures.ownership import with_owners
from pqlkit.scoring.progress import TINY
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    from pqlkit.definitions.model import Definition, Near, Outcome
    from pqlkit.measures.world import World
    from pqlkit.population.population import Population
    from pqlkit.typing import Microseconds

DATES: Final = 3
"""So many earlier dates are looked at."""

APART: Final = 28 * DAY
"""They lie at least so far apart: a near miss of last week is the same one."""

REACH: Final = 0.9
"""Whoever has come so far lacks at most a tenth: a nudge would do. So it would where a single step is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMisses:
    """Those who were near at some earlier dates and what they did within the conversion window, and those who are near now.

    Near is what ``score`` calls near: so much of the way, active lately, never qualified, no customer. An entity that was near
    at two dates is counted twice.

    Parameters
    ----------
    near
        What near means.
    dates
        The earlier dates, newest first, each with its conversion window complete.
    qualified, customers
        Of those who were near: who qualified, and whom the outcome came to.
    now, in_reach
        Who is near at `as_of`, and of these who lacks at most a tenth or a single step.
    """

    near: Near
    dates: tuple[Microseconds, ...]
    qualified: Rate
    customers: Rate
    now: int
    in_reach: int


def near_misses(
    population: Population, definition: Definition, outcome: Outcome, spells: pl.DataFrame, measured: World
) -> NearMisses:
    """Look for near misses at `as_of` and at earlier dates.

    Parameters
    ----------
    population, definition
        Whose.
    outcome
        How long those who were near are followed.
    spells
        Of the definition, eligible ones.
    measured
        The population's world, in which the criteria are measured; see `pqlkit.measures.ownership.narrowed`.
    """
    window = outcome.within.microseconds
    step = max(APART, window)
    dates = [population.as_of - window - number * step for number in range(DATES)]
    dates = [date for date in dates if date > population.history_from + step]
    before = [
        _near_at(population, definition, spells, date, measured).with_columns(pl.lit(date).alias(AT)) for date in dates
    ]
    tonight = _near_at(population, definition, spells, population.as_of, measured)
    followed = pl.concat([tonight.clear().with_columns(pl.lit(0, pl.Int64).alias(AT)), *before])
    soon = (
        spells.select(ENTITY, ON)
        .join(followed, on=ENTITY)
        .filter(pl.col(ON) > pl.col(AT), pl.col(ON) <= pl.col(AT) + window)
    )
    came = population.outcome_at(followed[ENTITY], followed[AT], window)
    bought = followed.filter((came > followed[AT]) & (came <= followed[AT] + window))
    return NearMisses(
        near=definition.near,
        dates=tuple(dates),
        qualified=Rate.of(soon.select(ENTITY, AT).n_unique(), followed.height),
        customers=Rate.of(bought.height, followed.height),
        now=tonight.height,
        in_reach=tonight.filter((pl.col("share") >= REACH - TINY) | (pl.col("shortfall") <= 1)).height,
    )


def _near_at(
    population: Population, definition: Definition, spells: pl.DataFrame, at: Microseconds, measured: World
) -> pl.DataFrame:
    """Find who was near at a moment, as ``score`` would have said then: ``entity``, ``share`` of the way, ``shortfall``."""
    from pqlkit.measures.evaluation import evaluate
    from pqlkit.scoring.nearness import far_along, standing

    open_ = _open_at(population, definition, spells, at)
    # Without an anchor nobody is measured: those who cannot be near cost nothing.
    anchor = pl.when(pl.Series(open_)).then(ANCHOR).alias(ANCHOR)
    free = pl.lit(None, pl.Int64).alias(CONVERTED)
    world = replace(measured, as_of=at, entities=measured.entities.with_columns(anchor, free))
    stand = standing(world, definition, evaluate(world, definition))
    far = population.entities.select(
        ENTITY, pl.Series("share", stand.way.share), pl.Series("shortfall", stand.way.shortfall).fill_nan(None)
    ).filter(pl.Series(far_along(stand, definition.near)) & open_)
    if far.is_empty():
        return far
    active = _active(population.world, far, at - definition.near.active_within.microseconds, at)
    return far.join(active, on=ENTITY, how="semi", maintain_order="left")


def _active(world: World, far: pl.DataFrame, begin: Microseconds, at: Microseconds) -> pl.DataFrame:
    """Find who of some entities did something after `begin` and by `at`: ``entity``.

    Where it is written down when each did something last, that settles it for all who did nothing since.
    """
    known, asked = far.select(ENTITY).clear(), far.select(ENTITY)
    if world.summed_up is not None:
        newest = with_owners(world, world.summed_up, asked).group_by(ENTITY).agg(nw.col("last").max())
        lately = world.engine.collect(newest).filter(pl.col("last") > begin)
        known, asked = (lately.filter(own).select(ENTITY) for own in (pl.col("last") <= at, pl.col("last") > at))
    if asked.is_empty():
        return known
    events = world.events.filter(nw.col(AT) > begin, nw.col(AT) <= at)
    return pl.concat([known, world.engine.collect(with_owners(world, events, asked).select(ENTITY).unique())])


def _open_at(population: Population, definition: Definition, spells: pl.DataFrame, at: Microseconds) -> pl.Series:
    """Say for each entity whether it could be near at a moment: it was there, eligible, no customer and had not qualified."""
    moments = population.entities.select(ENTITY, pl.lit(at, pl.Int64).alias(AT))
    converted, gone = pl.col(CONVERTED) <= at, pl.col("deleted_at") <= at
    there = (pl.col(ANCHOR) <= at) & (pl.col(ANCHOR) > at - _longest_within(definition, at))
    qualified = spells.filter(pl.col(ON) <= at).get_column(ENTITY).unique()
    return population.entities.select(
        there.fill_null(value=False)
        & ~converted.fill_null(value=False)
        & ~gone.fill_null(value=False)
        & pl.col("at_risk")
        & ~pl.col("invalid")
        & population.traits.holds(definition.eligible, moments)
        & ~pl.col(ENTITY).is_in(qualified.implode())
    ).to_series()


def _longest_within(definition: Definition, ever: Microseconds) -> Microseconds:
    """Give how long after its anchor an entity can qualify at all; `ever` where windows do not say."""
    windows = [leaf.window for leaf in leaves(definition.qualify) if isinstance(leaf, Criterion)]
    lengths = [window.length.microseconds for window in windows if window.kind is WindowKind.WITHIN and window.length]
    every = len(lengths) == sum(1 for _ in leaves(definition.qualify))
    # Where events are dates, a window runs over whole ones.
    return max(lengths) + 2 * DAY if every else ever
