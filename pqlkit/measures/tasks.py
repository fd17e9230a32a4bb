"""The task: one criterion made ready for planning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

import narwhals as nw
import polars as pl

from pqlkit.columns import CRITERION
from pqlkit.definitions.model import SCALE, MeasureKind, WindowKind
from pqlkit.errors import DefinitionError
from pqlkit.measures.limits import Need

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pqlkit.definitions.model import Criterion
    from pqlkit.typing import Microseconds

CHAIN: Final = 16
"""Cases told apart one after another; more are halved first, since Spark takes no expression of some fifty levels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A criterion, its place in the list that was asked for, and its bounds as needs."""

    index: int
    criterion: Criterion
    low: Need | None
    high: Need | None

    @property
    def measure(self) -> MeasureKind:
        """How the behaviour becomes a number."""
        return self.criterion.measure.kind

    @property
    def window(self) -> WindowKind:
        """Which stretch of time it is measured in."""
        return self.criterion.window.kind

    @property
    def length(self) -> int:
        """The window's length in microseconds; 0 for `ever`."""
        length = self.criterion.window.length
        return 0 if length is None else length.microseconds

    @property
    def lasting(self) -> bool:
        """Whether reached is reached: on from the first event at which the value reaches the threshold."""
        return self.high is None and self.window is not WindowKind.TRAILING and not self.measure.facts.state

    @property
    def judged_at_end(self) -> bool:
        """Whether the value counts that the window ends with."""
        return self.high is not None and self.window is WindowKind.WITHIN and not self.measure.facts.state

    @property
    def steady(self) -> bool:
        """Whether the bounds are the same for everybody at all times."""
        return all(need is None or need.constant is not None for need in (self.low, self.high))

    @property
    def by_property(self) -> bool:
        """Whether a bound stands on the event itself."""
        return any(need is not None and need.property is not None for need in (self.low, self.high))

    @property
    def reached(self) -> int:
        """The smallest whole number of things (events, dates, users, values) that reaches a constant `low`; at least 1."""
        constant = SCALE if self.low is None or self.low.constant is None else self.low.constant
        return max(1, -(-constant // SCALE))

    @property
    def unit(self) -> int:
        """How many millionths one step of the level stands for."""
        match self.measure:
            case MeasureKind.SUM | MeasureKind.LAST:
                return 1
            case MeasureKind.MAX:
                return SCALE  # a largest value has been reached by so many events
            case (
                MeasureKind.COUNT
                | MeasureKind.DAYS
                | MeasureKind.USERS
                | MeasureKind.DISTINCT
                | MeasureKind.DISTINCT_EVENTS
            ):
                return SCALE
            case _:
                assert_never(self.measure)

    @property
    def wait(self) -> Microseconds | None:
        """How long after the anchor a state that nothing brings about is looked at first; None = only events change it."""
        if self.window is not WindowKind.TRAILING:
            return None
        if self.high is not None:
            return self.length
        constant = self.low.constant if self.low is not None else None
        return 0 if constant is not None and constant <= 0 and not self.by_event else None

    @property
    def newest_alone(self) -> bool:
        """Whether the newest event alone tells the value."""
        match self.measure:
            case MeasureKind.LAST:
                return True
            case (
                MeasureKind.COUNT
                | MeasureKind.DAYS
                | MeasureKind.USERS
                | MeasureKind.DISTINCT
                | MeasureKind.DISTINCT_EVENTS
                | MeasureKind.SUM
                | MeasureKind.MAX
            ):
                return False
            case _:
                assert_never(self.measure)

    @property
    def by_event(self) -> bool:
        """Whether each event alone reaches the bounds or not, so that the level is how many do."""
        match self.measure:
            case MeasureKind.MAX:
                return True
            case (
                MeasureKind.COUNT
                | MeasureKind.DAYS
                | MeasureKind.USERS
                | MeasureKind.DISTINCT
                | MeasureKind.DISTINCT_EVENTS
                | MeasureKind.SUM
                | MeasureKind.LAST
            ):
                return False
            case _:
                assert_never(self.measure)


def tasks_of(criteria: Sequence[Criterion]) -> tuple[Task, ...]:
    """Make the criteria ready, in order.

    Raises
    ------
    DefinitionError
        An upper bound over a window that does not end, or `last` over a rolling or trailing window: the questions have
        no answer (PQL2xx says so when a file is read).
    """
    return tuple(_task(index, criterion) for index, criterion in enumerate(criteria))


def _task(index: int, criterion: Criterion) -> Task:
    low, high = Need.of(criterion.at_least, upper=False), Need.of(criterion.at_most, upper=True)
    if low is None and high is None:
        low = Need(upper=False, constant=SCALE)
    kind, measure = criterion.window.kind, criterion.measure.kind
    if measure.facts.state and kind not in {WindowKind.WITHIN, WindowKind.EVER}:
        message = f"criterion {criterion.id}: {measure.value} is measured within or ever, not {kind.value}"
        raise DefinitionError(message)
    if high is not None and not measure.facts.state and kind in {WindowKind.ROLLING, WindowKind.EVER}:
        message = f"criterion {criterion.id}: at_most needs a window that ends (within or trailing), not {kind.value}"
        raise DefinitionError(message)
    return Task(index=index, criterion=criterion, low=low, high=high)


def numbers_of(tasks: Iterable[Task]) -> pl.DataFrame:
    """Give the tasks' numbers, ``criterion`` (Int32), as a table to join."""
    return pl.DataFrame({CRITERION: [task.index for task in tasks]}, schema={CRITERION: pl.Int32})


def per_task(tasks: Iterable[Task], value: Callable[[Task], nw.Expr | int | None]) -> nw.Expr:
    """Choose an Int64 by the row's criterion: the task's own value, null for other criteria."""

    def own(task: Task) -> nw.Expr:
        chosen = value(task)
        return chosen if isinstance(chosen, nw.Expr) else nw.lit(chosen, nw.Int64)

    return _chosen(tuple(tasks), own, nw.lit(None, nw.Int64))


def holds_for(tasks: Iterable[Task], test: Callable[[Task], nw.Expr]) -> nw.Expr:
    """Say for each row whether its own task's test holds; false for other criteria."""
    return _chosen(tuple(tasks), test, nw.lit(False))  # a literal of the plan


def _chosen(tasks: tuple[Task, ...], own: Callable[[Task], nw.Expr], otherwise: nw.Expr) -> nw.Expr:
    if len(tasks) > CHAIN:
        middle = len(tasks) // 2
        low = nw.col(CRITERION) < tasks[middle].index
        return (
            nw.when(low)
            .then(_chosen(tasks[:middle], own, otherwise))
            .otherwise(_chosen(tasks[middle:], own, otherwise))
        )
    chain = otherwise
    for task in tasks:
        chain = nw.when(nw.col(CRITERION) == task.index).then(own(task)).otherwise(chain)
    return chain
