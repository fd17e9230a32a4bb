"""The occurrence: an event as a criterion sees it, joined with its entity. Windows are applied here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

import narwhals as nw
import polars as pl

from pqlkit.columns import ACCOUNT_ID, ANCHOR, AT, CRITERION, ENTITY, EVENT, USER_ID
from pqlkit.definitions.model import MeasureKind, WindowKind
from pqlkit.measures.conditions import all_hold
from pqlkit.measures.limits import NEVER
from pqlkit.measures.numbers import number, scaled
from pqlkit.measures.scope import LAST, MOMENT, SINCE
from pqlkit.measures.tasks import CHAIN, holds_for, numbers_of, per_task

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pqlkit.measures.limits import Need
    from pqlkit.measures.scope import Scope
    from pqlkit.measures.tasks import Task
    from pqlkit.typing import LazyFrame

VALUE: Final = "value"  # what the measure adds up, tells apart or compares
LOW: Final = "low"  # the need of the lower bound, Int64 millionths, null = cannot be met
HIGH: Final = "high"
FIRST: Final = "first"  # when the first event of a task happened
NEWEST: Final = "newest"  # when its newest did
REACHED: Final = "reached"  # the highest amount that a lasting task came to: things, or millionths


def value_groups(tasks: Iterable[Task]) -> list[tuple[Task, ...]]:
    """Part tasks so that the values of one part have one type: whole numbers, users, or one property's values."""
    parts: dict[tuple[str, str], list[Task]] = {}
    for task in tasks:
        kind = task.measure
        name = task.criterion.measure.property or "" if kind is MeasureKind.DISTINCT else ""
        native = kind in {MeasureKind.USERS, MeasureKind.DISTINCT, MeasureKind.DISTINCT_EVENTS}
        parts.setdefault((kind.value if native else "", name), []).append(task)
    return [tuple(part) for part in parts.values()]


def occurrences(
    scope: Scope,
    tasks: Sequence[Task],
    *,
    needs: bool = False,
    lives: Sequence[str] = (),
    at_moment: bool = False,
    times_alone: bool = False,
) -> LazyFrame:
    """Plan the events that the tasks see, each once per task.

    Parameters
    ----------
    scope
        The world.
    tasks
        Of one part of `value_groups`.
    needs
        Also give ``low`` and ``high``, for bounds that depend on a property or trait.
    lives
        Columns of the lives to keep.
    at_moment
        Only what is in the window of the life's moment (a trailing window then ends there).
    times_alone
        Whatever the measures, ``value`` is 1: for those that are told from the times.

    Returns
    -------
    LazyFrame
        ``entity``, ``criterion``, ``at``, ``value`` (count: 1; days: the date; sum, max, last: millionths; users, distinct: the
        thing itself), never null. No event outside the criterion's window or the entity's life is in it.
    """
    lanes = [
        _lane(scope, lane, needs=needs, lives=lives, at_moment=at_moment, times_alone=times_alone)
        for lane in _lanes(tasks)
    ]
    return lanes[0] if len(lanes) == 1 else nw.concat(lanes, how="vertical")


def universe(scope: Scope, tasks: Sequence[Task], *, lives: Sequence[str]) -> LazyFrame:
    """Plan one row per life and task: ``entity``, ``criterion``, ``low``, ``high`` and columns of the lives."""
    everybody = scope.world.engine.lift(scope.lives)
    frame = everybody.join(scope.world.engine.lift(numbers_of(tasks)), how="cross")
    sides = {LOW: _owner_need(scope, tasks, upper=False), HIGH: _owner_need(scope, tasks, upper=True)}
    return frame.with_columns(**sides).select(ENTITY, CRITERION, LOW, HIGH, *lives)


def _lanes(tasks: Sequence[Task]) -> list[list[Task]]:
    # All tasks that name their events share one pass over the table.
    named = [task for task in tasks if task.criterion.events is not None]
    return [*([named] if named else []), *([task] for task in tasks if task.criterion.events is None)]


def _lane(
    scope: Scope, tasks: Sequence[Task], *, needs: bool, lives: Sequence[str], at_moment: bool, times_alone: bool
) -> LazyFrame:
    frame = _told_apart(scope, scope.events([EVENT, *_columns(scope, tasks)]), tasks)
    if times_alone:
        frame = frame.with_columns(nw.lit(1, nw.Int64).alias(VALUE))
    else:
        frame = frame.with_columns(_value(scope, tasks).alias(VALUE)).filter(~nw.col(VALUE).is_null())
    sides: list[str] = []
    if needs:
        sides = [LOW, HIGH]
        frame = frame.with_columns(
            _event_need(scope, tasks, upper=False).alias(LOW), _event_need(scope, tasks, upper=True).alias(HIGH)
        )
    keys = [name for name in (USER_ID, ACCOUNT_ID) if name in scope.dtypes]
    owned = scope.owned(
        frame.select(*keys, AT, CRITERION, VALUE, *sides), _needed_lives(scope, tasks, lives, at_moment)
    )
    owned = owned.filter(_exists(scope), _inside(tasks, at_moment=at_moment))
    if needs:
        owned = owned.with_columns(
            nw.coalesce(nw.col(LOW), _owner_need(scope, tasks, upper=False)).alias(LOW),
            nw.coalesce(nw.col(HIGH), _owner_need(scope, tasks, upper=True)).alias(HIGH),
        )
    return owned.select(ENTITY, CRITERION, AT, VALUE, *sides, *lives)


