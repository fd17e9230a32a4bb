"""The promise: what a definition's starts were followed by, in a period (the qualification view)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.proposal.candidate import Promise
from pqlkit.snapshots.qualifications import (
    between,
    pql_conversion_rate,
    pqls_per_week,
    reach_of,
    starts,
    time_to_convert,
)
from pqlkit.snapshots.spells import qualifications

if TYPE_CHECKING:
    import polars as pl

    from pqlkit.definitions.model import Definition
    from pqlkit.population.population import Population
    from pqlkit.typing import Microseconds


def started(population: Population, definition: Definition, *, spells: pl.DataFrame | None = None) -> pl.DataFrame:
    """Give the counted starts of a definition over all time, as `pqlkit.snapshots.qualifications.starts`.

    Raises
    ------
    ValueError
        The definition has no outcome (a milestone).
    """
    if definition.outcome is None:
        message = f"{definition.name} has no outcome"
        raise ValueError(message)
    frame = qualifications(population, definition, spells=spells)
    return starts(
        population,
        frame,
        conversion_window=definition.outcome.within,
        cooldown=definition.cooldown,
        retained_for=definition.outcome.retained_for,
        reaches_back=reach_of(definition),
    )


def promise(
    population: Population, counted: pl.DataFrame, *, first: Microseconds, before: Microseconds | None
) -> Promise:
    """Sum up the starts of a period.

    Parameters
    ----------
    population
        For the zone and `as_of`.
    counted
        Starts over all time.
    first, before
        The period, first <= start < before; `before` None = through `as_of`.
    """
    part = between(counted, first, before)
    through = population.as_of if before is None else before - 1
    return Promise(
        starts=part.height,
        too_soon=int(part["too_soon"].sum()),
        rate=pql_conversion_rate(part),
        time_to_convert=time_to_convert(part),
        pqls_per_week=pqls_per_week(part, first=first, through=through, zone=population.world.zone),
    )
