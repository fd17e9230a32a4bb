"""The stretch: between which dates the events lie that a criterion's amount is made of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import narwhals as nw
import polars as pl

from pqlkit.columns import AT, CRITERION, ENTITY
from pqlkit.definitions.model import WindowKind
from pqlkit.durations import DAY
from pqlkit.measures.moments import tells_stretch
from pqlkit.measures.occurrences import FIRST, NEWEST, occurrences, value_groups
from pqlkit.measures.scope import scope_of
from pqlkit.measures.tasks import tasks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.definitions.model import Criterion
    from pqlkit.measures.tasks import Task
    from pqlkit.measures.world import World

_GROUP: Final = (ENTITY, CRITERION)


def stretches(world: World, criteria: Sequence[Criterion], told: pl.DataFrame | None = None) -> pl.DataFrame:
    """Find the dates of the first and newest event in each criterion's window as it stands at the end of each life.

    Parameters
    ----------
    world
        Whose entities. Meant for those that somebody reads about: it is one more pass over the events of the criteria that
        `told` says nothing about.
    criteria
        A largest and a newest value are one event's and have no stretch; of a rolling window it is not told which one
        reached most.
    told
        `pqlkit.measures.evaluation.Evaluation.stretches` of these criteria and entities; None = all are looked for.

    Returns
    -------
    DataFrame
        ``entity``, ``criterion`` (Int32 position), ``first``, ``newest`` (dates in the world's zone), a row where there are
        events.
    """
    # Whether a bound is met is not asked.
    tasks = [
        task
        for task, asked in zip(
            tasks_of([replace(leaf, at_least=1, at_most=None) for leaf in criteria]), tasks_of(criteria), strict=True
        )
        if _has_one(task) and (told is None or not tells_stretch(asked))
    ]
    schema = pl.Schema({ENTITY: pl.Int64(), CRITERION: pl.Int32(), FIRST: pl.Date(), NEWEST: pl.Date()})
    frames = [] if told is None else [told]
    if tasks and world.entities.height:
        frames.append(_looked_up(world, tasks))
    if not frames:
        return pl.DataFrame(schema=schema)
    dated = pl.concat(frames).select(ENTITY, CRITERION, _date(world, FIRST), _date(world, NEWEST))
    return dated.cast(schema).sort(*_GROUP)


def _looked_up(world: World, tasks: Sequence[Task]) -> pl.DataFrame:
    scope = scope_of(world)
    seen = [occurrences(scope, part, at_moment=True).select(*_GROUP, AT) for part in value_groups(tasks)]
    ends = (
        nw.concat(seen, how="vertical")
        .group_by(*_GROUP)
        .agg(nw.col(AT).min().alias(FIRST), nw.col(AT).max().alias(NEWEST))
    )
    return world.engine.collect(ends).cast({CRITERION: pl.Int32}).select(*_GROUP, FIRST, NEWEST)


def _has_one(task: Task) -> bool:
    return task.window is not WindowKind.ROLLING and not task.measure.facts.null_without_events


def _date(world: World, name: str) -> pl.Expr:
    """Turn moments of the events' clock into dates."""
    if world.dates_only:
        return (pl.col(name) // DAY).cast(pl.Int32).cast(pl.Date)
    local = pl.from_epoch(name, time_unit="us").dt.replace_time_zone("UTC").dt.convert_time_zone(world.zone)
    return local.dt.date().alias(name)
