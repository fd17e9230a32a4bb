"""The vocabulary: the names of events and properties that the data has, which a written formula must keep to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import narwhals as nw

from pqlkit.columns import EVENT
from pqlkit.definitions.model import Criterion, leaves
from pqlkit.errors import DataError, suggestion
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pqlkit.definitions.expression import Expression, Term
    from pqlkit.definitions.model import Definition, Node, Ref
    from pqlkit.population.population import Population

__all__ = ["event_names", "refuse_unknown", "unknown_events"]

SHOWN: Final = 6
"""Names that are listed where another is asked for."""


def event_names(population: Population) -> frozenset[str]:
    """List the names of all events that the population has."""
    engine, events = population.world.engine, population.world.events
    return frozenset(engine.collect(events.select(nw.col(EVENT)).unique()).get_column(EVENT).drop_nulls().to_list())


def unknown_events(population: Population, definition: Definition, *, nobody: bool) -> tuple[str, ...]:
    """Say in a sentence each which events of a definition, and of the milestones that it refers to, the data does not have.

    Parameters
    ----------
    population, definition
        Who is asked, and what.
    nobody
        Whether nobody meets it. Where the names of events are not written down in a dataset, they are looked for only then, or
        where a criterion asks for few events, which everybody has of one that does not exist: it takes a pass over all.
    """
    from pqlkit.exports.summaries import names

    asked = list(_criteria(definition))
    wanted = dict.fromkeys(event for criterion in asked for event in criterion.events or ())
    table = population.dataset.tables.get("events")
    if table is not None and table.names:
        known = frozenset(names(table).select(EVENT).collect().get_column(EVENT).drop_nulls().to_list())
    elif nobody or any(criterion.at_most is not None for criterion in asked):
        known = event_names(population)
    else:
        return ()
    return tuple(
        f"{visible(definition.name)}: the data has no event {visible(event)!r}: everybody counts as never having done it; "
        + (suggestion(event, known) or f"it has {len(known)} event names")
        for event in wanted
        if event not in known
    )


def _criteria(definition: Definition) -> Iterator[Criterion]:
    for leaf in leaves(definition.qualify):
        if isinstance(leaf, Criterion):
            yield leaf
        else:
            yield from _criteria(leaf.target)


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
