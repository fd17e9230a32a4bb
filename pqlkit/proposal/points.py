"""The points card: few literals with whole points that add up to 100."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Cube
    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.search import Search


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """A scorecard.

    Parameters
    ----------
    literals
        At most six, one per event, the most points first.
    points
        Whole numbers, at least 1 each, adding up to 100.
    pql_at
        The least sum that makes a PQL: best by the objective on the fit part, of those that keep the constraints; None if
        none does (then the card only ranks).
    """

    literals: tuple[Literal, ...]
    points: tuple[int, ...]
    pql_at: int | None


def points_card(
    cube: Cube, y: NDArray[np.bool_], fit: NDArray[np.bool_], found: Search, *, most: int = 6, seed: int = 0
) -> Points | None:
    """Fit a card on the fit part; None if no literal goes with converting."""
    raise NotImplementedError


def total(cube: Cube, card: Points) -> NDArray[np.int64]:
    """Add up each look's points: 0..100."""
    raise NotImplementedError


def prefer_points(
    card: Points, cube: Cube, y: NDArray[np.bool_], holdout: NDArray[np.bool_], rule: NDArray[np.bool_]
) -> bool:
    """Tell whether the card should be the definition.

    That is when, on the holdout, its average precision beats the rule's by more than 20 % and its F1 at `pql_at` is no worse.
    """
    raise NotImplementedError
