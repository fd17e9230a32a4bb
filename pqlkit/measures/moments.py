"""The moment: the first event at which a lasting criterion reaches its threshold; it holds for good from there.

These are the short ways for bounds that are the same for everybody; `sweep` goes the long way for all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import narwhals as nw

from pqlkit.columns import AT, CRITERION, ENTITY, OFF, ON
from pqlkit.definitions.model import MeasureKind, WindowKind
from pqlkit.measures.occurrences import KEYED, LOW, VALUE, occurrences, value_groups
from pqlkit.measures.tasks import holds_for, per_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pqlkit.measures.scope import Scope
    from pqlkit.measures.tasks import Task
    from pqlkit.typing import LazyFrame

_GROUP: Final = (ENTITY, CRITERION)


def has_short_way(task: Task) -> bool:
    """Whether this module can plan a task."""
    if not task.lasting:
        return False
    if task.measure is MeasureKind.MAX:
        return True
    if task.window is not WindowKind.ROLLING:
        return task.steady
    one = task.reached == 1 and task.measure is not MeasureKind.SUM
    return task.steady and (one or task.measure in {MeasureKind.COUNT, MeasureKind.DAYS})


def moment_spells(scope: Scope, tasks: Sequence[Task]) -> list[LazyFrame]:
    """Plan the spells of tasks that have a short way: ``entity``, ``criterion``, ``on``, ``off`` (null), unclipped."""
    return [
        moments.with_columns(nw.lit(None, nw.Int64).alias(OFF)).select(*_GROUP, ON, OFF)
        for part in value_groups(tasks)
        for moments in _moments(scope, part)
    ]


def _moments(scope: Scope, tasks: Sequence[Task]) -> Iterator[LazyFrame]:
    for way, part in _by_way(tasks).items():
        yield way(scope, part)


def _by_way(tasks: Sequence[Task]) -> dict[Callable[[Scope, Sequence[Task]], LazyFrame], list[Task]]:
    parts: dict[Callable[[Scope, Sequence[Task]], LazyFrame], list[Task]] = {}
    for task in tasks:
        parts.setdefault(_way(task), []).append(task)
    return parts


def _way(task: Task) -> Callable[[Scope, Sequence[Task]], LazyFrame]:
    rolls = task.window is WindowKind.ROLLING
    if task.measure is MeasureKind.MAX:
        return _first_high_enough
    if task.measure is MeasureKind.SUM:
        return _sum_reached
    if task.reached == 1:
        return _first
    if task.measure in KEYED:
        return _kth_date_within_reach if rolls else _kth_thing
    return _kth_within_reach if rolls else _kth


def _first(scope: Scope, tasks: Sequence[Task]) -> LazyFrame:
    return _earliest(occurrences(scope, tasks))


def _first_high_enough(scope: Scope, tasks: Sequence[Task]) -> LazyFrame:
    seen = occurrences(scope, tasks, needs=True)
    return _earliest(seen.filter(nw.col(VALUE) >= nw.col(LOW)))


def _kth(scope: Scope, tasks: Sequence[Task]) -> LazyFrame:
    return _at_rank(occurrences(scope, tasks).select(*_GROUP, AT), tasks)


def _kth_thing(scope: Scope, tasks: Sequence[Task]) -> LazyFrame:
    things = occurrences(scope, tasks).group_by(*_GROUP, VALUE).agg(nw.col(AT).min().alias(AT))
    return _at_rank(things.select(*_GROUP, AT), tasks)


def _at_rank(rows: LazyFrame, tasks: Sequence[Task]) -> LazyFrame:
    rank = nw.col(AT).cum_count().over(*_GROUP, order_by=AT)
    ranked = rows.with_columns(rank.cast(nw.Int64).alias("rank"))
    return ranked.filter(nw.col("rank") == per_task(tasks, lambda task: task.reached)).select(
        *_GROUP, nw.col(AT).alias(ON)
    )


def _kth_within_reach(scope: Scope, tasks: Sequence[Task]) -> LazyFrame:
    rows = occurrences(scope, tasks).select(*_GROUP, AT)
    return _earliest(_reaching_back(rows, tasks, newest=AT, order=AT))


def _kth_date_within_reach(scope: Scope, tasks: Sequence[Task]) -> LazyFrame:
    # At the first event of a date the window reaches back the farthest, so no later event of that date does better.
    dates = occurrences(scope, tasks).group_by(*_GROUP, VALUE)
    ends = dates.agg(nw.col(AT).min().alias(AT), nw.col(AT).max().alias("newest"))
    return _earliest(_reaching_back(ends, tasks, newest="newest", order=VALUE))


def _reaching_back(rows: LazyFrame, tasks: Sequence[Task], *, newest: str, order: str) -> LazyFrame:
    steps = sorted({task.reached - 1 for task in tasks})
    earlier = {f"earlier_{step}": nw.col(newest).shift(step).over(*_GROUP, order_by=order) for step in steps}
    reached = holds_for(
        tasks, lambda task: (nw.col(AT) - nw.col(f"earlier_{task.reached - 1}") < task.length).fill_null(False)
    )
    return rows.with_columns(**earlier).filter(reached)


def _sum_reached(scope: Scope, tasks: Sequence[Task]) -> LazyFrame:
    instants = occurrences(scope, tasks).group_by(*_GROUP, AT).agg(nw.col(VALUE).sum().cast(nw.Int64).alias(VALUE))
    total = nw.col(VALUE).cum_sum().over(*_GROUP, order_by=AT)
    reached = holds_for(tasks, lambda task: nw.col("total") >= _constant(task))
    return _earliest(instants.with_columns(total.alias("total")).filter(reached))


def _constant(task: Task) -> int:
    return 0 if task.low is None or task.low.constant is None else task.low.constant


def _earliest(rows: LazyFrame) -> LazyFrame:
    return rows.group_by(*_GROUP).agg(nw.col(AT).min().alias(ON))
