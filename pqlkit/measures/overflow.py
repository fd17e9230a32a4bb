"""The overflow: a value or sum too large for exact millionths, refused before anything could wrap."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

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


Column: TypeAlias = "tuple[str, tuple[str, ...] | None]"
"""A property and the names of the events it is read of; None = of all."""


class Extremes(NamedTuple):
    """The least and the greatest number of a property, and how many rows have one; None = no row."""

    least: float | None
    most: float | None
    rows: int

    @property
    def size(self) -> float:
        """The greatest absolute value."""
        return max(-(self.least or 0.0), self.most or 0.0)


def extremes(scope: Scope, name: str, events: Sequence[str] | None) -> Extremes:
    """Read the extremes of a property in one pass over its column; `events` None = of all events."""
    column = scope.property(name)
    frame = scope.events([EVENT, column])
    if events is not None:
        frame = frame.filter(nw.col(EVENT).is_in(list(events)))
    value = number(column, scope.dtypes[column])
    ends = (value.min().alias("least"), value.max().alias("most"), value.count().alias("rows"))
    return Extremes(*scope.world.engine.collect(frame.select(*ends)).row(0))


def refuse_overflow(scope: Scope, tasks: Sequence[Task]) -> dict[Column, Extremes]:
    """Raise unless every sum (of absolute values, per entity) and every single value stays below `LARGEST`.

    A pass over the property's column settles nearly all cases; only a column that could overflow if all of it belonged to
    one entity is added up by entity. The extremes that such passes read are what is given.

    Raises
    ------
    DataError
        Naming the criterion and the property.
    """
    read: dict[Column, Extremes] = {}
    for task in tasks:
        name, events = task.criterion.measure.property, task.criterion.events
        if not task.measure.numeric or name is None:
            continue
        if (name, events) not in read:
            read[name, events] = extremes(scope, name, events)
        if _could_overflow(task, read[name, events]) and _overflows(scope, task):
            message = (
                f"criterion {task.criterion.id}: {task.measure.value}({task.criterion.measure.property}) goes beyond"
                f" {LARGEST:.1e}, more than can be added up exactly"
            )
            raise DataError(
                message, hint="measure the property in a larger unit, or leave its faulty rows out by `where`"
            )
    return read


def _could_overflow(task: Task, seen: Extremes) -> bool:
    return seen.size * (seen.rows if task.measure is MeasureKind.SUM else 1) >= LARGEST


def _overflows(scope: Scope, task: Task) -> bool:
    size = nw.col(VALUE).cast(nw.Float64).abs()
    total = size.sum() if task.measure is MeasureKind.SUM else size.max()
    seen = occurrences(scope, [task]).with_columns(size.alias("size"))
    total = nw.col("size").sum() if task.measure is MeasureKind.SUM else nw.col("size").max()
    sums = seen.group_by(ENTITY, CRITERION).agg(total.alias("total"))
    most = scope.world.engine.collect(sums.select(nw.col("total").max())).item()
    return most is not None and most >= float(LARGEST) * SCALE
