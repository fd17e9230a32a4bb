"""The evaluation: a definition over a world, how much and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from pqlkit.definitions.model import Criterion, Definition
    from pqlkit.measures.world import World
    from pqlkit.typing import LazyFrame

__all__ = ["Evaluation", "criterion_spells", "evaluate", "spells_of", "values"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """What a definition is worth for every entity of a world.

    Parameters
    ----------
    spells
        When the whole formula holds, one row per spell, sorted: ``entity``, ``on``, ``off`` (Int64 UTC microseconds;
        [on, off); `off` null = still on at `as_of`). anchor <= on, on <= as_of, on < converted.
    criteria
        One row per entity with an anchor and leaf of the formula, sorted: ``entity``, ``criterion`` (Int32, index into
        ``tuple(leaves(definition.qualify))``), ``value`` (Float64: the highest reached for an `at_least`, else the value at
        the end; users who qualified for a user milestone; null for other refs, and where a measure is undefined), ``on``
        (start of the first spell, null = never), ``holds`` (on at `as_of`, or at the last microsecond before the
        conversion).
    """

    spells: pl.DataFrame
    criteria: pl.DataFrame


def evaluate(world: World, definition: Definition) -> Evaluation:
    """Evaluate the whole definition: spells of the formula, and each leaf's value, first spell and present state.

    Eligibility (`definition.eligible`) is the population's and not applied here; an entity without an anchor has no rows.
    """
    raise NotImplementedError


def spells_of(world: World, definition: Definition) -> pl.DataFrame:
    """Give the spells of the whole formula alone, as `Evaluation.spells`."""
    raise NotImplementedError


def criterion_spells(world: World, criteria: Sequence[Criterion]) -> LazyFrame:
    """Plan the spells of each criterion: ``entity``, ``criterion`` (Int32 position), ``on``, ``off``, clipped as above."""
    raise NotImplementedError


def values(world: World, criteria: Sequence[Criterion], *, cutoffs: pl.DataFrame | None = None) -> LazyFrame:
    """Plan the value of each criterion for each entity: ``entity``, ``criterion`` (Int32), ``value`` (Float64 or null).

    Parameters
    ----------
    world, criteria
        What is measured.
    cutoffs
        ``entity`` (unique), ``cutoff`` (Int64): the value of the microsecond before the cutoff, for these entities alone.
        None: the value at `as_of`, and for converted entities of the microsecond before the conversion.
    """
    raise NotImplementedError
