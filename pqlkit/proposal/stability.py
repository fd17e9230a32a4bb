"""Stability: how often the search chooses the same behaviours on random halves of the looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.rule import Rule
    from pqlkit.proposal.search import Search


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
        The narrowest interval of thresholds that holds 80 % of those choices; None for a trait or if never chosen.
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
        Of the halves whose best rule names the same events.
    criteria
        One per literal of the rule, in its order. A share below 0.6 is unstable.
    """

    halves: int
    share: float
    criteria: tuple[Chosen, ...]


def stability(found: Search, rule: Rule, *, halves: int = 30, seed: int = 0, max_seconds: float = 20.0) -> Stability:
    """Search random halves again, among the behaviours of the best 60 rules."""
    raise NotImplementedError
