"""The population: the entities of one run, their clocks and their conversions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import narwhals as nw
import polars as pl

from pqlkit.analysis import as_of as moments
from pqlkit.analysis.activity import owned
from pqlkit.analysis.outcome import (
    Conversions,
    by_event,
    by_spells,
    first_rows,
    merged_outcome,
    no_conversions,
    read_rows,
)
from pqlkit.analysis.roster import LISTED, Roster, read_roster, read_table
from pqlkit.analysis.traits import TraitKind, Traits, required_traits, trait_kinds
from pqlkit.columns import (
    ACCOUNT_ID,
    AMOUNT,
    ANCHOR,
    AT,
    CONVERTED,
    DELETED_AT,
    ENDED_AT,
    ENTITY,
    EVENT,
    FROM_PLAN,
    KIND,
    ON,
    PLAN,
    SIGNED_UP_AT,
    USER_ID,
    VALID_FROM,
)
from pqlkit.definitions.model import Anchor, EntityKind
from pqlkit.engines.factory import engine as engine_named
from pqlkit.errors import DataError, DefinitionError, UsageError, nearest
from pqlkit.measures.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.analysis.outcome import ConversionRows
    from pqlkit.definitions.model import Definition, Outcome
    from pqlkit.engines.base import Engine
    from pqlkit.exports.dataset import Dataset
    from pqlkit.exports.project import Project
    from pqlkit.typing import LazyFrame, Microseconds

ID: Final = "id"
SINCE: Final = "since"
_DETAILS: Final = (AMOUNT, KIND, PLAN, FROM_PLAN)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Population:
    """Everything that analysis, proposal, scoring and reporting know about who exists.

    Parameters
    ----------
    dataset, project
        Where it came from.
    world
        The same entities, as `pqlkit.measures` sees them (only events before the conversion exist there).
    kind
        What an entity is.
    entities
        One row per entity, in entity order: ``entity`` (Int64, 0..n-1, in sorted id order), ``id`` (as in the export),
        ``anchor``, ``converted`` (Int64 UTC microseconds or null), ``since`` (Int64 or null; expansion outcomes),
        ``ended_at``, ``deleted_at`` (Int64 or null), ``amount``, ``kind``, ``plan``, ``from_plan``, ``invalid`` (clock faults:
        no anchor, or deleted before it) and ``at_risk`` (false: an expansion outcome's ``from`` plan was never reached, or the
        event that starts the clock never happened). Entities whose anchor lies after `as_of` do not exist. With an expansion
        outcome an id has one row per stay at risk, and ``anchor`` is the start of the stay.
    traits
        Trait values, at any moment.
    as_of, as_of_reason
        The last microsecond that exists, and why.
    history_from
        First microsecond of the first day of the events export, in the dataset's zone.
    outcome
        What counts as a conversion.
    conversions
        Where the rows of the conversions export went.
    anchor
        What starts the clock.
    excluded
        Entities that the project's `population` filter leaves out.
    without_events
        Entities without any event at or before `as_of`.
    trusted
        Current traits that may be used all the same (``--trust-current``).
    warnings
        Sentences for stderr.
    """

    dataset: Dataset
    project: Project
    world: World
    kind: EntityKind
    entities: pl.DataFrame
    traits: Traits
    as_of: Microseconds
    as_of_reason: str
    history_from: Microseconds
    outcome: Outcome
    conversions: ConversionRows
    anchor: Anchor
    excluded: int = 0
    without_events: int = 0
    trusted: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def population(
    dataset: Dataset,
    project: Project,
    *,
    entity: str = "auto",
    outcome: Outcome | None = None,
    definition: Definition | None = None,
    as_of: str | None = None,
    trust_current: Sequence[str] = (),
    engine: str = "polars",
) -> Population:
    """Say who exists, when each clock starts, and who converted when.

    Parameters
    ----------
    dataset, project
        The canonical tables and what the project file declares about them.
    entity
        ``auto``, ``user`` or ``account``; a `definition`'s own wins over ``auto``, and so does the project file's.
    outcome
        What counts; None = the definition's, else the project's, else the first conversion within 30 days.
    definition
        Whose entity, anchor and outcome are meant, and whose traits limits refer to.
    as_of
        ``--as-of``; see `pqlkit.analysis.as_of.as_of`.
    trust_current
        Current traits that may be used in historical work.
    engine
        Where the plans run.

    Raises
    ------
    UsageError
        The conversions name accounts and the entity is a user, or `as_of` cannot be read.
    DataError
        A table that is needed is missing, or a name is not in the data.
    """
    where = engine_named(engine)
    end = moments.as_of(dataset, as_of)
    success = outcome or merged_outcome(project, definition, lambda name: _named(project, name))
    roster = read_roster(dataset, project, where, end.at)
    kind = _kind(entity, dataset, project, definition, success, roster, where)
    _check_ids(dataset, kind, success, roster, where)
    clock = definition.anchor if definition is not None else Anchor()
    listed = _listed(roster, kind)
    bare = _world(dataset, roster, where, kind, listed, end.at)
    traits = _traits(dataset, project, roster, bare, listed)
    world = _with_traits(_anchored(bare, clock), traits, definition)
    conversions = _conversions(world, dataset, success, roster, traits, trust_current)
    people = _people(world, listed, clock, conversions, dates_only=_dates_only(dataset, success))
    first = dataset.tables["events"].first
    silent = moments.silence(people[CONVERTED].drop_nulls().to_numpy(), end.at)
    return Population(
        dataset=dataset,
        project=project,
        world=replace(world, entities=world.entities.with_columns(people[CONVERTED], people[SINCE])),
        kind=kind,
        entities=people,
        traits=traits,
        as_of=end.at,
        as_of_reason=end.reason,
        history_from=moments.midnight(moments.day_of(end.at if first is None else first, dataset.zone), dataset.zone),
        outcome=success,
        conversions=conversions.rows,
        anchor=clock,
        excluded=len(roster.out_users if kind is EntityKind.USER else roster.out_accounts),
        without_events=listed.height - _with_events(world),
        trusted=tuple(trust_current),
        warnings=(silent,) if silent is not None else (),
    )


def _named(project: Project, name: str) -> Definition:
    """Find the definition that the project file's outcome names."""
    from pqlkit.definitions.loading import load_definitions

    found = {
        item.definition.name: item.definition
        for item in load_definitions([project.definitions])
        if item.definition is not None
    }
    if name not in found:
        near = nearest(name, found)
        raise DefinitionError(
            f"the outcome names a definition {name!r}, which is not in {project.definitions}",
            where=str(project.path) if project.path is not None else None,
            hint=f"did you mean {near!r}?" if near else None,
        )
    return found[name]


