"""The rule: literals that must all hold, and what it counted on the fit part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pqlkit.proposal.literals import roundness

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        Snapshots of the fit part that meet it, and those of them that converted.
    score
        By the objective of the search, on the fit part.
    """

    literals: tuple[Literal, ...]
    qualified: int
    converted: int
    score: float

    @property
    def rate(self) -> float:
        """Converted / qualified."""
        return self.converted / self.qualified

    @property
    def plainness(self) -> tuple[int, int, int, int, tuple[str, ...]]:
        """Sorts the plainer rule first: fewer criteria, rounder and smaller thresholds, fewer windows, then names."""
        return plainness(self.literals)


def plainness(literals: Sequence[Literal]) -> tuple[int, int, int, int, tuple[str, ...]]:
    """Sort key of a rule by how plainly it reads, for ties of the score."""
    windows = {literal.behaviour.window for literal in literals if literal.behaviour is not None}
    return (
        len(literals),
        sum(roundness(literal.threshold) for literal in literals),
        len(windows),
        sum(literal.threshold or 0 for literal in literals),
        tuple(literal.plainness[-1] for literal in literals),
    )


def holds(cube: Cube, literals: Sequence[Literal], traits: Sequence[Trait] = ()) -> NDArray[np.bool_]:
    """Tell at which snapshots all literals hold (bool, one per snapshot)."""
    met = np.ones(cube.snapshots, dtype=np.bool_)
    for literal in literals:
        if literal.trait is not None:
            met &= traits[literal.column].holds
            continue
        rows, levels = cube.column(literal.column)
        here = np.zeros(cube.snapshots, dtype=np.bool_)
        here[rows[levels >= literal.level]] = True
        met &= here
    return met
