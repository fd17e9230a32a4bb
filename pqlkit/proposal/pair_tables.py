"""The pair tables: how many snapshots each two literals share, by outcome; every bound of the search comes from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.proposal.bits import gram, singles, together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pqlkit.proposal.bits import Bits
    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.objective import Goal

_STRETCH: Final = 128
_FIRST_SINGLES: Final = 40
_FIRST_PAIRS: Final = 10
_NEAR: Final = 0.25
"""Pairs whose hits allow a score down to this much below the best are counted, for the front and the menu."""


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
    converters, snapshots
        Of the fit part.
    left_out
        How many literals are in no pair because that would be too much work.
    """

    bits: Bits
    hits: NDArray[np.float64]
    misses: NDArray[np.float64]
    allowed: NDArray[np.bool_]
    alone: NDArray[np.bool_]
    converters: float
    snapshots: float
    goal: Goal
    left_out: int = 0

    def among(self, rows: NDArray[np.intp]) -> Tables:
        """Keep these literals alone."""
        if len(rows) == len(self.hits):
            return self
        square = np.ix_(rows, rows)
        return replace(
            self,
            bits=replace(self.bits, hits=self.bits.hits[rows], others=self.bits.others[rows]),
            hits=self.hits[square],
            misses=self.misses[square],
            allowed=self.allowed[square],
            alone=self.alone[rows],
        )

    def score(self, hits: NDArray[np.float64], misses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Score by the objective."""
        return self.goal.objective.score(hits, misses, converters=self.converters, snapshots=self.snapshots)

    def keep(self, hits: NDArray[np.float64], misses: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell what keeps the constraints."""
        return self.goal.constraints.keep(hits, misses, converters=self.converters, snapshots=self.snapshots)

    def count_hits(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Count the converted snapshots of each row of literals."""
        return together(self.bits.hits, rows).astype(np.float64)

    def count_misses(self, rows: NDArray[np.intp], hits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Count the snapshots without a conversion, weighted; `hits` as counted before."""
        return self._weighted(together(self.bits.others, rows), hits)

    def sift_misses(
        self, rows: NDArray[np.intp], hits: NDArray[np.float64], wanted: Callable[..., NDArray[np.bool_]]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Count misses stretch by stretch, giving up on rows once ``wanted(hits, misses so far)`` is False.

        Returns
        -------
        tuple
            The rows (indices into `rows`) that stayed to the end, and their misses.
        """
        words = self.bits.others
        step = max(_STRETCH, words.shape[1] // 8 // _STRETCH * _STRETCH)
        left = np.arange(len(rows))
        counts = np.zeros(len(rows), dtype=np.int64)
        for start in range(0, words.shape[1], step):
            counts += together(words[:, start : start + step], rows[left])
            stay = wanted(hits[left], np.maximum(self._weighted(counts, hits[left]), 0.0))
            left, counts = left[stay], counts[stay]
        return left, self._weighted(counts, hits[left])

    def _weighted(self, counts: NDArray[np.int64], hits: NDArray[np.float64]) -> NDArray[np.float64]:
        misses = counts.astype(np.float64)
        return (misses - hits if self.bits.nested else misses) * self.bits.weight


def tables(
    bits: Bits,
    literals: Sequence[Literal],
    *,
    goal: Goal,
    others: NDArray[np.int64] | None = None,
    budget: float = np.inf,
) -> Tables:
    """Count all singles, and all pairs that can matter.

    Parameters
    ----------
    others
        ``gram(bits.others)`` where it is known already.
    budget
        How many words may be compared at most, about; literals whose pairs do not fit are left out, the least plain first.

    Returns
    -------
    Tables
        Not allowed are pairs of one group, and pairs with so few hits that neither they nor any triple with them could be
        the best of its size, or come near it, if not a single miss came with those hits. A literal with so few hits of its own
        has no such pair, and is not paired at all.
    """
    own = singles(bits.hits)
    codes = {group: code for code, group in enumerate(sorted({literal.group for literal in literals}))}
    groups = np.array([codes[literal.group] for literal in literals], dtype=np.int64)
    apart = groups[:, None] != groups[None, :]
    rest = np.diag(singles(bits.others)) if others is None else others
    counts = Tables(
        bits=bits,
        hits=np.diag(own).astype(np.float64),
        misses=_misses(bits, np.diag(own), rest),
        allowed=apart,
        alone=np.array([literal.trait is None for literal in literals], dtype=np.bool_),
        converters=float(bits.converters),
        snapshots=bits.converters + bits.controls * bits.weight,
        goal=goal,
    )
    fewest = _fewest(counts, _reached(counts) if budget else -np.inf)
    enough = np.flatnonzero(own >= fewest)
    rows = plainest(enough, literals, (2 * budget / bits.hits.shape[1]) ** 0.5)
    hits = np.diag(own)
    hits[np.ix_(rows, rows)] = gram(bits.hits[rows])
    allowed = apart & (hits >= fewest)
    np.fill_diagonal(allowed, val=False)
    fitting = _fitting(rows, literals, allowed, budget / bits.others.shape[1]) if others is None else rows
    unfit = np.setdiff1d(enough, fitting)
    allowed[unfit] = allowed[:, unfit] = False
    misses = _misses(bits, hits, gram(bits.others, allowed) if others is None else others)
    return replace(counts, hits=hits.astype(np.float64), misses=misses, allowed=allowed, left_out=len(unfit))


def _misses(bits: Bits, hits: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weight the snapshots without a conversion (where they were counted)."""
    misses = np.maximum(others - hits, 0) if bits.nested else others
    return misses.astype(np.float64) * bits.weight


def plainest(rows: NDArray[np.intp], literals: Sequence[Literal], most: float) -> NDArray[np.intp]:
    """Keep the plainest literals of `rows`, in their order, at most so many (but three)."""
    return rows if len(rows) <= most else np.sort(_by_plainness(rows, literals)[: max(3, int(most))])


def _by_plainness(rows: NDArray[np.intp], literals: Sequence[Literal]) -> NDArray[np.intp]:
    return np.array(sorted(rows.tolist(), key=lambda row: (literals[row].plainness, row)), dtype=np.intp)


def _fitting(
    rows: NDArray[np.intp], literals: Sequence[Literal], allowed: NDArray[np.bool_], pairs: float
) -> NDArray[np.intp]:
    """Keep the plainest literals of `rows` whose allowed pairs are not more than `pairs` together."""
    if allowed.sum() / 2 <= pairs:
        return rows
    ranked = _by_plainness(rows, literals)
    added = np.tril(allowed[np.ix_(ranked, ranked)]).sum(axis=1).cumsum()
    return plainest(rows, literals, int(np.searchsorted(added, pairs, side="right")))


def _fewest(counts: Tables, bar: float) -> float:
    """Give the fewest hits with which a rule without a miss scores near the bar."""
    fewest = float(counts.goal.constraints.converters)
    if not np.isfinite(bar):
        return fewest
    hits = np.arange(counts.converters + 1.0)
    enough = counts.score(hits, np.zeros_like(hits)) >= bar - _NEAR * abs(bar)
    return max(fewest, float(np.argmax(enough))) if enough.any() else counts.converters + 1


def _reached(counts: Tables) -> float:
    """Give a score that a pair surely reaches and a triple too, from a first look at the best singles; -inf if none is seen."""
    own = np.diagonal(counts.hits)
    best = np.argsort(-counts.score(own, np.diagonal(counts.misses)), kind="stable")[:_FIRST_SINGLES]
    first, second = np.nonzero(np.triu(counts.allowed[np.ix_(best, best)], 1))
    pairs = np.column_stack([best[first], best[second]])
    scores = _scores(counts, pairs)
    if not len(pairs) or not np.isfinite(scores.max()):
        return -np.inf
    good = pairs[np.argsort(-scores, kind="stable")[:_FIRST_PAIRS]]
    row, third = np.nonzero(counts.allowed[good[:, 0]] & counts.allowed[good[:, 1]])
    return float(min(scores.max(), _scores(counts, np.column_stack([good[row], third])).max(initial=-np.inf)))


def _scores(counts: Tables, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Count and score rules; -inf where a constraint is broken."""
    scores = np.full(len(rows), -np.inf)
    hits = counts.count_hits(rows)
    enough = np.flatnonzero(hits >= counts.goal.constraints.converters)
    rows, hits = rows[enough], hits[enough]
    misses = counts.count_misses(rows, hits)
    scores[enough] = np.where(counts.keep(hits, misses), counts.score(hits, misses), -np.inf)
    return scores
