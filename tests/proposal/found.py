"""Searches that several tests look at."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from pqlkit.proposal.literals import literals
from pqlkit.proposal.objective import Constraints, Goal, Objective
from pqlkit.proposal.problem import Problem
from pqlkit.proposal.search import search as find
from tests.proposal.worlds import World, world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Cube
    from pqlkit.proposal.literals import Literal, Trait
    from pqlkit.proposal.result import Search


def parts(made: World) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Give the earlier three quarters, and the rest."""
    fit = np.arange(made.cube.snapshots) < made.cube.snapshots * 3 // 4
    return fit, ~fit


def search(
    cube: Cube,
    y: NDArray[np.bool_],
    fit: NDArray[np.bool_],
    literals: Sequence[Literal],
    *,
    objective: Objective,
    constraints: Constraints,
    traits: Sequence[Trait] = (),
    max_criteria: int = 3,
    seed: int = 0,
    keep: int = 500,
    max_seconds: float = 20.0,
) -> Search:
    """Search snapshots in memory, by an objective and bounds of one's own."""
    problem = Problem(cube=cube, y=y, traits=tuple(traits), seed=seed, max_seconds=max_seconds)
    goal = Goal(objective=objective, constraints=constraints, max_criteria=max_criteria)
    return find(problem, fit, literals, goal=goal, keep=keep)


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
