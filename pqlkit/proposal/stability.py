"""Stability: how often the search chooses the same behaviours on random halves of the snapshots."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.proposal.search import Effort, searched
from pqlkit.proposal.standings import Standings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pqlkit.proposal.bits import Bits
    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.result import Search

_AMONG: Final = 15
_READ: Final = 60
_MASS: Final = 0.8
_KEEP: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """How a criterion fared.

    Parameters
    ----------
    literal
        The criterion.
    share
        Of the halves whose best rule names its event (or its trait).
    thresholds
        The narrowest interval of thresholds that holds 80 % of those choices, in the criterion's own measure and window; None
        for a trait, or if these were never chosen.
    rival
        The event (or trait) most often chosen when this one was not, if chosen in more than half of those; else None.
    """

    literal: Literal
    share: float
    thresholds: tuple[int, int] | None
    rival: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """How a rule fared over the halves.

    Parameters
    ----------
    halves
        How many were searched.
    share
        Of the halves whose best rule names the same events, no more and no fewer.
    criteria
        One per literal of the rule, in its order. A share below 0.6 is unstable.
    """

    halves: int
    share: float
    criteria: tuple[Chosen, ...]


def stability(standings: Standings, rule: tuple[int, ...], *, halves: int = 30, seed: int = 0) -> Stability:
    """Choose again on random halves, among the behaviours of the rule and of the best 15 rules.

    Parameters
    ----------
    standings
        The rules by their qualifications; the packed snapshots of their search stand in random order, so that half of the words are
        a random half of the snapshots.
    rule
        The rule that is judged.
    halves
        How many halves.

    Notes
    -----
    The gate on converters and a capacity are halved with the data. A half of the snapshots is searched, and the rule chosen by the
    qualifications of a half of the entities (of the accounts, where users share them) by the same steps.

    References
    ----------
    Meinshausen, N. & Bühlmann, P. (2010). Stability selection. Journal of the Royal Statistical Society B 72, 417-473.
    """
    search, bounds = standings.search, standings.bounds
    random = np.random.default_rng(seed)
    best = standings.best(_AMONG)
    places = _columns(search, [*best, rule])
    literals = [search.literals[place] for place in places]
    bits = replace(search.bits, hits=search.bits.hits[places], others=search.bits.others[places])
    view = standings.view.narrowed(places)
    there = {place: index for index, place in enumerate(places)}
    reads = {
        tuple(there[place] for place in other): standings.counted(other)
        for other in standings.best(_READ)
        if set(other) <= set(there)
    }
    least = -(-bounds.converters // 2)
    goal = replace(
        search.goal,
        constraints=replace(search.goal.constraints, converters=-(-search.goal.constraints.converters // 2)),
        max_criteria=max(len(rule), *search.best_of_size, 1),
    )
    labels, owner = np.unique(view.lives.cluster, return_inverse=True)
    choices: list[tuple[Literal, ...]] = []
    for _ in range(halves):
        half = searched(_half(bits, random), literals, goal, Effort(keep=_KEEP))
        entities = (random.random(len(labels)) < 0.5)[owner]
        again = Standings(
            search=half,
            view=view.among(entities),
            objective=standings.objective,
            bounds=replace(bounds, converters=least, capacity=None if bounds.capacity is None else bounds.capacity / 2),
            max_criteria=standings.max_criteria,
            every=standings.every,
        )
        for known, read in reads.items():
            again.put(known, read.among(entities))
        first = again.first()
        choices.append(() if first is None else tuple(literals[place] for place in first))
    return _judged(tuple(search.literals[place] for place in rule), choices)


def _columns(search: Search, rules: Sequence[tuple[int, ...]]) -> list[int]:
    """List the literals of the columns that some rules are made of."""
    columns = {
        (literal.trait is not None, literal.column) for rule in rules for literal in (search.literals[p] for p in rule)
    }
    return [
        place for place, literal in enumerate(search.literals) if (literal.trait is not None, literal.column) in columns
    ]


def _half(bits: Bits, random: np.random.Generator) -> Bits:
    """Draw half of the words of each outcome."""
    hits, converters = _drawn(bits.hits, bits.converters, random)
    others, controls = _drawn(bits.others, bits.controls, random)
    return replace(bits, hits=hits, others=others, converters=converters, controls=controls)


def _drawn(words: NDArray[np.uint64], count: int, random: np.random.Generator) -> tuple[NDArray[np.uint64], int]:
    """Draw half of the words that hold snapshots, padded to a whole block; give how many snapshots they hold."""
    filled = -(-count // 64)
    chosen = np.sort(random.permutation(filled)[: -(-filled // 2)])
    padded = np.zeros((len(words), -(-max(len(chosen), 1) // 8) * 8), dtype=np.uint64)
    padded[:, : len(chosen)] = words[:, chosen]
    last = count - 64 * (filled - 1) if len(chosen) and chosen[-1] == filled - 1 else 64
    return padded, 64 * (len(chosen) - 1) + last if len(chosen) else 0


def _judged(rule: tuple[Literal, ...], choices: Sequence[tuple[Literal, ...]]) -> Stability:
    groups = {literal.group for literal in rule}
    named = [{literal.group for literal in choice} for choice in choices]
    return Stability(
        halves=len(choices),
        share=sum(names == groups for names in named) / len(choices) if choices else 0.0,
        criteria=tuple(_chosen(literal, groups, choices) for literal in rule),
    )


def _chosen(literal: Literal, groups: set[tuple[str, str]], choices: Sequence[tuple[Literal, ...]]) -> Chosen:
    """Judge one criterion by the halves."""
    having = [choice for choice in choices if any(other.group == literal.group for other in choice)]
    levels = [
        other.threshold
        for choice in having
        for other in choice
        if other.threshold is not None and other.column == literal.column and other.group == literal.group
    ]
    without = [choice for choice in choices if all(other.group != literal.group for other in choice)]
    rivals = Counter(other.name for choice in without for other in choice if other.group not in groups)
    name, times = min(rivals.items(), key=lambda item: (-item[1], item[0]), default=("", 0))
    return Chosen(
        literal=literal,
        share=len(having) / len(choices) if choices else 0.0,
        thresholds=_narrowest(sorted(levels)),
        rival=name if 2 * times > len(without) else None,
    )


def _narrowest(values: Sequence[int]) -> tuple[int, int] | None:
    """Find the interval with the fewest distinct values that holds 80 % of sorted values, the lowest of equals."""
    if not values:
        return None
    distinct = sorted(set(values))
    needed = _MASS * len(values)
    spans = [
        (high - low, low, high)
        for low in range(len(distinct))
        for high in range(low, len(distinct))
        if sum(distinct[low] <= value <= distinct[high] for value in values) >= needed
    ]
    _, low, high = min(spans)
    return distinct[low], distinct[high]
