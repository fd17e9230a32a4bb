"""The shuffles: what the whole search finds when the outcome is exchanged among like snapshots."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.proposal.bits import gram, pack, relabelled, singles
from pqlkit.proposal.pair_tables import tables
from pqlkit.proposal.pool import Pool
from pqlkit.proposal.rule import holds
from pqlkit.proposal.search import Effort, Explored, explore
from pqlkit.typing import Share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pqlkit.proposal.bits import Bits
    from pqlkit.proposal.brief import Brief
    from pqlkit.proposal.literals import Floors, Literal
    from pqlkit.proposal.objective import Goal
    from pqlkit.proposal.problem import Problem
    from pqlkit.proposal.result import Search
    from pqlkit.proposal.rule import Rule

FIRST: Final = 29
"""Shuffled searches of which none may come to as much; else there are `MOST` of them."""

MOST: Final = 99
ALLOWED: Final = 3
"""How many of `MOST` may come to as much: together a test of 4.8 %."""

MOST_SNAPSHOTS: Final = 200_000
_KEEP: Final = 50
_ERRORS: Final = 6
"""A literal that would need so many standard errors more hits than are expected is hardly ever asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PermutationTest:
    """The search's result against chance.

    Parameters
    ----------
    permutations, as_good
        How many were searched, and how many of them held a rule that scores at least as much as the real best.
    score, relative_risk
        Of the real best rule on the snapshots used; None if there is none (`relative_risk` also if it is boundless).
    best_score, best_relative_risk
        Of the best-scoring rule seen under any permutation; None if none was seen. Seen are rules of literals that, without a
        single miss, could be as good as the real best: all singles and pairs, and the triples that extend the best pairs or could
        be as good.
    snapshots
        How many were used: a random sample where there are very many.
    complete
        Whether every search was; if not, `as_good` may be too small.
    """

    permutations: int
    as_good: int
    score: float | None
    relative_risk: float | None
    best_score: float | None
    best_relative_risk: float | None
    snapshots: int
    complete: bool

    @property
    def by_chance(self) -> bool:
        """Whether shuffled searches come to as much too often for the real one to mean anything."""
        return self.as_good > (ALLOWED if self.permutations > FIRST else 0)


def permutation_test(
    problem: Problem,
    part: NDArray[np.bool_],
    strata: NDArray[np.int64],
    *,
    goal: Goal | None = None,
    floors: Floors | None = None,
    known: Rule | None = None,
    first: int = FIRST,
    most: int = MOST,
    most_snapshots: int = MOST_SNAPSHOTS,
    say: Callable[[str], None] = lambda _: None,
) -> PermutationTest:
    """Shuffle the outcome within strata (block x age band), search again, and count how often chance does as well.

    Parameters
    ----------
    problem, part
        The search that is tested: the snapshots that choose, one of each label where snapshots depend on each other.
    strata
        int64, one per snapshot: outcomes are exchanged only within a stratum.
    goal, floors
        None = those of the part.
    known
        The best rule of the part, where a search of all its snapshots went to its end, or of a sample of many; None = it is
        searched for.
    first, most
        So many are searched, and where any of them comes to as much as the real one, so many altogether.
    most_snapshots
        More snapshots than this are sampled.
    say
        Is told how many of the searches are done.

    Notes
    -----
    The literals have no floor on converters (the gate on converters implies it), so that every permutation searches the same
    rules, and how often two literals meet is counted once for all. A permutation needs only to show whether it holds a rule
    as good as the real one, so literals with too few hits for that are left out of it, and triples that cannot be as good,
    unless they extend its best pairs.

    References
    ----------
    Westfall, P. H. & Young, S. S. (1993). Resampling-Based Multiple Testing. Wiley, New York; the distribution of the
    maximum. Phipson, B. & Smyth, G. K. (2010). Permutation p-values should never be zero. Statistical Applications in
    Genetics and Molecular Biology 9, 39.
    """
    from pqlkit.statistics.permutation import shuffled

    random = np.random.default_rng(problem.seed)
    used = _sampled(part, most_snapshots, random)
    columns = problem.literals(used, floors=replace(floors or problem.floors(part), converters=0))
    nobody = np.zeros(problem.cube.snapshots, dtype=np.bool_)
    every = pack(problem.cube, columns, nobody, used, traits=problem.traits, seed=problem.seed, most_controls=None)
    trial = _Trial(columns, every, goal or problem.goal(part), Effort(rules=problem.max_rules, keep=_KEEP))
    real = trial.run(problem.y) if known is None and columns else None
    real = real if known is None else _as_explored(known, problem.y[used])
    score = real.best if real is not None else -np.inf
    labels, outcome = strata[every.snapshots], problem.y[every.snapshots]
    shuffles: list[Explored] = []
    for number in range(max(first, most) if len(columns) and first else 0):
        if number >= first and not _any_as_good(score, shuffles):
            break
        chance = nobody.copy()
        chance[every.snapshots] = shuffled(outcome, labels, generator=random)
        shuffles.append(trial.run(chance, bar=score))
        # Where one comes near it goes on to the most: then the share begins again.
        say(Share("searching shuffled outcomes", number + 1, first if number < first else most))
    return trial.verdict(real, shuffles)


