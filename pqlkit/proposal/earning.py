"""Earned criteria: keep a criterion only when the leads that it keeps out convert worse than chance explains."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.proposal.rule import Rule
from pqlkit.statistics.exact import fisher_greater

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.result import Search

LEVEL: Final = 0.05

__all__ = ["LEVEL", "by_chance", "counted_rule", "earned"]


def earned(search: Search, rule: Rule) -> Rule:
    """Strike out the criteria of a rule that have not earned their place.

    Parameters
    ----------
    search
        The search that the rule is of.
    rule
        Up to three literals.

    Returns
    -------
    Rule
        The rule itself, or a shorter one; its score is that of what is left. Counts of others than converters are estimates
        where the search ran on a sample.

    Notes
    -----
    The best of all rules can always be made a little better by a third criterion that keeps out a few unlucky leads: among a
    thousand there is one. So the leads that a criterion keeps out must convert worse than those it lets through, by a
    one-sided Fisher test whose level of 5 % is divided by the number of literals that it was the best of. The criterion with
    the largest p-value goes first. Nothing is struck out that would break a constraint.

    References
    ----------
    Fisher, R. A. (1935). The logic of inductive inference. Journal of the Royal Statistical Society 98, 39-82.
    """
    while len(rule.literals) > 1:
        chances = [by_chance(search, rule.literals, literal) for literal in rule.literals]
        weakest = int(np.argmax(chances))
        if chances[weakest] * len(search.literals) <= LEVEL:
            return rule
        shorter = _counted(search, rule, [literal for index, literal in enumerate(rule.literals) if index != weakest])
        if shorter is None:
            return rule
        rule = shorter
    return rule


def by_chance(search: Search, literals: Sequence[Literal], without: Literal) -> float:
    """Give the chance of so many converters among those kept, of all whom the others let through, if it made no difference."""
    hits, others = _heads(search, literals)
    all_hits, all_others = _heads(search, [literal for literal in literals if literal != without])
    chance = float(fisher_greater(hits, others, all_hits - hits, all_others - others))
    return 1.0 if np.isnan(chance) else chance  # it kept nobody out


def _heads(search: Search, literals: Sequence[Literal]) -> tuple[int, int]:
    """Count the searched snapshots that meet all literals: converted, and others (unweighted)."""
    rows = search.places(literals)
    return _bits(search.bits.hits[rows]), _bits(search.bits.others[rows])


def _bits(words: NDArray[np.uint64]) -> int:
    return int(np.bitwise_count(np.bitwise_and.reduce(words)).sum(dtype=np.int64))


def _counted(search: Search, rule: Rule, literals: Sequence[Literal]) -> Rule | None:
    """Count a shorter rule; None if it breaks a constraint or is a trait alone."""
    if all(literal.trait is not None for literal in literals):
        return None
    hits, others = _heads(search, literals)
    misses = search.bits.weight * others
    met, missed = np.array([float(hits)]), np.array([float(misses)])
    converters, snapshots = float(search.converters), float(search.snapshots)
    if not search.goal.constraints.keep(met, missed, converters=converters, snapshots=snapshots)[0]:
        return None
    score = float(search.goal.objective.score(met, missed, converters=converters, snapshots=snapshots)[0])
    return replace(rule, literals=tuple(literals), qualified=hits + round(misses), converted=hits, score=score)


def counted_rule(search: Search, literals: Sequence[Literal]) -> Rule:
    """Count a rule at the searched snapshots, whatever it keeps."""
    hits, others = _heads(search, literals)
    misses = search.bits.weight * others
    score = search.goal.objective.score(
        np.array([float(hits)]),
        np.array([misses]),
        converters=float(search.converters),
        snapshots=float(search.snapshots),
    )
    return Rule(literals=tuple(literals), qualified=hits + round(misses), converted=hits, score=float(score[0]))
