"""The moment: the first event at which a lasting criterion reaches its threshold; it holds for good from there.

These are the short ways for bounds that are the same for everybody; `sweep` goes the long way for all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

import narwhals as nw
import polars as pl

from pqlkit.columns import AT, CRITERION, ENTITY, OFF, ON
from pqlkit.definitions.model import MeasureKind, WindowKind
from pqlkit.measures.occurrences import LOW, VALUE, occurrences, value_groups
from pqlkit.measures.tasks import holds_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pqlkit.definitions.model import Criterion
    from pqlkit.measures.scope import Scope
    from pqlkit.measures.tasks import Task
    from pqlkit.typing import LazyFrame

    _Way: TypeAlias = Callable[["_Seen", Sequence[Task]], LazyFrame]

_GROUP: Final = (ENTITY, CRITERION)


def has_short_way(task: Task) -> bool:
    """Whether this module can plan a task."""
    if not task.lasting:
        return False
    rolls = task.window is WindowKind.ROLLING
    match task.measure:
        case MeasureKind.MAX:
            return True
        case MeasureKind.SUM:
            return task.steady and not rolls
        case MeasureKind.COUNT | MeasureKind.DAYS:
            return task.steady
        case MeasureKind.USERS | MeasureKind.DISTINCT:
            return task.steady and (not rolls or task.reached == 1)
        case MeasureKind.LAST:
            return False
        case _:
            assert_never(task.measure)


def moment_spells(scope: Scope, tasks: Sequence[Task]) -> list[LazyFrame]:
    """Plan the spells of tasks that have a short way: ``entity``, ``criterion``, ``on``, ``off`` (null), unclipped."""
    return [
        moments.with_columns(nw.lit(None, nw.Int64).alias(OFF)).select(*_GROUP, ON, OFF)
        for part in _parts(tasks)
        for moments in _moments(scope, part)
    ]


def _parts(tasks: Sequence[Task]) -> Iterator[Sequence[Task]]:
    plain = [task for task in tasks if task.measure.facts.times_alone]
    if plain:
        yield plain
    yield from value_groups(task for task in tasks if not task.measure.facts.times_alone)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Seen:
    """What the tasks of one part see: planned anew for each way, or read once for all of them.

    Tasks that differ in their threshold alone, or in counting events or their dates, see the same: their rows are there once,
    under the number of the first of them (`first`: number of a task -> that number). Those of ``rolling`` windows, which look
    back as far as each needs, have their own.
    """

    scope: Scope
    tasks: Sequence[Task]
    first: Mapping[int, int]
    held: LazyFrame | None = None

    @classmethod
    def of(cls, scope: Scope, tasks: Sequence[Task]) -> _Seen:
        plain = all(task.measure.facts.times_alone for task in tasks)
        first = _first_of_each(tasks) if plain else {task.index: task.index for task in tasks}
        if len(_by_way(tasks)) < 2 or not plain:
            return cls(scope=scope, tasks=tasks, first=first)
        # The table is by far larger than what these see of it, and narrow columns halve that once more.
        narrow = (nw.col(ENTITY).cast(nw.UInt32), nw.col(CRITERION).cast(nw.Int16), nw.col(AT))
        engine, seen = scope.world.engine, [task for task in tasks if first[task.index] == task.index]
        held = engine.lift(engine.collect(occurrences(scope, seen).select(*narrow)))
        return cls(scope=scope, tasks=tasks, first=first, held=held)

    def rows(self, tasks: Sequence[Task]) -> LazyFrame:
        """Give ``entity``, ``criterion`` and ``at``."""
        if self.held is None:
            return self.things(tasks).select(*_GROUP, AT)
        return self.held.filter(nw.col(CRITERION).is_in(self._numbers(tasks)))

    def things(self, tasks: Sequence[Task]) -> LazyFrame:
        """Give the ``value`` as well."""
        if self.held is None:
            numbers = self._numbers(tasks)
            return occurrences(self.scope, [task for task in self.tasks if task.index in numbers])
        return self.rows(tasks).with_columns(self.scope.day().alias(VALUE))

    def given(self, moments: LazyFrame, tasks: Sequence[Task]) -> LazyFrame:
        """Give each task its own moments: ``entity``, ``criterion``, ``on`` of those whose ``rank`` it wants."""
        wanted = [(self.first[task.index], task.reached, task.index) for task in tasks]
        schema = {CRITERION: pl.Int32, "rank": pl.Int64, "own": pl.Int32}
        table = self.scope.world.engine.lift(pl.DataFrame(wanted, schema=schema, orient="row"))
        plan = moments.with_columns(nw.col(CRITERION).cast(nw.Int32), nw.col("rank").cast(nw.Int64))
        return plan.join(table, on=[CRITERION, "rank"], how="inner").select(ENTITY, nw.col("own").alias(CRITERION), ON)

    def _numbers(self, tasks: Sequence[Task]) -> list[int]:
        return sorted({self.first[task.index] for task in tasks})


def _first_of_each(tasks: Sequence[Task]) -> dict[int, int]:
    """Give for each task the number of the first that sees the same events."""
    seen: dict[str, int] = {}
    return {
        task.index: task.index
        if task.window is WindowKind.ROLLING
        else seen.setdefault(_sight(task.criterion), task.index)
        for task in tasks
    }


def _sight(criterion: Criterion) -> str:
    """Spell which events a criterion sees (by spelling, since 1 and true are equal values and different conditions)."""
    events = None if criterion.events is None else sorted(criterion.events)
    return repr((events, criterion.where, criterion.window))


def _moments(scope: Scope, tasks: Sequence[Task]) -> Iterator[LazyFrame]:
    seen = _Seen.of(scope, tasks)
    keys = (nw.col(ENTITY).cast(nw.Int64), nw.col(CRITERION).cast(nw.Int32))
    for way, part in _by_way(tasks).items():
        yield way(seen, part).select(*keys, ON)


def _by_way(tasks: Sequence[Task]) -> dict[_Way, list[Task]]:
    parts: dict[_Way, list[Task]] = {}
    for task in tasks:
        parts.setdefault(_way(task), []).append(task)
    return parts


def _way(task: Task) -> _Way:
    rolls = task.window is WindowKind.ROLLING
    match task.measure:
        case MeasureKind.MAX:
            return _first_high_enough
        case MeasureKind.SUM:
            return _sum_reached
        case MeasureKind.COUNT | MeasureKind.DAYS | MeasureKind.USERS | MeasureKind.DISTINCT if task.reached == 1:
            return _first
        case MeasureKind.DAYS | MeasureKind.USERS | MeasureKind.DISTINCT:
            return _kth_date_within_reach if rolls else _kth_thing
        case MeasureKind.COUNT:
            return _kth_within_reach if rolls else _kth
        case MeasureKind.LAST:
            raise AssertionError("last has no short way")
        case _:
            assert_never(task.measure)


def _first(seen: _Seen, tasks: Sequence[Task]) -> LazyFrame:
    return seen.given(_earliest(seen.rows(tasks)).with_columns(nw.lit(1, nw.Int64).alias("rank")), tasks)


def _first_high_enough(seen: _Seen, tasks: Sequence[Task]) -> LazyFrame:
    rows = occurrences(seen.scope, tasks, needs=True)
    return _earliest(rows.filter(nw.col(VALUE) >= nw.col(LOW)))


def _kth(seen: _Seen, tasks: Sequence[Task]) -> LazyFrame:
    return _at_rank(seen, seen.rows(tasks), tasks)


def _kth_thing(seen: _Seen, tasks: Sequence[Task]) -> LazyFrame:
    things = seen.things(tasks).group_by(*_GROUP, VALUE).agg(nw.col(AT).min().alias(AT))
    return _at_rank(seen, things.select(*_GROUP, AT), tasks)


def _at_rank(seen: _Seen, rows: LazyFrame, tasks: Sequence[Task]) -> LazyFrame:
    rank = nw.col(AT).cum_count().over(*_GROUP, order_by=AT)
    return seen.given(rows.with_columns(nw.col(AT).alias(ON), rank.alias("rank")), tasks)


def _kth_within_reach(seen: _Seen, tasks: Sequence[Task]) -> LazyFrame:
    rows = seen.rows(tasks)
    return _earliest(_reaching_back(rows, tasks, newest=AT, order=AT))


def _kth_date_within_reach(seen: _Seen, tasks: Sequence[Task]) -> LazyFrame:
    # At the first event of a date the window reaches back the farthest, so no later event of that date does better.
    dates = seen.things(tasks).group_by(*_GROUP, VALUE)
    ends = dates.agg(nw.col(AT).min().alias(AT), nw.col(AT).max().alias("newest"))
    return _earliest(_reaching_back(ends, tasks, newest="newest", order=VALUE))


def _reaching_back(rows: LazyFrame, tasks: Sequence[Task], *, newest: str, order: str) -> LazyFrame:
    steps = sorted({task.reached - 1 for task in tasks})
    earlier = {f"earlier_{step}": nw.col(newest).shift(step).over(*_GROUP, order_by=order) for step in steps}
    reached = holds_for(
        tasks, lambda task: (nw.col(AT) - nw.col(f"earlier_{task.reached - 1}") < task.length).fill_null(False)
    )
    return rows.with_columns(**earlier).filter(reached)


def _sum_reached(seen: _Seen, tasks: Sequence[Task]) -> LazyFrame:
    instants = seen.things(tasks).group_by(*_GROUP, AT).agg(nw.col(VALUE).sum().cast(nw.Int64).alias(VALUE))
    total = nw.col(VALUE).cum_sum().over(*_GROUP, order_by=AT)
    reached = holds_for(tasks, lambda task: nw.col("total") >= _constant(task))
    return _earliest(instants.with_columns(total.alias("total")).filter(reached))


def _constant(task: Task) -> int:
    return 0 if task.low is None or task.low.constant is None else task.low.constant


def _earliest(rows: LazyFrame) -> LazyFrame:
    return rows.group_by(*_GROUP).agg(nw.col(AT).min().alias(ON))
