"""The standings: rules read as qualifications, and which of them comes first."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.proposal.advantage import Advantage, advantage, unlikely
from pqlkit.proposal.bits import together
from pqlkit.proposal.earning import LEVEL, by_chance
from pqlkit.proposal.headline import headline
from pqlkit.proposal.literals import views
from pqlkit.proposal.objective import HIGH_BASE_RATE, RELATIVE_RISK, Constraints, Objective, ObjectiveKind
from pqlkit.proposal.pool import front
from pqlkit.proposal.rule import plainness

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from pqlkit.proposal.fit_view import FitView, Qualified
    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.result import Search
    from pqlkit.proposal.rule import Rule

RIVALS: Final = 300
"""Rules of a vocabulary that may replace the first one."""

WORTHWHILE: Final = 0.05
"""A gain of less than this share of the score is not worth other words."""

_EXTENDED: Final = 5
_EXCHANGED: Final = 10
_ROUNDS: Final = 4
_SINGLES: Final = 300
_FURTHER: Final = 60
_RUNGS: Final = (1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90)
"""Capacities, and these times powers of 100, whose best rules may fill a larger one: so that a larger one never gets less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a rule must keep, in qualifications; None = no bound.

    Parameters
    ----------
    converters
        The least number that converted.
    capacity
        The most new ones a week.
    min_rate, min_recall, min_share
        Of them converted; of all converters among them; of all that could have qualified, qualified.
    """

    converters: int = 10
    capacity: float | None = None
    min_rate: float | None = None
    min_recall: float | None = None
    min_share: float | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Standings:
    """Rules by what their qualifications were followed by.

    A rule is the places of its literals in the search, ascending.

    Parameters
    ----------
    search, view
        The search that the rules come from, and what reads them.
    objective, bounds, max_criteria
        What is best, what must be kept, and of how many criteria a rule may be.
    every
        Whether a state may come and go: then a replacement must gain without conversions within a day, too.
    rules, reads
        Every rule read so far, and what was read.
    """

    search: Search
    view: FitView
    objective: Objective
    bounds: Bounds
    max_criteria: int
    every: bool = False
    rules: list[tuple[int, ...]] = field(default_factory=list)
    reads: list[Qualified] = field(default_factory=list)
    _place: dict[tuple[int, ...], int] = field(default_factory=dict, repr=False)
    _figures: list[tuple[int, int, float]] = field(default_factory=list, repr=False)
    _width: list[int] = field(default_factory=list, repr=False)
    _expected: dict[tuple[int, ...], float] = field(default_factory=dict, repr=False)
    _view: NDArray[np.int8] = field(init=False, repr=False)
    _start: tuple[int, ...] | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """See how plain each literal is, and which rule the search came to."""
        self._view = views(self.literals)
        start = headline(self.search)
        self._start = None if start is None else self.placed(start.literals)

    @classmethod
    def of(
        cls,
        search: Search,
        view: FitView,
        *,
        objective: Objective,
        bounds: Bounds,
        max_criteria: int,
        every: bool = False,
    ) -> Standings:
        """Read the rules that a search holds to be good, extensions of the best, and exchanges in them.

        Parameters
        ----------
        search, view, objective, bounds, max_criteria, every
            As of the class.

        Notes
        -----
        The rules that are best at snapshots are not those that are best as leads, so the pool is wide: the best, the front, the
        best of each size and vocabulary and the best single criteria; the best of those as leads, by several measures, with
        every further criterion; then with each threshold, measure and window of theirs exchanged, as long as that finds
        anything new.
        """
        standings = cls(
            search=search, view=view, objective=objective, bounds=bounds, max_criteria=max_criteria, every=every
        )
        rules = [*search.rules, *search.front, *search.best_of_size.values(), *(rule for _, rule in search.plainer)]
        standings.add(standings.placed(rule.literals) for rule in rules)
        standings.add((place,) for place in standings.singles())
        for size in range(1, max_criteria):
            standings._extend(size)
        standings._exchange()
        return standings

    @property
    def literals(self) -> tuple[Literal, ...]:
        """What rules are made of."""
        return self.search.literals

    def placed(self, literals: Sequence[Literal]) -> tuple[int, ...]:
        """Give a rule as places."""
        return tuple(sorted(self.search.places(literals)))

    def singles(self) -> list[int]:
        """List the single criteria that score best at snapshots: as many as may matter."""
        places = np.array(
            [place for place, literal in enumerate(self.literals) if literal.trait is None], dtype=np.intp
        )
        scores = self._at_snapshots(places[:, None])
        return sorted(places[np.argsort(-scores, kind="stable")[:_SINGLES]].tolist())

    def _at_snapshots(self, parts: NDArray[np.intp]) -> NDArray[np.float64]:
        """Score rules (n, size) by agreement at the searched snapshots."""
        bits = self.search.bits
        hits = together(bits.hits, parts).astype(np.float64)
        others = together(bits.others, parts).astype(np.float64) * bits.weight
        return Objective().score(
            hits, others, converters=float(self.search.converters), snapshots=float(self.search.snapshots)
        )

    def add(self, rules: Iterable[tuple[int, ...]]) -> int:
        """Read rules that are not known yet; give how many there were."""
        before = len(self.rules)
        for rule in rules:
            if rule not in self._place and self._is_rule(rule):
                self.put(rule, self.view.read(rule))
        return len(self.rules) - before

    def put(self, rule: tuple[int, ...], read: Qualified) -> None:
        """Take a rule that is not known yet, as it was read."""
        self._place[rule] = len(self.rules)
        self.rules.append(rule)
        self.reads.append(read)
        self._figures.append((read.converted, read.n, read.a_week))
        self._width.append(int(self._view[list(rule)].max()))

    def _is_rule(self, rule: tuple[int, ...]) -> bool:
        groups = [self.literals[place].group for place in rule]
        return len(set(groups)) == len(groups) and any(self.literals[place].trait is None for place in rule)

    def counted(self, rule: tuple[int, ...]) -> Qualified:
        """Read a rule."""
        self.add([rule])
        return self.reads[self._place[rule]]

    def widths(self) -> list[int]:
        """List the vocabularies, plain to wide (`View`)."""
        return [int(wide) for wide in np.unique(self._view)]

    def _extend(self, size: int) -> None:
        """Add further criteria to the best rules of a size, in each vocabulary: those that go best with each at snapshots."""
        of_size = np.array([len(rule) == size for rule in self.rules])
        for wide in self.widths():
            further = np.flatnonzero(self._view <= wide)
            for rule in self._seeds(
                np.flatnonzero(of_size & (np.array(self._width[: len(of_size)]) <= wide)), _EXTENDED
            ):
                groups = {self.literals[place].group for place in rule}
                apart = np.array(
                    [place for place in further if self.literals[place].group not in groups], dtype=np.intp
                )
                parts = np.column_stack([np.tile(rule, (len(apart), 1)), apart])
                best = apart[np.argsort(-self._at_snapshots(parts), kind="stable")[:_FURTHER]]
                self.add(tuple(sorted((*rule, place))) for place in best.tolist())

    def _exchange(self) -> None:
        """Exchange criteria of the best rules within their events, and drop them, while that finds anything new."""
        of_group: dict[tuple[str, str], list[int]] = {}
        for place, literal in enumerate(self.literals):
            of_group.setdefault(literal.group, []).append(place)
        seen: set[tuple[int, tuple[int, ...]]] = set()
        for _ in range(_ROUNDS):
            new = 0
            for wide in self.widths():
                for rule in self._seeds(np.flatnonzero(np.array(self._width) <= wide), _EXCHANGED):
                    if (wide, rule) in seen:
                        continue
                    seen.add((wide, rule))
                    for place in rule:
                        rest = tuple(other for other in rule if other != place)
                        others = (other for other in of_group[self.literals[place].group] if self._view[other] <= wide)
                        new += self.add(tuple(sorted((*rest, other))) for other in others)
                        new += self.add([rest] if rest else [])
            if not new:
                return

    def _seeds(self, places: NDArray[np.intp], most: int) -> list[tuple[int, ...]]:
        """Give the best rules by agreement, by precision and by what is asked for, so that the whole front is there."""
        hits, leads, weekly = self._table()
        places = places[hits[places] >= self.bounds.converters]
        seeds: dict[tuple[int, ...], None] = {}
        for objective in dict.fromkeys([Objective(), Objective(kind=ObjectiveKind.F05), self.objective]):
            scores = self._scored(hits[places], leads[places], objective)
            if self.bounds.capacity is not None and objective == self.objective:
                scores = np.where(weekly[places] > self.bounds.capacity, -np.inf, scores)
            seeds.update(
                dict.fromkeys(self.rules[place] for place in places[np.argsort(-scores, kind="stable")[:most]])
            )
        return list(seeds)

    def _table(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Give converted, qualified, and new ones a week, of every rule read."""
        table = np.array(self._figures, dtype=np.float64).reshape(-1, 3)
        return table[:, 0], table[:, 1], table[:, 2]

    def _scored(
        self, hits: NDArray[np.float64], leads: NDArray[np.float64], objective: Objective
    ) -> NDArray[np.float64]:
        return objective.score(
            hits, leads - hits, converters=float(self.view.converters), snapshots=float(self.view.moments)
        )

    def score(self, rule: tuple[int, ...]) -> float:
        """Score a rule by its qualifications."""
        read = self.counted(rule)
        return float(self._scored(np.array([float(read.converted)]), np.array([float(read.n)]), self.objective)[0])

    def keeps(self, rule: tuple[int, ...], bounds: Bounds | None = None) -> bool:
        """Tell whether a rule keeps every bound."""
        read, asked = self.counted(rule), bounds or self.bounds
        least = max((rate for rate in (asked.min_rate, self.objective.threshold) if rate is not None), default=0.0)
        return (
            read.n > 0
            and read.converted >= asked.converters
            and (asked.capacity is None or read.a_week <= asked.capacity)
            and read.rate >= least
            and read.converted >= (asked.min_recall or 0.0) * self.view.converters
            and read.n >= (asked.min_share or 0.0) * self.view.moments
            and self._lets_the_better_in(rule, read)
            and self._stands_out(rule, read)
        )

    def _lets_the_better_in(self, rule: tuple[int, ...], read: Qualified) -> bool:
        """Tell whether each trait of a rule keeps out leads that convert less often than those it lets in."""
        for place in rule:
            if self.literals[place].trait is not None:
                whole = self.counted(tuple(other for other in rule if other != place))
                out = whole.n - read.n
                if out and (whole.converted - read.converted) / out >= read.rate:
                    return False
        return True

    def _stands_out(self, rule: tuple[int, ...], read: Qualified) -> bool:
        """Tell whether qualifications convert clearly more often than moments of activity of the same age and time.

        Those moments are all there are, the rule's own included: too many of what is common. The rule that the search came to,
        alone, is held against the others of them where that fails it.
        """
        expected = self._expected.get(rule)
        if expected is None:
            expected = self.view.expected(read)
            if read.converted < RELATIVE_RISK * expected and rule == self._start:
                expected = self.view.expected_of_others(rule, read)
            self._expected[rule] = expected
        if read.converted >= RELATIVE_RISK * expected:
            return True
        base = self.view.converters / max(self.view.moments, 1)
        return base > HIGH_BASE_RATE and (read.n - expected) >= RELATIVE_RISK * (read.n - read.converted)

    def best(
        self, most: int, wide: int | None = None, bounds: Bounds | None = None, *, size: int | None = None
    ) -> list[tuple[int, ...]]:
        """Give the best rules of a vocabulary and a size that keep the bounds, the plainest first among equals; None = of any."""
        places = self._of_width(wide)
        if size is not None:
            places = places[np.array([len(rule) for rule in self.rules], dtype=np.intp)[places] == size]
        return self._best(most, places, bounds)

    def apart(self, rule: tuple[int, ...]) -> tuple[int, ...] | None:
        """Give the best rule that has no event in common with one, in named events; None if there is none."""
        groups = {self.literals[place].group for place in rule} | {("any", "")}
        places = [
            index
            for index, other in enumerate(self.rules)
            if not groups & {self.literals[place].group for place in other}
        ]
        return next(iter(self._best(1, np.array(places, dtype=np.intp), None)), None)

    def _of_width(self, wide: int | None) -> NDArray[np.intp]:
        return np.arange(len(self.rules)) if wide is None else np.flatnonzero(np.array(self._width) <= wide)

    def _best(self, most: int, places: NDArray[np.intp], bounds: Bounds | None) -> list[tuple[int, ...]]:
        hits, leads, _ = self._table()
        places = places[hits[places] >= (bounds or self.bounds).converters]
        scores = self._scored(hits[places], leads[places], self.objective)
        order = np.argsort(-scores, kind="stable")
        kept: list[tuple[int, ...]] = []
        for _, equal in groupby(order.tolist(), key=lambda place: scores[place]):
            rules = [rule for place in equal if self.keeps(rule := self.rules[places[place]], bounds)]
            kept += sorted(rules, key=self._plainness) if len(rules) > 1 else rules
            if len(kept) >= most:
                break
        return kept[:most]

    def _plainness(self, rule: tuple[int, ...]) -> tuple[object, ...]:
        return plainness([self.literals[place] for place in rule])

    def first(self) -> tuple[int, ...] | None:
        """Give the rule that is proposed first, None if none keeps the bounds.

        Notes
        -----
        It is the headline of the search where that keeps the bounds, else the best that does in the plainest words; replaced
        only for a gain that is sure and worthwhile. Under a capacity the best rules of smaller capacities may fill it, so that
        a larger one never brings fewer conversions where the rules are chosen.
        """
        capacity = self.bounds.capacity
        if capacity is None:
            return self._first(self.bounds)
        rungs = {rung * 100**power for rung in _RUNGS for power in range(4) if rung * 100**power <= capacity} | {
            capacity
        }
        offers = dict.fromkeys(
            offer for rung in sorted(rungs) if (offer := self._first(_within(self.bounds, rung))) is not None
        )
        return max(offers, key=lambda rule: (self.score(rule), -len(rule)), default=None)

    def _first(self, bounds: Bounds) -> tuple[int, ...] | None:
        chosen = self._start
        if chosen is not None:
            chosen = self.earned(chosen, bounds) if self.keeps(chosen, bounds) else None
        widths = self.widths()
        for wide in widths:
            rivals = self.best(RIVALS, wide, bounds)
            if not rivals:
                continue
            if chosen is None:
                chosen = self.earned(rivals[0], bounds)
                continue
            number = len(widths) * int((self._view <= wide).sum())
            better = self.surely_better(chosen, rivals, LEVEL / max(number, 1))
            if better is not None:
                chosen = self.earned(better, bounds)
        return chosen

    def surely_better(
        self, chosen: tuple[int, ...], rivals: Sequence[tuple[int, ...]], level: float
    ) -> tuple[int, ...] | None:
        """Give the rival with the surest gain, if there is one that is worth while."""
        z = -NormalDist().inv_cdf(level)
        old = self.score(chosen)
        sure = []
        for rival in rivals:
            if self.score(rival) - old < self._worthwhile(chosen, rival):
                continue
            gained = self.advantage(rival, chosen)
            if gained.value - z * gained.error > 0:
                sure.append((-(gained.value - z * gained.error), rival, gained))
        for _, rival, gained in sorted(sure, key=lambda entry: (entry[0], entry[1])):
            if gained.few and unlikely(gained) > level:
                continue
            if self.every and self._late(rival) <= self._late(chosen):
                continue
            return rival
        return None

    def _late(self, rule: tuple[int, ...]) -> float:
        """Score a rule as if conversions within a day were none: they may be a habit of buying."""
        read = self.counted(rule)
        hits = np.array([float(read.converted - read.soon)])
        return float(self._scored(hits, np.array([float(read.n)]), self.objective)[0])

    def _worthwhile(self, old: tuple[int, ...], new: tuple[int, ...]) -> float:
        """Give the least gain that is worth other words: a share of the score; of what the conversions bring, where they have a value."""
        if self.objective.kind is ObjectiveKind.NET_BENEFIT and self.objective.threshold is not None:
            brings = self.counted(old).converted / (1 - self.objective.threshold) / max(self.view.moments, 1)
            return WORTHWHILE * brings
        return WORTHWHILE * max(abs(self.score(old)), abs(self.score(new)))

    def advantage(self, new: tuple[int, ...], old: tuple[int, ...]) -> Advantage:
        """Compare two rules on their qualifications, by clusters."""
        return advantage(
            self.counted(new),
            self.counted(old),
            self.objective,
            cluster=self.view.lives.cluster,
            converters=self.view.converters,
            moments=self.view.moments,
        )

    def earned(self, rule: tuple[int, ...], bounds: Bounds | None = None) -> tuple[int, ...]:
        """Strike out criteria that neither the snapshots nor the qualifications hold.

        Notes
        -----
        A criterion is idle, whatever snapshots say of it, if without it the qualifications score as well, or those of fewer than
        5 % of the entities change. Another stays if Fisher's test at snapshots holds it (see `pqlkit.proposal.earning`), or if
        without it the score of the qualifications falls by more than one standard error or more than 5 %.
        """
        while len(rule) > 1:
            options = []
            for place in rule:
                rest = tuple(other for other in rule if other != place)
                if not self._is_rule(rest) or not self.keeps(rest, bounds):
                    continue
                own = [self.literals[other] for other in rule]
                lost = self.advantage(rule, rest)
                idle = lost.value <= 0 or self.similar(rule, rest) > 1 - WORTHWHILE
                if not idle and by_chance(self.search, own, self.literals[place]) * len(self.literals) <= LEVEL:
                    continue
                if idle or lost.value <= min(lost.error, WORTHWHILE * abs(self.score(rule))):
                    options.append((lost.value / max(lost.error, 1e-12), rest))
            if not options:
                return rule
            rule = min(options)[1]
        return rule

    def front(self) -> list[tuple[int, ...]]:
        """Give the rules that no other beats in both rate and recall, by rising recall."""
        hits, leads, _ = self._table()
        places = np.flatnonzero(hits >= self.bounds.converters)
        return [self.rules[places[place]] for place in front(hits[places], leads[places] - hits[places])]

    def nearest(self) -> tuple[int, ...] | None:
        """Give the rule with the highest rate of those with enough converters: the nearest miss where none keeps the bounds."""
        enough = [
            rule for rule, read in zip(self.rules, self.reads, strict=True) if read.converted >= self.bounds.converters
        ]
        return max(enough, key=lambda rule: (self.counted(rule).rate, self.counted(rule).converted), default=None)

    def similar(self, left: tuple[int, ...], right: tuple[int, ...]) -> float:
        """Give the share of those who qualify by either rule that do so by both."""
        first, second = (_distinct(self.counted(rule).entity) for rule in (left, right))
        both = len(np.intersect1d(first, second, assume_unique=True))
        either = len(first) + len(second) - both
        return both / either if either else 1.0


def _distinct(ascending: NDArray[np.int64]) -> NDArray[np.int64]:
    return ascending[np.append(True, ascending[1:] != ascending[:-1])] if len(ascending) else ascending


def _within(bounds: Bounds, capacity: float) -> Bounds:
    return replace(bounds, capacity=capacity)


def bounds_of(
    converters: int,
    *,
    capacity: float | None = None,
    min_rate: float | None = None,
    min_recall: float | None = None,
    min_share: float | None = None,
) -> Bounds:
    """Set the bounds, with the gate on converters by how many there are.

    Parameters
    ----------
    converters
        Of the part that chooses.
    capacity, min_rate, min_recall, min_share
        As of `Bounds`.
    """
    return Bounds(
        converters=Constraints.of(converters).converters,
        capacity=capacity,
        min_rate=min_rate,
        min_recall=min_recall,
        min_share=min_share,
    )


def as_rule(standings: Standings, rule: tuple[int, ...]) -> Rule:
    """Count a rule at the snapshots that were searched, too."""
    from pqlkit.proposal.earning import counted_rule

    return counted_rule(standings.search, [standings.literals[place] for place in rule])
