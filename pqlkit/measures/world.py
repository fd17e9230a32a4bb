"""The world: one population's events and entities, as every measure sees them.

`population.population` builds it from a dataset; `measures` asks it. Rows at `as_of` exist, later ones do not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import narwhals as nw

from pqlkit.columns import ACCOUNT_ID, AT, USER_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from pqlkit.definitions.model import EntityKind
    from pqlkit.engines.base import Engine
    from pqlkit.typing import LazyFrame, Microseconds


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class World:
    """Events and entities of one population.

    Parameters
    ----------
    engine
        Where the plans run.
    kind
        What an entity is.
    events
        Lazy: ``user_id`` and, where the export has it, ``account_id`` (raw ids), ``event`` (text), ``at`` (Int64 UTC
        microseconds), and the property columns of `properties`. Not yet joined with entities: filter first, join after.
    entities
        One row per entity, sorted by ``entity``: ``entity`` (Int64, 0..n-1), ``anchor``, ``converted`` (Int64 UTC
        microseconds or null; only events strictly before ``converted`` exist), ``since`` (Int64 or null: with expansion
        outcomes only events at or after it exist), and the trait columns of `traits`. Optional: ``signup`` (Int64), where
        `anchor` is not the signup: milestones that count from the signup then can.
    members
        ``user_id``, ``entity``: whose events a user's are. For users one row each; for accounts the user's account, and then
        optionally ``anchor`` (Int64 or null): the user's own signup, from which user milestones count. Without it they count
        from the user's first event.
    accounts
        ``account_id``, ``entity`` for account populations (an event's own account wins over its user's), else None.
    properties
        Export's property name -> column in `events` (``p0``, ``p1`` ...): names may hold dots, quotes or emoji.
    traits
        Trait name -> column in `entities` (``t0`` ...): for limits of the form ``{percent: 80, of: {trait: x}}``.
    as_of
        The last microsecond that exists.
    zone
        IANA name: calendar dates of the measure ``days`` are counted in it.
    dates_only
        The events come from a source of dates without times: an event stands for its date. ``at`` is then any instant of that
        date in `zone`, as a rule its midnight there.
    summed_up
        What `seen` gives, where that is written down; None = it is counted when asked.
    ids
        Where events, `members` and `accounts` name users or accounts by number: ``user_id``, ``account_id`` -> that column with
        the numbers, and ``id`` as in the export.
    """

    engine: Engine
    kind: EntityKind
    events: LazyFrame
    entities: pl.DataFrame
    members: pl.DataFrame
    as_of: Microseconds
    accounts: pl.DataFrame | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    traits: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"
    dates_only: bool = False
    summed_up: LazyFrame | None = None
    ids: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    @property
    def seen(self) -> LazyFrame:
        """The events by `as_of` summed up by their ids: ``user_id``, ``account_id`` (where they have it), ``rows``, ``first``, ``last``.

        An id may stand in several rows.
        """
        return self.summed_up if self.summed_up is not None else seen_of(self.events.filter(nw.col(AT) <= self.as_of))


def seen_of(events: LazyFrame) -> LazyFrame:
    """Sum up events as `World.seen`."""
    keys = [name for name in (USER_ID, ACCOUNT_ID) if name in events.collect_schema().names()]
    ends = (nw.col(AT).min().alias("first"), nw.col(AT).max().alias("last"))
    return events.group_by(*keys).agg(nw.len().cast(nw.Int64).alias("rows"), *ends)
