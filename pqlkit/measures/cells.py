"""The cell: a number for one event name, measure and window at one snapshot, planned for all of them together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import narwhals as nw
import polars as pl

from pqlkit.columns import ANCHOR, AT, CUTOFF, ENTITY, EVENT, SNAPSHOT, USER_ID
from pqlkit.definitions.model import Criterion, Measure, MeasureKind, Window, WindowKind
from pqlkit.durations import DAY
from pqlkit.errors import UsageError
from pqlkit.measures.numbers import number, scaled
from pqlkit.measures.overflow import refuse_overflow
from pqlkit.measures.scope import LAST, SINCE, Scope, scope_of
from pqlkit.measures.tasks import tasks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pqlkit.measures.world import World
    from pqlkit.typing import LazyFrame, Microseconds

CODE: Final = "code"
"""Int32 position in `Sightings.names`; one more = an event that was not asked for; `ANY` = all events together."""
ANY: Final = -1
MOST_SNAPSHOTS: Final = 1_500_000
"""Snapshots whose cells an engine groups at once; more of them take further passes over the events."""

_MOST_EVENTS: Final = 100_000_000
VALUE: Final = "value"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sightings:
    """Events made ready for cells: who, which name, when.

    Parameters
    ----------
    scope
        The world; its lives are those that are looked at.
    snapshots
        ``snapshot``, ``entity``, ``cutoff`` and ``anchor``, on the events' clock.
    names
        The event names that were asked for, sorted.
    rising
        Measured properties of which no number is negative: their sums never fall.
    """

    scope: Scope
    snapshots: pl.DataFrame
    names: tuple[str, ...]
    rising: frozenset[str] = frozenset()

    def parts(self, most: int) -> Iterator[Sightings]:
        """Split by entity into parts of about `most` snapshots at most."""
        count = -(-self.snapshots.height // most)
        if count <= 1:
            yield self
            return
        for rest in range(count):
            own = pl.col(ENTITY) % count == rest
            yield replace(
                self,
                scope=replace(self.scope, lives=self.scope.lives.filter(own)),
                snapshots=self.snapshots.filter(own),
            )

    def passes(self) -> int:
        """Say into how many parts tallies are taken, so that the events of each stay bounded."""
        events = self.scope.world.engine.collect(self.scope.world.events.select(nw.len())).item()
        return max(1, -(-int(events) // _MOST_EVENTS))

    def rows(
        self, measure: Measure | None, lives: pl.DataFrame, *, begin: Microseconds, end: Microseconds
    ) -> LazyFrame:
        """Plan ``code``, ``at``, ``value`` (of the measure; none for count and days), and the columns of `lives` (by ``entity``).

        Only events at or after `begin` and before `end` are read.
        """
        scope, kind = self.scope, None if measure is None else measure.kind
        column = None if measure is None or measure.property is None else scope.property(measure.property)
        frame = scope.events([EVENT, *([column] if column is not None else [])])
        frame = frame.filter(nw.col(AT) >= begin, nw.col(AT) < end)
        anything = kind in {MeasureKind.USERS, MeasureKind.DISTINCT_EVENTS}
        if anything:
            thing = nw.col(USER_ID if kind is MeasureKind.USERS else EVENT)
            frame = frame.with_columns(thing.alias(VALUE))
        elif column is not None:
            value = nw.col(column) if kind is MeasureKind.DISTINCT else scaled(number(column, scope.dtypes[column]))
            frame = frame.with_columns(value.alias(VALUE))
        if measure is not None:
            frame = frame.filter(~nw.col(VALUE).is_null())
        frame = scope.world.engine.encode(frame, EVENT, self.names)
        if measure is not None and not anything:
            frame = frame.filter(~nw.col(EVENT).is_null())
        frame = frame.with_columns(nw.col(EVENT).fill_null(len(self.names)).cast(nw.Int64).alias(CODE))
        shown = replace(scope, lives=scope.lives.join(lives, on=ENTITY, how="inner"))
        extra = [name for name in lives.columns if name != ENTITY]
        wanted = [ANCHOR, LAST, *([SINCE] if scope.has_since else []), *extra]
        seen = shown.owned(frame, wanted).filter(nw.col(AT) <= nw.col(LAST))
        if scope.has_since:
            seen = seen.filter(nw.col(SINCE).is_null() | (nw.col(AT) >= nw.col(SINCE)))
        seen = seen.select(
            ENTITY, CODE, AT, *([VALUE] if measure is not None else []), *dict.fromkeys([ANCHOR, *extra])
        )
        if not anything:
            return seen
        # Users of any event: the users of all names cannot be added up, so every event stands a second time without its name.
        anyone = seen.with_columns(nw.lit(ANY, nw.Int64).alias(CODE))
        if kind is MeasureKind.DISTINCT_EVENTS:
            return anyone  # of one name there is one
        return nw.concat([seen.filter(nw.col(CODE) < len(self.names)), anyone], how="vertical")


def extent(values: pl.Series) -> tuple[int, int]:
    """Give the smallest and the largest of whole numbers; (0, 0) of none."""
    numbers = values.drop_nulls().to_numpy()
    return (int(numbers.min()), int(numbers.max())) if numbers.size else (0, 0)


def column_of(measure: int, window: int) -> str:
    """Name the column of a measure and window."""
    return f"m{measure}_w{window}"


def sightings(world: World, snapshots: pl.DataFrame, events: Sequence[str] | None) -> Sightings:
    """Make a world ready for cells at snapshots; `events` None = all names that occur."""
    scope = scope_of(world)
    lives = scope.lives.join(snapshots.select(ENTITY).unique(), on=ENTITY, how="semi")
    placed = snapshots.select(SNAPSHOT, ENTITY, CUTOFF).join(lives.select(ENTITY, ANCHOR), on=ENTITY, how="inner")
    if world.dates_only:
        last = scope.calendar.date(nw.col(CUTOFF) - 1) * DAY
        placed = nw.from_native(placed).with_columns((last + 1).alias(CUTOFF)).to_native()
    names = _names(world) if events is None else sorted(set(events))
    return Sightings(scope=replace(scope, lives=lives), snapshots=placed, names=tuple(names))


def possible(sightings: Sightings, measures: Sequence[Measure], kind: WindowKind) -> Sightings:
    """Refuse measures that have no meaning in such windows and sums that do not fit; note the properties that only rise.

    Raises
    ------
    UsageError
        `last` over trailing windows.
    DataError
        No such property, or a sum beyond what can be added up.
    """
    for measure in measures:
        if measure.kind.facts.state and kind is WindowKind.TRAILING:
            message = f"{measure.kind.value} has no meaning over trailing windows"
            raise UsageError(
                message,
                where="--measures",
                hint=f"leave {measure.kind.value} out, or take windows that end: --snapshots once:14d",
            )
    whole = [
        Criterion(id="any", events=None, measure=measure, window=Window(kind=WindowKind.EVER), at_least=1)
        for measure in measures
        if measure.property is not None
    ]
    read = refuse_overflow(sightings.scope, tasks_of(whole))
    rising = {name for (name, _), seen in read.items() if (seen.least or 0) >= 0}
    return replace(sightings, rising=frozenset(rising))


def _names(world: World) -> list[str]:
    frame = world.engine.collect(world.events.select(EVENT).unique())
    return sorted(name for name in frame.get_column(EVENT).to_list() if name is not None)
