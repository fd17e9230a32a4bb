"""Cross-fitting: the search repeated without each fold, its choice counted on the fold it has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Cube
    from pqlkit.proposal.literals import Trait
    from pqlkit.proposal.objective import Objective


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossFit:
    """What the search's choices did where they were not chosen, added up over the folds.

    Parameters
    ----------
    looks, converters
        All of them.
    qualified, converted
        By the rule that the other folds chose.
    folds, without
        How many folds, and in how many nothing was found (their looks count as not qualified).
    """

    looks: int
    converters: int
    qualified: int
    converted: int
    folds: int
    without: int


def cross_fit(
    cube: Cube,
    y: NDArray[np.bool_],
    folds: NDArray[np.int64],
    *,
    objective: Objective,
    entities: NDArray[np.int64] | None = None,
    exclude: Collection[str] = (),
    traits: Sequence[Trait] = (),
    max_criteria: int = 2,
    max_seconds: float = 20.0,
    seed: int = 0,
) -> CrossFit:
    """Search without each fold in turn, thresholds and floors included, and count the choice on the fold."""
    raise NotImplementedError
