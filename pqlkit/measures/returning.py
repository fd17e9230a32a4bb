"""The return: when an entity next did something, asked of any number of moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import narwhals as nw
import numpy as np
import polars as pl

from pqlkit.columns import AT, ENTITY, EVENT
from pqlkit.measures.conditions import all_hold
from pqlkit.measures.ownership import owned

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from pqlkit.definitions.model import Condition
    from pqlkit.measures.world import World
    from pqlkit.typing import Microseconds

NEVER: Final = np.iinfo(np.int64).max
_SECOND: Final = 1_000_000
_SPAN: Final = 1 << 34
"""More seconds than an export has, from `_EARLY` on: an entity and a second in one sortable number."""
_EARLY: Final = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Returns:
    """Events of entities, by entity and second.

    Parameters
    ----------
    key
        Entity and second in one number, ascending, each once.
    first, last
        The first and the last event of that second.
    """

    key: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    @classmethod
    def of(
        cls, world: World, event: str | None, where: tuple[Condition, ...] = (), without: Collection[str] = ()
    ) -> Returns:
        """Read them off the events.

        Parameters
        ----------
        world
            Whose events.
        event, where
            The event, and what its properties must be; None = any event.
        without
            Events that do not count as any.
        """
        rows = world.events
        if event is not None:
            rows = rows.filter(nw.col(EVENT) == event)
        elif without:
            rows = rows.filter(~nw.col(EVENT).is_in(sorted(without)))
        mine = owned(world, rows)
        if where:
            mine = mine.filter(all_hold(where, world.properties, rows.collect_schema()))
        second = (nw.col(AT) + _EARLY * _SECOND) // _SECOND
        seconds = (
            mine.with_columns(second=second)
            .group_by(ENTITY, "second")
            .agg(first=nw.col(AT).min(), last=nw.col(AT).max())
        )
        frame = world.engine.collect(seconds).with_columns(key=pl.col(ENTITY).cast(pl.Int64) * _SPAN + pl.col("second"))
        key, first, last = (frame.sort("key").get_column(name).to_numpy() for name in ("key", "first", "last"))
        return cls(key=key, first=first, last=last)

    def before(self, entity: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of each moment whether its entity had an event before it."""
        if not len(self.key):
            return np.zeros(len(at), dtype=np.bool_)
        place = np.minimum(np.searchsorted(self.key, entity.astype(np.int64) * _SPAN), len(self.key) - 1)
        had: NDArray[np.bool_] = (self.key[place] // _SPAN == entity) & (self.first[place] < at)
        return had

    def between(
        self, entity: NDArray[np.int64], at: NDArray[np.int64], after: Microseconds, until: Microseconds
    ) -> NDArray[np.int64]:
        """Give the first event in (at + after, at + until] of each moment, or `NEVER`.

        Of several in one second of which some come too soon, the last is given; both ends are whole seconds or more apart.
        """
        if not len(self.key):
            return np.full(len(at), NEVER)
        begin = at + after
        asked = entity.astype(np.int64) * _SPAN + (begin + _EARLY * _SECOND) // _SECOND
        place = np.searchsorted(self.key, asked)
        same = np.minimum(place, len(self.key) - 1)
        now = (self.key[same] == asked) & (self.last[same] > begin)
        later = np.minimum(np.where(self.key[same] == asked, same + 1, place), len(self.key) - 1)
        follows = (self.key[later] > asked) & (self.key[later] // _SPAN == entity)
        inside = np.where(self.first[same] > begin, self.first[same], self.last[same])
        next_one = np.where(now, inside, np.where(follows, self.first[later], NEVER))
        return np.where(next_one <= at + until, next_one, NEVER)
