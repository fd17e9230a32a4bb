"""The associations of an analysis: every behaviour of the cube against the outcome, corrected for having looked at them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.analysis.association import Association, Step
from pqlkit.measures.behaviour import GRID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Behaviour, Cube
    from pqlkit.statistics.contingency import Contingency

LEVELS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Levels:
    """How many converters and others stand at each level of each behaviour: all that the tables need.

    Parameters
    ----------
    behaviours
        One per row of the arrays.
    positive, negative
        int64, behaviours x 256; level 0 included, so that each row sums to the converters and to the others.
    """

    behaviours: tuple[Behaviour, ...]
    positive: NDArray[np.int64]
    negative: NDArray[np.int64]

    @classmethod
    def of(cls, cube: Cube, y: NDArray[np.bool_], *, rows: NDArray[np.bool_] | None = None) -> Levels:
        """Count a cube by outcome.

        Parameters
        ----------
        cube
            Levels above zero.
        y
            One per snapshot.
        rows
            bool, one per snapshot: only these. None = all.
        """
        counts = np.zeros((len(cube.behaviours), 2, LEVELS), dtype=np.int64)
        # Others, converters, and those that are not asked for, one behind the other: no snapshot is picked out of a column.
        offset = y.astype(np.uint16) * LEVELS
        if rows is not None:
            offset[~rows] = 2 * LEVELS
        for index in range(len(cube.behaviours)):
            snapshots, levels = cube.column(index)
            counts[index] = np.bincount(offset[snapshots] + levels, minlength=3 * LEVELS)[: 2 * LEVELS].reshape(
                2, LEVELS
            )
        kept = y if rows is None else y[rows]
        total = np.array([np.count_nonzero(~kept), np.count_nonzero(kept)])
        counts[:, :, 0] = total - counts.sum(axis=2)
        return cls(behaviours=cube.behaviours, positive=counts[:, 1], negative=counts[:, 0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ladders:
    """Every threshold of every behaviour, flattened: cells of the 2x2 tables, side by side.

    `row` names the behaviour of each step, `level` its level (threshold ``GRID[level - 1]``), ascending in both.
    """

    row: NDArray[np.int64]
    level: NDArray[np.int64]
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    c: NDArray[np.int64]
    d: NDArray[np.int64]

    @classmethod
    def of(cls, levels: Levels) -> Ladders:
        """Sum levels into "at least" tables, from level 1 up to the largest seen (always including 1)."""
        a = _at_least(levels.positive)
        b = _at_least(levels.negative)
        shown = (a + b > 0)[:, 1:]
        shown[:, 0] = True
        row, column = np.nonzero(shown)
        level = column + 1
        did, others = a[row, level], b[row, level]
        return cls(row=row, level=level, a=did, b=others, c=a[row, 0] - did, d=b[row, 0] - others)


def _at_least(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]


def associations(
    levels: Levels,
    *,
    design_effect: float = 1.0,
    rare_below: tuple[int, int],
    flags: Mapping[str | None, Sequence[str]],
) -> tuple[Association, ...]:
    """Make one association per behaviour, in the order of `levels`.

    Parameters
    ----------
    levels
        The counts.
    design_effect
        Rows per independent row.
    rare_below
        Floors in heads: a behaviour that fewer snapshots, or fewer converters, do is flagged ``rare``, and no threshold below
        them is dependable.
    flags
        Event -> flags known beforehand.

    Notes
    -----
    The p-value of a row is the smallest over its thresholds, times their number. Its q-value is left open: that is among all tests of
    an analysis, of which these are some.
    """
    from pqlkit.statistics.comparison import p_value, phi
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.multiplicity import bonferroni
    from pqlkit.statistics.ranks import auc

    if not levels.behaviours:
        return ()
    ladders = Ladders.of(levels)
    cells = (ladders.a, ladders.b, ladders.c, ladders.d)
    starts = np.flatnonzero(np.r_[True, np.diff(ladders.row) > 0])
    ends = np.r_[starts[1:], len(ladders.row)]
    size = np.abs(np.nan_to_num(phi(*cells)))
    best = _largest(size, starts, ends)
    enough = (ladders.a + ladders.b >= rare_below[0]) & (ladders.a >= rare_below[1])
    sound = _largest(np.where(enough, size, -1.0), starts, ends)
    smallest = np.fmin.reduceat(p_value(*cells, design_effect=design_effect), starts)
    corrected = bonferroni(smallest, ends - starts)
    areas = auc(levels.positive, levels.negative)

    def table(step: int) -> Contingency:
        return Contingency(*(int(cell[step]) for cell in cells), design_effect=design_effect)

    def rung(step: int) -> Step:
        return Step(threshold=GRID[int(ladders.level[step]) - 1], table=table(step))

    return tuple(
        Association(
            behaviour=behaviour,
            threshold=GRID[int(ladders.level[best[index]]) - 1],
            table=table(int(best[index])),
            design_effect=design_effect,
            auc=_number(areas[index]),
            p_value=_number(corrected[index]),
            flags=_flags(table(int(starts[index])), rare_below, flags.get(behaviour.event, ())),
            curve=tuple(rung(step) for step in range(int(starts[index]), int(ends[index]))),
            dependable=rung(int(sound[index])) if enough[sound[index]] else None,
        )
        for index, behaviour in enumerate(levels.behaviours)
    )


def q_values(*families: Sequence[float | None]) -> list[list[float | None]]:
    """Correct every test of an analysis among all of them together."""
    from pqlkit.statistics.multiplicity import benjamini_hochberg

    values = iter(benjamini_hochberg([np.nan if p is None else p for family in families for p in family]))
    return [[_number(next(values)) for _ in family] for family in families]


def _largest(values: NDArray[np.float64], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find the first largest value of each stretch (ties go to the smaller threshold)."""
    peak = np.repeat(np.maximum.reduceat(values, starts), ends - starts)
    position = np.where(values >= peak, np.arange(len(values)), len(values))
    return np.minimum.reduceat(position, starts)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _flags(doing: Contingency, rare_below: tuple[int, int], known: Sequence[str]) -> tuple[str, ...]:
    rare = doing.a + doing.b < rare_below[0] or doing.a < rare_below[1]
    return (*(("rare",) if rare else ()), *known)
