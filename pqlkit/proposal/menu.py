"""The menu: the few rules that are shown, each unlike the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pqlkit.proposal.rule import Rule
    from pqlkit.proposal.search import Search

SIMILAR: Final = 0.8
"""Jaccard index of the qualified looks above which two rules give the same leads."""


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
    """Choose greedily: the best rule, then the best that is not similar to a chosen one."""
    raise NotImplementedError


def front(found: Search, *, most: int = 10) -> tuple[Rule, ...]:
    """Thin the front of rate against coverage to `most` rules evenly spread over coverage, both ends kept."""
    raise NotImplementedError


def ladder(found: Search) -> tuple[Step, ...]:
    """Give the best rule of each size, with the gain of each further criterion."""
    raise NotImplementedError