def _kind(
    stated: str,
    dataset: Dataset,
    project: Project,
    definition: Definition | None,
    outcome: Outcome,
    roster: Roster,
    engine: Engine,
) -> EntityKind:
    """Choose what an entity is: as stated, as the definition or the project says, else by what the data carry."""
    if definition is not None:
        if stated not in ("auto", definition.entity):
            raise UsageError(
                f"{definition.name} is about {definition.entity}s, not {stated}s",
                where="--entity",
                hint="leave --entity out",
            )
        return definition.entity
    for choice in (stated, project.entity):
        if choice != "auto":
            if choice not in tuple(EntityKind):
                raise UsageError(f"{choice!r} is not an entity", where="--entity", hint="write auto, user or account")
            return EntityKind(choice)
    if outcome.definition is not None:
        return outcome.definition.entity
    table = dataset.tables.get("conversions")
    if outcome.event is None and table is not None and USER_ID not in table.columns and ACCOUNT_ID in table.columns:
        return EntityKind.ACCOUNT
    return EntityKind.ACCOUNT if _mostly_accounts(roster, engine) else EntityKind.USER


def _mostly_accounts(roster: Roster, engine: Engine) -> bool:
    """Whether most events carry an account's id or come from a user who belongs to one."""
    if roster.accounts.is_empty():
        return False
    members = engine.lift(roster.users.filter(pl.col(ACCOUNT_ID).is_not_null()).select(USER_ID))
    events, rest = roster.events, roster.events
    own = 0
    if ACCOUNT_ID in events.collect_schema().names():
        own = _count(engine, events.filter(~nw.col(ACCOUNT_ID).is_null()))
        rest = events.filter(nw.col(ACCOUNT_ID).is_null())
    return 2 * (own + _count(engine, rest.join(members, on=USER_ID, how="inner"))) > _count(engine, events)


def _count(engine: Engine, frame: LazyFrame) -> int:
    return int(engine.collect(frame.select(n=nw.len()))["n"].item())


