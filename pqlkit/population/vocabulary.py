"""The vocabulary: the names of events and properties that the data has, which a written formula must keep to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import narwhals as nw

from pqlkit.columns import EVENT
from pqlkit.definitions.model import Criterion, leaves
from pqlkit.errors import DataError, suggestion
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pqlkit.definitions.expression import Expression, Term
    from pqlkit.definitions.model import Node, Ref
    from pqlkit.population.population import Population

__all__ = ["event_names", "refuse_unknown"]

SHOWN: Final = 6
"""Names that are listed where another is asked for."""


def event_names(population: Population) -> frozenset[str]:
    """List the names of all events that the population has."""
    engine, events = population.world.engine, population.world.events
    return frozenset(engine.collect(events.select(nw.col(EVENT)).unique()).get_column(EVENT).drop_nulls().to_list())


def refuse_unknown(asked: Expression | Node, events: frozenset[str], properties: frozenset[str] | None = None) -> None:
    """Refuse names of events and properties that the data does not have: a formula with a typo is met by nobody.

    Parameters
    ----------
    asked
        An expression, whose terms know where they stand, or a formula.
    events, properties
        The names that there are; None = properties are not asked about.

    Raises
    ------
    DataError
        With the nearest name and, for an expression, a caret under the one that is meant.
    """
    from pqlkit.definitions.expression import Expression

    terms: Iterable[tuple[Criterion | Ref, Term | None]] = (
        asked.leaves if isinstance(asked, Expression) else ((leaf, None) for leaf in leaves(asked))
    )
    text = asked.text if isinstance(asked, Expression) else ""
    for leaf, term in terms:
        if not isinstance(leaf, Criterion):
            continue
        for event in leaf.events or ():
            if event not in events:
                raise _unknown("event", event, events, text, None if term is None else term.event)
        if properties is None:
            continue
        places = (None,) * len(leaf.where) if term is None else term.where
        named: list[tuple[str, int | None]] = [
            (condition.name, at) for condition, at in zip(leaf.where, places, strict=True)
        ]
        if leaf.measure.property is not None:
            named.append((leaf.measure.property, None if term is None else term.property))
        for name, at in named:
            if name not in properties:
                raise _unknown("property", name, properties, text, at)


def _unknown(what: str, name: str, known: frozenset[str], text: str, at: int | None) -> DataError:
    """Name what the data does not have, what is near, and where it stands in the text."""
    from pqlkit.definitions.expression import pointed

    shown = ", ".join(visible(each, 40) for each in sorted(known)[:SHOWN])
    listed = f"{shown}, .. ({len(known):,})" if len(known) > SHOWN else shown or "none"
    place = "" if at is None else f" (character {at + 1})"
    message = f"no {what} is called {visible(name, 200)}{place}. The data has: {listed}"
    hint = suggestion(name, known)
    return DataError(message, hint=hint if at is None else pointed(text, at, hint))