def _as_explored(rule: Rule, y: NDArray[np.bool_]) -> Explored:
    """Give a rule as the whole result of a search of snapshots with these outcomes."""
    return Explored(
        pools={
            len(rule.literals): Pool(
                parts=np.zeros((1, len(rule.literals)), dtype=np.intp),
                hits=np.array([float(rule.converted)]),
                misses=np.array([float(rule.qualified - rule.converted)]),
                scores=np.array([rule.score]),
            )
        },
        complete=True,
        counted=0,
        converters=float(y.sum()),
        snapshots=float(len(y)),
    )


def permuted(brief: Brief, search: Search) -> PermutationTest | None:
    """Search shuffled outcomes of a proposal's fit part, which `search` searched; None where none are asked for."""
    first = brief.wishes.permutations
    if first == 0:
        return None
    brief.say("searching shuffled outcomes")
    part = independent(brief)
    used, known = _sampled(part, MOST_SNAPSHOTS, np.random.default_rng(brief.wishes.seed)), None
    # A shuffled search holds every rule of the real one: the gate on converters implies the floor that its literals have not.
    if search.complete and search.bits.weight == 1.0 and used.sum() == brief.parts.fit.sum():
        known = search.best
    elif used.sum() < part.sum() and search.best is not None:
        # Of so many the best rule is one of those as good on any sample.
        known = _counted_on(brief, search.best, used, search.goal)
    return permutation_test(
        brief.problem,
        used,
        strata(brief),
        known=known,
        first=first,
        most=max(first, MOST),
        say=brief.say,
    )


def _counted_on(brief: Brief, rule: Rule, used: NDArray[np.bool_], goal: Goal) -> Rule:
    """Count a rule on some snapshots."""
    met, y = holds(brief.cube, rule.literals, brief.traits)[used], brief.observed.y[used]
    hits, misses = (np.array([float(np.count_nonzero(met & rows))]) for rows in (y, ~y))
    score = goal.objective.score(hits, misses, converters=float(y.sum()), snapshots=float(len(y)))
    return replace(rule, qualified=int(hits[0] + misses[0]), converted=int(hits[0]), score=float(score[0]))


def strata(brief: Brief) -> NDArray[np.int64]:
    """Calendar block x age band: outcomes are shuffled only within."""
    frame = brief.observed.snapshots.frame
    block = frame.get_column("block").to_numpy().astype(np.int64)
    labels: NDArray[np.int64] = block * 100 + frame.get_column("age_band").to_numpy().astype(np.int64)
    return labels


