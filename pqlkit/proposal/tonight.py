"""Tonight: whom a proposed definition finds at the end of the data, and how many of them are new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ANCHOR, AT, CONVERTED, DELETED_AT, ENTITY, OFF, ON
from pqlkit.durations import Duration

if TYPE_CHECKING:
    from pqlkit.definitions.model import Definition
    from pqlkit.population.population import Population

NEW: Final = Duration(7, "d")
"""How recent a start is that the first night takes for a new lead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tonight:
    """What `pqlkit score` would find at `as_of`.

    Parameters
    ----------
    meet
        Entities that meet the definition now and are no customers: a backlog, most of it.
    fresh
        Those of them that `pqlkit score` calls `pql`: the newest start is not older than `lead.fresh_for`. The others it calls
        `expired`.
    new
        Those of them whose newest start lies within the last seven days: the leads of ``--since 7d``.
    """

    meet: int
    fresh: int
    new: int


def tonight(population: Population, definition: Definition, *, spells: pl.DataFrame | None = None) -> Tonight:
    """Count whom a definition finds at `as_of`, as `pqlkit score` does.

    Parameters
    ----------
    population, definition
        Whom, and by what.
    spells
        The formula's spells, if they are known already.
    """
    from pqlkit.proposal.promise import started
    from pqlkit.snapshots.spells import qualifications

    spells = qualifications(population, definition, spells=spells, now=True)
    now = population.entities.select(ENTITY, pl.lit(population.as_of, dtype=pl.Int64).alias(AT))
    able = pl.Series("able", population.traits.holds(definition.eligible, now))
    free = (
        population.entities.with_columns(able)
        # With an expansion outcome an id has one stay after the other: tonight's is the last.
        .sort(ANCHOR, ENTITY)
        .unique("id", keep="last", maintain_order=True)
        .filter(
            "able",
            pl.col(CONVERTED).is_null(),
            pl.col(DELETED_AT).is_null() | (pl.col(DELETED_AT) > population.as_of),
        )
        .select(ENTITY)
    )
    holding = spells.filter(pl.col(OFF).is_null()).join(free, on=ENTITY, how="semi").select(ENTITY).unique()
    counted = started(population, definition, spells=spells)
    newest = counted.join(holding, on=ENTITY, how="semi").group_by(ENTITY).agg(pl.col(ON).max())
    new = newest.filter(pl.col(ON) > population.as_of - NEW.microseconds).height
    fresh_for = definition.lead.fresh_for if definition.lead is not None else None
    fresh = holding.height
    if fresh_for is not None:
        fresh = newest.filter(pl.col(ON) >= population.as_of - fresh_for.microseconds).height
    return Tonight(meet=holding.height, fresh=fresh, new=new)
