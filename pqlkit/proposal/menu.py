"""The menu: the few rules that are shown, each unlike the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.proposal.difference import meets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pqlkit.proposal.result import Search
    from pqlkit.proposal.rule import Rule

SIMILAR: Final = 0.8
"""Jaccard index of the qualified snapshots above which two rules give the same leads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dish:
    """A rule of the menu, and rules that give (nearly) the same leads, best first."""

    rule: Rule
    equivalents: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The best rule of a size, and what it scores beyond the best of the size before (None for the first)."""

    size: int
    rule: Rule
    gain: float | None


def menu(found: Search, *, most: int = 5, similar: float = SIMILAR) -> tuple[Dish, ...]:
    """Choose greedily: the headline, then the best rule that is not similar to a chosen one.

    Parameters
    ----------
    found
        A search; its bits say who meets what (a sample of the controls, where there are very many).
    most
        Rules to choose.
    similar
        Jaccard index (meets both / meets either) above which a rule stands as an equivalent of the chosen one instead.

    Returns
    -------
    tuple of Dish
        The headline, then by falling score of the rules as searched; empty if the search found nothing. The best rule of
        each size is always considered. Criteria that have not earned their place are struck out of what is chosen, and the
        rule as searched stands as an equivalent.
    """
    from pqlkit.proposal.earning import earned

    chosen: list[Rule] = []
    equivalents: list[list[Rule]] = []
    words: list[NDArray[np.uint64]] = []
    for rule in _considered(found):
        own = meets(found, rule.literals)
        index = next((i for i, other in enumerate(words) if jaccard(found, own, other) > similar), None)
        if index is None and len(chosen) < most:
            plain = earned(found, rule)
            own = meets(found, plain.literals)
            index = next((i for i, other in enumerate(words) if jaccard(found, own, other) > similar), None)
            if index is None:
                chosen.append(plain)
                equivalents.append([])
                words.append(own)
                index = len(chosen) - 1
        if index is not None and rule.literals != chosen[index].literals:
            equivalents[index].append(rule)
    return tuple(Dish(rule=rule, equivalents=tuple(others)) for rule, others in zip(chosen, equivalents, strict=True))


def _considered(found: Search) -> list[Rule]:
    from pqlkit.proposal.headline import preferred

    first = preferred(found)
    rules = dict.fromkeys([*found.rules, *found.best_of_size.values()])
    others = sorted(rules, key=lambda rule: (-rule.score, rule.plainness))
    return [] if first is None else [first, *(rule for rule in others if rule != first)]


def jaccard(found: Search, one: NDArray[np.uint64], two: NDArray[np.uint64]) -> float:
    """Give the share of those who meet either that meet both; sampled controls carry their weight."""
    start = found.bits.hits.shape[1]

    def weighted(words: NDArray[np.uint64]) -> float:
        counts = np.bitwise_count(words)
        return float(counts[:start].sum(dtype=np.int64) + found.bits.weight * counts[start:].sum(dtype=np.int64))

    either = weighted(one | two)
    return weighted(one & two) / either if either else 1.0


def front(found: Search, *, most: int = 10) -> tuple[Rule, ...]:
    """Thin the front of rate against recall to `most` rules evenly spread over recall, both ends kept.

    Returns
    -------
    tuple of Rule
        By rising recall and so by falling rate.
    """
    rules = found.front
    if len(rules) <= most:
        return rules
    covered = np.array([float(rule.converted) for rule in rules])
    wanted = np.linspace(covered[0], covered[-1], most)
    nearest = {int(np.abs(covered - point).argmin()) for point in wanted}
    return tuple(rules[index] for index in sorted(nearest))


def ladder(found: Search) -> tuple[Step, ...]:
    """Give the best rule of each size, with the gain of each further criterion (negative: it costs)."""
    steps: list[Step] = []
    for size, rule in sorted(found.best_of_size.items()):
        before = steps[-1].rule.score if steps else None
        steps.append(Step(size=size, rule=rule, gain=None if before is None else rule.score - before))
    return tuple(steps)
