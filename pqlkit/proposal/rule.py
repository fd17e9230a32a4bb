"""The rule: literals that must all hold, and what it counted on the fit part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Cube
    from pqlkit.proposal.literals import Literal, Trait


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One to three literals, all of which must hold.

    Parameters
    ----------
    literals
        In reading order; at most one per event and at most one trait, never a trait alone.
    qualified, converted
        Looks of the fit part that meet it, and those of them that converted.
    score
        By the objective of the search, on the fit part.
    """

    literals: tuple[Literal, ...]
    qualified: int
    converted: int
    score: float


def holds(cube: Cube, literals: Sequence[Literal], traits: Sequence[Trait] = ()) -> NDArray[np.bool_]:
    """Tell at which looks all literals hold (bool, one per look)."""
    raise NotImplementedError
