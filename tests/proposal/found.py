"""Searches that several tests look at."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from pqlkit.proposal.literals import literals
from pqlkit.proposal.objective import Constraints, Objective
from pqlkit.proposal.search import Search, search
from tests.proposal.worlds import World, world

if TYPE_CHECKING:
    from numpy.typing import NDArray


def parts(made: World) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Give the earlier three quarters, and the rest."""
    fit = np.arange(made.cube.snapshots) < made.cube.snapshots * 3 // 4
    return fit, ~fit


@cache
def searched(snapshots: int, seed: int, kind: str = "easy", base_rate: float = 0.04) -> tuple[World, Search]:
    """Search a world's earlier part."""
    made = world(snapshots, seed, kind=kind, base_rate=base_rate)
    fit, _ = parts(made)
    found = search(
        made.cube,
        made.y,
        fit,
        literals(made.cube, made.y, fit),
        objective=Objective(),
        constraints=Constraints.of(int((fit & made.y).sum())),
    )
    return made, found
