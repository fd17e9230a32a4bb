"""The grid: a criterion for every measure, window and kind of bound that has a meaning."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from pqlkit.definitions.model import Bound, Criterion, Limit, Measure, MeasureKind, Window, WindowKind
from pqlkit.durations import Duration

if TYPE_CHECKING:
    from collections.abc import Sequence

MEASURES = (
    Measure(kind=MeasureKind.COUNT),
    Measure(kind=MeasureKind.DAYS),
    Measure(kind=MeasureKind.USERS),
    Measure(kind=MeasureKind.DISTINCT_EVENTS),
    Measure(kind=MeasureKind.DISTINCT, property="kind"),
    Measure(kind=MeasureKind.DISTINCT, property="amount"),
    Measure(kind=MeasureKind.SUM, property="amount"),
    Measure(kind=MeasureKind.SUM, property="text.amount"),
    Measure(kind=MeasureKind.MAX, property="amount"),
    Measure(kind=MeasureKind.LAST, property="amount"),
)
BOUNDS: tuple[tuple[Bound | None, Bound | None], ...] = (
    (1, None),
    (2, None),
    (3, None),
    (0, None),
    (2.5, None),
    (None, 1),
    (None, 0),
    (1, 2),
    (Limit(percent=40, number=5), None),
    (Limit(percent=80, property="limit"), None),
    (None, Limit(percent=50, property="limit")),
    (Limit(percent=50, property="limit"), Limit(percent=100, property="limit")),
    (Limit(percent=50, trait="cap"), None),
    (None, Limit(percent=100, trait="cap")),
)
EVENTS: tuple[tuple[str, ...] | None, ...] = (("a",), None, ("a", "b"))


def windows(within: str = "7d", moving: str = "3d") -> tuple[Window, ...]:
    """One window of each kind."""
    return (
        Window(kind=WindowKind.WITHIN, length=Duration.parse(within)),
        Window(kind=WindowKind.ROLLING, length=Duration.parse(moving)),
        Window(kind=WindowKind.TRAILING, length=Duration.parse(moving)),
        Window(kind=WindowKind.EVER),
    )


def has_meaning(measure: Measure, window: Window, high: Bound | None) -> bool:
    """Whether definition.md gives the combination a meaning."""
    if measure.kind is MeasureKind.LAST:
        return window.kind in {WindowKind.WITHIN, WindowKind.EVER}
    return high is None or window.kind in {WindowKind.WITHIN, WindowKind.TRAILING}


def every_criterion(within: str = "7d", moving: str = "3d") -> list[Criterion]:
    """All combinations that have a meaning."""
    found: list[Criterion] = []
    for measure, window, (low, high) in product(MEASURES, windows(within, moving), BOUNDS):
        if has_meaning(measure, window, high):
            events = EVENTS[len(found) % len(EVENTS)]
            name = f"c{len(found)}"
            found.append(Criterion(id=name, events=events, measure=measure, window=window, at_least=low, at_most=high))
    return found


def covering(criteria: Sequence[Criterion]) -> list[Criterion]:
    """Choose few criteria in which every measure, window, bound and way to name events comes at least once."""
    chosen: list[Criterion] = []
    met: set[object] = set()
    while left := [criterion for criterion in criteria if _parts(criterion) - met]:
        chosen.append(max(left, key=lambda criterion: len(_parts(criterion) - met)))
        met |= _parts(chosen[-1])
    return chosen


def _parts(criterion: Criterion) -> set[object]:
    bounds = (criterion.at_least, criterion.at_most)
    return {repr(criterion.measure), criterion.window.kind, repr(bounds), criterion.events}
