"""The pool: the rules counted so far that may still be wanted, in arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pqlkit.proposal.pair_tables import Tables


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """Rules of one size that keep the constraints: literals (n, size), hits, misses and score of each."""

    parts: NDArray[np.intp]
    hits: NDArray[np.float64]
    misses: NDArray[np.float64]
    scores: NDArray[np.float64]

    @property
    def best(self) -> float:
        """The best score, -inf if the pool is empty."""
        return float(self.scores.max(initial=-np.inf))

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Pool:
        """Keep these rows."""
        return Pool(parts=self.parts[rows], hits=self.hits[rows], misses=self.misses[rows], scores=self.scores[rows])

    def thinned(self, keep: int) -> Pool:
        """Keep the best `keep` (and their equals) and the front; the order of rows is kept."""
        if len(self.scores) <= keep:
            return self
        bar = np.partition(self.scores, -keep)[-keep]
        wanted = self.scores >= bar
        wanted[front(self.hits, self.misses)] = True
        return self.take(wanted)


def counted(tables: Tables, parts: NDArray[np.intp], hits: NDArray[np.float64], misses: NDArray[np.float64]) -> Pool:
    """Score counted rules and keep those that keep the constraints."""
    kept = tables.keep(hits, misses)
    hits, misses = hits[kept], misses[kept]
    return Pool(parts=parts[kept], hits=hits, misses=misses, scores=tables.score(hits, misses))


def joined(pools: Sequence[Pool], size: int) -> Pool:
    """Put pools of one size together."""
    empty = np.zeros(0)
    return Pool(
        parts=np.concatenate([np.zeros((0, size), dtype=np.intp), *(pool.parts for pool in pools)]),
        hits=np.concatenate([empty, *(pool.hits for pool in pools)]),
        misses=np.concatenate([empty, *(pool.misses for pool in pools)]),
        scores=np.concatenate([empty, *(pool.scores for pool in pools)]),
    )


def front(hits: NDArray[np.float64], misses: NDArray[np.float64]) -> NDArray[np.intp]:
    """Find the rules that no other beats in both recall and rate, by rising recall; of equals the first."""
    rates = hits / np.maximum(hits + misses, 1.0)
    order = np.lexsort((-rates, -hits))
    best_before = np.concatenate([[-1.0], np.maximum.accumulate(rates[order])[:-1]]) if len(order) else rates
    return order[rates[order] > best_before][::-1]
