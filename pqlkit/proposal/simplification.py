"""The simpler alternative: what cannot be told apart from the best rule, and reads better."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.rule import Rule
    from pqlkit.proposal.search import Search


def simpler(found: Search, rule: Rule, *, replicates: int = 400, seed: int = 0) -> Rule | None:
    """Give the simplest rule within one standard error of `rule`, or None if `rule` is it.

    Notes
    -----
    The standard error of the difference is bootstrapped on the eight cells (meets one x meets the other x converted).
    Simpler = fewer criteria, then rounder thresholds, then fewer windows; among equals the better score.
    """
    raise NotImplementedError


def threshold_ranges(
    found: Search, rule: Rule, *, replicates: int = 400, seed: int = 0
) -> dict[Literal, tuple[int, int]]:
    """Give, for each behaviour of the rule, the least and the largest threshold that cannot be told apart from its own.

    Notes
    -----
    The others stay as they are; thresholds are walked outward from the rule's own while the score stays within one
    standard error of it.
    """
    raise NotImplementedError
