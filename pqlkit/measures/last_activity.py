"""The activity: when an entity did something last, and who of an account does most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw
import polars as pl

from pqlkit.columns import AT, ENTITY, USER_ID
from pqlkit.durations import DAY
from pqlkit.measures.ownership import by_id

if TYPE_CHECKING:
    from pqlkit.measures.world import World

RECENT_DAYS = 28


def last_active(world: World, known: pl.Series | None = None) -> pl.DataFrame:
    """Find each entity's last event at or before `as_of`, and the user who did most lately.

    Parameters
    ----------
    world
        The population; conversions cut nothing here.
    known
        Ids (text) of users who come before the others of their account, whatever these did; None = nobody does.

    Returns
    -------
    DataFrame
        ``entity``, ``last_active`` (Int64 UTC microseconds), ``who`` (an account's user with the most events in the 28 days
        up to `as_of`, else over all time; ties to the smaller id; null for users). Entities without an event have no row.
    """
    from dataclasses import replace

    from pqlkit.measures.scope import scope_of

    scope = replace(scope_of(world), lives=world.entities.select(ENTITY))
    owned = scope.owned(world.seen, [])
    if world.accounts is None or USER_ID not in scope.dtypes:
        last = world.engine.collect(owned.group_by(ENTITY).agg(nw.col("last").max().alias("last_active")))
        return last.with_columns(pl.lit(None, pl.String).alias("who")).sort(ENTITY)
    ever = owned.group_by(ENTITY, USER_ID).agg(nw.col("last").max().alias("last_active"), nw.col("rows").sum())
    recent = world.events.filter(nw.col(AT) <= world.as_of, nw.col(AT) > world.as_of - RECENT_DAYS * DAY)
    late = scope.owned(recent, []).group_by(ENTITY, USER_ID).agg(nw.len().cast(nw.Int64).alias("late"))
    people = world.engine.collect(ever).join(world.engine.collect(late), on=[ENTITY, USER_ID], how="left")
    people = by_id(world.ids, people.with_columns(pl.col("late").fill_null(0)))
    last = people.group_by(ENTITY).agg(pl.col("last_active").max())
    first = pl.lit(value=False) if known is None else pl.col(USER_ID).cast(pl.String).is_in(known.implode())
    who = (
        people.filter(pl.col(USER_ID).is_not_null())
        .with_columns(first.alias("first"))
        .sort(ENTITY, "first", "late", "rows", USER_ID, descending=[False, True, True, True, False])
        .group_by(ENTITY, maintain_order=True)
        .agg(pl.col(USER_ID).first().alias("who"))
    )
    return last.join(who, on=ENTITY, how="left").sort(ENTITY)
