"""Triples: count the rules of three literals that can still beat the best known one, by bounds from the pair tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.proposal.pool import Pool, counted, joined
from pqlkit.typing import Share

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pqlkit.proposal.pair_tables import Tables

_BATCH: Final = 8_192
_LARGEST: Final = 65_536
_FIRST: Final = 50
_ROUNDING: Final = 1e-12
_ROWS: Final = 128
"""Partners looked at together with all that follow them: what is known of their pairs stays in fast memory."""

_FEWER: Final = 0.9
"""Pairs that no triple may hold are looked for again as long as fewer than this are left of them."""

_TOLD: Final = 16
"""After so many literals it is said how many are done."""

_HALF: Final = 2.0**-21
"""What rounding to single precision may take from a bound, as a share of all snapshots."""


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
    say
        Is told which share of the literals is done.
    """

    tables: Tables
    floor: float
    most: float
    keep: int
    say: Callable[[str], None] | None = None
    complete: bool = True
    judged: int = 0
    counted: int = 0
    bar: float = -np.inf
    pools: list[Pool] = field(default_factory=list)
    _fewest: tuple[float, int] | None = None
    _misses: NDArray[np.float32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Round the misses of all pairs: they are read over and over, and bounds need not be exact."""
        self._misses = self.tables.misses.astype(np.float32)

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
        order = np.argsort(self._usable().sum(axis=1), kind="stable")
        left = np.ones(len(order), dtype=np.bool_)
        bar, usable, room = self.bar, *self._room()
        waiting: list[NDArray[np.intp]] = []
        for place, literal in enumerate(order):
            if self.say is not None and place % _TOLD == 0:
                self.say(Share("searching rules", place, len(order)))
            if self.judged > self.most:
                self.complete = False
                return
            if bar != self.bar:
                bar, usable, room = self.bar, *self._room()
            left[literal] = False
            partners = np.flatnonzero(left & usable[literal])
            if len(partners) > 1:
                waiting.append(self._promising(int(literal), partners, room))
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

    def _room(self) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Give the pairs that some triple as good as the bar may hold, and how many misses their hits leave room for.

        The room of a pair stands above the diagonal; elsewhere, and for other pairs, it is -inf.
        """
        tables = self.tables
        hits = np.arange(tables.converters + 1.0)
        low, high = np.zeros_like(hits), np.full_like(hits, np.ceil(tables.snapshots))
        while (low < high).any():
            middle = np.ceil((low + high) / 2)
            reached = self._reaches(hits, middle)
            low, high = np.where(reached, middle, low), np.where(reached, high, middle - 1)
        # Weighted misses are no whole numbers.
        most = np.maximum.accumulate(low + (tables.bits.weight != 1.0)) + _HALF * tables.snapshots
        room = np.where(self._usable(), most.astype(np.float32)[tables.hits.astype(np.intp)], np.float32(-np.inf))
        usable = room > -np.inf
        before, now = np.inf, int(usable.sum())
        while now < _FEWER * before:
            # A third literal takes away no more misses than it leaves out of those of either literal.
            fewest = np.where(usable, self._misses, np.inf).min(axis=1, initial=np.inf)
            spared = fewest - np.diagonal(self._misses)
            usable &= self._misses + np.maximum(spared[:, None], spared) <= room
            room[~usable] = -np.inf
            before, now = now, int(usable.sum())
        np.copyto(room, -np.inf, where=np.tri(len(room), dtype=np.bool_))
        return usable, room

    def _promising(self, literal: int, partners: NDArray[np.intp], room: NDArray[np.float32]) -> NDArray[np.intp]:
        """List the triples of a literal with two of `partners` that the pair tables do not rule out, (n, 3).

        A triple has as few hits as any of its pairs, so none has more misses to spare than `room` leaves to its poorest pair.
        """
        own, single = self._misses[literal, partners], np.diagonal(self._misses)
        spare = own - single[partners]
        beside = own - single[literal]
        spared = np.maximum(room[literal, partners], room[partners, literal])
        pairs = []
        for start in range(0, len(partners), _ROWS):
            rows = slice(start, start + _ROWS)
            square = np.ix_(partners[rows], partners[start:])
            most, least = room[square], self._misses[square]
            self.judged += int(np.count_nonzero(most > -np.inf))
            np.minimum(most, spared[rows, None], out=most)
            np.minimum(most, spared[start:], out=most)
            # As `_least` has it.
            least += np.maximum(spare[rows, None], spare[start:])
            np.maximum(least, own[rows, None] + beside[start:], out=least)
            pairs.append(np.argwhere(least <= most) + start)
        first, second = partners[np.concatenate(pairs)].T
        kept = self._possible(literal, first, second)
        return np.column_stack([np.full(int(kept.sum()), literal), first[kept], second[kept]])

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
