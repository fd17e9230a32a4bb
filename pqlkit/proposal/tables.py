"""The pair tables: how many looks each two literals share, by outcome; every bound of the search comes from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pqlkit.proposal.bits import gram, together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pqlkit.proposal.bits import Bits
    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.objective import Constraints, Objective


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tables:
    """Singles (on the diagonal) and pairs, and what judges them.

    Parameters
    ----------
    hits, misses
        float64 (literals, literals); misses carry the weight of sampled controls.
    allowed
        bool (literals, literals): may stand in one rule.
    alone
        bool, one per literal: is a rule by itself (a trait is not).
    converters, looks
        Of the fit part.
    """

    bits: Bits
    hits: NDArray[np.float64]
    misses: NDArray[np.float64]
    allowed: NDArray[np.bool_]
    alone: NDArray[np.bool_]
    converters: float
    looks: float
    objective: Objective
    constraints: Constraints

    def score(self, hits: NDArray[np.float64], misses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Score by the objective."""
        return self.objective.score(hits, misses, converters=self.converters, looks=self.looks)

    def keep(self, hits: NDArray[np.float64], misses: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell what keeps the constraints."""
        return self.constraints.keep(hits, misses, converters=self.converters, looks=self.looks)

    def count_hits(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Count the converted looks of each row of literals."""
        return together(self.bits.hits, rows).astype(np.float64)

    def count_misses(self, rows: NDArray[np.intp], hits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Count the looks without a conversion, weighted; `hits` as counted before."""
        counts = together(self.bits.others, rows)
        return (counts - hits if self.bits.nested else counts) * self.bits.weight


def tables(
    bits: Bits,
    literals: Sequence[Literal],
    *,
    objective: Objective,
    constraints: Constraints,
    others: NDArray[np.int64] | None = None,
) -> Tables:
    """Count all singles and pairs.

    Parameters
    ----------
    others
        ``gram(bits.others)`` where it is known already.
    """
    hits = gram(bits.hits)
    rest = gram(bits.others) if others is None else others
    misses = (rest - hits if bits.nested else rest) * bits.weight
    codes = {group: code for code, group in enumerate(sorted({literal.group for literal in literals}))}
    groups = np.array([codes[literal.group] for literal in literals], dtype=np.int64)
    return Tables(
        bits=bits,
        hits=hits.astype(np.float64),
        misses=misses.astype(np.float64),
        allowed=groups[:, None] != groups[None, :],
        alone=np.array([literal.trait is None for literal in literals], dtype=np.bool_),
        converters=float(bits.converters),
        looks=bits.converters + bits.controls * bits.weight,
        objective=objective,
        constraints=constraints,
    )
