"""The moment: the first event at which a lasting criterion reaches its threshold; it holds for good from there.

These are the short ways for bounds that are the same for everybody; `sweep` goes the long way for all others. Where windows do
not move, the same rows tell how much there was: they are read once for both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

import narwhals as nw
import polars as pl

from pqlkit.columns import AT, CRITERION, ENTITY, OFF, ON
from pqlkit.definitions.model import MeasureKind, WindowKind
from pqlkit.durations import DAY
from pqlkit.engines.ranking import NEWEST as IS_NEWEST
from pqlkit.engines.ranking import RANK
from pqlkit.measures.occurrences import FIRST, LOW, NEWEST, REACHED, VALUE, occurrences, value_groups
from pqlkit.measures.tasks import holds_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pqlkit.definitions.model import Criterion
    from pqlkit.measures.scope import Scope
    from pqlkit.measures.tasks import Task
    from pqlkit.typing import LazyFrame

    _Way: TypeAlias = Callable[["_Seen", Sequence[Task]], LazyFrame]

_GROUP: Final = (ENTITY, CRITERION)
_NOTHING: Final = nw.lit(None, nw.Int64)
_ROW: Final = (CRITERION, ENTITY)
"""The same in the order in which rows become numbers to sort: who asks is known from the highest bits on."""


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
        case MeasureKind.USERS | MeasureKind.DISTINCT | MeasureKind.DISTINCT_EVENTS:
            return task.steady and (not rolls or task.reached == 1)
        case MeasureKind.LAST:
            return False
        case _:
            assert_never(task.measure)


def has_short_way_at_once(task: Task) -> bool:
    """Whether this module can plan a task's moment and amount together: what a window that moves held is the sweep's to tell."""
    return has_short_way(task) and (task.window is not WindowKind.ROLLING or task.by_event)


def tells_stretch(task: Task) -> bool:
    """Whether `moments_and_amounts` tells a task's first and newest event, too (of dates, the newest one's first event)."""
    return has_short_way_at_once(task) and task.measure.facts.times_alone


def moment_spells(scope: Scope, tasks: Sequence[Task]) -> list[LazyFrame]:
    """Plan the spells of tasks that have a short way: ``entity``, ``criterion``, ``on``, ``off`` (null), unclipped."""
    return [
        moments.filter(~nw.col(ON).is_null()).with_columns(nw.lit(None, nw.Int64).alias(OFF)).select(*_GROUP, ON, OFF)
        for part in _parts(tasks)
        for moments in _moments(scope, part, values=False)
    ]


def moments_and_amounts(scope: Scope, tasks: Sequence[Task]) -> list[LazyFrame]:
    """Plan when and how much at once, for tasks that `has_short_way_at_once`.

    Returns
    -------
    list[LazyFrame]
        ``entity``, ``criterion``, ``on`` (unclipped), ``reached`` (a whole number of things, or millionths), ``first`` and
        ``newest`` (where `tells_stretch`): of each entity and task that has events at most one row with each, perhaps the same;
        the others are null.
    """
    return [moments for part in _parts(tasks) for moments in _moments(scope, part, values=True)]


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
    values: bool
    held: LazyFrame | None = None

    @classmethod
    def of(cls, scope: Scope, tasks: Sequence[Task], *, values: bool) -> _Seen:
        first = _first_of_each(tasks) if _plain(tasks) else {task.index: task.index for task in tasks}
        seen = cls(scope=scope, tasks=tasks, first=first, values=values)
        if len(_by_way(tasks, values=values)) < 2 or not _plain(tasks):
            return seen
        # The table is by far larger than what these see of it.
        return replace(seen, held=scope.world.engine.keep(seen.rows(tasks)))

    def rows(self, tasks: Sequence[Task]) -> LazyFrame:
        """Give ``criterion``, ``entity`` and ``at``, in narrow columns where tasks may share them."""
        numbers = self._numbers(tasks)
        if self.held is not None:
            return self.held.filter(nw.col(CRITERION).is_in(numbers))
        own = [task for task in self.tasks if task.index in numbers]
        if not _plain(own):
            return occurrences(self.scope, own).select(*_GROUP, AT)
        rows = occurrences(self.scope, own, times_alone=True)
        return rows.select(nw.col(CRITERION).cast(nw.Int16), nw.col(ENTITY).cast(nw.Int32), nw.col(AT))

    def things(self, tasks: Sequence[Task]) -> LazyFrame:
        """Give the ``value`` as well."""
        if _plain(tasks):
            return self.rows(tasks).with_columns(self.scope.day().alias(VALUE))
        numbers = self._numbers(tasks)
        return occurrences(self.scope, [task for task in self.tasks if task.index in numbers])

    def given(self, ranks: LazyFrame, tasks: Sequence[Task]) -> LazyFrame:
        """Give each task its own of the ranked rows: the moment in the row of the wanted rank, the amount in the newest."""
        wanted = [(self.first[task.index], task.reached, task.index) for task in tasks]
        schema = {CRITERION: pl.Int32, "wanted": pl.Int64, "own": pl.Int32}
        table = self.scope.world.engine.lift(pl.DataFrame(wanted, schema=schema, orient="row"))
        rows = ranks.with_columns(nw.col(CRITERION).cast(nw.Int32)).join(table, on=CRITERION, how="inner")
        reached, newest, first = nw.col(RANK) == nw.col("wanted"), nw.col(IS_NEWEST), nw.col(RANK) == 1
        own = nw.col("own").alias(CRITERION)
        if not self.values:
            return rows.filter(reached).select(ENTITY, own, nw.col(AT).alias(ON))
        ends = _plain(tasks)
        told = {
            ON: nw.when(reached).then(nw.col(AT)).otherwise(_NOTHING),
            REACHED: nw.when(newest).then(nw.col(RANK)).otherwise(_NOTHING),
            FIRST: nw.when(first).then(nw.col(AT)).otherwise(_NOTHING) if ends else _NOTHING,
            NEWEST: nw.when(newest).then(nw.col(AT)).otherwise(_NOTHING) if ends else _NOTHING,
        }
        wanted_rows = rows.filter(reached | newest | first if ends else reached | newest)
        return wanted_rows.select(ENTITY, own, **told)

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


def _plain(tasks: Sequence[Task]) -> bool:
    """Whether the times of the events say all of it."""
    return all(task.measure.facts.times_alone for task in tasks)


def _moments(scope: Scope, tasks: Sequence[Task], *, values: bool) -> Iterator[LazyFrame]:
    seen = _Seen.of(scope, tasks, values=values)
    keys = (nw.col(ENTITY).cast(nw.Int64), nw.col(CRITERION).cast(nw.Int32))
    for way, part in _by_way(tasks, values=values).items():
        moments = way(seen, part)
        yield moments.select(*keys, ON, REACHED, FIRST, NEWEST) if values else moments.select(*keys, ON)


def _by_way(tasks: Sequence[Task], *, values: bool) -> dict[_Way, list[Task]]:
    parts: dict[_Way, list[Task]] = {}
    for task in tasks:
        parts.setdefault(_way(task, values=values), []).append(task)
    return parts


def _way(task: Task, *, values: bool) -> _Way:
    rolls = task.window is WindowKind.ROLLING
    match task.measure:
        case MeasureKind.MAX:
            return _first_high_enough
        case MeasureKind.SUM:
            return _sum_reached
        case (
            MeasureKind.COUNT
            | MeasureKind.DAYS
            | MeasureKind.USERS
            | MeasureKind.DISTINCT
            | MeasureKind.DISTINCT_EVENTS
        ) if task.reached == 1 and not values:
            return _first
        case MeasureKind.DAYS if not rolls:
            return _kth_date
        case MeasureKind.DAYS | MeasureKind.USERS | MeasureKind.DISTINCT | MeasureKind.DISTINCT_EVENTS:
            return _kth_date_within_reach if rolls else _kth_thing
        case MeasureKind.COUNT:
            return _kth_within_reach if rolls else _kth
        case MeasureKind.LAST:
            raise AssertionError("last has no short way")
        case _:
            assert_never(task.measure)


def _first(seen: _Seen, tasks: Sequence[Task]) -> LazyFrame:
    first = seen.rows(tasks).group_by(*_GROUP).agg(nw.col(AT).min().alias(AT))
    return seen.given(first.with_columns(nw.lit(1, nw.Int64).alias(RANK), nw.lit(False).alias(IS_NEWEST)), tasks)


def _first_high_enough(seen: _Seen, tasks: Sequence[Task]) -> LazyFrame:
    rows = occurrences(seen.scope, tasks, needs=True)
    return _earliest(rows, nw.col(VALUE) >= nw.col(LOW), nw.col(VALUE))


def _kth(seen: _Seen, tasks: Sequence[Task]) -> LazyFrame:
    return _at_rank(seen, seen.rows(tasks), tasks)


def _kth_date(seen: _Seen, tasks: Sequence[Task]) -> LazyFrame:
    # Told apart by date and the time since its midnight in UTC: fewer bits to sort than those of a moment.
    since = (nw.col(AT) - nw.col(VALUE) * DAY).alias("since")
    first = seen.scope.world.engine.ranked(seen.things(tasks).with_columns(since), [*_ROW, VALUE], "since", [1]).filter(
        nw.col(RANK) == 1
    )
    return _at_rank(seen, first.select(*_ROW, (nw.col(VALUE) * DAY + nw.col("since")).alias(AT)), tasks)


def _kth_thing(seen: _Seen, tasks: Sequence[Task]) -> LazyFrame:
    things = seen.things(tasks).group_by(*_GROUP, VALUE).agg(nw.col(AT).min().alias(AT))
    return _at_rank(seen, things.select(*_GROUP, AT), tasks)


def _at_rank(seen: _Seen, rows: LazyFrame, tasks: Sequence[Task]) -> LazyFrame:
    wanted = sorted({task.reached for task in tasks} | ({1} if seen.values else set()))
    return seen.given(seen.scope.world.engine.ranked(rows, _ROW, AT, wanted), tasks)


def _kth_within_reach(seen: _Seen, tasks: Sequence[Task]) -> LazyFrame:
    return _reaching_back(seen.rows(tasks), tasks, newest=AT, order=AT)


def _kth_date_within_reach(seen: _Seen, tasks: Sequence[Task]) -> LazyFrame:
    # At the first event of a date the window reaches back the farthest, so no later event of that date does better.
    dates = seen.things(tasks).group_by(*_GROUP, VALUE)
    ends = dates.agg(nw.col(AT).min().alias(AT), nw.col(AT).max().alias("newest"))
    return _reaching_back(ends, tasks, newest="newest", order=VALUE)


def _reaching_back(rows: LazyFrame, tasks: Sequence[Task], *, newest: str, order: str) -> LazyFrame:
    steps = sorted({task.reached - 1 for task in tasks})
    earlier = {f"earlier_{step}": nw.col(newest).shift(step).over(*_GROUP, order_by=order) for step in steps}
    reached = holds_for(
        tasks, lambda task: (nw.col(AT) - nw.col(f"earlier_{task.reached - 1}") < task.length).fill_null(False)
    )
    return _earliest(rows.with_columns(**earlier).filter(reached), nw.lit(True), nw.lit(None, nw.Int64))


def _sum_reached(seen: _Seen, tasks: Sequence[Task]) -> LazyFrame:
    instants = seen.things(tasks).group_by(*_GROUP, AT).agg(nw.col(VALUE).sum().cast(nw.Int64).alias(VALUE))
    total = nw.col(VALUE).cum_sum().over(*_GROUP, order_by=AT)
    reached = holds_for(tasks, lambda task: nw.col("total") >= _constant(task))
    positive = nw.when(nw.col("total") > 0).then(nw.col("total")).otherwise(nw.lit(0, nw.Int64))
    return _earliest(instants.with_columns(total.alias("total")), reached, positive)


def _constant(task: Task) -> int:
    return 0 if task.low is None or task.low.constant is None else task.low.constant


def _earliest(rows: LazyFrame, reached: nw.Expr, amount: nw.Expr) -> LazyFrame:
    """Give the first moment at which it was reached, and the largest amount."""
    moment = nw.when(reached).then(nw.col(AT)).otherwise(nw.lit(None, nw.Int64))
    told = rows.with_columns(moment.alias(ON), amount.alias(REACHED))
    ends = told.group_by(*_GROUP).agg(nw.col(ON).min().alias(ON), nw.col(REACHED).max().alias(REACHED))
    return ends.with_columns(_NOTHING.alias(FIRST), _NOTHING.alias(NEWEST))