def independent(brief: Brief) -> NDArray[np.bool_]:
    """Give the snapshots of the fit part that may be shuffled: one drawn of each label where snapshots depend on each other.

    Shuffled one by one, the snapshots of one entity would each get another outcome, and chance would look weaker than it is. Users
    of one account have one each time; at several ages an entity has one at all.
    """
    fit, observed = brief.parts.fit, brief.observed
    if not observed.dependent:
        return fit
    labels = observed.clusters
    if not observed.snapshots.design.cutoffs:
        cutoff = observed.snapshots.frame.get_column("cutoff").to_numpy()
        window = observed.snapshots.design.conversion_window.microseconds
        labels = labels * (1 << 20) + (cutoff - cutoff.min()) // window
    rows = np.random.default_rng(brief.wishes.seed).permutation(np.flatnonzero(fit))
    _, first = np.unique(labels[rows], return_index=True)
    part = np.zeros(len(fit), dtype=np.bool_)
    part[rows[first]] = True
    return part


def _any_as_good(score: float, shuffles: Sequence[Explored]) -> bool:
    return any(np.isfinite(score) and chance.best >= score for chance in shuffles)


def _sampled(part: NDArray[np.bool_], most: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """Keep at most so many snapshots, whatever their outcome."""
    rows = np.flatnonzero(part)
    if len(rows) <= most:
        return part
    kept = np.zeros_like(part)
    kept[random.choice(rows, most, replace=False)] = True
    return kept


@dataclass(slots=True, eq=False)
class _Trial:
    """The search, ready for one outcome after another; `rows` are the literals whose meetings are counted, in `together`."""

    literals: tuple[Literal, ...]
    every: Bits
    goal: Goal
    effort: Effort
    rows: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    together: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))

    def run(self, y: NDArray[np.bool_], bar: float = -np.inf) -> Explored:
        """Search one outcome for rules that score at least the bar."""
        bits = relabelled(self.every, y)
        fewest = self._fewest(bits, bar)
        asked = np.flatnonzero(singles(bits.hits) >= fewest)
        if not np.isin(asked, self.rows).all():
            chance = singles(self.every.others) * (bits.converters / max(len(self.every.snapshots), 1))
            likely = chance + _ERRORS * np.sqrt(chance) >= fewest
            likely[asked] = likely[self.rows] = True
            self.rows = np.flatnonzero(likely)
            self.together = gram(self.every.others[self.rows])
        place = np.searchsorted(self.rows, asked)
        counts = tables(
            replace(bits, hits=bits.hits[asked], others=bits.others[asked]),
            [self.literals[row] for row in asked],
            goal=self.goal,
            others=self.together[np.ix_(place, place)],
        )
        return explore(counts, self.effort, bar=bar)

    def _fewest(self, bits: Bits, bar: float) -> int:
        """Give the fewest hits with which a rule that has no miss scores as much as the bar."""
        hits = np.arange(bits.converters + 1.0)
        total = float(bits.converters + bits.controls)
        scores = self.goal.objective.score(
            hits, np.zeros_like(hits), converters=float(bits.converters), snapshots=total
        )
        enough = scores >= bar
        return int(np.argmax(enough)) if enough.any() else bits.converters + 1

    def verdict(self, real: Explored | None, shuffles: Sequence[Explored]) -> PermutationTest:
        any_rule = real is not None and np.isfinite(real.best)
        score = real.best if real is not None and any_rule else None
        as_good = sum(score is not None and chance.best >= score for chance in shuffles)
        best = max(shuffles, key=lambda chance: chance.best, default=None)
        seen = best is not None and np.isfinite(best.best)
        return PermutationTest(
            permutations=len(shuffles),
            as_good=as_good,
            score=score,
            relative_risk=real.relative_risk if real is not None and any_rule else None,
            best_score=best.best if best is not None and seen else None,
            best_relative_risk=best.relative_risk if best is not None and seen else None,
            snapshots=len(self.every.snapshots),
            complete=all(explored.complete for explored in ([real] if real else []) + list(shuffles)),
        )