def _check_ids(dataset: Dataset, kind: EntityKind, outcome: Outcome, roster: Roster, engine: Engine) -> None:
    """Refuse ids that cannot name this kind of entity."""
    if outcome.definition is not None and outcome.definition.entity != kind:
        raise UsageError(
            f"the outcome {outcome.definition.name} is about {outcome.definition.entity}s, not {kind}s",
            where="--entity",
            hint=f"use --entity {outcome.definition.entity}",
        )
    if kind is EntityKind.ACCOUNT:
        if roster.accounts.is_empty() and roster.out_accounts.is_empty():
            raise DataError(
                "nothing in the data names an account",
                where="--entity",
                hint="map account_id in the users or events export, or use --entity user",
            )
        return
    table = dataset.tables.get("conversions")
    if table is None or outcome.event is not None or outcome.definition is not None or not table.rows:
        return
    if USER_ID not in table.columns or read_table(engine, table, [USER_ID])[USER_ID].null_count() == table.rows:
        raise UsageError("the conversions name accounts, not users", where="--entity", hint="use --entity account")


def _listed(roster: Roster, kind: EntityKind) -> pl.DataFrame:
    """Give the entities their numbers, in sorted id order: ``entity``, ``id``, ``anchor``, ``deleted_at`` and the traits."""
    frame, key = (roster.users, USER_ID) if kind is EntityKind.USER else (roster.accounts, ACCOUNT_ID)
    own = frame.select(pl.col(key).alias(ID), pl.col(SIGNED_UP_AT).alias(ANCHOR), DELETED_AT).sort(ID)
    return own.with_row_index(ENTITY).with_columns(pl.col(ENTITY).cast(pl.Int64))


def _world(
    dataset: Dataset, roster: Roster, engine: Engine, kind: EntityKind, listed: pl.DataFrame, as_of: Microseconds
) -> World:
    """Build the world without conversions and traits."""
    index = listed.select(ENTITY, ID)
    if kind is EntityKind.USER:
        members, accounts = index.select(pl.col(ID).alias(USER_ID), ENTITY), None
    else:
        accounts = index.select(pl.col(ID).alias(ACCOUNT_ID), ENTITY)
        # Where only events pair users with accounts, a user of two accounts belongs to neither by itself.
        single = roster.members.filter(pl.col(ACCOUNT_ID).len().over(USER_ID) == 1)
        members = single.join(accounts, on=ACCOUNT_ID).select(USER_ID, ENTITY).sort(USER_ID)
    absent = [pl.lit(None, dtype=pl.Int64).alias(name) for name in (CONVERTED, SINCE)]
    return World(
        engine=engine,
        kind=kind,
        events=roster.events,
        entities=listed.select(ENTITY, ANCHOR, *absent),
        members=members,
        accounts=accounts,
        as_of=as_of,
        properties=roster.properties,
        zone=dataset.zone,
        dates_only=dataset.tables["events"].dates_only,
    )


def _anchored(world: World, clock: Anchor) -> World:
    """Set the clocks that a definition starts with an event."""
    if clock.kind == "signup":
        return world
    events = world.events if clock.event is None else world.events.filter(nw.col(EVENT) == clock.event)
    firsts = world.engine.collect(owned(world, events).group_by(ENTITY).agg(nw.col(AT).min().alias(ANCHOR)))
    entities = world.entities.drop(ANCHOR).join(firsts, on=ENTITY, how="left", maintain_order="left")
    return replace(world, entities=entities.select(world.entities.columns))


def _traits(dataset: Dataset, project: Project, roster: Roster, world: World, listed: pl.DataFrame) -> Traits:
    """Gather the traits of the entities; a user has its account's where it has none of that name itself."""
    if world.kind is EntityKind.USER:
        values, key = roster.users, USER_ID
        lacking = [name for name in roster.accounts.columns if name not in values.columns]
        if lacking:
            theirs = roster.accounts.select(ACCOUNT_ID, *lacking)
            values = values.join(theirs, on=ACCOUNT_ID, how="left", maintain_order="left")
    else:
        values, key = roster.accounts, ACCOUNT_ID
    names = sorted(set(values.columns) - set(LISTED))
    kinds = trait_kinds(names, project)
    kept = [name for name in names if kinds[name] is not TraitKind.HISTORY]
    ordered = listed.select(ENTITY, ID).join(values, left_on=ID, right_on=key, how="left", maintain_order="left")
    histories = {
        name: _history(dataset, name, roster, world)
        for name, kind in kinds.items()
        if kind is TraitKind.HISTORY and f"history.{name}" in dataset.tables
    }
    known = {name: kind for name, kind in kinds.items() if name in kept or name in histories}
    return Traits(kinds=known, values=ordered.select(ENTITY, *kept), histories=histories)


