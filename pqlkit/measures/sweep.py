"""The sweep: the level of a criterion at every change, in one walk over time; hence its spells.

An event adds to the level when it arrives and, where the window moves, takes away when it leaves. A thing that is told
apart (a date, a user, a value) leaves when its newest event does. The walk is a cumulative sum: never quadratic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import narwhals as nw

from pqlkit.columns import ANCHOR, AT, CRITERION, ENTITY, OFF, ON
from pqlkit.definitions.model import WindowKind
from pqlkit.measures.occurrences import HIGH, LOW, REACHED, VALUE, occurrences, universe, value_groups
from pqlkit.measures.tasks import holds_for, per_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.measures.scope import Scope
    from pqlkit.measures.tasks import Task
    from pqlkit.typing import LazyFrame

GROUP: Final = (ENTITY, CRITERION)
LEVEL: Final = "level"  # in millionths for sum and last, else in things
BAD: Final = "bad"  # max: how many events in the window lie above the upper bound
PRESENT: Final = "present"  # how many events are in the window
FRESH: Final = "fresh"  # how many events arrive at this instant
_START: Final = "start"  # no state before it
_ALWAYS: Final = -(2**62)
_MOVING: Final = {WindowKind.ROLLING, WindowKind.TRAILING}


def sweep_spells(scope: Scope, tasks: Sequence[Task]) -> list[LazyFrame]:
    """Plan the spells of any tasks: ``entity``, ``criterion``, ``on``, ``off``, unclipped."""
    lasting = [task for task in tasks if task.lasting]
    ended = [task for task in tasks if task.judged_at_end]
    last = [task for task in tasks if task.newest_alone]
    states = [task for task in tasks if task not in lasting and task not in ended and task not in last]
    plans = [_lasting_spells(scope, part) for part in value_groups(lasting)]
    plans += [_at_end(scope, part) for part in value_groups(ended)]
    plans += [_while_held(levels(scope, part), part) for part in value_groups(states)]
    if last:
        plans.append(_while_held(_newest(scope, last), last))
    return plans


def levels(scope: Scope, tasks: Sequence[Task]) -> LazyFrame:
    """Plan the level at every change.

    Returns
    -------
    LazyFrame
        One row per entity, criterion and instant: ``entity``, ``criterion``, ``at``, ``level``, ``bad``, ``present``, ``fresh``, ``low``,
        ``high`` (the needs in force: of the newest event where they stand on events) and ``start``.
    """
    seen = occurrences(scope, tasks, needs=True, lives=[ANCHOR])
    keyed = [task for task in tasks if task.measure.facts.tells_apart]
    added = [task for task in tasks if not task.measure.facts.tells_apart]
    plans = []
    if keyed:
        plans += _keyed_changes(seen if not added else seen.filter(_is_one_of(keyed)), keyed)
    if added:
        plans += _added_changes(seen if not keyed else seen.filter(_is_one_of(added)), added)
    plans += _first_snapshots(scope, tasks)
    changes = nw.concat(plans, how="vertical").group_by(*GROUP, AT)
    sums = {name: nw.col(name).sum().cast(nw.Int64) for name in (LEVEL, BAD, PRESENT, FRESH)}
    tops = {name: nw.col(name).max() for name in (LOW, HIGH, _START)}
    instants = changes.agg(*(value.alias(name) for name, value in (sums | tops).items()))
    running = {name: nw.col(name).cum_sum().over(*GROUP, order_by=AT).cast(nw.Int64) for name in (LEVEL, BAD, PRESENT)}
    return _needs_in_force(instants, tasks).with_columns(**running)


def _is_one_of(tasks: Sequence[Task]) -> nw.Expr:
    return nw.col(CRITERION).is_in([task.index for task in tasks])


def _added_changes(seen: LazyFrame, tasks: Sequence[Task]) -> list[LazyFrame]:
    enough = nw.when(nw.col(VALUE) >= nw.col(LOW)).then(nw.lit(1, nw.Int64)).otherwise(nw.lit(0, nw.Int64))
    over = nw.when(nw.col(VALUE) <= nw.col(HIGH)).then(nw.lit(0, nw.Int64)).otherwise(nw.lit(1, nw.Int64))
    step = per_task(tasks, lambda task: enough if task.by_event else nw.col(VALUE))
    bad = per_task(tasks, lambda task: over if task.by_event else 0)
    arrivals = _pulses(seen.with_columns(step.alias(LEVEL), bad.alias(BAD)), AT, present=1, fresh=1)
    moving = [task for task in tasks if task.window in _MOVING]
    if not moving:
        return [arrivals]
    leaves = (nw.col(AT) + _length(moving)).alias("leaves")
    gone = seen.filter(_is_one_of(moving)).with_columns((-step).alias(LEVEL), (-bad).alias(BAD), leaves)
    return [arrivals, _pulses(gone, "leaves", present=-1, fresh=0)]


def _keyed_changes(seen: LazyFrame, tasks: Sequence[Task]) -> list[LazyFrame]:
    tops = [nw.col(name).max().alias(name) for name in (LOW, HIGH, ANCHOR)]
    things = seen.group_by(*GROUP, VALUE, AT).agg(*tops)
    again = nw.col(AT).shift(-1).over(*GROUP, VALUE, order_by=AT)
    before = nw.col(AT).shift(1).over(*GROUP, VALUE, order_by=AT)
    things = things.with_columns(again.alias("again"), before.alias("before"), nw.lit(0, nw.Int64).alias(BAD))
    moving = [task for task in tasks if task.window in _MOVING]
    expired = nw.col("before") + _length(moving) <= nw.col(AT)
    new = nw.col("before").is_null() | expired.fill_null(False)
    step = nw.when(new).then(nw.lit(1, nw.Int64)).otherwise(nw.lit(0, nw.Int64))
    arrivals = _pulses(things.with_columns(step.alias(LEVEL)), AT, present=1, fresh=1)
    if not moving:
        return [arrivals]
    leaves = nw.col(AT) + _length(moving)
    renewed = (nw.col("again") < leaves).fill_null(False)
    gone = things.filter(_is_one_of(moving)).with_columns(
        nw.when(renewed).then(nw.lit(0, nw.Int64)).otherwise(nw.lit(-1, nw.Int64)).alias(LEVEL), leaves.alias("leaves")
    )
    return [arrivals, _pulses(gone, "leaves", present=-1, fresh=0)]


def _length(tasks: Sequence[Task]) -> nw.Expr:
    return per_task(tasks, lambda task: task.length)


def _pulses(rows: LazyFrame, at: str, *, present: int, fresh: int) -> LazyFrame:
    need = (nw.col(LOW), nw.col(HIGH)) if fresh else tuple(nw.lit(None, nw.Int64).alias(side) for side in (LOW, HIGH))
    return rows.select(
        *GROUP,
        nw.col(at).alias(AT),
        LEVEL,
        BAD,
        nw.lit(present, nw.Int64).alias(PRESENT),
        nw.lit(fresh, nw.Int64).alias(FRESH),
        *need,
        nw.lit(_ALWAYS, nw.Int64).alias(_START),
    )


def _first_snapshots(scope: Scope, tasks: Sequence[Task]) -> list[LazyFrame]:
    # A state that nothing brings about (no event at all) still needs an instant at which it is looked at first.
    looked = {task.index: wait for task in tasks if (wait := task.wait) is not None}
    chosen = [task for task in tasks if task.index in looked]
    if not chosen:
        return []
    everybody = universe(scope, chosen, lives=[ANCHOR])
    start = nw.col(ANCHOR) + per_task(chosen, lambda task: looked[task.index] - scope.early)
    zero = nw.lit(0, nw.Int64)
    return [
        everybody.select(
            *GROUP,
            start.alias(AT),
            *(zero.alias(name) for name in (LEVEL, BAD, PRESENT, FRESH)),
            *(_kept_need(chosen, side, upper=side == HIGH) for side in (LOW, HIGH)),
            start.alias(_START),
        )
    ]


def _kept_need(tasks: Sequence[Task], side: str, *, upper: bool) -> nw.Expr:
    def own(task: Task) -> nw.Expr | None:
        need = task.high if upper else task.low
        return None if need is not None and need.property is not None else nw.col(side)

    return per_task(tasks, own).alias(side)


def _needs_in_force(instants: LazyFrame, tasks: Sequence[Task]) -> LazyFrame:
    # The need of the newest event holds until the next one; an event without a known limit makes it unknown.
    unknown = nw.lit(_ALWAYS, nw.Int64)
    starts = nw.col(_START).max().over(*GROUP) if any(task.wait is not None for task in tasks) else nw.col(_START)
    sides = {}
    for side in (LOW, HIGH):
        stated = nw.when(nw.col(FRESH) > 0).then(nw.col(side).fill_null(_ALWAYS)).otherwise(nw.col(side))
        sides[side] = stated
    frame = instants.with_columns(**sides, **{_START: starts})
    filled = {side: nw.col(side).fill_null(strategy="forward").over(*GROUP, order_by=AT) for side in (LOW, HIGH)}
    frame = frame.with_columns(**filled)
    return frame.with_columns(
        nw.when(nw.col(side) == unknown).then(nw.lit(None, nw.Int64)).otherwise(nw.col(side)).alias(side)
        for side in (LOW, HIGH)
    )


def satisfied(tasks: Sequence[Task]) -> nw.Expr:
    """Say for each row of `levels` whether the bounds hold."""
    return holds_for(tasks, _satisfied)


def _satisfied(task: Task) -> nw.Expr:
    if task.by_event:
        return (nw.col(LEVEL) > 0) & (nw.col(BAD) == 0)
    level = nw.col(LEVEL) * task.unit
    inside = (level >= nw.col(LOW)).fill_null(False) & (level <= nw.col(HIGH)).fill_null(False)
    if task.by_property or task.newest_alone:
        return inside & (nw.col(PRESENT) > 0)
    return inside


def reached(scope: Scope, tasks: Sequence[Task]) -> LazyFrame:
    """Plan the first moment and the highest amount of lasting tasks of one part of `value_groups`.

    Returns
    -------
    LazyFrame
        One row per entity and task with events: ``entity``, ``criterion``, ``on`` (unclipped; null = never), ``reached`` (things,
        or millionths).
    """
    rows = levels(scope, tasks).filter(nw.col(FRESH) > 0)
    moment = nw.when(satisfied(tasks)).then(nw.col(AT)).otherwise(nw.lit(None, nw.Int64))
    positive = nw.when(nw.col(LEVEL) > 0).then(nw.col(LEVEL)).otherwise(nw.lit(0, nw.Int64))
    told = rows.with_columns(moment.alias(ON), positive.alias(REACHED))
    return told.group_by(*GROUP).agg(nw.col(ON).min().alias(ON), nw.col(REACHED).max().alias(REACHED))


def _lasting_spells(scope: Scope, tasks: Sequence[Task]) -> LazyFrame:
    moments = reached(scope, tasks).filter(~nw.col(ON).is_null())
    return moments.with_columns(nw.lit(None, nw.Int64).alias(OFF)).select(*GROUP, ON, OFF)


def _while_held(rows: LazyFrame, tasks: Sequence[Task]) -> LazyFrame:
    held = (satisfied(tasks) & (nw.col(AT) >= nw.col(_START))).alias("held")
    states = rows.with_columns(held)
    before = nw.col("held").shift(1).over(*GROUP, order_by=AT).fill_null(False)
    changes = states.with_columns(before.alias("before")).filter(nw.col("held") != nw.col("before"))
    until = nw.col(AT).shift(-1).over(*GROUP, order_by=AT)
    spells = changes.with_columns(until.alias(OFF)).filter(nw.col("held"))
    return spells.select(*GROUP, nw.col(AT).alias(ON), OFF)


def _newest(scope: Scope, tasks: Sequence[Task]) -> LazyFrame:
    seen = occurrences(scope, tasks, needs=True)
    largest = nw.col(VALUE).max().over(*GROUP, AT)
    seen = seen.with_columns(largest.alias("largest")).filter(nw.col(VALUE) == nw.col("largest"))
    tops = [nw.col(source).max().alias(name) for source, name in ((VALUE, LEVEL), (LOW, LOW), (HIGH, HIGH))]
    expression, none = nw.lit(1, nw.Int64), nw.lit(0, nw.Int64)
    return (
        seen.group_by(*GROUP, AT)
        .agg(*tops)
        .with_columns(expression.alias(PRESENT), none.alias(BAD), nw.lit(_ALWAYS, nw.Int64).alias(_START))
    )


def _at_end(scope: Scope, tasks: Sequence[Task]) -> LazyFrame:
    rows = levels(scope, tasks)
    final = rows.with_columns(nw.col(AT).max().over(*GROUP).alias("final")).filter(nw.col(AT) == nw.col("final"))
    ends = final.select(*GROUP, LEVEL, BAD, PRESENT, nw.col(LOW).alias("event_low"), nw.col(HIGH).alias("event_high"))
    everybody = universe(scope, tasks, lives=[ANCHOR]).join(ends, on=list(GROUP), how="left")
    filled = everybody.with_columns(
        *(nw.col(name).fill_null(0) for name in (LEVEL, BAD, PRESENT)),
        *(nw.coalesce(nw.col(side), nw.col(f"event_{side}")).alias(side) for side in (LOW, HIGH)),
    )
    on = (nw.col(ANCHOR) + per_task(tasks, lambda task: task.length - scope.early)).alias(ON)
    return filled.filter(satisfied(tasks)).select(*GROUP, on, nw.lit(None, nw.Int64).alias(OFF))
