"""The joint count: how many snapshots, and how many that converted, stand at each step of two behaviours at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Cube


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Joint:
    """Snapshots by the steps that some behaviours of a cube reach.

    Parameters
    ----------
    alone
        For each behaviour int64 (2, steps + 1): snapshots, and those that converted, at exactly so many steps; 0 = below the first.
    both
        For each two behaviours (their places, the smaller first) int64 (2, steps, steps): the same where both reach the first.
    """

    alone: tuple[NDArray[np.int64], ...]
    both: dict[tuple[int, int], NDArray[np.int64]]


def joint(
    cube: Cube, y: NDArray[np.bool_], columns: Sequence[tuple[int, Sequence[int]]], *, apart: Sequence[object]
) -> Joint:
    """Count behaviours of a cube alone and two by two.

    Parameters
    ----------
    cube, y
        The levels above zero; whether each snapshot converted.
    columns
        Which behaviours of the cube, each with the ascending levels that are its steps.
    apart
        One per column: two columns of equal value are not crossed.

    Examples
    --------
    >>> from pqlkit.measures.behaviour import Cube
    >>> cube = Cube(
    ...     behaviours=(None, None), snapshots=4, offsets=np.array([0, 3, 5]),
    ...     rows=np.array([0, 1, 2, 1, 2], np.uint32), levels=np.array([1, 2, 2, 1, 3], np.uint8),
    ... )
    >>> counts = joint(cube, np.array([False, True, False, True]), [(0, [1, 2]), (1, [1])], apart="ab")
    >>> counts.alone[0].tolist(), counts.both[0, 1].tolist()
    ([[1, 1, 2], [1, 0, 1]], [[[0], [2]], [[0], [1]]])
    """
    steps = [np.zeros(cube.snapshots, np.uint8) for _ in columns]
    for reached, (index, levels) in zip(steps, columns, strict=True):
        rows, values = cube.column(index)
        reached[rows] = np.searchsorted(np.asarray(levels), values, side="right")
    sizes = [len(levels) + 1 for _, levels in columns]
    alone = tuple(
        np.stack([np.bincount(reached, minlength=size), np.bincount(reached[y], minlength=size)])
        for reached, size in zip(steps, sizes, strict=True)
    )
    both = {}
    for first, second in combinations(range(len(columns)), 2):
        if apart[first] == apart[second]:
            continue
        some = np.flatnonzero(steps[first])
        size = sizes[first] * sizes[second]
        cells = steps[first][some].astype(np.int64) * sizes[second] + steps[second][some]
        counted = np.bincount(cells + size * y[some], minlength=2 * size).reshape(2, sizes[first], sizes[second])
        counted[0] += counted[1]
        both[first, second] = counted[:, 1:, 1:]
    return Joint(alone=alone, both=both)
