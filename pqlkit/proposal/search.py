"""The search: the best rule of one to three literals, with the proof that none is better."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.errors import UsageError
from pqlkit.proposal.bits import pack, together
from pqlkit.proposal.headline import preferred
from pqlkit.proposal.literals import views
from pqlkit.proposal.pool import Pool, counted, front
from pqlkit.proposal.rule import Rule
from pqlkit.proposal.tables import Tables, plainest, tables
from pqlkit.proposal.triples import Triples

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from pqlkit.measures.behaviour import Cube
    from pqlkit.proposal.bits import Bits
    from pqlkit.proposal.literals import Literal, Trait
    from pqlkit.proposal.objective import Constraints, Objective

MOST_CRITERIA: Final = 3

_WORDS_A_SECOND: Final = 0.15e9
"""Pairs of words that one core surely compares in a second; only sets how many pairs of literals a short time allows."""

_MOST_LITERALS: Final = 5_000
"""The tables of all pairs of more would not fit in memory."""

_KEEP_PLAIN: Final = 50
"""Rules kept of a narrower vocabulary, of which only the best is wanted."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Search:
    """What a search found.

    Parameters
    ----------
    rules
        The best first, each keeping the constraints; empty if none does. Counts are of all snapshots of the fit part, also
        when the search ran on a sample.
    front
        All rules known that no other known rule beats in both rate and recall, by rising recall. Singles and pairs are
        all known, triples those that came near the best.
    best_of_size
        The best rule of 1, 2 and 3 literals (absent: none keeps the constraints).
    plainer
        How many literals each vocabulary narrower than that of the best rule has (`pqlkit.proposal.literals.View`), and its
        best rule: named events alone and, where the best rule beats those, what looks at named events indirectly. None in
        which nothing keeps the constraints.
    in_time
        Whether the search came to its end; False: stopped by the clock.
    left_out
        How many literals were paired with no other, the least plain ones: there was no time for all pairs.
    seconds
        Time taken.
    considered
        How many rules the literals make.
    counted
        How many of them were counted, the others excluded by bounds.
    literals, bits, objective, constraints, traits
        What was searched, and by what.
    snapshots, converters
        Of the fit part.
    """

    rules: tuple[Rule, ...]
    front: tuple[Rule, ...]
    best_of_size: dict[int, Rule]
    plainer: tuple[tuple[int, Rule], ...]
    in_time: bool
    left_out: int
    seconds: float
    considered: int
    counted: int
    literals: tuple[Literal, ...]
    bits: Bits = field(repr=False)
    objective: Objective
    constraints: Constraints
    traits: tuple[Trait, ...] = field(repr=False)
    snapshots: int
    converters: int

    @property
    def best(self) -> Rule | None:
        """The best rule, or None."""
        return self.rules[0] if self.rules else None

    @property
    def complete(self) -> bool:
        """Whether every rule was counted or proved to be no better than the best of its size (on the sample, if there is one)."""
        return self.in_time and not self.left_out

    @cached_property
    def _places(self) -> dict[tuple[bool, int, int], int]:
        return {_key(literal): place for place, literal in enumerate(self.literals)}

    def places(self, literals: Sequence[Literal]) -> list[int]:
        """Give where in `literals` (and in the bits) each of these stands.

        Raises
        ------
        KeyError
            It is none of the literals searched.
        """
        return [self._places[_key(literal)] for literal in literals]


def _key(literal: Literal) -> tuple[bool, int, int]:
    """Tell literals of one search apart (comparing them whole takes a second for a few thousand)."""
    return literal.trait is not None, literal.column, literal.level


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explored:
    """The pools of rules by size (1, 2, 3), and how far the exploration got."""

    pools: dict[int, Pool]
    complete: bool
    counted: int
    converters: float
    snapshots: float

    @property
    def best(self) -> float:
        """The best score of any size, -inf if nothing keeps the constraints."""
        return max((pool.best for pool in self.pools.values()), default=-np.inf)

    @property
    def relative_risk(self) -> float | None:
        """Of the best rule; None if there is none, or nobody without it converted."""
        pool = max(self.pools.values(), key=lambda pool: pool.best)
        if not len(pool.scores):
            return None
        index = int(np.argmax(pool.scores))
        hits, misses = float(pool.hits[index]), float(pool.misses[index])
        without = (self.converters - hits) / (self.snapshots - hits - misses)
        return hits / (hits + misses) / without if without else None


