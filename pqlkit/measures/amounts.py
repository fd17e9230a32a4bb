"""The amount: how much an entity did of what a criterion measures, at one moment of its life."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import narwhals as nw

from pqlkit.columns import AT, CRITERION, ENTITY
from pqlkit.definitions.model import MeasureKind, WindowKind
from pqlkit.measures.occurrences import REACHED, VALUE, occurrences, value_groups
from pqlkit.measures.sweep import GROUP, reached
from pqlkit.measures.tasks import numbers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.measures.scope import Scope
    from pqlkit.measures.tasks import Task
    from pqlkit.typing import LazyFrame


def amounts(scope: Scope, tasks: Sequence[Task]) -> LazyFrame:
    """Plan every life's amount of every task: ``entity``, ``criterion`` (Int32), ``value`` (Int64: things, or millionths).

    For a lasting task it is the highest reached; else the value at the life's moment. Without events it is 0, for max and
    last null.
    """
    highest = [task for task in tasks if _is_highest(task)]
    plain = [task for task in tasks if not _is_highest(task) and not task.newest_alone]
    last = [task for task in tasks if task.newest_alone]
    plans = [_highest(scope, part) for part in value_groups(highest)]
    plans += [_present(scope, part) for part in value_groups(plain)]
    if last:
        plans.append(_newest(scope, last))
    measured = nw.concat(plans, how="vertical")
    everybody = scope.world.engine.lift(scope.lives.select(ENTITY))
    rows = everybody.join(scope.world.engine.lift(numbers_of(tasks)), how="cross")
    undefined = [task.index for task in tasks if task.measure.facts.null_without_events]
    zero = nw.when(~nw.col(CRITERION).is_in(undefined)).then(nw.lit(0, nw.Int64)).otherwise(nw.lit(None, nw.Int64))
    joined = rows.join(measured, on=list(GROUP), how="left")
    return joined.with_columns(nw.coalesce(nw.col(VALUE), zero).alias(VALUE)).select(*GROUP, VALUE)


def _is_highest(task: Task) -> bool:
    match task.measure:
        case MeasureKind.SUM:
            return task.lasting
        case (
            MeasureKind.COUNT
            | MeasureKind.DAYS
            | MeasureKind.USERS
            | MeasureKind.DISTINCT
            | MeasureKind.DISTINCT_EVENTS
        ):
            return task.lasting and task.window is WindowKind.ROLLING
        case MeasureKind.MAX | MeasureKind.LAST:
            return False
        case _:
            assert_never(task.measure)


def _highest(scope: Scope, tasks: Sequence[Task]) -> LazyFrame:
    return reached(scope, tasks).select(*GROUP, nw.col(REACHED).alias(VALUE))


def _present(scope: Scope, tasks: Sequence[Task]) -> LazyFrame:
    seen = occurrences(scope, tasks, at_moment=True)
    kinds = {task.measure for task in tasks}
    parts = {"events": nw.len().cast(nw.Int64)}
    if any(kind.facts.tells_apart for kind in kinds):
        parts["things"] = nw.col(VALUE).n_unique().cast(nw.Int64)
    if MeasureKind.SUM in kinds:
        parts["total"] = nw.col(VALUE).sum().cast(nw.Int64)
    if MeasureKind.MAX in kinds:
        parts["top"] = nw.col(VALUE).max()
    sums = seen.group_by(*GROUP).agg(*(part.alias(name) for name, part in parts.items()))
    chain = nw.lit(None, nw.Int64)
    for kind in sorted(kinds):
        own = nw.col(CRITERION).is_in([task.index for task in tasks if task.measure is kind])
        chain = nw.when(own).then(nw.col(_part(kind))).otherwise(chain)
    return sums.select(*GROUP, chain.alias(VALUE))


def _part(kind: MeasureKind) -> str:
    match kind:
        case MeasureKind.COUNT:
            return "events"
        case MeasureKind.DAYS | MeasureKind.USERS | MeasureKind.DISTINCT | MeasureKind.DISTINCT_EVENTS:
            return "things"
        case MeasureKind.SUM:
            return "total"
        case MeasureKind.MAX:
            return "top"
        case MeasureKind.LAST:
            raise AssertionError("the newest value is looked up")
        case _:
            assert_never(kind)


def _newest(scope: Scope, tasks: Sequence[Task]) -> LazyFrame:
    seen = occurrences(scope, tasks, at_moment=True)
    newest = seen.with_columns(nw.col(AT).max().over(*GROUP).alias("newest")).filter(nw.col(AT) == nw.col("newest"))
    return newest.group_by(*GROUP).agg(nw.col(VALUE).max().alias(VALUE))
