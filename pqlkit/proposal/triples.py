"""Triples: count the rules of three literals that can still beat the best known one, by bounds from the pair tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.proposal.pool import Pool, counted, joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pqlkit.proposal.pair_tables import Tables

_BATCH: Final = 8_192
_LARGEST: Final = 65_536
_FIRST: Final = 50
_ROUNDING: Final = 1e-12


@dataclass(slots=True, kw_only=True, eq=False)
class Triples:
    """The state of the search over triples.

    Parameters
    ----------
    tables
        Counts of singles and pairs.
    floor
        Triples that cannot score at least this are not scanned for (-inf: the best triple, whatever it scores).
    most
        How many triples may be judged; the search stops there.
    keep
        How many triples are wanted.
    """

    tables: Tables
    floor: float
    most: float
    keep: int
    complete: bool = True
    judged: int = 0
    counted: int = 0
    bar: float = -np.inf
    pools: list[Pool] = field(default_factory=list)
    _fewest: tuple[float, int] | None = None

    def run(self, pairs: Pool) -> Pool:
        """Count every triple that the bounds leave; start from the best pairs, so that the bar is high early."""
        if len(self.tables.hits) < 3:
            return joined([], 3)
        self._extend(pairs)
        self.bar = max(self.bar, self.floor)
        self._scan()
        pool = joined(self.pools, 3)
        # The best was met twice: among the extensions, and by the scan for what is no worse.
        return pool.take(self._distinct(pool.parts)).thinned(self.keep)

    def _extend(self, pairs: Pool) -> None:
        """Count all extensions of the best pairs."""
        best = pairs.parts[np.argsort(-pairs.scores, kind="stable")[:_FIRST]]
        allowed = self.tables.allowed
        third = allowed[best[:, 0]] & allowed[best[:, 1]]
        row, literal = np.nonzero(third)
        parts = np.sort(np.column_stack([best[row], literal]), axis=1)
        self._count(parts[self._distinct(parts)])

    def _distinct(self, parts: NDArray[np.intp]) -> NDArray[np.intp]:
        """Find the first of equal rows, in the order of their literals."""
        size = len(self.tables.hits)
        numbers = (parts[:, 0] * size + parts[:, 1]) * size + parts[:, 2]
        first: NDArray[np.intp] = np.unique(numbers, return_index=True)[1]
        return first

    def _scan(self) -> None:
        """Go through all literals; each triple is met once, at the first of its literals in the order taken."""
        usable = self._usable()
        order = np.argsort(usable.sum(axis=1), kind="stable")
        left = np.ones(len(order), dtype=np.bool_)
        bar, upper = self.bar, np.triu(usable, 1)
        waiting: list[NDArray[np.intp]] = []
        for literal in order:
            if self.judged > self.most:
                self.complete = False
                return
            if bar != self.bar:
                bar, usable = self.bar, self._usable()
                upper = np.triu(usable, 1)
            left[literal] = False
            partners = np.flatnonzero(left & usable[literal])
            if len(partners) > 1:
                waiting.append(self._promising(int(literal), partners, upper))
            if sum(map(len, waiting)) >= _BATCH:
                self._count(np.concatenate(waiting))
                waiting = []
        if waiting:
            self._count(np.concatenate(waiting))

    def _usable(self) -> NDArray[np.bool_]:
        """Tell which pairs have hits enough for the bar."""
        return self.tables.allowed & self._worth(self.tables.hits)

    def _worth(self, hits: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell whether so many hits could reach the bar if not a single miss came with them."""
        if self._fewest is None or self._fewest[0] != self.bar:
            # More hits score more: one number for all that is asked until the bar rises.
            counts = np.arange(self.tables.converters + 1.0)
            enough = self._reaches(counts, np.zeros_like(counts)) & (counts >= self.tables.goal.constraints.converters)
            self._fewest = (self.bar, int(np.argmax(enough)) if enough.any() else len(counts))
        return hits >= self._fewest[1]

    def _reaches(self, hits: NDArray[np.float64], misses: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell whether so many hits and misses score as much as the bar, but for rounding."""
        if not np.isfinite(self.bar):
            return np.ones(hits.shape, dtype=np.bool_)
        return self.tables.score(hits, misses) >= self.bar - _ROUNDING * abs(self.bar)

    def _promising(self, literal: int, partners: NDArray[np.intp], upper: NDArray[np.bool_]) -> NDArray[np.intp]:
        """List the triples of a literal with two of `partners` that the pair tables do not rule out, (n, 3).

        `upper` holds the pairs with hits enough, each once: a triple has as few hits as any of its pairs, so all three have them.
        """
        first, second = np.nonzero(upper[np.ix_(partners, partners)])
        left, right = partners[first], partners[second]
        self.judged += len(left)
        kept = self._possible(literal, left, right)
        left, right = left[kept], right[kept]
        return np.column_stack([np.full(len(left), literal), left, right])

    def _possible(self, literal: int, left: NDArray[np.intp], right: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Judge triples by the most hits and the fewest misses that their pairs leave."""
        tables = self.tables
        single = np.diagonal(tables.hits)
        first, second, third = tables.hits[literal, left], tables.hits[literal, right], tables.hits[left, right]
        # Those in none of the three are not fewer than 0: inclusion and exclusion bounds the triple from above.
        inside = tables.converters - (single[literal] + single[left] + single[right]) + first + second + third
        hits = np.minimum(np.minimum(first, second), np.minimum(third, inside))
        least = _least(tables.misses, literal, left, right)
        most = np.minimum(
            np.minimum(tables.misses[literal, left], tables.misses[literal, right]), tables.misses[left, right]
        )
        kept = self._reaches(hits, least)
        kept &= tables.goal.constraints.possible(
            hits, least, least, hits + most, converters=tables.converters, snapshots=tables.snapshots
        )
        return kept

    def _count(self, parts: NDArray[np.intp]) -> None:
        """Count triples batch by batch, as long as there are rules left to judge."""
        for start in range(0, len(parts), _LARGEST):
            if start and self.judged > self.most:
                self.complete = False
                return
            self.judged += len(parts[start : start + _LARGEST])
            self._count_batch(parts[start : start + _LARGEST])

    def _count_batch(self, parts: NDArray[np.intp]) -> None:
        """Count the cheap hits first, the misses only of those that still can reach the bar."""
        tables = self.tables
        hits = tables.count_hits(parts)
        least = _least(tables.misses, parts[:, 0], parts[:, 1], parts[:, 2])
        kept = self._worth(hits) & self._reaches(hits, least)
        parts, hits = parts[kept], hits[kept]
        self.counted += len(parts)
        left, misses = tables.sift_misses(parts, hits, self._reaches)
        pool = counted(tables, np.sort(parts[left], axis=1), hits[left], misses)
        self.bar = max(self.bar, pool.best)
        self.pools.append(pool)
        if sum(len(pool.scores) for pool in self.pools) > 50 * self.keep:
            self.pools = [joined(self.pools, 3).thinned(self.keep)]


def _least(
    misses: NDArray[np.float64],
    literal: int | NDArray[np.intp],
    left: NDArray[np.intp],
    right: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Give the fewest misses that a triple can have: what two of its pairs must share within a literal."""
    first, second, third = misses[literal, left], misses[literal, right], misses[left, right]
    least = np.maximum(first + second - misses[literal, literal], first + third - misses[left, left])
    least = np.maximum(least, second + third - misses[right, right])
    fewest: NDArray[np.float64] = np.maximum(least, 0.0)
    return fewest
