"""The ownership: whose an event is, an account's own or that of its user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from pqlkit.columns import ACCOUNT_ID, AT, ENTITY, USER_ID

if TYPE_CHECKING:
    from pqlkit.measures.world import World
    from pqlkit.typing import LazyFrame


def owned(world: World, events: LazyFrame) -> LazyFrame:
    """Add ``entity`` to events of known entities and drop the others.

    An account's events are those that carry its id, else those of its users. With expansion outcomes events before
    ``since`` are dropped.
    """
    members = world.engine.lift(world.members.select(USER_ID, ENTITY))
    if world.accounts is None or ACCOUNT_ID not in events.collect_schema().names():
        found = events.join(members, on=USER_ID, how="inner")
    else:
        accounts = world.engine.lift(world.accounts.rename({ENTITY: "own"}))
        own = nw.when(~nw.col(ACCOUNT_ID).is_null()).then(nw.col("own")).otherwise(nw.col(ENTITY))
        both = events.join(accounts, on=ACCOUNT_ID, how="left").join(members, on=USER_ID, how="left")
        found = both.with_columns(own.alias(ENTITY)).filter(~nw.col(ENTITY).is_null())
    since = world.entities.select(ENTITY, "since").drop_nulls()
    if since.is_empty():
        return found
    joined = found.join(world.engine.lift(since), on=ENTITY, how="left")
    return joined.filter(nw.col("since").is_null() | (nw.col(AT) >= nw.col("since")))
