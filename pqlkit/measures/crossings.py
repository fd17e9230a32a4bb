"""The crossing: when the measures of behaviours rise to their thresholds and fall below them, many thresholds at once.

A search reads thousands of rules made of a few hundred thresholds. Their spells are taken here in one pass for all thresholds of
a behaviour, and put on one line of whole numbers, so that the spells of a rule are an intersection of sorted arrays. They are
those of `pqlkit.measures.evaluation.criterion_spells`, to the microsecond.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

import narwhals as nw
import numpy as np
import polars as pl

from pqlkit.columns import ANCHOR, AT, CRITERION, ENTITY, EVENT, OFF, ON, USER_ID
from pqlkit.definitions.model import Criterion, MeasureKind, WindowKind
from pqlkit.durations import DAY
from pqlkit.engines import overlaps
from pqlkit.engines.overlaps import Overlap
from pqlkit.engines.tallies import CODE as _CODE
from pqlkit.engines.tallies import WHO
from pqlkit.measures.evaluation import criterion_spells
from pqlkit.measures.scope import BEGIN, END, LAST, SINCE, scope_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Behaviour
    from pqlkit.measures.scope import Scope
    from pqlkit.measures.world import World
    from pqlkit.typing import LazyFrame, Microseconds

    Threshold: TypeAlias = tuple[Behaviour, int]
    Asked: TypeAlias = Mapping[Behaviour, Sequence[int]]

_DAY: Final = "day"
_ROOM: Final = 62
"""Bits of a place on the line: the entity above, the time below."""

_LONG: Final = 2 * DAY
"""Windows from here on are longer than any calendar date, whatever its zone does to the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Entities one after the other, each with all the time there is: a place is an entity and a moment in one number.

    Parameters
    ----------
    first, entities
        The entity that comes first, and how many there are.
    zero, bits
        The moment at which each begins, and the bits of the time.
    """

    first: int
    entities: int
    zero: Microseconds
    bits: int

    def places(self, entity: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Place moments, those before the beginning at it."""
        inside = np.clip(at - self.zero, 0, (1 << self.bits) - 1)
        places: NDArray[np.int64] = ((entity - self.first) << self.bits) | inside
        return places

    def entity(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Whose a place is."""
        return (places >> self.bits) + self.first

    def moment(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """When a place is."""
        return (places & ((1 << self.bits) - 1)) + self.zero

    def holds(self, entity: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell whose place is on this line."""
        return (entity >= self.first) & (entity < self.first + self.entities)


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """Disjoint spells [on, off) on a line, in order; one that is still on at the end of a life has no end before the next."""

    on: NDArray[np.int64]
    off: NDArray[np.int64]

    def __and__(self, other: Stretches) -> Stretches:
        """Give where both hold."""
        few, many = (self, other) if len(self.on) <= len(other.on) else (other, self)
        low = np.searchsorted(many.off, few.on, side="right")
        high = np.searchsorted(many.on, few.off, side="left")
        count = np.maximum(high - low, 0)
        row = np.repeat(np.arange(len(few.on)), count)
        place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + low[row]
        return Stretches(np.maximum(few.on[row], many.on[place]), np.minimum(few.off[row], many.off[place]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crossings:
    """The spells of thresholds: lines, and on each the spells of every threshold asked for."""

    lines: tuple[Line, ...]
    spells: tuple[Mapping[Threshold, Stretches], ...]


def crossings(world: World, asked: Asked) -> Crossings:
    """Give the spells of `behaviour >= threshold` for each threshold asked for.

    Parameters
    ----------
    world
        Whose.
    asked
        Behaviour -> thresholds, at least 1.

    Notes
    -----
    Counts and dates of events without conditions are read once, ranked on the engine: a threshold k holds from the k-th event of
    a window on. Over ``trailing`` windows it holds where k events overlap that are each as long as the window. All other measures
    take the way of a definition.
    """
    scope = scope_of(world)
    lines = _lines(scope, asked)
    short = {behaviour: own for behaviour, own in asked.items() if _has_short_way(scope, behaviour)}
    stretches: tuple[dict[Threshold, Stretches], ...] = tuple({} for _ in lines)
    lives = [_lives(scope, line) for line in lines]
    for part in _parts(short):
        moving = next(iter(part)).window.kind is WindowKind.TRAILING
        above = _overlapping(scope, lines, part) if moving else _reached(scope, lines, part, lives)
        for key, place, spells in above:
            stretches[place][key] = _clipped(lines[place], spells, *lives[place])
    others = {behaviour: own for behaviour, own in asked.items() if behaviour not in short}
    if others:
        _add_measured(world, lines, stretches, others)
    return Crossings(lines=lines, spells=stretches)


def _has_short_way(scope: Scope, behaviour: Behaviour) -> bool:
    window = behaviour.window
    if scope.world.dates_only or behaviour.where or window.length is None:
        return False
    if window.kind is WindowKind.WITHIN:
        return behaviour.measure.kind in {MeasureKind.COUNT, MeasureKind.DAYS, MeasureKind.USERS}
    if window.kind is WindowKind.TRAILING:
        long = window.length.microseconds >= _LONG
        return behaviour.measure.kind in {MeasureKind.COUNT, MeasureKind.USERS} or (
            long and behaviour.measure.kind is MeasureKind.DAYS
        )
    return False


def _lines(scope: Scope, asked: Asked) -> tuple[Line, ...]:
    """Cut the entities into as many lines as they need."""
    lives, world = scope.lives, scope.world
    longest = max(
        (behaviour.window.length.microseconds for behaviour in asked if behaviour.window.length is not None), default=0
    )
    begins = [world.as_of, *lives.select(pl.col(BEGIN).min(), pl.col(ANCHOR).min()).row(0)]
    # What left every window before a life began is of no interest.
    zero = min(int(begin) for begin in begins if begin is not None) - longest
    bits = max(1, (world.as_of + longest + DAY - zero).bit_length())
    size = 1 << max(1, _ROOM - bits)
    number = int(world.entities.select(pl.col(ENTITY).max()).item() or 0) + 1
    return tuple(
        Line(first=first, entities=min(size, number - first), zero=zero, bits=bits) for first in range(0, number, size)
    )


def _parts(asked: Asked) -> Iterator[dict[Behaviour, Sequence[int]]]:
    """Part behaviours by what they see of an event, named ones and any event apart: each part is one reading."""
    parts: dict[tuple[bool, WindowKind, MeasureKind], dict[Behaviour, Sequence[int]]] = {}
    for behaviour, thresholds in asked.items():
        key = (behaviour.event is None, behaviour.window.kind, behaviour.measure.kind)
        parts.setdefault(key, {})[behaviour] = thresholds
    yield from parts.values()


def _reached(
    scope: Scope,
    lines: Sequence[Line],
    part: Asked,
    lives: Sequence[tuple[NDArray[np.int64], NDArray[np.bool_]]],
) -> Iterator[tuple[Threshold, int, Stretches]]:
    """Tell for each threshold and line when the k-th thing of an entity came, where it came within the window; it lasts."""
    engine = scope.world.engine
    kind = next(iter(part)).measure.kind
    length = max(behaviour.window.length.microseconds for behaviour in part if behaviour.window.length is not None)
    rows = _events(scope, part, users=kind is MeasureKind.USERS)
    rows = rows.filter(nw.col(AT) >= nw.col(ANCHOR), nw.col(AT) - length < nw.col(ANCHOR))
    keys = [ENTITY, _CODE]
    match kind:
        case MeasureKind.USERS:
            rows = rows.filter(~nw.col(USER_ID).is_null()).group_by(*keys, USER_ID).agg(nw.col(AT).min())
        case MeasureKind.DAYS:
            dated = engine.ranked(rows.with_columns(scope.day().alias(_DAY)), [*keys, _DAY], AT, [1])
            rows = dated.filter(nw.col("rank") == 1)
        case MeasureKind.COUNT:
            pass
        case MeasureKind.DISTINCT | MeasureKind.DISTINCT_EVENTS | MeasureKind.SUM | MeasureKind.MAX | MeasureKind.LAST:
            raise AssertionError(f"{kind} is measured by spells")
        case _:
            assert_never(kind)
    ranks = sorted({threshold for own in part.values() for threshold in own})
    table = engine.collect(engine.ranked(rows, keys, AT, ranks))
    names = _names(part)
    for place, (line, (begin, _)) in enumerate(zip(lines, lives, strict=True)):
        inside = line.holds(table.get_column(ENTITY).to_numpy())
        for code, event in enumerate(names or [None]):
            own = table.filter(pl.Series(inside) & (pl.col(_CODE) == code))
            entity, at, rank = (own.get_column(name).to_numpy() for name in (ENTITY, AT, "rank"))
            for behaviour, thresholds in part.items():
                if behaviour.event != event or behaviour.window.length is None:
                    continue
                within = at - behaviour.window.length.microseconds < begin[entity - line.first]
                for threshold in thresholds:
                    kept = within & (rank == threshold)
                    on = np.sort(line.places(entity[kept], at[kept]))
                    yield (behaviour, threshold), place, Stretches(on, on | ((1 << line.bits) - 1))


def _overlapping(scope: Scope, lines: Sequence[Line], part: Asked) -> Iterator[tuple[Threshold, int, Stretches]]:
    """Tell for each threshold and line where k things overlap that are each as long as the window after their newest event."""
    users = next(iter(part)).measure.kind is MeasureKind.USERS
    names = _names(part)
    # A user is one thing for as long as it goes on; how many of them there are at once is counted here.
    keys = [
        (behaviour, few)
        for behaviour, thresholds in part.items()
        for few in ([thresholds] if users else [[threshold] for threshold in thresholds])
    ]
    asked = [
        Overlap(
            code=0 if behaviour.event is None else names.index(behaviour.event),
            length=behaviour.window.length.microseconds,
            count=1 if users else thresholds[0],
        )
        for behaviour, thresholds in keys
        if behaviour.window.length is not None
    ]
    tables = scope.world.engine.overlaps(_things(scope, part, lines[0].zero), asked)
    for (behaviour, thresholds), table in zip(keys, tables, strict=True):
        who, begin, end = (table.get_column(name).to_numpy() for name in (WHO, overlaps.BEGIN, overlaps.END))
        for place, line in enumerate(lines):
            inside = line.holds(who)
            on, off = (line.places(who[inside], at[inside]) for at in (begin, end))
            moments, depth = depths(on, off, np.ones(len(on), dtype=np.int64)) if users else (on, off)
            for threshold in thresholds:
                spells = reaching(moments, depth, threshold) if users else Stretches(on, off)
                yield (behaviour, threshold), place, spells


def _things(scope: Scope, part: Asked, zero: Microseconds) -> LazyFrame:
    """Plan what overlaps: events, dates or users."""
    kind = next(iter(part)).measure.kind
    users = kind is MeasureKind.USERS
    rows = _events(scope, part, users=users).filter(nw.col(AT) >= zero).with_columns(nw.col(ENTITY).alias(WHO))
    if kind is MeasureKind.DAYS:
        # The events of one date lie closer together than the window is long.
        days = rows.with_columns(scope.day().alias(_DAY)).group_by(_CODE, WHO, _DAY)
        return days.agg(nw.col(AT).min().alias(overlaps.FIRST), nw.col(AT).max().alias(overlaps.LAST)).drop(_DAY)
    first = nw.col(AT).alias(overlaps.FIRST)
    if users:
        rows = rows.filter(~nw.col(USER_ID).is_null())
        return rows.select(_CODE, WHO, first, nw.col(USER_ID).alias(overlaps.THING))
    return rows.select(_CODE, WHO, first)


def _events(scope: Scope, part: Asked, *, users: bool) -> LazyFrame:
    """Plan the events of the behaviours, as numbers: ``entity``, ``code`` (0 for any event), ``at``, ``anchor``, who."""
    names = _names(part)
    frame = scope.events([EVENT, *([USER_ID] if users else [])])
    if names:
        frame = frame.filter(nw.col(EVENT).is_in(names))
        frame = scope.world.engine.encode(frame, EVENT, names).with_columns(nw.col(EVENT).alias(_CODE))
    else:
        frame = frame.with_columns(nw.lit(0, nw.Int32).alias(_CODE))
    lives = [ANCHOR, LAST, *([SINCE] if scope.has_since else [])]
    owned = scope.owned(frame, lives).filter(nw.col(AT) <= nw.col(LAST))
    if scope.has_since:
        owned = owned.filter(nw.col(SINCE).is_null() | (nw.col(AT) >= nw.col(SINCE)))
    return owned.select(ENTITY, _CODE, AT, ANCHOR, *([USER_ID] if users else []))


def _names(part: Asked) -> list[str]:
    return sorted({behaviour.event for behaviour in part if behaviour.event is not None})


def _lives(scope: Scope, line: Line) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Give the beginning of each life of a line, and whether there is one."""
    entity = scope.lives.get_column(ENTITY).to_numpy()
    own = line.holds(entity)
    place = entity[own] - line.first
    begin, alive = np.zeros(line.entities, dtype=np.int64), np.zeros(line.entities, dtype=np.bool_)
    starts, ends = (scope.lives.get_column(name).to_numpy()[own] for name in (BEGIN, END))
    begin[place], alive[place] = starts, starts <= ends
    return begin, alive


def reaching(moments: NDArray[np.int64], depth: NDArray[np.int64], threshold: int) -> Stretches:
    """Give where the weight of what is there, as `depths` gives it, is as much as this."""
    high = depth >= threshold
    before = np.concatenate([[False], high[:-1]]) if len(high) else high
    return Stretches(moments[high & ~before], moments[~high & before])


def depths(
    on: NDArray[np.int64], off: NDArray[np.int64], weight: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the places at which the weight of what is there changes, and the weight from there on."""
    places = np.concatenate([on, off])
    change = np.concatenate([weight, -weight])
    order = np.argsort(places, kind="stable")
    places, depth = places[order], np.cumsum(change[order])
    last = np.ones(len(places), dtype=np.bool_)
    last[:-1] = places[1:] != places[:-1]
    return places[last], depth[last]


def _clipped(line: Line, spells: Stretches, begin: NDArray[np.int64], alive: NDArray[np.bool_]) -> Stretches:
    """Let no spell begin before its life does."""
    own = spells.on >> line.bits
    start = line.places(own + line.first, begin[own])
    kept = (spells.off > start) & alive[own]
    return Stretches(np.maximum(spells.on, start)[kept], spells.off[kept])


def _add_measured(
    world: World, lines: Sequence[Line], stretches: Sequence[dict[Threshold, Stretches]], asked: Asked
) -> None:
    """Add the spells of measures that have no short way."""
    keys = [(behaviour, threshold) for behaviour, own in asked.items() for threshold in own]
    criteria = [
        Criterion(
            id="any",
            events=None if behaviour.event is None else (behaviour.event,),
            measure=behaviour.measure,
            window=behaviour.window,
            where=behaviour.where,
            at_least=threshold,
        )
        for behaviour, threshold in keys
    ]
    measured = world.engine.collect(criterion_spells(world, criteria)).sort(CRITERION, ENTITY, ON)
    place, entity, on = (measured.get_column(name).to_numpy() for name in (CRITERION, ENTITY, ON))
    ends = np.searchsorted(place, np.arange(len(keys) + 1))
    for line, spells in zip(lines, stretches, strict=True):
        own = line.holds(entity)
        late = line.zero + (1 << line.bits) - 1
        off = measured.get_column(OFF).fill_null(late).to_numpy()
        for index, key in enumerate(keys):
            rows = np.flatnonzero(own[ends[index] : ends[index + 1]]) + ends[index]
            spells[key] = Stretches(line.places(entity[rows], on[rows]), line.places(entity[rows], off[rows]))