def _told_apart(scope: Scope, frame: LazyFrame, tasks: Sequence[Task]) -> LazyFrame:
    """Add ``criterion`` to the events that tasks of one lane see."""
    pairs = sorted((name, task.index) for task in tasks for name in set(task.criterion.events or ()))
    names = sorted({name for name, _ in pairs})
    if pairs:
        frame = frame.filter(nw.col(EVENT).is_in(names))
    if len(names) == len(pairs):
        # Each event belongs to one task at most, and no row is wanted twice.
        return frame.with_columns(_criterion(scope, tasks).alias(CRITERION)).filter(~nw.col(CRITERION).is_null())
    table = pl.DataFrame(pairs, schema={EVENT: pl.String, CRITERION: pl.Int32}, orient="row")
    repeated = frame.join(scope.world.engine.lift(table), on=EVENT, how="inner")
    return repeated.filter(holds_for(tasks, lambda task: _where(scope, task)))


def _where(scope: Scope, task: Task) -> nw.Expr:
    columns = {condition.name: scope.property(condition.name) for condition in task.criterion.where}
    return all_hold(task.criterion.where, columns, scope.dtypes)


def _columns(scope: Scope, tasks: Sequence[Task]) -> list[str]:
    names: set[str] = set()
    for task in tasks:
        names |= {condition.name for condition in task.criterion.where}
        names |= {need.property for need in (task.low, task.high) if need is not None and need.property is not None}
        if task.criterion.measure.property is not None:
            names.add(task.criterion.measure.property)
    return sorted(scope.property(name) for name in names)


def _needed_lives(scope: Scope, tasks: Sequence[Task], lives: Sequence[str], at_moment: bool) -> list[str]:
    limits = {
        scope.limit(need.trait)
        for task in tasks
        for need in (task.low, task.high)
        if need is not None and need.trait is not None
    }
    wanted = [ANCHOR, LAST, *([SINCE] if scope.has_since else []), *([MOMENT] if at_moment else []), *sorted(limits)]
    return list(dict.fromkeys([*wanted, *lives]))


def _criterion(scope: Scope, tasks: Sequence[Task]) -> nw.Expr:
    if len(tasks) > CHAIN:  # at most one task sees an event
        parts = [tasks[start : start + CHAIN] for start in range(0, len(tasks), CHAIN)]
        return nw.coalesce(*(_criterion(scope, part) for part in parts))
    chain = nw.lit(None, nw.Int32)
    for task in tasks:
        test = _where(scope, task)
        if task.criterion.events is not None:
            test = nw.col(EVENT).is_in(list(task.criterion.events)) & test
        chain = nw.when(test).then(nw.lit(task.index, nw.Int32)).otherwise(chain)
    return chain


def _value(scope: Scope, tasks: Sequence[Task]) -> nw.Expr:
    first = tasks[0].measure
    if first is MeasureKind.USERS:
        return nw.col(USER_ID)
    if first is MeasureKind.DISTINCT_EVENTS:
        return nw.col(EVENT)
    if first is MeasureKind.DISTINCT:
        column = scope.world.properties[tasks[0].criterion.measure.property or ""]
        value = nw.col(column)
        if scope.dtypes[column].is_float():
            finite = nw.when(~value.is_nan()).then(value + 0.0)  # -0.0 is 0.0
            return finite.otherwise(nw.lit(None, scope.dtypes[column]))
        return value
    if all(task.measure is MeasureKind.COUNT for task in tasks):
        return nw.lit(1, nw.Int64)
    return per_task(tasks, lambda task: _whole(scope, task))


def _whole(scope: Scope, task: Task) -> nw.Expr:
    match task.measure:
        case MeasureKind.COUNT:
            return nw.lit(1, nw.Int64)
        case MeasureKind.DAYS:
            return scope.day()
        case MeasureKind.SUM | MeasureKind.MAX | MeasureKind.LAST:
            column = scope.property(task.criterion.measure.property or "")
            return scaled(number(column, scope.dtypes[column]))
        case MeasureKind.USERS | MeasureKind.DISTINCT | MeasureKind.DISTINCT_EVENTS:
            raise AssertionError(f"{task.measure} has values of its own")
        case _:
            assert_never(task.measure)


def _event_need(scope: Scope, tasks: Sequence[Task], *, upper: bool) -> nw.Expr:
    def own(task: Task) -> nw.Expr | int | None:
        need = task.high if upper else task.low
        if need is None or need.property is None:
            return None
        column = scope.property(need.property)
        return need.of_limit(scaled(number(column, scope.dtypes[column])))

    return per_task(tasks, own)


def _owner_need(scope: Scope, tasks: Sequence[Task], *, upper: bool) -> nw.Expr:
    def own(task: Task) -> nw.Expr | int | None:
        need: Need | None = task.high if upper else task.low
        if need is None:
            return NEVER if upper else -NEVER
        return need.constant if need.trait is None else need.of_limit(nw.col(scope.limit(need.trait)))

    return per_task(tasks, own)


def _exists(scope: Scope) -> nw.Expr:
    alive = nw.col(AT) <= nw.col(LAST)
    return alive & (nw.col(SINCE).is_null() | (nw.col(AT) >= nw.col(SINCE))) if scope.has_since else alive


def _inside(tasks: Sequence[Task], *, at_moment: bool) -> nw.Expr:
    def own(task: Task) -> nw.Expr:
        match task.window:
            case WindowKind.WITHIN:
                return (nw.col(AT) >= nw.col(ANCHOR)) & (nw.col(AT) - task.length < nw.col(ANCHOR))
            case WindowKind.TRAILING if at_moment:
                return nw.col(AT) + task.length > nw.col(MOMENT)
            case WindowKind.TRAILING | WindowKind.ROLLING | WindowKind.EVER:
                return ~nw.col(AT).is_null()
            case _:
                assert_never(task.window)

    return own(tasks[0]) if len({(task.window, task.length) for task in tasks}) == 1 else holds_for(tasks, own)
