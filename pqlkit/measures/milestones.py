"""The milestone: another file's formula inside this one, of the same entities or of an account's users."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import narwhals as nw
import polars as pl

from pqlkit.columns import ACCOUNT_ID, ANCHOR, AT, CONVERTED, ENTITY, EVENT, OFF, ON, USER_ID
from pqlkit.definitions.model import EntityKind
from pqlkit.errors import DataError, DefinitionError
from pqlkit.measures.conditions import all_hold

if TYPE_CHECKING:
    from pqlkit.definitions.model import Anchor, Definition, Ref
    from pqlkit.measures.world import World
    from pqlkit.typing import LazyFrame

_SINCE = "since"
_SIGNUP = "signup"


def counts_users(definition: Definition, ref: Ref) -> bool:
    """Whether a ref counts an account's users.

    Raises
    ------
    DefinitionError
        An account's milestone stands in a user's definition.
    """
    if ref.target.entity is definition.entity:
        return False
    if definition.entity is EntityKind.ACCOUNT:
        return True
    message = f"{ref.name} is about accounts and cannot stand in {definition.name}, which is about users"
    raise DefinitionError(message)


def milestone_world(world: World, definition: Definition, ref: Ref) -> World:
    """Give the world in which a milestone is evaluated: the same entities with its own anchors, or the accounts' users.

    Users start at the ``anchor`` of `World.members`, or at their first event where there is none, and their events exist as
    long as their account's.

    Raises
    ------
    DataError
        Eligibility asks for a trait that is not in the world.
    DefinitionError
        A milestone counts from the signup, and the world knows only another anchor.
    """
    target = ref.target
    own = _users(world, target.anchor) if counts_users(definition, ref) else world
    if own is world and target.anchor != definition.anchor:
        own = replace(world, entities=_anchored(world, target.anchor))
    return _eligible(own, target)


def counted_users(world: World, spells: pl.DataFrame) -> pl.DataFrame:
    """List each account's qualified users: ``entity`` (the account), ``on`` (the user's first), ``rank`` (1 = its first user)."""
    firsts = spells.group_by(ENTITY).agg(pl.col(ON).min()).rename({ENTITY: "user"})
    users = _numbered(world).select(pl.col("user"), ENTITY)
    rank = pl.int_range(1, pl.len() + 1).over(ENTITY)
    return (
        firsts.join(users, on="user", how="inner").select(ENTITY, ON).sort(ENTITY, ON).with_columns(rank.alias("rank"))
    )


def within_lives(world: World, spells: pl.DataFrame) -> pl.DataFrame:
    """Clip spells to the lives of a world: they begin at the anchor or later, and those that would begin after the end are left out."""
    end = pl.min_horizontal(pl.lit(world.as_of, pl.Int64), pl.col(CONVERTED) - 1)
    lives = world.entities.filter(pl.col(ANCHOR).is_not_null()).select(ENTITY, ANCHOR, end.alias("end"))
    kept = spells.join(lives, on=ENTITY, how="inner").filter(
        pl.col(ON) <= pl.col("end"),
        pl.col(ANCHOR) <= pl.col("end"),
        pl.col(OFF).is_null() | (pl.col(OFF) > pl.col(ANCHOR)),
    )
    off = pl.when(pl.col(OFF) <= pl.col("end")).then(pl.col(OFF))
    return kept.select(ENTITY, pl.max_horizontal(ON, ANCHOR).alias(ON), off.alias(OFF)).sort(ENTITY, ON)


def _numbered(world: World) -> pl.DataFrame:
    return world.members.sort(USER_ID).with_row_index("user").with_columns(pl.col("user").cast(pl.Int64))


def _users(world: World, anchor: Anchor) -> World:
    members = _numbered(world)
    if anchor.kind == _SIGNUP and ANCHOR in members.columns:
        own = members.select(USER_ID, "user", ENTITY, ANCHOR)
    else:
        firsts = _first_events(world, world.events, USER_ID, anchor)
        own = members.select(USER_ID, "user", ENTITY).join(firsts, on=USER_ID, how="left")
    since = [_SINCE] if _SINCE in world.entities.columns else []
    lives = own.join(world.entities.select(ENTITY, CONVERTED, *since), on=ENTITY, how="inner").sort("user")
    return replace(
        world,
        kind=EntityKind.USER,
        entities=lives.select(pl.col("user").alias(ENTITY), ANCHOR, CONVERTED, *since),
        members=lives.select(USER_ID, pl.col("user").alias(ENTITY)),
        accounts=None,
        traits={},
    )


def _anchored(world: World, anchor: Anchor) -> pl.DataFrame:
    others = world.entities.drop(ANCHOR)
    if anchor.kind == _SIGNUP:
        if _SIGNUP not in world.entities.columns:
            message = "a milestone counts from the signup, but this population's entities start elsewhere"
            raise DefinitionError(message, hint="give both files the same anchor")
        return world.entities.with_columns(pl.col(_SIGNUP).alias(ANCHOR))
    parts = [_first_events(world, world.events, USER_ID, anchor).join(world.members, on=USER_ID)]
    if world.accounts is not None and ACCOUNT_ID in world.events.collect_schema():
        loose = world.events.filter(nw.col(ACCOUNT_ID).is_null())
        parts = [
            _first_events(world, loose, USER_ID, anchor).join(world.members, on=USER_ID),
            _first_events(world, world.events, ACCOUNT_ID, anchor).join(world.accounts, on=ACCOUNT_ID),
        ]
    firsts = pl.concat([part.select(ENTITY, ANCHOR) for part in parts]).group_by(ENTITY).agg(pl.col(ANCHOR).min())
    return others.join(firsts, on=ENTITY, how="left").sort(ENTITY)


def _first_events(world: World, events: LazyFrame, key: str, anchor: Anchor) -> pl.DataFrame:
    frame = events.filter(nw.col(AT) <= world.as_of, ~nw.col(key).is_null())
    if anchor.event is not None:
        frame = frame.filter(nw.col(EVENT) == anchor.event)
    return world.engine.collect(frame.group_by(key).agg(nw.col(AT).min().alias(ANCHOR)))


def _eligible(world: World, target: Definition) -> World:
    if not target.eligible:
        return world
    unknown = sorted({condition.name for condition in target.eligible} - set(world.traits))
    if unknown:
        message = f"{target.name}: eligibility asks for the trait {unknown[0]!r}, which is not known here"
        raise DataError(message)
    frame = nw.from_native(world.entities)
    test = all_hold(target.eligible, world.traits, dict(frame.schema))
    # Who is not eligible has no clock, and so no spell.
    anchor = nw.when(test).then(nw.col(ANCHOR)).otherwise(nw.lit(None, nw.Int64))
    return replace(world, entities=frame.with_columns(anchor.alias(ANCHOR)).to_native())
