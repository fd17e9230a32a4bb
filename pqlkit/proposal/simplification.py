"""The simpler alternative: what cannot be told apart from the best rule, and reads better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.proposal.menu import meets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.rule import Rule
    from pqlkit.proposal.search import Search

REPLICATES: Final = 400


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
        words = meets(found, sorted([*rest, literal], key=found.literals.index))
        if not _within_one_error(found, own, words, replicates, seed):
            break
        last = literal.threshold
    return last


def _within_one_error(
    found: Search, best: NDArray[np.uint64], other: NDArray[np.uint64], replicates: int, seed: int
) -> bool:
    """Tell whether the other's score is within one bootstrap standard error of the difference below the best's."""
    cells = _cells(found, best, other)
    total = int(cells.sum())
    drawn = np.random.default_rng(seed).multinomial(total, cells.ravel() / total, size=replicates)
    draws = drawn.reshape(replicates, 2, 2, 2).astype(np.float64)
    real = cells.reshape(1, 2, 2, 2).astype(np.float64)
    spread = float(np.std(_difference(found, draws), ddof=1))
    return float(_difference(found, real)[0]) <= spread


def _cells(found: Search, best: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Count converted (1) or not (0) x meets the best x meets the other."""
    start, bits = found.bits.hits.shape[1], found.bits
    cells = np.zeros((2, 2, 2), dtype=np.int64)
    for converted, part, all_ in ((1, slice(0, start), bits.converters), (0, slice(start, None), bits.controls)):
        both, one, two = (
            int(np.bitwise_count(words[part]).sum(dtype=np.int64)) for words in (best & other, best, other)
        )
        cells[converted] = [[all_ - one - two + both, two - both], [one - both, both]]
    return cells


def _difference(found: Search, cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Score of the best less score of the other, for each table (n, converted, best, other)."""
    weight = found.bits.weight
    hits, misses = cells[:, 1], cells[:, 0] * weight
    scores = []
    converters = hits.sum(axis=(1, 2))
    looks = converters + misses.sum(axis=(1, 2))
    for axis in (2, 1):
        met, missed = hits.sum(axis=axis)[:, 1], misses.sum(axis=axis)[:, 1]
        scores.append(found.objective.score(met, missed, converters=converters, looks=looks))
    return scores[0] - scores[1]
