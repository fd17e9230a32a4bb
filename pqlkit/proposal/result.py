"""The result of a search: the rules that it found, and what it found them in."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pqlkit.shown import Counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.proposal.bits import Bits
    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.objective import Goal
    from pqlkit.proposal.rule import Rule


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Search(Counted):
    """What a search found.

    Parameters
    ----------
    rules
        The best first, each keeping the constraints; empty if none does. Counts are of all snapshots of the fit part, also
        when the search ran on a sample.
    front
        All rules known that no other known rule beats in both rate and recall, by rising recall. Singles and pairs are
        all known, triples those that came near the best.
    best_of_size
        The best rule of 1, 2 and 3 literals (absent: none keeps the constraints).
    plainer
        How many literals each vocabulary narrower than that of the best rule has (`pqlkit.proposal.literals.View`), and its
        best rule: named events alone and, where the best rule beats those, what looks at named events indirectly. None in
        which nothing keeps the constraints.
    in_time
        Whether the search came to its end; False: stopped by the clock.
    left_out
        How many literals were paired with no other, the least plain ones: all pairs would be too much work.
    seconds
        Time taken.
    considered
        How many rules the literals make.
    counted
        How many of them were counted, the others excluded by bounds.
    literals, bits, goal
        What was searched, and for what.
    snapshots, converters
        Of the fit part.
    """

    rules: tuple[Rule, ...]
    front: tuple[Rule, ...]
    best_of_size: dict[int, Rule]
    plainer: tuple[tuple[int, Rule], ...]
    in_time: bool
    left_out: int
    seconds: float
    considered: int
    counted: int
    literals: tuple[Literal, ...]
    bits: Bits = field(repr=False)
    goal: Goal
    snapshots: int
    converters: int

    def _many(self) -> int:
        return self.considered

    @property
    def best(self) -> Rule | None:
        """The best rule, or None."""
        return self.rules[0] if self.rules else None

    @property
    def complete(self) -> bool:
        """Whether every rule was counted or proved to be no better than the best of its size (on the sample, if there is one)."""
        return self.in_time and not self.left_out

    @cached_property
    def _places(self) -> dict[tuple[bool, int, int], int]:
        return {_key(literal): place for place, literal in enumerate(self.literals)}

    def places(self, literals: Sequence[Literal]) -> list[int]:
        """Give where in `literals` (and in the bits) each of these stands.

        Raises
        ------
        KeyError
            It is none of the literals searched.
        """
        return [self._places[_key(literal)] for literal in literals]


def _key(literal: Literal) -> tuple[bool, int, int]:
    """Tell literals of one search apart (comparing them whole takes a second for a few thousand)."""
    return literal.trait is not None, literal.column, literal.level
