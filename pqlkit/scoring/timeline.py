"""The timeline: what one entity did, day by day, and when each criterion of a definition came to hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final

import narwhals as nw
import polars as pl

from pqlkit.columns import ACCOUNT_ID, AT, CRITERION, ENTITY, EVENT, OFF, ON, USER_ID
from pqlkit.definitions.model import Criterion, leaves
from pqlkit.errors import DataError, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pqlkit.definitions.model import Definition, MeasureKind
    from pqlkit.measures.scope import Scope
    from pqlkit.measures.world import World
    from pqlkit.population.population import Population
    from pqlkit.typing import LazyFrame, Microseconds

_FEW: Final = 100
"""Entities whose events are looked for by their ids."""


class Happening(StrEnum):
    """What a moment is; at one instant they stand in this order."""

    ANCHOR = "anchor"
    EVENT = "event"
    MET = "met"
    LAPSED = "lapsed"
    OVER = "window over"
    QUALIFIED = "qualified"
    UNQUALIFIED = "unqualified"
    CONVERTED = "converted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened to an entity.

    Parameters
    ----------
    at
        UTC microseconds; of events the first on that date.
    what
        Which kind of thing.
    name
        The event's name or the criterion's id; empty for the others.
    count, users
        Events of that name on that date, and who did them.
    """

    at: Microseconds
    what: Happening
    name: str = ""
    count: int = 1
    users: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """One entity's story.

    Parameters
    ----------
    id
        As in the export, as text.
    anchor, converted
        UTC microseconds or None.
    moments
        In time order. Events after a conversion are told too; they never count.
    relevant
        Events that the definition asks for; empty = all of them.
    """

    id: str
    anchor: Microseconds | None
    converted: Microseconds | None
    moments: tuple[Moment, ...]
    relevant: frozenset[str] = frozenset()


def entity_named(population: Population, name: str) -> int:
    """Find an entity by its id as text; with an expansion outcome its last stay.

    Raises
    ------
    DataError
        There is none; the nearest id is suggested.
    """
    ids = population.entities.select(ENTITY, pl.col("id").cast(pl.String))
    frame = ids.filter(pl.col("id") == name)
    if frame.is_empty():
        kind = population.kind.value
        raise DataError(
            f"there is no {kind} {name[:200]!r}",
            hint=suggestion(
                name[:200], _alike(ids.get_column("id"), name), f"give a {kind}_id of the exports, as it stands there"
            ),
        )
    return int(frame.get_column(ENTITY)[-1])


def _alike(ids: pl.Series, name: str) -> list[str]:
    """Narrow down whom to compare: with a million ids, comparing with each takes minutes."""
    for length in (len(name) - 1, 4, 2):
        part = ids.filter(ids.str.starts_with(name[: max(1, length)]) & (ids.str.len_chars() < 200))
        if len(part):
            return [str(key) for key in part.head(10_000)]
    return []


def only(world: World, entities: Sequence[int]) -> World:
    """Give the world in which just some entities exist: the same clock, their own events."""
    kept = pl.col(ENTITY).is_in(pl.Series(entities, dtype=pl.Int64).implode())
    small = replace(
        world,
        entities=world.entities.filter(kept),
        members=world.members.filter(kept),
        accounts=None if world.accounts is None else world.accounts.filter(kept),
    )
    return replace(small, events=_theirs(small, world.events), summed_up=None) if len(entities) <= _FEW else small


def alone(population: Population, entity: int, definition: Definition) -> Population:
    """Give the population of one id alone, all its stays, for what is told of its lead.

    Where a list would show fractions of a criterion's values, those of the others say so, and all of it is there.
    """
    from pqlkit.population.entity_world import world_per_stay
    from pqlkit.population.trait_tables import traits_per_stay

    if population.recurring is not None or any(kind.scaled for kind in _measured(definition)):
        return population
    ids = population.entities.get_column("id")
    own = (ids == ids[entity]).arg_true().cast(pl.Int64)
    world = world_per_stay(population.world, own)
    return replace(
        population,
        world=replace(world, events=_theirs(world, world.events), summed_up=None),
        traits=traits_per_stay(population.traits, own),
        entities=population.entities[own].with_columns(
            pl.int_range(len(own), dtype=pl.Int64, eager=True).alias(ENTITY)
        ),
    )


def _measured(definition: Definition) -> Iterator[MeasureKind]:
    for leaf in leaves(definition.qualify):
        if isinstance(leaf, Criterion):
            yield leaf.measure.kind


def _theirs(world: World, events: LazyFrame) -> LazyFrame:
    """Keep events by the ids that are known here: a file's own index then spares reading most of the others."""
    keys = {USER_ID: world.members, ACCOUNT_ID: world.accounts}
    names = events.collect_schema().names()
    tests = [
        nw.col(key).is_in(table.get_column(key).drop_nulls().to_list())
        for key, table in keys.items()
        if table is not None and table.height and key in names
    ]
    return events.filter(reduce(or_, tests)) if tests else events


