"""Searches that several tests look at."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pqlkit.measures.crossings import Line, Stretches
from pqlkit.proposal.comparable import Activity
from pqlkit.proposal.fit_view import FitView, Part
from pqlkit.proposal.literals import literals
from pqlkit.proposal.lives import NEVER, Lives
from pqlkit.proposal.objective import Constraints, Goal, Objective
from pqlkit.proposal.problem import Problem
from pqlkit.proposal.rule import holds
from pqlkit.proposal.search import search as find
from pqlkit.proposal.standings import Standings, bounds_of
from tests.proposal.worlds import World, world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Cube
    from pqlkit.proposal.literals import Literal, Trait
    from pqlkit.proposal.points import Points
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
    max_rules: float = np.inf,
) -> Search:
    """Search snapshots in memory, by an objective and bounds of one's own."""
    problem = Problem(cube=cube, y=y, traits=tuple(traits), seed=seed, max_rules=max_rules)
    goal = Goal(objective=objective, constraints=constraints, max_criteria=max_criteria)
    return find(problem, fit, literals, goal=goal, keep=keep)


@cache
@lru_cache(maxsize=4)
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


def standings(made: World, found: Search, fit: NDArray[np.bool_] | None = None) -> Standings:
    """Read the rules of a search as qualifications of entities that are looked at once: there both count the same."""
    return standings_in(made.cube, made.y, parts(made)[0] if fit is None else fit, found)


def standings_in(
    cube: Cube,
    y: NDArray[np.bool_],
    fit: NDArray[np.bool_],
    found: Search,
    traits: Sequence[Trait] = (),
    /,
    **bounds: float,
) -> Standings:
    """Read rules over snapshots in memory: what holds at one begins at the moment 1, and who converts does so at 3."""
    numbers = np.arange(cube.snapshots)
    line = Line(first=0, entities=cube.snapshots, zero=0, bits=4)
    spells: list[Stretches | None] = []
    for literal in found.literals:
        if literal.trait is not None:
            spells.append(None)
            continue
        on = line.places(numbers[holds(cube, [literal])], np.ones(1, dtype=np.int64))
        spells.append(Stretches(on, on | 15))
    nothing = np.zeros(cube.snapshots, dtype=np.int64)
    converted = np.where(y, 3, NEVER)
    lives = Lives(
        anchor=nothing,
        converted=converted,
        counted=converted,
        able=fit,
        seen_from=nothing,
        cluster=numbers,
        window=4,
        waits=4,
        gap=0,
        last=2,
    )
    view = FitView(
        literals=found.literals,
        lives=lives,
        activity=Activity(entity=numbers, at=nothing + 1),
        lines=(line,),
        spells=(tuple(spells),),
        held={
            place: holds(cube, [literal], traits)
            for place, literal in enumerate(found.literals)
            if literal.trait is not None
        },
        reach=(0,) * len(found.literals),
        begin=0,
        before=100,
        part=Part(),
        tiles=None,
        scale=1.0,
    )
    return Standings.of(
        found,
        view,
        objective=found.goal.objective,
        bounds=bounds_of(view.converters, **bounds),
        max_criteria=found.goal.max_criteria,
    )


def total(cube: Cube, card: Points) -> NDArray[np.int64]:
    """Add up each snapshot's points: 0..100."""
    sums = np.zeros(cube.snapshots, dtype=np.int64)
    for literal, points in zip(card.literals, card.points, strict=True):
        sums[holds(cube, [literal])] += points
    return sums