def explore(
    counts: Tables, *, max_criteria: int = MOST_CRITERIA, deadline: float, keep: int, bar: float = -np.inf
) -> Explored:
    """Count all singles, the pairs of the tables, the triples that extend the best of them, and others that can be best.

    Parameters
    ----------
    bar
        Other triples that score less than this are of no interest.
    """
    literals = len(counts.hits)
    one = np.flatnonzero(counts.alone)[:, None]
    pools = {1: counted(counts, one, counts.hits[one, one][:, 0], counts.misses[one, one][:, 0])}
    done, number = True, len(one)
    if max_criteria > 1:
        pair = np.argwhere(np.triu(counts.allowed, 1))
        first, second = pair[:, 0], pair[:, 1]
        pools[2] = counted(counts, pair, counts.hits[first, second], counts.misses[first, second])
        number += len(pair)
    if max_criteria > 2 and literals > 2:
        triples = Triples(tables=counts, floor=bar, deadline=deadline, keep=keep)
        pools[3] = triples.run(pools[2])
        done, number = triples.complete, number + triples.counted
    return Explored(
        pools={size: pool.thinned(keep) for size, pool in pools.items()},
        complete=done,
        counted=number,
        converters=counts.converters,
        snapshots=counts.snapshots,
    )


def search(
    cube: Cube,
    y: NDArray[np.bool_],
    fit: NDArray[np.bool_],
    literals: Sequence[Literal],
    *,
    objective: Objective,
    constraints: Constraints,
    traits: Sequence[Trait] = (),
    max_criteria: int = MOST_CRITERIA,
    max_seconds: float = 20.0,
    seed: int = 0,
    keep: int = 500,
) -> Search:
    """Find the best rules over these literals.

    Parameters
    ----------
    cube, y, fit, literals, traits
        As for `pqlkit.proposal.literals.literals`.
    objective, constraints
        What is best, and what counts at all.
    max_criteria
        1, 2 or 3.
    max_seconds
        After this long the best so far is given. Pairs that surely take longer are not begun (`left_out`).
    seed
        Shuffles the snapshots and draws the sample of controls.
    keep
        How many rules to give at most.

    Raises
    ------
    UsageError
        `max_criteria` is none of 1, 2, 3.

    Notes
    -----
    Singles and pairs are all counted. A triple is counted unless bounds from the pair tables show that it cannot score as
    much as the best triple known: it has no more hits than its least pair, and no fewer misses than inclusion and exclusion
    leave. Ties go to fewer literals, rounder and smaller thresholds, then names.
    """
    if not 1 <= max_criteria <= MOST_CRITERIA:
        raise UsageError(
            f"a rule of {max_criteria} criteria: the search knows 1 to {MOST_CRITERIA}", where="--max-criteria"
        )
    started = time.monotonic()
    chosen = tuple(literals[row] for row in plainest(np.arange(len(literals)), literals, _MOST_LITERALS))
    found = searched(
        pack(cube, chosen, y, fit, traits=traits, seed=seed),
        chosen,
        objective=objective,
        constraints=constraints,
        traits=traits,
        max_criteria=max_criteria,
        deadline=started + max_seconds,
        keep=keep,
        budget=max_seconds * _WORDS_A_SECOND,
        recount=lambda counts, pools: _recounted(cube, y, fit, chosen, traits, counts, pools),
    )
    return replace(
        found,
        left_out=found.left_out + len(literals) - len(chosen),
        considered=_considered(literals, max_criteria),
        seconds=time.monotonic() - started,
    )


def searched(
    bits: Bits,
    literals: Sequence[Literal],
    *,
    objective: Objective,
    constraints: Constraints,
    traits: Sequence[Trait] = (),
    max_criteria: int = MOST_CRITERIA,
    deadline: float,
    keep: int,
    budget: float = np.inf,
    recount: Callable[[Tables, dict[int, Pool]], dict[int, Pool]] | None = None,
) -> Search:
    """Search packed snapshots: the whole vocabulary, and the narrower ones where they may matter.

    Parameters
    ----------
    bits, literals
        The snapshots, and what is searched among them.
    deadline
        `time.monotonic` after which the best so far is given.
    keep
        How many rules to give at most.
    budget
        As for `pqlkit.proposal.tables.tables`.
    recount
        Counts rules that were found on a sample of the controls again, on all snapshots.

    Returns
    -------
    Search
        As of `search`.
    """
    started = time.monotonic()
    pairs = max_criteria > 1
    counts = tables(bits, literals, objective=objective, constraints=constraints, budget=budget if pairs else 0.0)
    view = views(literals)

    def best_of(width: int, keep: int) -> tuple[Explored, dict[int, Pool]]:
        rows = np.flatnonzero(view <= width)
        found = explore(counts.among(rows), max_criteria=max_criteria, deadline=deadline, keep=keep)
        pools = {size: replace(pool, parts=rows[pool.parts]) for size, pool in found.pools.items()}
        return found, pools if recount is None or bits.weight == 1.0 else recount(counts, pools)

    widths = np.unique(view).tolist()
    found, pools = best_of(max(widths, default=0), keep)
    whole = Search(
        rules=tuple(_ranked(pools.values(), literals, keep)),
        front=_front(pools, literals),
        best_of_size={
            size: next(iter(_ranked([pool], literals, 1))) for size, pool in pools.items() if len(pool.scores)
        },
        plainer=(),
        in_time=found.complete,
        left_out=counts.left_out if pairs else 0,
        seconds=0.0,
        considered=_considered(literals, max_criteria),
        counted=found.counted,
        literals=tuple(literals),
        bits=bits,
        objective=objective,
        constraints=constraints,
        traits=tuple(traits),
        snapshots=round(counts.snapshots),
        converters=bits.converters,
    )
    # The search is the dearest part: there is something to find only below the words of the best rule, and in between only if
    # that beats the narrowest.
    widest = -1 if whole.best is None else max(view[whole.places(whole.best.literals)].tolist())
    for width in widths:
        if width >= widest or preferred(whole) != whole.best:
            break
        narrow, pools = best_of(width, _KEEP_PLAIN)
        best = _ranked(pools.values(), literals, 1)
        plainer = (*whole.plainer, *((int((view <= width).sum()), rule) for rule in best))
        whole = replace(whole, plainer=plainer, in_time=whole.in_time and narrow.complete)
    return replace(whole, seconds=time.monotonic() - started)