def _history(dataset: Dataset, name: str, roster: Roster, world: World) -> pl.DataFrame:
    """Read a trait's history; of several rows at one instant the largest value stays."""
    table = dataset.tables[f"history.{name}"]
    frame = read_table(world.engine, table).filter(pl.col(VALID_FROM) <= world.as_of)
    if ACCOUNT_ID in frame.columns and world.accounts is not None:
        owned_rows = frame.join(world.accounts, on=ACCOUNT_ID)
    elif USER_ID in frame.columns:
        owned_rows = frame.join(world.members, on=USER_ID)
    else:
        users = roster.members.join(world.members, on=USER_ID).select(ACCOUNT_ID, ENTITY)
        owned_rows = frame.join(users, on=ACCOUNT_ID)
    rows = owned_rows.select(ENTITY, VALID_FROM, pl.col(name).alias("value"))
    return rows.group_by(ENTITY, VALID_FROM).agg(pl.col("value").max()).sort(ENTITY, VALID_FROM)


def _with_traits(world: World, traits: Traits, definition: Definition | None) -> World:
    """Give the world the traits that limits may refer to, as numbers; a history's value is the newest before `as_of`."""
    named = required_traits(definition) if definition is not None else ()
    numeric = [name for name in traits.values.columns if name != ENTITY and traits.values[name].dtype.is_numeric()]
    names = sorted({*numeric, *(name for name in named if name in traits.kinds)})
    columns = {name: f"t{index}" for index, name in enumerate(names)}
    at = world.entities.select(ENTITY, pl.lit(world.as_of, dtype=pl.Int64).alias(AT))
    values = traits.at(at, names).select(pl.col(name).alias(column) for name, column in columns.items())
    return replace(world, entities=world.entities.hstack(values.get_columns()), traits=columns)


def _conversions(
    world: World, dataset: Dataset, outcome: Outcome, roster: Roster, traits: Traits, trusted: Sequence[str]
) -> Conversions:
    """Find each entity's conversion."""
    if outcome.event is not None:
        return by_event(world, outcome)
    if outcome.definition is not None:
        return _qualifications(world, outcome.definition, traits, trusted)
    table = dataset.tables.get("conversions")
    if table is None:
        return no_conversions()
    rows, excluded = read_rows(table, outcome, world.engine, roster, world, world.as_of)
    return first_rows(rows, excluded)


def _qualifications(world: World, definition: Definition, traits: Traits, trusted: Sequence[str]) -> Conversions:
    """Take the moments at which eligible entities qualify for another definition, by that definition's own clock."""
    from pqlkit.measures.evaluation import spells_of

    traits.refuse_current(required_traits(definition), trusted)
    spells = spells_of(_anchored(world, definition.anchor), definition)
    if definition.eligible:
        asked = spells.select(ENTITY, (pl.col(ON) - 1).alias(AT))
        spells = spells.filter(traits.holds(definition.eligible, asked))
    return by_spells(spells)


def _dates_only(dataset: Dataset, outcome: Outcome) -> bool:
    """Whether conversions stand for dates."""
    if outcome.definition is not None:
        return False
    table = dataset.tables.get("events" if outcome.event is not None else "conversions")
    return table is not None and table.dates_only


def _people(
    world: World, listed: pl.DataFrame, clock: Anchor, conversions: Conversions, *, dates_only: bool
) -> pl.DataFrame:
    """Bring clocks and conversions together: the columns of `Population.entities`."""
    frame = world.entities.select(ENTITY, ANCHOR).hstack(listed.select(ID, DELETED_AT))
    frame = frame.join(conversions.frame, on=ENTITY, how="left", maintain_order="left")
    if dates_only:
        # A conversion that is only known by its date is not before a signup of the same date.
        same = _date(CONVERTED, world.zone) == _date(ANCHOR, world.zone)
        moved = pl.when(same).then(pl.max_horizontal(CONVERTED, ANCHOR)).otherwise(CONVERTED)
        frame = frame.with_columns(moved.alias(CONVERTED))
    faulty = pl.col(DELETED_AT) < pl.col(ANCHOR)
    if clock.kind == "signup":
        faulty = faulty | pl.col(ANCHOR).is_null()
    return frame.with_columns(
        pl.lit(None, dtype=pl.Int64).alias(SINCE), invalid=faulty.fill_null(value=False), at_risk=pl.lit(value=True)
    ).select(ENTITY, ID, ANCHOR, CONVERTED, SINCE, ENDED_AT, DELETED_AT, *_DETAILS, "invalid", "at_risk")


def _date(column: str, zone: str) -> pl.Expr:
    return pl.from_epoch(column, time_unit="us").dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.date()


def _with_events(world: World) -> int:
    """Count the entities with an event."""
    return world.engine.collect(owned(world, world.events).select(ENTITY).unique()).height
