"""The same search, one rule at a time: every single, pair and triple is counted by boolean arrays."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from pqlkit.proposal.rule import Rule, holds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Cube
    from pqlkit.proposal.literals import Literal, Trait
    from pqlkit.proposal.objective import Constraints, Objective


def best_of_size(
    cube: Cube,
    y: NDArray[np.bool_],
    fit: NDArray[np.bool_],
    literals: Sequence[Literal],
    *,
    objective: Objective,
    constraints: Constraints,
    traits: Sequence[Trait] = (),
    max_criteria: int = 3,
) -> dict[int, Rule]:
    columns = {literal: holds(cube, [literal], traits) & fit for literal in literals}
    totals = {"converters": float((fit & y).sum()), "snapshots": float(fit.sum())}
    best: dict[int, Rule] = {}
    for size in range(1, max_criteria + 1):
        rules = []
        for parts in combinations(literals, size):
            groups = {literal.group for literal in parts}
            if len(groups) < size or groups == {("trait", "")}:
                continue
            met = np.logical_and.reduce([columns[literal] for literal in parts])
            hits, misses = np.array([float((met & y).sum())]), np.array([float((met & ~y).sum())])
            if constraints.keep(hits, misses, **totals)[0]:
                score = float(objective.score(hits, misses, **totals)[0])
                rules.append(Rule(literals=parts, qualified=int(met.sum()), converted=int(hits[0]), score=score))
        if rules:
            best[size] = min(rules, key=lambda rule: (-rule.score, rule.plainness))
    return best
