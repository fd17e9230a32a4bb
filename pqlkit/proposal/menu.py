"""The menu: the few rules that are shown, each unlike the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.proposal.standings import Standings, as_rule, bounds_of

if TYPE_CHECKING:
    from pqlkit.proposal.brief import Brief
    from pqlkit.proposal.fit_view import FitView, Qualified
    from pqlkit.proposal.literals import Literal
    from pqlkit.proposal.result import Search
    from pqlkit.proposal.rule import Rule

SIMILAR: Final = 0.8
"""Share of those who qualify by either of two rules that do so by both, above which they give the same leads."""

_CONSIDERED: Final = 400
_EQUIVALENTS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dish:
    """A rule of the menu, as its places in the search and as counted at snapshots; its qualifications where it was chosen; rules that give (nearly) the same leads, best first."""

    places: tuple[int, ...]
    rule: Rule
    read: Qualified
    equivalents: tuple[Rule, ...]

    @property
    def alike(self) -> tuple[tuple[Literal, ...], ...]:
        """The equivalents as literals, those first that differ by a literal which holds at the very same snapshots."""
        own = self.rule.literals
        twins = [(*own[:place], twin, *own[place + 1 :]) for place, literal in enumerate(own) for twin in literal.same]
        return (*twins, *(rule.literals for rule in self.equivalents))[:_EQUIVALENTS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The best rule of a size, its score, and what that is beyond the best of the size before (None for the first)."""

    size: int
    rule: Rule
    score: float
    gain: float | None


def standings_of(brief: Brief, search: Search, view: FitView) -> Standings:
    """Read the rules of a search as qualifications, by what is asked for."""
    wishes = brief.wishes
    return Standings.of(
        search,
        view,
        objective=brief.objective,
        bounds=bounds_of(
            view.converters,
            capacity=wishes.capacity,
            min_rate=brief.least_rate,
            min_recall=wishes.min_recall,
            min_share=wishes.min_share,
        ),
        max_criteria=search.goal.max_criteria,
        every=view.tiles is not None,
    )


def menu(standings: Standings, *, most: int = 5, similar: float = SIMILAR) -> tuple[Dish, ...]:
    """Choose greedily: the first rule, the best without any of its events, then the best that is not similar to a chosen one.

    Where the first no longer holds later, something else may have taken its place.

    Parameters
    ----------
    standings
        Rules by their qualifications.
    most
        Rules to choose.
    similar
        Share of those who qualify by either rule that do so by both, above which one stands as an equivalent of the other.

    Returns
    -------
    tuple of Dish
        Empty if no rule keeps the bounds. Criteria that have not earned their place are struck out of what is chosen, and the
        rule that it was stands as an equivalent.
    """
    first = standings.first()
    chosen: list[tuple[int, ...]] = []
    equivalents: list[list[tuple[int, ...]]] = []
    for rule in [] if first is None else _considered(standings, first):
        place = _like(standings, chosen, rule, similar)
        if place is None and len(chosen) < most:
            plain = rule if rule == first else standings.earned(rule)
            place = _like(standings, chosen, plain, similar)
            if place is None and standings.keeps(plain):
                chosen.append(plain)
                equivalents.append([])
                place = len(chosen) - 1
        if (
            place is not None
            and rule not in (chosen[place], *equivalents[place])
            and len(equivalents[place]) < _EQUIVALENTS
        ):
            equivalents[place].append(rule)
    return tuple(
        Dish(
            places=rule,
            rule=as_rule(standings, rule),
            read=standings.counted(rule),
            equivalents=tuple(as_rule(standings, other) for other in others),
        )
        for rule, others in zip(chosen, equivalents, strict=True)
    )


def _considered(standings: Standings, first: tuple[int, ...]) -> list[tuple[int, ...]]:
    """List the rules that may stand on the menu, in the order in which they are asked."""
    apart = standings.apart(first)
    return [first, *([] if apart is None else [apart]), *standings.best(_CONSIDERED)]


def _like(standings: Standings, chosen: list[tuple[int, ...]], rule: tuple[int, ...], similar: float) -> int | None:
    """Find the chosen rule that gives nearly the same leads."""
    return next((place for place, other in enumerate(chosen) if standings.similar(rule, other) > similar), None)


def front(standings: Standings, *, most: int = 10) -> tuple[tuple[int, ...], ...]:
    """Thin the front of rate against recall to `most` rules evenly spread over recall, both ends kept.

    Returns
    -------
    tuple
        By rising recall and so by falling rate.
    """
    rules = standings.front()
    if len(rules) <= most:
        return tuple(rules)
    covered = np.array([float(standings.counted(rule).converted) for rule in rules])
    wanted = np.linspace(covered[0], covered[-1], most)
    nearest = {int(np.abs(covered - point).argmin()) for point in wanted}
    return tuple(rules[index] for index in sorted(nearest))


def ladder(standings: Standings) -> tuple[Step, ...]:
    """Give the best rule of each size, with the gain of each further criterion (negative: it costs)."""
    steps: list[Step] = []
    best = {size: rule for size in range(1, standings.max_criteria + 1) for rule in standings.best(1, size=size)}
    for size, rule in sorted(best.items()):
        score = standings.score(rule)
        gain = score - steps[-1].score if steps else None
        steps.append(Step(size=size, rule=as_rule(standings, rule), score=score, gain=gain))
    return tuple(steps)
