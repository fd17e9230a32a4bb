"""The simpler alternative: what cannot be told apart from the best rule, and reads better."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.proposal.difference import REPLICATES, meets, of_snapshots

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.result import Search
    from pqlkit.proposal.rule import Rule


def simpler(found: Search, rule: Rule, *, replicates: int = REPLICATES, seed: int = 0) -> Rule | None:
    """Give the simplest rule within one standard error of `rule`, or None if `rule` is it.

    Parameters
    ----------
    found
        The search whose rules are looked through.
    rule
        One of them.
    replicates, seed
        Of the bootstrap.

    Notes
    -----
    The standard error of the difference is bootstrapped on the eight cells (meets one x meets the other x converted).
    Simpler = fewer criteria, then rounder thresholds, then fewer windows; among equals the better score.

    References
    ----------
    Breiman, L., Friedman, J. H., Olshen, R. A. & Stone, C. J. (1984). Classification and Regression Trees. Wadsworth;
    the one-standard-error rule.
    """
    own = meets(found, rule.literals)
    candidates = dict.fromkeys([*found.best_of_size.values(), *found.rules])
    plain = sorted(candidates, key=lambda other: (other.plainness[:3], -other.score, other.plainness))
    for other in plain:
        if other.plainness[:3] >= rule.plainness[:3]:
            return None
        if _within_one_error(found, own, meets(found, other.literals), replicates, seed):
            return other
    return None


def threshold_ranges(
    found: Search, rule: Rule, *, replicates: int = REPLICATES, seed: int = 0
) -> dict[Literal, tuple[int, int]]:
    """Give, for each behaviour of the rule, the least and the largest threshold that cannot be told apart from its own.

    Notes
    -----
    The others stay as they are; thresholds are walked outward from the rule's own, over those searched, while the score
    stays within one standard error of it.
    """
    own = meets(found, rule.literals)
    ranges: dict[Literal, tuple[int, int]] = {}
    for literal in rule.literals:
        if literal.threshold is None:
            continue
        rest = [other for other in rule.literals if other != literal]
        column = sorted(_of_column(found, literal), key=lambda other: other.level)
        lower = [other for other in reversed(column) if other.level < literal.level]
        higher = [other for other in column if other.level > literal.level]
        ends = [_last(found, own, rest, walk, replicates, seed) or literal.threshold for walk in (lower, higher)]
        ranges[literal] = (ends[0], ends[1])
    return ranges


def _of_column(found: Search, literal: Literal) -> Iterable[Literal]:
    return (other for other in found.literals if other.trait is None and other.column == literal.column)


def _last(
    found: Search,
    own: NDArray[np.uint64],
    rest: Sequence[Literal],
    walk: Iterable[Literal],
    replicates: int,
    seed: int,
) -> int | None:
    """Walk until a threshold can be told apart; give the last that cannot, or None."""
    last = None
    for literal in walk:
        words = meets(found, [*rest, literal])
        if not _within_one_error(found, own, words, replicates, seed):
            break
        last = literal.threshold
    return last


def _within_one_error(
    found: Search, best: NDArray[np.uint64], other: NDArray[np.uint64], replicates: int, seed: int
) -> bool:
    """Tell whether the other's score is within one bootstrap standard error of the difference below the best's."""
    gap = of_snapshots(found, best, other, replicates=replicates, seed=seed)
    return gap.value <= gap.error
