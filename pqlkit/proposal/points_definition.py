"""The points card as a definition: offered where its qualifications are surely better than the rule's."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pqlkit.definitions.model import Score
from pqlkit.measures.crossings import reaching
from pqlkit.proposal.definition_wording import definition_of, in_words
from pqlkit.proposal.earning import LEVEL
from pqlkit.proposal.standings import Standings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.definitions.model import Anchor, Definition, EntityKind, Outcome
    from pqlkit.measures.crossings import Stretches
    from pqlkit.proposal.candidate import Promise
    from pqlkit.proposal.comparable import Comparison
    from pqlkit.proposal.fit_view import Qualified
    from pqlkit.proposal.points import Points


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PointsOffer:
    """A points card that stands where the rule does: chosen and judged by the same qualifications.

    Parameters
    ----------
    definition
        As it is written, evidence included.
    chosen, promised
        The qualification view in the fit and in the holdout period.
    compared
        Its later qualifications against comparable others.
    recall
        Of the conversions of the later period, how many had qualified within the window before, and all.
    """

    definition: Definition
    chosen: Promise
    promised: Promise
    compared: Comparison | None
    recall: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cut:
    """A sum of points from which on somebody is a PQL.

    Parameters
    ----------
    points
        The sum.
    places
        The literals of the card, as places in the search.
    held
        When that many points are there, on each line.
    read
        Its qualifications where the rule was chosen.
    """

    points: int
    places: tuple[int, ...]
    held: Sequence[Stretches] = field(repr=False)
    read: Qualified


def best_cut(card: Points, standings: Standings, rule: tuple[int, ...]) -> Cut | None:
    """Find the best sum of points that keeps the bounds; None if that is not surely better than a rule, and worth while.

    Parameters
    ----------
    card
        Lines and their points.
    standings
        Rules by their qualifications, with what is asked for.
    rule
        The rule that is proposed.
    """
    view = standings.view
    places = tuple(standings.search.places(card.literals))
    totals = view.totals(places, card.points)
    sums = sorted({total for _, depth in totals for total in depth.tolist()} - {0})
    cuts = []
    for points in sums:
        held = [reaching(moments, depth, points) for moments, depth in totals]
        cuts.append(Cut(points=points, places=places, held=held, read=view.read_of(held, places)))
    name = (*places, places[0])  # no rule has a literal twice
    offers = []
    for cut in cuts:
        alone = _beside(standings, rule)
        alone.put(name, cut.read)
        if alone.keeps(name):
            offers.append((alone.score(name), -cut.points, cut, alone))
    if not offers:
        return None
    _, _, cut, alone = max(offers, key=lambda offer: offer[:2])
    level = LEVEL / (len(standings.widths()) * len(standings.literals))
    return cut if alone.surely_better(rule, [name], level) is not None else None


def _beside(standings: Standings, rule: tuple[int, ...]) -> Standings:
    """Give standings of a rule alone, by the same measure and bounds."""
    alone = Standings(
        search=standings.search,
        view=standings.view,
        objective=standings.objective,
        bounds=standings.bounds,
        max_criteria=standings.max_criteria,
        every=standings.every,
    )
    alone.put(rule, standings.counted(rule))
    return alone


def as_definition(
    card: Points, pql_at: int, *, name: str, kind: EntityKind, outcome: Outcome, anchor: Anchor
) -> Definition:
    """Write a card as a definition: whoever has so many points is a PQL.

    Parameters
    ----------
    card, pql_at
        Lines and their points, and the sum from which on somebody is a PQL.
    name, kind, outcome, anchor
        Of the definition.
    """
    rule = definition_of(card.literals, name=name, kind=kind, outcome=outcome, anchor=anchor)
    points = {criterion.id: value for criterion, value in zip(rule.criteria, card.points, strict=True)}
    title = f"{pql_at} of 100 points: {in_words(card.literals)}"[:200]
    return replace(rule, title=title, score=Score(points=points, pql_at=pql_at))
