"""The difference: how much more one rule scores than another on the same snapshots, and its standard error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.result import Search

REPLICATES: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The score of one rule less that of another, by the search's objective, and its bootstrap standard error (0: same snapshots)."""

    value: float
    error: float


def difference(
    search: Search, left: Sequence[Literal], right: Sequence[Literal], *, replicates: int = REPLICATES, seed: int = 0
) -> Difference:
    """Compare two rules on the snapshots that were searched.

    Parameters
    ----------
    search
        A search that has the literals of both; its bits say who meets what.
    left, right
        The literals of the two rules.
    replicates, seed
        Of the bootstrap, which draws the eight cells (meets one x meets the other x converted) anew: the two rules are read on
        the same snapshots, so that what they share cancels out.

    References
    ----------
    Efron, B. & Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapman & Hall, New York; section 10.3.
    """
    return of_snapshots(search, meets(search, left), meets(search, right), replicates=replicates, seed=seed)


def of_snapshots(
    search: Search,
    left: NDArray[np.uint64],
    right: NDArray[np.uint64],
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Difference:
    """Compare as `difference` does, where it is known already who meets what (`meets`).

    Parameters
    ----------
    search
        The search.
    left, right
        Who meets each of the two rules, as `meets` gives it.
    replicates, seed
        How many samples are drawn, and from which seed.
    """
    cells = _cells(search, left, right)
    total = int(cells.sum())
    drawn = np.random.default_rng(seed).multinomial(total, cells.ravel() / total, size=replicates)
    draws = drawn.reshape(replicates, 2, 2, 2).astype(np.float64)
    real = cells.reshape(1, 2, 2, 2).astype(np.float64)
    return Difference(value=float(_less(search, real)[0]), error=float(np.std(_less(search, draws), ddof=1)))


def meets(search: Search, literals: Sequence[Literal]) -> NDArray[np.uint64]:
    """Give the searched snapshots at which all literals hold: words of the converted, then of the others."""
    rows = search.places(literals)
    bits = search.bits
    return np.concatenate([np.bitwise_and.reduce(bits.hits[rows]), np.bitwise_and.reduce(bits.others[rows])])


def _cells(search: Search, left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Count converted (1) or not (0) x meets the one x meets the other."""
    start, bits = search.bits.hits.shape[1], search.bits
    cells = np.zeros((2, 2, 2), dtype=np.int64)
    for converted, part, all_ in ((1, slice(0, start), bits.converters), (0, slice(start, None), bits.controls)):
        both, own, other = (
            int(np.bitwise_count(words[part]).sum(dtype=np.int64)) for words in (left & right, left, right)
        )
        cells[converted] = [[all_ - own - other + both, other - both], [own - both, both]]
    return cells


def _less(search: Search, cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Score of the one less score of the other, for each table (n, converted, one, other)."""
    weight = search.bits.weight
    hits, misses = cells[:, 1], cells[:, 0] * weight
    scores = []
    converters = hits.sum(axis=(1, 2))
    snapshots = converters + misses.sum(axis=(1, 2))
    for axis in (2, 1):
        met, missed = hits.sum(axis=axis)[:, 1], misses.sum(axis=axis)[:, 1]
        scores.append(search.goal.objective.score(met, missed, converters=converters, snapshots=snapshots))
    return scores[0] - scores[1]