def events_of(world: World, entities: Sequence[int]) -> tuple[Scope, LazyFrame]:
    """Plan the events of some entities at or before `as_of`, whatever came before: ``entity``, ``event``, ``at``, ``user_id``.

    ``user_id`` is null where the export has none. The scope tells their dates.
    """
    from pqlkit.measures.scope import scope_of

    small = only(world, entities)
    scope = scope_of(small)
    scope = replace(scope, lives=small.entities.select(ENTITY))
    columns = [EVENT, USER_ID] if USER_ID in scope.dtypes else [EVENT]
    frame = scope.owned(scope.events(columns).filter(nw.col(AT) <= small.as_of), [])
    if USER_ID not in columns:
        frame = frame.with_columns(nw.lit(None, nw.String).alias(USER_ID))
    return scope, frame.select(ENTITY, EVENT, AT, USER_ID)


def timeline(population: Population, entity: int, definition: Definition) -> Timeline:
    """Tell one entity's way to, or towards, qualifying.

    Parameters
    ----------
    population
        Who exists.
    entity
        Its number.
    definition
        Whose criteria are told.
    """
    row = population.entities.row(entity, named=True)
    anchor, converted = row["anchor"], row["converted"]
    moments = [*_events(population, entity), *_criteria(population, entity, definition, anchor)]
    moments += [Moment(at=anchor, what=Happening.ANCHOR)] if anchor is not None else []
    moments += [Moment(at=converted, what=Happening.CONVERTED)] if converted is not None else []
    order = list(Happening)
    return Timeline(
        id=str(row["id"]),
        anchor=anchor,
        converted=converted,
        moments=tuple(sorted(moments, key=lambda moment: (moment.at, order.index(moment.what), moment.name))),
        relevant=frozenset(_relevant(definition)),
    )


def _relevant(definition: Definition) -> list[str]:
    events: list[str] = []
    for leaf in leaves(definition.qualify):
        if isinstance(leaf, Criterion):
            events += leaf.events or ()
        else:
            events += _relevant(leaf.target)
    return events


def _events(population: Population, entity: int) -> list[Moment]:
    """Count its events by date (in the project's zone) and name."""
    scope, events = events_of(population.world, [entity])
    by_user = events.with_columns(scope.day().alias("date")).group_by("date", EVENT, USER_ID)
    table = population.world.engine.collect(by_user.agg(nw.col(AT).min(), nw.len().cast(nw.Int64).alias("n")))
    counted = (
        table.group_by("date", EVENT)
        .agg(pl.col(AT).min(), pl.col("n").sum(), pl.col(USER_ID).drop_nulls().n_unique().alias("users"))
        .sort(AT, EVENT)
    )
    rows = counted.select(AT, EVENT, "n", "users").rows()
    return [Moment(at=at, what=Happening.EVENT, name=name or "", count=n, users=who) for at, name, n, who in rows]


def _criteria(population: Population, entity: int, definition: Definition, anchor: Microseconds | None) -> list[Moment]:
    """Give the starts and ends of each criterion's spells, of the definition's, and windows that ended in vain."""
    from pqlkit.measures.evaluation import criterion_spells, evaluate
    from pqlkit.scoring.nearness import window_ends

    world = only(population.world, [entity])
    parts = tuple(leaves(definition.qualify))
    evaluation = evaluate(world, definition)
    plain = [(place, leaf) for place, leaf in enumerate(parts) if isinstance(leaf, Criterion)]
    spells = world.engine.collect(criterion_spells(world, [leaf for _, leaf in plain])) if plain else None
    moments: list[Moment] = []
    for row in spells.to_dicts() if spells is not None else []:
        name = plain[row[CRITERION]][1].id
        moments.append(Moment(at=row[ON], what=Happening.MET, name=name))
        moments += [Moment(at=row[OFF], what=Happening.LAPSED, name=name)] if row[OFF] is not None else []
    for row in evaluation.criteria.filter(pl.col(ON).is_not_null()).to_dicts():
        leaf = parts[row[CRITERION]]
        moments += [] if isinstance(leaf, Criterion) else [Moment(at=row[ON], what=Happening.MET, name=leaf.id)]
    for row in evaluation.spells.to_dicts():
        moments.append(Moment(at=row[ON], what=Happening.QUALIFIED))
        moments += [Moment(at=row[OFF], what=Happening.UNQUALIFIED)] if row[OFF] is not None else []
    met = {moment.name for moment in moments if moment.what is Happening.MET}
    for _, leaf in plain:
        ends = window_ends(world, leaf) if leaf.id not in met and anchor is not None else None
        end = ends[0] if ends is not None else None
        if end is not None and end <= population.as_of:
            moments.append(Moment(at=int(end), what=Happening.OVER, name=leaf.id))
    return [moment for moment in moments if moment.at <= population.as_of]
