"""The search: the best rule of one to three literals, with the proof that none is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Cube
    from pqlkit.proposal.bits import Bits
    from pqlkit.proposal.literals import Literal, Trait
    from pqlkit.proposal.objective import Constraints, Objective
    from pqlkit.proposal.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Search:
    """What a search found.

    Parameters
    ----------
    rules
        The best first, each keeping the constraints; empty if none does. Counts are of all looks of the fit part, also
        when the search ran on a sample.
    front
        All rules known that no other known rule beats in both rate and coverage, by rising coverage.
    best_of_size
        The best rule of 1, 2 and 3 literals (absent: none keeps the constraints).
    complete
        Whether every rule over these literals was counted or proved to be no better than ``rules[0]`` (on the sample, if
        there is one); False: stopped by the clock.
    seconds
        Time taken.
    considered
        How many rules the literals make.
    counted
        How many of them were counted, the others excluded by bounds.
    literals, bits, objective, constraints, traits
        What was searched, and by what.
    looks, converters
        Of the fit part.
    """

    rules: tuple[Rule, ...]
    front: tuple[Rule, ...]
    best_of_size: dict[int, Rule]
    complete: bool
    seconds: float
    considered: int
    counted: int
    literals: tuple[Literal, ...]
    bits: Bits
    objective: Objective
    constraints: Constraints
    traits: tuple[Trait, ...]
    looks: int
    converters: int


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
    max_seconds: float = 20.0,
    seed: int = 0,
    keep: int = 500,
) -> Search:
    """Find the best rules over these literals.

    Parameters
    ----------
    cube, y, fit, literals, traits
        As for `pqlkit.proposal.literals.literals`.
    objective, constraints
        What is best, and what counts at all.
    max_criteria
        1, 2 or 3.
    max_seconds
        After this long the best so far is given, with `complete` False.
    seed
        Shuffles the looks and draws the sample of controls.
    keep
        How many rules to give at most.

    Notes
    -----
    Singles and pairs are all counted. A triple is counted unless bounds from the pair tables show that it cannot score as
    much as the best rule known: it has no more hits than its least pair, and no fewer misses than inclusion and exclusion
    leave. Ties go to fewer literals, rounder and smaller thresholds, then names.
    """
    raise NotImplementedError
