"""The bend of a behaviour: whether those who never did it convert as often as those who did it much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.analysis.associations import LEVELS
from pqlkit.measures.behaviour import GRID

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from pqlkit.analysis.associations import Levels
    from pqlkit.analysis.observation import Observed
    from pqlkit.measures.behaviour import Behaviour, Cube
    from pqlkit.statistics.rate import Rate

TIMES: Final = 1.5
"""Those at zero convert at least so many times as often as the middle."""

LEVEL: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Three stretches of one behaviour: none of it, some, and much.

    Parameters
    ----------
    behaviour, threshold
        Much is at least so often.
    none, some, much
        Snapshots and conversions of each.
    p_value
        Of none against some, on both sides, corrected for all that were looked at.
    """

    behaviour: Behaviour
    threshold: int
    none: Rate
    some: Rate
    much: Rate
    p_value: float

    @property
    def as_often(self) -> bool:
        """Whether those who never did it cannot be told from those who did it much, or convert more often."""
        return self.none.high is not None and self.much.low is not None and self.none.high >= self.much.low


def shapes(observed: Observed, levels: Levels, *, skip: Collection[str | None] = ()) -> tuple[Shape, ...]:
    """Find behaviours that are not monotone: fewer conversions in the middle than at zero, and more again above it.

    Parameters
    ----------
    observed, levels
        The snapshots, and how many of them stand at each level of each behaviour.
    skip
        Events that are left out.

    Returns
    -------
    tuple of Shape
        One an event at most, the clearest first. Each of zero and much converts at least `TIMES` as often as the middle, and is told
        from it at 5 %, corrected (Bonferroni) for the thresholds of all behaviours looked at.
    """
    asked = [
        index
        for index, behaviour in enumerate(levels.behaviours)
        if behaviour.event is not None and behaviour.event not in skip
    ]
    ladders = [(index, *_ladder(levels.positive[index], levels.negative[index])) for index in asked]
    tests = sum(thresholds.size for _, thresholds, _ in ladders)
    best: dict[str | None, Shape] = {}
    for index, thresholds, cells in ladders:
        shape = _clearest(observed, levels.behaviours[index], thresholds, cells, tests)
        rival = None if shape is None else best.get(shape.behaviour.event)
        if shape is not None and (rival is None or shape.p_value < rival.p_value):
            best[shape.behaviour.event] = shape
    return tuple(sorted(best.values(), key=lambda shape: (shape.p_value, shape.behaviour.event or "")))


def shape_at(cube: Cube, observed: Observed, column: int, threshold: int, *, tests: int = 1) -> Shape | None:
    """Look at one behaviour around the threshold of a rule; None where those at zero do not convert more often than the middle.

    Parameters
    ----------
    cube, observed
        Levels of the rule's behaviours, and the snapshots.
    column, threshold
        One criterion of the rule.
    tests
        How many criteria are looked at.
    """
    rows, reached = cube.column(column)
    level = np.zeros(cube.snapshots, dtype=np.int64)
    level[rows] = reached
    positive = np.bincount(level[observed.y], minlength=LEVELS)
    negative = np.bincount(level[~observed.y], minlength=LEVELS)
    place = GRID.index(threshold) + 1
    if place < 2:
        return None
    thresholds = np.array([place])
    cells = _cells(positive, negative, thresholds)
    return _clearest(observed, cube.behaviours[column], thresholds, cells, tests)


def _ladder(
    positive: NDArray[np.int64], negative: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Sequence[NDArray[np.int64]]]:
    """Give each level above the first that somebody reaches, with the cells of zero, the middle below it, and all from it on."""
    reached = np.flatnonzero(positive + negative)
    thresholds = reached[reached > 1]
    return thresholds, _cells(positive, negative, thresholds)


def _cells(
    positive: NDArray[np.int64], negative: NDArray[np.int64], thresholds: NDArray[np.int64]
) -> Sequence[NDArray[np.int64]]:
    hits, rest = np.cumsum(positive), np.cumsum(negative)
    before = thresholds - 1
    zero = (np.full(thresholds.size, hits[0]), np.full(thresholds.size, rest[0]))
    return (
        *zero,
        hits[before] - hits[0],
        rest[before] - rest[0],
        hits[-1] - hits[before],
        rest[-1] - rest[before],
    )


def _clearest(
    observed: Observed,
    behaviour: Behaviour,
    thresholds: NDArray[np.int64],
    cells: Sequence[NDArray[np.int64]],
    tests: int,
) -> Shape | None:
    from pqlkit.statistics.comparison import p_value
    from pqlkit.statistics.rate import Rate

    if not thresholds.size:
        return None
    (a, b), (c, d), (e, f) = cells[:2], cells[2:4], cells[4:]
    with np.errstate(divide="ignore", invalid="ignore"):
        none, some, much = a / (a + b), c / (c + d), e / (e + f)
        curved = (none >= TIMES * some) & (much >= TIMES * some)
    effect = observed.design_effect
    low = p_value(a, b, c, d, design_effect=effect)
    p = np.where(curved, np.fmax(low, p_value(e, f, c, d, design_effect=effect)), np.nan) * tests
    if np.isnan(p).all() or np.nanmin(p) > LEVEL:
        return None
    best = int(np.nanargmin(p))
    rates = [
        Rate.of(int(hits[best]), int(hits[best] + rest[best]), design_effect=effect)
        for hits, rest in ((a, b), (c, d), (e, f))
    ]
    return Shape(
        behaviour=behaviour,
        threshold=GRID[int(thresholds[best]) - 1],
        none=rates[0],
        some=rates[1],
        much=rates[2],
        p_value=float(min(low[best] * tests, 1.0)),
    )
