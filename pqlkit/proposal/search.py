"""The search: the best rule of one to three literals, with the proof that none is better."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.errors import UsageError
from pqlkit.proposal.bits import pack, together
from pqlkit.proposal.headline import preferred
from pqlkit.proposal.literals import views
from pqlkit.proposal.pair_tables import Tables, plainest, tables
from pqlkit.proposal.pool import Pool, counted, front
from pqlkit.proposal.result import Search
from pqlkit.proposal.rule import Rule
from pqlkit.proposal.triples import Triples

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from pqlkit.proposal.bits import Bits
    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.objective import Goal
    from pqlkit.proposal.problem import Problem

MOST_CRITERIA: Final = 3

_WORDS_A_RULE: Final = 15
"""Words that may be compared for the pairs of literals, for each rule that may be judged."""

_MOST_LITERALS: Final = 5_000
"""The tables of all pairs of more would not fit in memory."""

_KEEP_PLAIN: Final = 50
"""Rules kept of a narrower vocabulary, of which only the best is wanted."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How far a search goes, in work and not in time, so that it comes to the same everywhere.

    `rules` may be judged by bounds or counted; pairs of literals may take `words` comparisons of 64 snapshots, as many as that
    many rules are worth; `keep` rules are given. `say` is told which share of the literals is done.
    """

    rules: float = np.inf
    keep: int = 500
    say: Callable[[str], None] | None = None

    @property
    def words(self) -> float:
        """How many words may be compared for the pairs."""
        return self.rules * _WORDS_A_RULE


def explore(counts: Tables, effort: Effort, *, bar: float = -np.inf) -> Explored:
    """Count all singles, the pairs of the tables, the triples that extend the best of them, and others that can be best.

    Parameters
    ----------
    bar
        Other triples that score less than this are of no interest.
    """
    max_criteria, keep = counts.goal.max_criteria, effort.keep
    literals = len(counts.hits)
    alone = np.flatnonzero(counts.alone)[:, None]
    pools = {1: counted(counts, alone, counts.hits[alone, alone][:, 0], counts.misses[alone, alone][:, 0])}
    done, number = True, len(alone)
    if max_criteria > 1:
        pair = np.argwhere(np.triu(counts.allowed, 1))
        first, second = pair[:, 0], pair[:, 1]
        pools[2] = counted(counts, pair, counts.hits[first, second], counts.misses[first, second])
        number += len(pair)
    if max_criteria > 2 and literals > 2:
        triples = Triples(tables=counts, floor=bar, most=effort.rules, keep=keep, say=effort.say)
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
    problem: Problem,
    part: NDArray[np.bool_],
    literals: Sequence[Literal],
    *,
    goal: Goal | None = None,
    keep: int = 500,
    say: Callable[[str], None] | None = None,
) -> Search:
    """Find the best rules over these literals.

    Parameters
    ----------
    problem
        What is searched.
    part
        The snapshots that choose.
    literals
        As `Problem.literals` gives them for the part.
    goal
        None = that of the part.
    keep
        How many rules to give at most.
    say
        Is told which share of the literals is done.

    Raises
    ------
    UsageError
        `max_criteria` is none of 1, 2, 3.

    Notes
    -----
    Singles and pairs are all counted. A triple is counted unless bounds from the pair tables show that it cannot score as
    much as the best triple known: it has no more hits than its least pair, and no fewer misses than inclusion and exclusion
    leave. Ties go to fewer literals, rounder and smaller thresholds, then names. Pairs that
    would take too much work are not begun (`left_out`).
    """
    started = time.monotonic()
    goal = goal or problem.goal(part)
    if not 1 <= goal.max_criteria <= MOST_CRITERIA:
        raise UsageError(
            f"a rule of {goal.max_criteria} criteria: the search knows 1 to {MOST_CRITERIA}",
            where="--max-criteria",
            hint=f"write --max-criteria {MOST_CRITERIA}",
        )
    chosen = tuple(literals[row] for row in plainest(np.arange(len(literals)), literals, _MOST_LITERALS))
    search = searched(
        pack(problem.cube, chosen, problem.y, part, traits=problem.traits, seed=problem.seed),
        chosen,
        goal,
        Effort(rules=problem.max_rules, keep=keep, say=say),
        recount=lambda counts, pools: _recounted(problem, part, chosen, counts, pools),
    )
    return replace(
        search,
        left_out=search.left_out + len(literals) - len(chosen),
        considered=_considered(literals, goal.max_criteria),
        seconds=time.monotonic() - started,
    )


def searched(
    bits: Bits,
    literals: Sequence[Literal],
    goal: Goal,
    effort: Effort,
    *,
    recount: Callable[[Tables, dict[int, Pool]], dict[int, Pool]] | None = None,
) -> Search:
    """Search packed snapshots: the whole vocabulary, and the narrower ones where they may matter.

    Parameters
    ----------
    bits, literals
        The snapshots, and what is searched among them.
    goal, effort
        For what, and how far.
    recount
        Counts rules that were found on a sample of the controls again, on all snapshots.

    Returns
    -------
    Search
        As of `search`.
    """
    started = time.monotonic()
    pairs = goal.max_criteria > 1
    counts = tables(bits, literals, goal=goal, budget=effort.words if pairs else 0.0)
    view = views(literals)

    def best_of(width: int, keep: int) -> tuple[Explored, dict[int, Pool]]:
        rows = np.flatnonzero(view <= width)
        explored = explore(counts.among(rows), replace(effort, keep=keep))
        pools = {size: replace(pool, parts=rows[pool.parts]) for size, pool in explored.pools.items()}
        return explored, pools if recount is None or bits.weight == 1.0 else recount(counts, pools)

    widths = np.unique(view).tolist()
    explored, pools = best_of(max(widths, default=0), effort.keep)
    whole = Search(
        rules=tuple(_ranked(pools.values(), literals, effort.keep)),
        front=_front(pools, literals),
        best_of_size={
            size: next(iter(_ranked([pool], literals, 1))) for size, pool in pools.items() if len(pool.scores)
        },
        plainer=(),
        in_time=explored.complete,
        left_out=counts.left_out if pairs else 0,
        seconds=0.0,
        considered=_considered(literals, goal.max_criteria),
        counted=explored.counted,
        literals=tuple(literals),
        bits=bits,
        goal=goal,
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
    problem: Problem,
    part: NDArray[np.bool_],
    literals: Sequence[Literal],
    counts: Tables,
    pools: dict[int, Pool],
) -> dict[int, Pool]:
    """Count the rules found on a sample again, on all snapshots."""
    used = np.unique(np.concatenate([pool.parts.ravel() for pool in pools.values()]))
    place = np.zeros(len(literals), dtype=np.intp)
    place[used] = np.arange(len(used))
    columns = [literals[index] for index in used]
    bits = pack(problem.cube, columns, problem.y, part, traits=problem.traits, most_controls=None)
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
