"""Spells of a definition: when an eligible entity meets the whole of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.columns import AT, ENTITY, OFF, ON

if TYPE_CHECKING:
    import polars as pl

    from pqlkit.definitions.model import Definition
    from pqlkit.population.population import Population

__all__ = ["qualifications"]


def qualifications(
    population: Population,
    definition: Definition,
    *,
    spells: pl.DataFrame | None = None,
    now: bool = False,
    early: bool = False,
) -> pl.DataFrame:
    """Give the spells of a definition that begin while the entity is eligible.

    Parameters
    ----------
    population
        Who exists.
    definition
        Its formula and `eligible` conditions.
    spells
        The formula's spells, if they are known already.
    now
        For tonight's leads: eligibility is judged as of `as_of` by whoever asks, and not here (today's traits are right for
        today's leads, and wrong for last year's).
    early
        For snapshots, as in `pqlkit.measures.evaluation.spells_of`.

    Returns
    -------
    DataFrame
        ``entity``, ``on``, ``off``, sorted by entity and start. Traits are judged as of the start. Entities with clock faults,
        and those that were never at risk (no stay in the plan that an expansion starts from), have none.

    Raises
    ------
    UsageError
        A condition needs a trait of which only today's value is known, and it is not trusted.
    """
    import polars as pl

    from pqlkit.measures.evaluation import spells_of

    frame = spells_of(population.world, definition, early=early) if spells is None else spells
    able = population.entities.filter(~pl.col("invalid"), "at_risk").select(ENTITY)
    frame = frame.join(able, on=ENTITY, how="semi")
    if definition.eligible and not now:
        population.traits.refuse_current((condition.name for condition in definition.eligible), population.trusted)
        held = population.traits.holds(definition.eligible, frame.select(ENTITY, pl.col(ON).alias(AT)))
        frame = frame.filter(held)
    return frame.select(ENTITY, ON, OFF).sort(ENTITY, ON)