def _recounted(
    cube: Cube,
    y: NDArray[np.bool_],
    fit: NDArray[np.bool_],
    literals: Sequence[Literal],
    traits: Sequence[Trait],
    counts: Tables,
    pools: dict[int, Pool],
) -> dict[int, Pool]:
    """Count the rules found on a sample again, on all snapshots."""
    used = np.unique(np.concatenate([pool.parts.ravel() for pool in pools.values()]))
    place = np.zeros(len(literals), dtype=np.intp)
    place[used] = np.arange(len(used))
    bits = pack(cube, [literals[index] for index in used], y, fit, traits=traits, most_controls=None)
    again = {}
    for size, pool in pools.items():
        rows = place[pool.parts]
        hits, misses = together(bits.hits, rows), together(bits.others, rows)
        again[size] = counted(counts, pool.parts, hits.astype(np.float64), misses.astype(np.float64))
    return again


def _ranked(pools: Collection[Pool], literals: Sequence[Literal], keep: int) -> list[Rule]:
    """Write out the best rules, the plainest first among equals."""
    rules: list[Rule] = []
    bar = _nth(np.concatenate([np.zeros(0), *(pool.scores for pool in pools)]), keep)
    for pool in pools:
        rules += _rules(pool.take(pool.scores >= bar), literals)
    ranked: list[Rule] = []
    for _, equal in groupby(sorted(rules, key=lambda rule: -rule.score), key=lambda rule: rule.score):
        same = list(equal)
        ranked += sorted(same, key=lambda rule: rule.plainness) if len(same) > 1 else same
    return ranked[:keep]


def _nth(scores: NDArray[np.float64], keep: int) -> float:
    """Give the `keep`-th largest score, -inf if there are not so many."""
    return float(np.partition(scores, -keep)[-keep]) if len(scores) > keep else -np.inf


def _rules(pool: Pool, literals: Sequence[Literal]) -> list[Rule]:
    return [
        Rule(
            literals=tuple(literals[index] for index in parts),
            qualified=round(hits + misses),
            converted=round(hits),
            score=score,
        )
        for parts, hits, misses, score in zip(
            pool.parts.tolist(), pool.hits.tolist(), pool.misses.tolist(), pool.scores.tolist(), strict=True
        )
    ]


def _front(pools: dict[int, Pool], literals: Sequence[Literal]) -> tuple[Rule, ...]:
    """Find the front over all sizes; of equals the fewest criteria."""
    ends = [pool.take(front(pool.hits, pool.misses)) for _, pool in sorted(pools.items())]
    rules = [rule for pool in ends for rule in _rules(pool, literals)]
    hits = np.array([float(rule.converted) for rule in rules])
    misses = np.array([float(rule.qualified - rule.converted) for rule in rules])
    return tuple(rules[index] for index in front(hits, misses))


def _considered(literals: Sequence[Literal], max_criteria: int) -> int:
    """Count the rules of up to `max_criteria` literals with no group twice (elementary symmetric polynomials)."""
    sizes: dict[tuple[str, str], int] = {}
    for literal in literals:
        sizes[literal.group] = sizes.get(literal.group, 0) + 1
    sums = [1, 0, 0, 0]
    for size in sizes.values():
        for count in range(MOST_CRITERIA, 0, -1):
            sums[count] += sums[count - 1] * size
    traits = sum(literal.trait is not None for literal in literals)
    return sum(sums[1 : max_criteria + 1]) - traits
