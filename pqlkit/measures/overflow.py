"""The overflow: a value or sum too large for exact millionths, refused before anything could wrap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from pqlkit.columns import CRITERION, ENTITY, EVENT
from pqlkit.definitions.model import SCALE, MeasureKind
from pqlkit.errors import DataError
from pqlkit.measures.numbers import LARGEST, number
from pqlkit.measures.occurrences import VALUE, occurrences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.measures.scope import Scope
    from pqlkit.measures.tasks import Task


def refuse_overflow(scope: Scope, tasks: Sequence[Task]) -> None:
    """Raise unless every sum (of absolute values, per entity) and every single value stays below `LARGEST`.

    A pass over the property's column settles nearly all cases; only a column that could overflow if all of it belonged to
    one entity is added up by entity.

    Raises
    ------
    DataError
        Naming the criterion and the property.
    """
    for task in tasks:
        if task.measure.numeric and _could_overflow(scope, task) and _overflows(scope, task):
            message = (
                f"criterion {task.criterion.id}: {task.measure.value}({task.criterion.measure.property}) goes beyond"
                f" {LARGEST:.1e}, more than can be added up exactly"
            )
            raise DataError(
                message, hint="measure the property in a larger unit, or leave its faulty rows out by `where`"
            )


def _could_overflow(scope: Scope, task: Task) -> bool:
    column = scope.property(task.criterion.measure.property or "")
    frame = scope.events([EVENT, column])
    if task.criterion.events is not None:
        frame = frame.filter(nw.col(EVENT).is_in(list(task.criterion.events)))
    size = number(column, scope.dtypes[column]).abs()
    row = scope.world.engine.collect(frame.select(size.max().alias("most"), size.count().alias("rows")))
    most, rows = row.row(0)
    return most is not None and most * (rows if task.measure is MeasureKind.SUM else 1) >= LARGEST


def _overflows(scope: Scope, task: Task) -> bool:
    size = nw.col(VALUE).cast(nw.Float64).abs()
    total = size.sum() if task.measure is MeasureKind.SUM else size.max()
    seen = occurrences(scope, [task]).with_columns(size.alias("size"))
    total = nw.col("size").sum() if task.measure is MeasureKind.SUM else nw.col("size").max()
    sums = seen.group_by(ENTITY, CRITERION).agg(total.alias("total"))
    most = scope.world.engine.collect(sums.select(nw.col("total").max())).item()
    return most is not None and most >= float(LARGEST) * SCALE
