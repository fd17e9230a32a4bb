"""The scope: a world made ready for measuring, with the stretch of time in which each entity's events exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import narwhals as nw
import polars as pl

from pqlkit.columns import ACCOUNT_ID, ANCHOR, AT, CONVERTED, CUTOFF, ENTITY, USER_ID
from pqlkit.durations import DAY
from pqlkit.errors import DataError, nearest
from pqlkit.inert import visible
from pqlkit.measures.calendar import Calendar
from pqlkit.measures.numbers import number, scaled
from pqlkit.measures.ownership import with_owners

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from narwhals.dtypes import DType

    from pqlkit.measures.world import World
    from pqlkit.typing import LazyFrame, Microseconds

SINCE: Final = "since"
LAST: Final = "last_at"  # the last microsecond at which an event of the entity exists
MOMENT: Final = "moment"  # the microsecond at which a value is read
BEGIN: Final = "begin"  # the anchor as an instant, also where events are dates
END: Final = "end"  # the last microsecond of the entity's life as an instant


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scope:
    """A world and its lives.

    Parameters
    ----------
    world
        What is measured.
    calendar
        Dates in the world's zone.
    dtypes
        Column of the events -> type.
    lives
        One row per entity with an anchor: ``entity``, ``anchor``, ``last_at``, ``moment`` on the events' clock (where events
        are dates, the midnights of a clock in the zone), ``begin``, ``end`` as instants, ``since`` where the world has it, and the
        limits that were asked for (Int64 millionths).
    early
        How much before the end of a window that decides at its end it is judged: 0, or the last microsecond (see `spells_of`).
    """

    world: World
    calendar: Calendar
    dtypes: Mapping[str, DType]
    lives: pl.DataFrame
    early: Microseconds = 0

    @property
    def has_since(self) -> bool:
        """Whether some entity's events count from a moment on only."""
        return SINCE in self.lives.columns

    def property(self, name: str) -> str:
        """Name the column of the events that holds a property.

        Raises
        ------
        DataError
            The events have no such property.
        """
        return known_column(self.world.properties, name, "property")

    def limit(self, trait: str) -> str:
        """Name the column of `lives` that holds a trait as a number."""
        return f"limit_{known_column(self.world.traits, trait, 'trait')}"

    def events(self, columns: Sequence[str]) -> LazyFrame:
        """Give the events that exist by `as_of`, on the events' clock, with the asked columns and ``at``."""
        keys = [name for name in (USER_ID, ACCOUNT_ID) if name in self.dtypes]
        wanted = list(dict.fromkeys([*keys, AT, *columns]))
        frame = self.world.events.select(*wanted).filter(nw.col(AT) <= self.world.as_of)
        return frame.with_columns(self._clock(nw.col(AT)).alias(AT)) if self.world.dates_only else frame

    def owned(self, frame: LazyFrame, lives: Sequence[str]) -> LazyFrame:
        """Join events with their entity's life, as `with_owners` does.

        Parameters
        ----------
        frame
            Events with the id columns that the export has.
        lives
            Columns of `lives` to bring along, beside ``entity``.
        """
        columns = [ENTITY, *(name for name in lives if name != ENTITY)]
        return with_owners(self.world, frame, self.lives.select(columns))

    def day(self) -> nw.Expr:
        """Give the calendar date of the column ``at``."""
        return nw.col(AT) // DAY if self.world.dates_only else self.calendar.date(nw.col(AT))

    def instant(self, column: str) -> nw.Expr:
        """Turn a time of the events' clock back into an instant."""
        return self.calendar.instant(nw.col(column)) if self.world.dates_only else nw.col(column)

    def _clock(self, at: nw.Expr) -> nw.Expr:
        return self.calendar.date(at) * DAY


def known_column(columns: Mapping[str, str], name: str, what: str) -> str:
    """Look up the column of a property or trait, or say which name is near."""
    if name in columns:
        return columns[name]
    near = nearest(name, columns)
    message = f"the data has no {what} {visible(name)!r}"
    raise DataError(message, hint=f"did you mean {visible(near)!r}?" if near else None)


def scope_of(
    world: World, *, traits: Sequence[str] = (), cutoffs: pl.DataFrame | None = None, early: bool = False
) -> Scope:
    """Make a world ready.

    Parameters
    ----------
    world
        What is measured.
    traits
        Traits to keep as limits.
    cutoffs
        ``entity`` (unique), ``cutoff``: lives end before it, and only these entities live. None: everybody, to `as_of`.
    early
        Judge windows that decide at their end a microsecond before it.
    """
    calendar = _calendar(world)
    lives = _lives(world, cutoffs)
    lives = _with_limits(lives, sorted({known_column(world.traits, trait, "trait") for trait in traits}))
    lives = _on_clock(lives, calendar) if world.dates_only else lives
    kept = [ENTITY, ANCHOR, LAST, MOMENT, BEGIN, END, *(name for name in lives.columns if name.startswith("limit_"))]
    if SINCE in lives.columns and lives.get_column(SINCE).null_count() < lives.height:
        kept.append(SINCE)
    return Scope(
        world=world,
        calendar=calendar,
        dtypes=dict(world.events.collect_schema()),
        lives=lives.select(kept),
        early=int(early),
    )


def _lives(world: World, cutoffs: pl.DataFrame | None) -> pl.DataFrame:
    lives = world.entities.filter(pl.col(ANCHOR).is_not_null())
    before = pl.col(CONVERTED) - 1
    lives = lives.with_columns(pl.min_horizontal(pl.lit(world.as_of, pl.Int64), before).alias(LAST))
    if cutoffs is None:
        moment = pl.col(LAST)
    else:
        lives = lives.join(cutoffs.select(ENTITY, CUTOFF), on=ENTITY, how="inner")
        moment = pl.col(CUTOFF) - 1
    return lives.with_columns(moment.alias(MOMENT)).with_columns(
        pl.min_horizontal(LAST, MOMENT).alias(LAST),
        pl.col(ANCHOR).alias(BEGIN),
        pl.min_horizontal(LAST, MOMENT).alias(END),
    )


def _on_clock(lives: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
    # A conversion's own date is out: the last date that counts is the one before it. Other ends keep their date.
    frame = nw.from_native(lives)
    converted = calendar.date(nw.col(CONVERTED)) * DAY - 1
    days = {name: calendar.date(nw.col(name)) * DAY for name in (ANCHOR, LAST, MOMENT, SINCE) if name in lives.columns}
    dated = frame.with_columns(**days).with_columns(
        nw.min_horizontal(nw.col(LAST), converted.fill_null(2**62)).alias(LAST)
    )
    return dated.to_native()


def _with_limits(lives: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    frame = nw.from_native(lives)
    limits = {f"limit_{column}": scaled(number(column, frame.schema[column])) for column in columns}
    return frame.with_columns(**limits).to_native()


def _calendar(world: World) -> Calendar:
    ends = world.entities.select(
        pl.min_horizontal(pl.col(ANCHOR).min(), pl.col(CONVERTED).min()).alias("low"),
        pl.max_horizontal(pl.col(ANCHOR).max(), pl.col(CONVERTED).max()).alias("high"),
    )
    low, high = (value if value is not None else world.as_of for value in ends.row(0))
    if world.zone == "UTC":
        return Calendar(0)
    begin = min(low, world.as_of, _oldest(world))
    return Calendar.of(world.zone, begin, max(high, world.as_of) + 2 * DAY)


def _oldest(world: World) -> Microseconds:
    oldest = world.engine.collect(world.events.select(nw.col(AT).min())).item()
    return world.as_of if oldest is None else int(oldest)
