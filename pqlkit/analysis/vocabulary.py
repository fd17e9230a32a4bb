"""The vocabulary: the event names that the data has, which a written formula must keep to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import narwhals as nw

from pqlkit.columns import EVENT
from pqlkit.definitions.model import Criterion, leaves
from pqlkit.errors import DataError, nearest

if TYPE_CHECKING:
    from pqlkit.analysis.population import Population
    from pqlkit.definitions.model import Node

__all__ = ["event_names", "refuse_unknown"]


def event_names(population: Population) -> frozenset[str]:
    """List the names of all events that the population has."""
    engine, events = population.world.engine, population.world.events
    return frozenset(engine.collect(events.select(nw.col(EVENT)).unique()).get_column(EVENT).drop_nulls().to_list())


def refuse_unknown(node: Node, known: frozenset[str]) -> None:
    """Refuse event names that the data does not have: a formula with a typo is met by nobody.

    Raises
    ------
    DataError
        With the nearest name.
    """
    for leaf in leaves(node):
        for event in (leaf.events or ()) if isinstance(leaf, Criterion) else ():
            if event not in known:
                close = nearest(event, known)
                hint = f"did you mean {close}?" if close else f"there are {len(known)} event names"
                raise DataError(f"the data has no event {event!r}", hint=hint)
