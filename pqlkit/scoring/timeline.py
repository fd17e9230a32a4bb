"""The timeline: what one entity did, day by day, and when each criterion of a definition came to hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import narwhals as nw
import polars as pl

from pqlkit.columns import AT, ENTITY, EVENT, OFF, ON, USER_ID
from pqlkit.definitions.model import Criterion, leaves
from pqlkit.durations import DAY
from pqlkit.errors import DataError, nearest

if TYPE_CHECKING:
    from pqlkit.analysis.population import Population
    from pqlkit.definitions.model import Definition, Ref
    from pqlkit.measures.world import World
    from pqlkit.typing import Microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened to an entity.

    Parameters
    ----------
    at
        UTC microseconds.
    what
        ``anchor``, ``event``, ``met``, ``lapsed``, ``qualified``, ``unqualified``, ``converted`` or ``window over``.
    name
        The event or the criterion; empty for the others.
    count
        Events of that name on that date.
    users
        Users who did them.
    """

    at: Microseconds
    what: str
    name: str = ""
    count: int = 1
    users: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """One entity's story.

    Parameters
    ----------
    id
        As in the export.
    anchor, converted
        UTC microseconds or None.
    moments
        In time order; at one instant the anchor first, then events, then what they brought about.
    """

    id: str
    anchor: Microseconds | None
    converted: Microseconds | None
    moments: tuple[Moment, ...]


_ORDER = ("anchor", "event", "met", "lapsed", "window over", "qualified", "unqualified", "converted")


def entity_named(population: Population, name: str) -> int:
    """Find an entity by its id as text; with an expansion outcome the last stay.

    Raises
    ------
    DataError
        There is none; the nearest id is suggested.
    """
    ids = population.entities.select(ENTITY, pl.col("id").cast(pl.String))
    found = ids.filter(pl.col("id") == name)
    if found.is_empty():
        close = nearest(name, _alike(ids.get_column("id"), name))
        kind = population.kind.value
        raise DataError(
            f"there is no {kind} {name!r}",
            hint=f"did you mean {close}?" if close else f"ids are those of {kind}_id in the exports",
        )
    return int(found.get_column(ENTITY)[-1])


def _alike(ids: pl.Series, name: str) -> list[str]:
    """Narrow down whom to compare: comparing a name with a million ids takes minutes."""
    head = name[:3].casefold()
    return (
        ids.filter(ids.str.to_lowercase().str.starts_with(head) & ids.str.len_chars().is_between(1, 200))
        .head(2_000)
        .to_list()
    )


def timeline(population: Population, entity: int, definition: Definition | None = None) -> Timeline:
    """Tell one entity's story.

    Parameters
    ----------
    population
        Who exists.
    entity
        Its number.
    definition
        Whose criteria are told; None: events alone.
    """
    row = population.entities.row(entity, named=True)
    moments = _events(population, entity)
    if row["anchor"] is not None:
        moments.append(Moment(at=row["anchor"], what="anchor"))
    if row["converted"] is not None:
        moments.append(Moment(at=row["converted"], what="converted"))
    if definition is not None:
        moments += _criteria(population, entity, definition)
    ordered = sorted(moments, key=lambda one: (one.at, _ORDER.index(one.what), one.name))
    return Timeline(id=str(row["id"]), anchor=row["anchor"], converted=row["converted"], moments=tuple(ordered))


def alone(population: Population, entity: int) -> World:
    """Give the world in which only one entity exists: the same clock, its own events."""
    from dataclasses import replace

    world = population.world
    only = pl.col(ENTITY) == entity
    return replace(
        world,
        entities=world.entities.filter(only),
        members=world.members.filter(only),
        accounts=None if world.accounts is None else world.accounts.filter(only),
    )


def _events(population: Population, entity: int) -> list[Moment]:
    """Count its events by date and name, what came after the conversion included."""
    from dataclasses import replace

    from pqlkit.measures.scope import scope_of

    world = alone(population, entity)
    scope = scope_of(world)
    scope = replace(scope, lives=world.entities.select(ENTITY))
    columns = [EVENT, USER_ID] if USER_ID in scope.dtypes else [EVENT]
    events = scope.owned(scope.events(columns).filter(nw.col(AT) <= world.as_of), [])
    table = world.engine.collect(events).with_columns((pl.col(AT) // DAY).alias("day"))
    users = pl.col(USER_ID).n_unique() if USER_ID in table.columns else pl.lit(1)
    counted = table.group_by("day", EVENT).agg(pl.col(AT).min(), pl.len().alias("n"), users.alias("users"))
    rows = counted.sort(AT, EVENT).select(AT, EVENT, "n", "users").rows()
    return [Moment(at=at, what="event", name=name or "", count=n, users=who) for at, name, n, who in rows]


def _criteria(population: Population, entity: int, definition: Definition) -> list[Moment]:
    from pqlkit.measures.evaluation import evaluate

    parts = tuple(leaves(definition.qualify))
    found = evaluate(alone(population, entity), definition)
    moments = [
        Moment(at=row["on"], what="met", name=parts[row["criterion"]].id)
        for row in found.criteria.filter(pl.col(ON).is_not_null()).to_dicts()
    ]
    for row in found.spells.to_dicts():
        moments.append(Moment(at=row[ON], what="qualified"))
        if row[OFF] is not None:
            moments.append(Moment(at=row[OFF], what="unqualified"))
    met = {one.name for one in moments if one.what == "met"}
    anchor = population.entities.row(entity, named=True)["anchor"]
    moments += [
        Moment(at=end, what="window over", name=leaf.id)
        for leaf in parts
        if leaf.id not in met and (end := _end(leaf, anchor)) is not None and end <= population.as_of
    ]
    return moments


def _end(leaf: Criterion | Ref, anchor: Microseconds | None) -> Microseconds | None:
    if (
        anchor is None
        or not isinstance(leaf, Criterion)
        or leaf.window.kind.value != "within"
        or leaf.window.length is None
    ):
        return None
    return anchor + leaf.window.length.microseconds
