"""The selection test: what the whole search finds when the outcome is shuffled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Cube
    from pqlkit.proposal.literals import Trait
    from pqlkit.proposal.objective import Constraints, Objective


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionTest:
    """The search's result against chance.

    Parameters
    ----------
    permutations
        How many were searched.
    as_good
        How many of them held a rule that scores at least as much as the real best.
    p_value
        (1 + as_good) / (1 + permutations); None without permutations.
    score, relative_risk
        Of the real best rule on the looks used.
    best_score, best_relative_risk
        The largest seen under any permutation; None if no rule passed the gates.
    looks
        How many were used: a random sample where there are very many.
    complete
        Whether every search was; if not, `as_good` may be too small.
    """

    permutations: int
    as_good: int
    p_value: float | None
    score: float | None
    relative_risk: float | None
    best_score: float | None
    best_relative_risk: float | None
    looks: int
    complete: bool


def selection_test(
    cube: Cube,
    y: NDArray[np.bool_],
    fit: NDArray[np.bool_],
    strata: NDArray[np.int64],
    *,
    objective: Objective,
    constraints: Constraints,
    entities: NDArray[np.int64] | None = None,
    exclude: Collection[str] = (),
    traits: Sequence[Trait] = (),
    max_criteria: int = 3,
    permutations: int = 19,
    max_seconds: float = 60.0,
    most_looks: int = 400_000,
    seed: int = 0,
) -> SelectionTest:
    """Shuffle the outcome within strata (block x age band), search again, and count how often chance does as well.

    Parameters
    ----------
    strata
        int64, one per look: outcomes are exchanged only within a stratum.
    """
    raise NotImplementedError
