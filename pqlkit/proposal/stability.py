"""Stability: how often the search chooses the same behaviours on random halves of the snapshots."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.proposal.headline import headline
from pqlkit.proposal.search import Effort, searched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pqlkit.proposal.bits import Bits
    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.objective import Constraints
    from pqlkit.proposal.result import Search
    from pqlkit.proposal.rule import Rule

_AMONG: Final = 60
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
        How many were searched (fewer than asked only if the clock stopped it).
    share
        Of the halves whose best rule names the same events, no more and no fewer.
    criteria
        One per literal of the rule, in its order. A share below 0.6 is unstable.
    """

    halves: int
    share: float
    criteria: tuple[Chosen, ...]


def stability(found: Search, rule: Rule, *, halves: int = 30, seed: int = 0, max_seconds: float = 20.0) -> Stability:
    """Search random halves again, among the behaviours of the rule and of the best 60 rules.

    Parameters
    ----------
    found
        The search; its packed snapshots stand in random order, so that half of the words are a random half of the snapshots.
    rule
        The rule that is judged.
    halves
        How many halves.
    max_seconds
        After this long no further half is begun.

    Notes
    -----
    The gate on converters is halved with the snapshots. Each half is searched and its headline taken as for the rule itself: plain
    words first, every criterion earned.

    References
    ----------
    Meinshausen, N. & Buehlmann, P. (2010). Stability selection. Journal of the Royal Statistical Society B 72, 417-473.
    """
    started = time.monotonic()
    random = np.random.default_rng(seed)
    literals, bits = _narrowed(found, rule)
    constraints = replace(found.goal.constraints, converters=-(-found.goal.constraints.converters // 2))
    choices: list[tuple[Literal, ...]] = []
    for _ in range(halves):
        if time.monotonic() - started > max_seconds:
            break
        deadline = started + max_seconds
        choices.append(_best(found, literals, _half(bits, random), constraints, len(rule.literals), deadline))
    return _judged(rule, choices)


def _narrowed(found: Search, rule: Rule) -> tuple[list[Literal], Bits]:
    """Keep the columns of the rule and of the best rules, plain ones included."""
    best = [*found.rules[:_AMONG], *(plain for _, plain in found.plainer), rule]
    columns = {(literal.trait is not None, literal.column) for other in best for literal in other.literals}
    rows = [
        index for index, literal in enumerate(found.literals) if (literal.trait is not None, literal.column) in columns
    ]
    bits = replace(found.bits, hits=found.bits.hits[rows], others=found.bits.others[rows])
    return [found.literals[index] for index in rows], bits


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


def _best(
    found: Search, literals: Sequence[Literal], bits: Bits, constraints: Constraints, size: int, deadline: float
) -> tuple[Literal, ...]:
    """Search one half; the literals of its headline, or none."""
    goal = replace(found.goal, constraints=constraints, max_criteria=max(size, *found.best_of_size, 1))
    half = searched(bits, literals, goal, Effort(deadline=deadline, keep=_KEEP))
    rule = headline(half)
    return () if rule is None else rule.literals


def _judged(rule: Rule, choices: Sequence[tuple[Literal, ...]]) -> Stability:
    groups = {literal.group for literal in rule.literals}
    named = [{literal.group for literal in choice} for choice in choices]
    return Stability(
        halves=len(choices),
        share=sum(names == groups for names in named) / len(choices) if choices else 0.0,
        criteria=tuple(_chosen(literal, groups, choices) for literal in rule.literals),
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
