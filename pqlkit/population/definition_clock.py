"""The definition's clock: a population counted from where a definition's windows begin."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pqlkit.errors import UsageError
from pqlkit.inert import visible
from pqlkit.population.entity_world import anchored

if TYPE_CHECKING:
    from pqlkit.definitions.model import Definition
    from pqlkit.population.population import Population


def clocked(population: Population, definition: Definition) -> Population:
    """Give a population the clock of a definition, which need not be the one that the population was made for.

    Raises
    ------
    UsageError
        The definition is about other entities: it could hold for none of these.
    """
    refuse_other_kind(population, definition)
    if definition.anchor == population.anchor:
        return population
    return replace(population, world=anchored(population.world, definition.anchor))


def refuse_other_kind(population: Population, definition: Definition) -> None:
    """Refuse a definition of accounts where users are looked at, and the other way round.

    Raises
    ------
    UsageError
        It says what each is about.
    """
    own, here = definition.entity.value, population.kind.value
    if own != here:
        raise UsageError(
            f"{visible(definition.name)} is about {own}s, and these snapshots are of {here}s",
            hint=f"use --entity {own}, or a definition about {here}s",
        )
