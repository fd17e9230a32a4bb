"""The simpler alternative: a rule that reads better than the chosen one, and does as well within chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.proposal.rule import plainness

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pqlkit.proposal.standings import Standings

_LOOKED_THROUGH = 400


def simpler(standings: Standings, rule: tuple[int, ...]) -> tuple[int, ...] | None:
    """Give the simplest rule within one standard error of `rule`, or None if `rule` is it.

    Parameters
    ----------
    standings
        The rules that are looked through: the best.
    rule
        One of them.

    Notes
    -----
    Simpler = fewer criteria, then rounder thresholds, then fewer windows; among equals the better score.

    References
    ----------
    Breiman, L., Friedman, J. H., Olshen, R. A. & Stone, C. J. (1984). Classification and Regression Trees. Wadsworth;
    the one-standard-error rule.
    """

    def plain(other: tuple[int, ...]) -> tuple[int, int, int, int, tuple[str, ...]]:
        return plainness([standings.literals[place] for place in other])

    own = plain(rule)[:3]
    rivals = sorted(
        standings.best(_LOOKED_THROUGH), key=lambda other: (plain(other)[:3], -standings.score(other), plain(other))
    )
    for other in rivals:
        if plain(other)[:3] >= own:
            return None
        if _within_one_error(standings, rule, other):
            return other
    return None


def threshold_ranges(standings: Standings, rule: tuple[int, ...]) -> dict[int, tuple[int, int]]:
    """Give, for each behaviour of the rule, the least and the largest threshold that cannot be told apart from its own.

    Notes
    -----
    The others stay as they are; thresholds are walked outward from the rule's own, over those searched, while the score
    stays within one standard error of it.
    """
    ranges: dict[int, tuple[int, int]] = {}
    for place in rule:
        literal = standings.literals[place]
        if literal.threshold is None:
            continue
        rest = tuple(other for other in rule if other != place)
        column = sorted(
            (other.level, index)
            for index, other in enumerate(standings.literals)
            if other.trait is None and other.column == literal.column
        )
        lower = [index for level, index in reversed(column) if level < literal.level]
        higher = [index for level, index in column if level > literal.level]
        ends = [_last(standings, rule, rest, walk) or literal.threshold for walk in (lower, higher)]
        ranges[place] = (ends[0], ends[1])
    return ranges


def _last(standings: Standings, rule: tuple[int, ...], rest: tuple[int, ...], walk: Iterable[int]) -> int | None:
    """Walk until a threshold can be told apart; give the last that cannot, or None."""
    last = None
    for place in walk:
        if not _within_one_error(standings, rule, tuple(sorted((*rest, place)))):
            break
        last = standings.literals[place].threshold
    return last


def _within_one_error(standings: Standings, best: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Tell whether the other scores within one standard error of the difference below the best."""
    gap = standings.advantage(best, other)
    return gap.value <= gap.error
