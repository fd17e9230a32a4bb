"""The promise: what a definition's starts were followed by, in a period (the trigger view)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.analysis.qualification import qualifications
from pqlkit.analysis.trigger import between, leads_per_week, notice, reach_of, starts, trigger_rate
from pqlkit.proposal.candidate import Promise

if TYPE_CHECKING:
    import polars as pl

    from pqlkit.analysis.population import Population
    from pqlkit.definitions.model import Definition
    from pqlkit.typing import Microseconds


def started(population: Population, definition: Definition, *, spells: pl.DataFrame | None = None) -> pl.DataFrame:
    """Give the counted starts of a definition over all time, as `pqlkit.analysis.trigger.starts`.

    Raises
    ------
    ValueError
        The definition has no outcome (a milestone).
    """
    if definition.outcome is None:
        message = f"{definition.name} has no outcome"
        raise ValueError(message)
    found = qualifications(population, definition, spells=spells)
    return starts(
        population,
        found,
        horizon=definition.outcome.within,
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
        rate=trigger_rate(part),
        notice=notice(part),
        leads_per_week=leads_per_week(part, first=first, through=through, zone=population.world.zone),
    )
