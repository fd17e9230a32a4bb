"""The precursor: an event that a person does on the way to another, like opening the dialog in which it is then done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import narwhals as nw

from pqlkit.columns import ACCOUNT_ID, AT, EVENT, USER_ID
from pqlkit.measures.ownership import by_id

if TYPE_CHECKING:
    import polars as pl

    from pqlkit.measures.world import World
    from pqlkit.typing import LazyFrame, Microseconds

__all__ = ["Precursor", "precursors"]

SOONEST: Final = 1_000_000
"""What follows sooner is no act of a person, but an echo of the software."""
LATEST: Final = 60_000_000
"""What follows later is not taken for the same errand."""
MOSTLY: Final = 0.5
"""An event leads to another if at least this share of either goes with the other."""

_USERS: Final = 10_000
_EVENTS: Final = 1_000_000
_TIMES: Final = 30
_BY: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Precursor:
    """An event that leads to another.

    Parameters
    ----------
    event, leads_to
        Names.
    times
        How often `leads_to` was the next that a user did after `event`, 1 to 60 seconds later.
    share
        Of all `leads_to` that were seen.
    """

    event: str
    leads_to: str
    times: int
    share: float


def precursors(world: World, *, before: Microseconds | None = None) -> tuple[Precursor, ...]:
    """Find the events that mostly lead to another within a minute.

    Parameters
    ----------
    world
        Whose events; at most 10,000 users (every so many by their ids) and about a million events are read.
    before
        Only events before this; None = all through `as_of`.

    Returns
    -------
    tuple of Precursor
        Sorted by `event`. An event leads to another if the other is the next thing that the user does, more than a second and
        at most a minute later, in at least half of all cases of either of the two, 30 times or more, and by 20 users or more.
        Empty where events are dates: they have no order within a day.

    Notes
    -----
    Who opens a dialog and who completes it are nearly the same people, so no outcome tells the two apart; their order does.
    """
    if world.dates_only:
        return ()
    engine = world.engine
    rows = engine.keep(_seen(world, before))
    totals = rows.group_by(EVENT).agg(nw.len().cast(nw.Int64).alias("all"))
    return tuple(_found(engine.collect(_led(rows)), engine.collect(totals)))


def _seen(world: World, before: Microseconds | None) -> LazyFrame:
    """Plan ``who``, ``at`` and ``event`` of the users that are read."""
    names = world.events.collect_schema().names()
    members, key = world.members, USER_ID
    if USER_ID not in names and world.accounts is not None:
        members, key = world.accounts, ACCOUNT_ID
    total = int(world.engine.collect(world.events.select(nw.len())).item())
    users = min(_USERS, max(_BY, members.height * _EVENTS // max(total, 1)))
    named = by_id(world.ids, members.select(key)).get_column(key)
    some = members.select(key)[named.arg_sort()].gather_every(max(1, -(-members.height // users)))
    end = world.as_of + 1 if before is None else min(before, world.as_of + 1)
    seen = world.events.filter(nw.col(AT) < end).select(nw.col(key).alias("who"), AT, EVENT)
    return seen.join(world.engine.lift(some.rename({key: "who"})), on="who", how="inner")


def _led(rows: LazyFrame) -> LazyFrame:
    """Plan how often, and by how many, each event was the next after another."""
    order = [AT, EVENT]
    last = {
        "from": nw.col(EVENT).shift(1).over("who", order_by=order),
        "then": nw.col(AT).shift(1).over("who", order_by=order),
    }
    gap = nw.col(AT) - nw.col("then")
    near = rows.with_columns(**last).filter(gap > SOONEST, gap <= LATEST, nw.col(EVENT) != nw.col("from"))
    by_user = near.group_by("from", EVENT, "who").agg(nw.len().cast(nw.Int64).alias("times"))
    sums = (nw.col("times").sum().cast(nw.Int64).alias("times"), nw.len().cast(nw.Int64).alias("users"))
    return by_user.group_by("from", EVENT).agg(*sums).filter(nw.col("times") >= _TIMES, nw.col("users") >= _BY)


def _found(pairs: pl.DataFrame, totals: pl.DataFrame) -> list[Precursor]:
    """Choose those that mostly lead to the other."""
    import polars as pl

    both = pairs.join(totals, on=EVENT).join(totals.rename({EVENT: "from", "all": "begun"}), on="from")
    mostly = both.filter(pl.col("times") >= MOSTLY * pl.max_horizontal("all", "begun"))
    known = {(begun, done) for begun, done in mostly.select("from", EVENT).iter_rows()}
    # Two that lead to each other are a round, and neither is on the way to the other.
    ordered = mostly.sort("from", "times", EVENT, descending=[False, True, False]).unique("from", maintain_order=True)
    return [
        Precursor(event=begun, leads_to=done, times=times, share=times / everything)
        for begun, done, times, everything in ordered.sort("from").select("from", EVENT, "times", "all").iter_rows()
        if (done, begun) not in known
    ]
