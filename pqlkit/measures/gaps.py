"""The gap: a value that a criterion needs and the data does not give, counted so that nothing is dropped in silence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import narwhals as nw

from pqlkit.columns import ANCHOR, EVENT
from pqlkit.definitions.model import Limit, Operator, Ref, leaves
from pqlkit.engines.portable import one
from pqlkit.inert import visible
from pqlkit.measures.conditions import all_hold
from pqlkit.measures.numbers import number
from pqlkit.measures.scope import known_column, scope_of
from pqlkit.measures.tasks import tasks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pqlkit.definitions.model import Criterion, Definition
    from pqlkit.measures.scope import Scope
    from pqlkit.measures.tasks import Task
    from pqlkit.measures.world import World

UNREADABLE: Final = "unreadable"
NO_LIMIT: Final = "no limit"
_COMPARED: Final = {Operator.AT_LEAST, Operator.AT_MOST}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What one criterion misses of one property or trait.

    Parameters
    ----------
    criterion
        The criterion's id.
    name
        The property or trait.
    reason
        ``unreadable`` (a value stands there, but is no finite number) or ``no limit`` (missing, unreadable or not positive: the
        bound is not met).
    rows
        How many of the criterion's events (for a trait: entities with an anchor).
    of
        Of how many.
    """

    criterion: str
    name: str
    reason: str
    rows: int
    of: int


def gaps(world: World, criteria: Sequence[Criterion]) -> tuple[Gap, ...]:
    """Count, for each criterion, values that should be numbers and limits that should be known, and are not.

    Events are those of the criterion's names and conditions by `as_of`, whatever their window. Only gaps with `rows` above 0
    are listed, in the order of the criteria.
    """
    scope = scope_of(world)
    return tuple(gap for task in tasks_of(criteria) for gap in _gaps(scope, task) if gap.rows)


def gap_warnings(world: World, definition: Definition) -> tuple[str, ...]:
    """Say in a sentence each what `gaps` finds in a definition and in the milestones that it refers to.

    Without properties and traits nothing is read.
    """
    asking = [criterion for criterion in _criteria(definition) if _asks(criterion)]
    quiet = gaps(world, asking) if asking else ()
    return tuple(dict.fromkeys(_sentence(definition.name, gap) for gap in quiet))


def _asks(criterion: Criterion) -> bool:
    bounds = (criterion.at_least, criterion.at_most)
    by_limit = any(isinstance(bound, Limit) for bound in bounds)
    return by_limit or bool(criterion.where) or criterion.measure.property is not None


def _criteria(definition: Definition) -> Iterator[Criterion]:
    for leaf in leaves(definition.qualify):
        if isinstance(leaf, Ref):
            for criterion in _criteria(leaf.target):
                yield replace(criterion, id=f"{leaf.name}, {criterion.id}")
        else:
            yield leaf


def _sentence(definition: str, gap: Gap) -> str:
    where, name = f"{visible(definition)}: criterion {visible(gap.criterion)}", visible(gap.name)
    if gap.reason == UNREADABLE:
        return f"{where}: {name} is not a number in {gap.rows:,} of {gap.of:,} events; they count as if it were missing"
    return f"{where}: {name} gives no limit for {gap.rows:,} of {gap.of:,}; the bound is not met there"


def _gaps(scope: Scope, task: Task) -> Iterator[Gap]:
    names = [condition.name for condition in task.criterion.where if condition.operator in _COMPARED]
    for name in dict.fromkeys(names):
        # The condition itself leaves such rows out, so they are looked for among all of the event's.
        yield _counted(scope, task, name, UNREADABLE, _unreadable(scope, name), where=False)
    if task.measure.numeric and task.criterion.measure.property is not None:
        name = task.criterion.measure.property
        yield _counted(scope, task, name, UNREADABLE, _unreadable(scope, name), where=True)
    for need in (task.low, task.high):
        if need is not None and need.property is not None:
            column = scope.property(need.property)
            limit = number(column, scope.dtypes[column])
            yield _counted(scope, task, need.property, NO_LIMIT, ~(limit > 0).fill_null(False), where=True)
        if need is not None and need.trait is not None:
            yield _unlimited(scope, task, need.trait)


def _unreadable(scope: Scope, name: str) -> nw.Expr:
    column = scope.property(name)
    return number(column, scope.dtypes[column]).is_null() & ~nw.col(column).is_null()


def _counted(scope: Scope, task: Task, name: str, reason: str, faulty: nw.Expr, *, where: bool) -> Gap:
    conditions = task.criterion.where if where else ()
    columns = {condition.name: scope.property(condition.name) for condition in conditions}
    frame = scope.events([EVENT, scope.property(name), *columns.values()])
    if task.criterion.events is not None:
        frame = frame.filter(nw.col(EVENT).is_in(list(task.criterion.events)))
    if conditions:
        frame = frame.filter(all_hold(conditions, columns, scope.dtypes))
    counts = frame.select(one(faulty).sum().alias("rows"), nw.len().alias("of"))
    rows, of = scope.world.engine.collect(counts).row(0)
    return Gap(criterion=task.criterion.id, name=name, reason=reason, rows=int(rows or 0), of=int(of))


def _unlimited(scope: Scope, task: Task, trait: str) -> Gap:
    column = known_column(scope.world.traits, trait, "trait")
    frame = nw.from_native(scope.world.entities).filter(~nw.col(ANCHOR).is_null())
    known = (number(column, frame.schema[column]) > 0).fill_null(False)
    rows = int(frame.select((~known).sum()).item() or 0)
    return Gap(criterion=task.criterion.id, name=trait, reason=NO_LIMIT, rows=rows, of=frame.shape[0])
