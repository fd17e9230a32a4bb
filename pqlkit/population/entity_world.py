"""Worlds with clocks: entities as `pqlkit.measures` sees them, each with the moment that it is counted from, and its members."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import narwhals as nw
import polars as pl

from pqlkit.columns import ACCOUNT_ID, ANCHOR, AT, CONVERTED, ENTITY, EVENT, SIGNED_UP_AT, USER_ID
from pqlkit.definitions.model import EntityKind
from pqlkit.measures.ownership import by_number, owned
from pqlkit.measures.world import World

if TYPE_CHECKING:
    from pqlkit.definitions.model import Anchor
    from pqlkit.engines.base import Engine
    from pqlkit.exports.dataset import Dataset
    from pqlkit.population.roster import Roster
    from pqlkit.typing import Microseconds

SINCE = "since"
SIGNUP = "signup"


def bare_world(
    dataset: Dataset, roster: Roster, engine: Engine, kind: EntityKind, listed: pl.DataFrame, as_of: Microseconds
) -> World:
    """Build the world without conversions and traits.

    Parameters
    ----------
    dataset
        The canonical tables.
    roster, engine
        Who is listed, and where the plans run.
    kind
        What an entity is.
    listed
        ``entity``, ``id`` and ``anchor`` of every entity.
    as_of
        The moment at which the data end, in microseconds.
    """
    index = listed.select(ENTITY, "id")
    ids = roster.ids
    if kind is EntityKind.USER:
        members, accounts = index.select(pl.col("id").alias(USER_ID), ENTITY), None
    else:
        accounts = index.select(pl.col("id").alias(ACCOUNT_ID), ENTITY)
        # Where only events pair users with accounts, a user of two accounts belongs to neither by itself.
        single = roster.members.filter(pl.col(ACCOUNT_ID).len().over(USER_ID) == 1)
        signups = roster.users.select(USER_ID, pl.col(SIGNED_UP_AT).alias(ANCHOR))
        members = single.join(accounts, on=ACCOUNT_ID).join(signups, on=USER_ID, how="left")
        members = members.select(USER_ID, ENTITY, ANCHOR).sort(USER_ID)
    absent = [pl.lit(None, dtype=pl.Int64).alias(name) for name in (CONVERTED, SINCE)]
    return World(
        engine=engine,
        kind=kind,
        events=roster.events,
        entities=listed.select(ENTITY, ANCHOR, *absent),
        members=by_number(ids, members),
        accounts=None if accounts is None else by_number(ids, accounts),
        as_of=as_of,
        properties=roster.properties,
        zone=dataset.zone,
        dates_only=dataset.tables["events"].dates_only,
        summed_up=roster.seen,
        ids=ids,
    )


def anchored(world: World, clock: Anchor) -> World:
    """Set the clocks that a definition starts with an event; ``signup`` then keeps the signups."""
    moved = SIGNUP in world.entities.columns
    if clock.kind == "signup":
        back = world.entities.with_columns(pl.col(SIGNUP).alias(ANCHOR)).drop(SIGNUP) if moved else world.entities
        return replace(world, entities=back)
    events = world.events if clock.event is None else world.events.filter(nw.col(EVENT) == clock.event)
    firsts = world.engine.collect(owned(world, events).group_by(ENTITY).agg(nw.col(AT).min().alias(ANCHOR)))
    others = world.entities.drop(ANCHOR) if moved else world.entities.rename({ANCHOR: SIGNUP})
    entities = others.join(firsts, on=ENTITY, how="left", maintain_order="left")
    return replace(world, entities=entities.select(ENTITY, ANCHOR, pl.exclude(ENTITY, ANCHOR)))


def world_per_stay(world: World, origin: pl.Series) -> World:
    """Repeat entities and members for each stay; `origin` is the entity that each stay was cut from."""
    index = pl.DataFrame({"origin": origin}).with_row_index("stay").with_columns(pl.col("stay").cast(pl.Int64))

    def repeated(frame: pl.DataFrame, key: str) -> pl.DataFrame:
        joined = frame.join(index, left_on=ENTITY, right_on="origin")
        return joined.with_columns(pl.col("stay").alias(ENTITY)).select(frame.columns).sort(key, ENTITY)

    return replace(
        world,
        entities=world.entities[origin].with_columns(index["stay"].alias(ENTITY)),
        members=repeated(world.members, USER_ID),
        accounts=repeated(world.accounts, ACCOUNT_ID) if world.accounts is not None else None,
    )
