"""The leaky trait: a value that all but decides the outcome, because only those who pay have it, or only those who do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.analysis.leaks import DETERMINISTIC_HEADS, EVER, LeakReason, Suspect, nearly_all, sounds_like_paying
from pqlkit.columns import AT, CONVERTED, CUTOFF, ENTITY
from pqlkit.population.traits import TraitKind

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.population.population import Population

VALUES: Final = 100
"""Values of a trait that are judged one by one; whether it is known at all is judged always."""

EXPECTED: Final = 50
RULED_OUT: Final = 50
FILLED: Final = 3
"""Whoever has a value converts more than so many times as often: it was filled in by the sale."""
FILLERS: Final = 10
"""Converters with a value from which on that is judged."""
CERTAIN: Final = 0.001

__all__ = ["trait_leaks"]


def trait_leaks(population: Population, frame: pl.DataFrame, y: NDArray[np.bool_]) -> tuple[Suspect, ...]:
    """Judge every trait that a historical run may use.

    Parameters
    ----------
    population
        Fixed traits, traits with a history (as of the microsecond before the cutoff) and current ones that are trusted.
    frame
        ``entity``, ``cutoff`` of each snapshot (of the fit part).
    y
        Converted, one per snapshot.

    Returns
    -------
    tuple of Suspect
        By name, reason ``near-deterministic``. Current traits that are not trusted are refused everywhere, and not judged.

    Notes
    -----
    Entities are judged, not snapshots: whoever buys late has many snapshots that nothing follows, so that the rate of snapshots says
    little of a value that every buyer ends up with. An entity counts for each value that it has at one of its snapshots, and
    converts if one of them is followed by it, or the newest cutoff of all snapshots finds it converted: nothing later is known
    to whoever stands there.

    * A value (or any value at all) decides: 80 % of 30 or more entities with it convert, and at most a quarter as many fail to
      as usual.
    * Being filled goes with converting: whoever has any value converts more than 3 times as often as whoever has none (p < 0.001,
      at least 10 converters have one). It was filled in by the sale, unless a history says when.
    * A value (or having none) rules out: 50 or more conversions are to be expected of its entities at the usual rate, and at
      most one in 50 of these is seen; and of the entities with other values, which hold nearly all converters, half convert
      and at most half as many fail to as usual. Without that it may be what the outcome asks for (an upgrade from a free plan
      is closed to whoever began on a paid one), or simply matter.
    """
    import polars as pl

    traits = population.traits
    names = [name for name, kind in traits.kinds.items() if kind is not TraitKind.CURRENT or name in population.trusted]
    if not names or not len(y):
        return ()
    moments = frame.select(ENTITY, (pl.col(CUTOFF) - 1).alias(AT))
    buyers = _buyers(population, frame, y)
    base = buyers.filter("buyer").height / buyers.height
    suspects = []
    for name in sorted(names):
        held = traits.at(moments, [name]).select(ENTITY, value=pl.col(name).cast(pl.String)).unique()
        evidence = _evidence(held.join(buyers, on=ENTITY), base, dated=traits.kinds[name] is TraitKind.HISTORY)
        if evidence is not None:
            suspects.append(
                Suspect(
                    event=name,
                    reason=LeakReason.NEAR_DETERMINISTIC,
                    evidence=evidence,
                    named=sounds_like_paying(name),
                    trait=True,
                )
            )
    return tuple(suspects)


def _filled(m: int, n: int, held: pl.DataFrame) -> str | None:
    """Say so where the value being there at all goes with converting: whoever sold it filled it in; None where it does not."""
    from pqlkit.statistics.contingency import Contingency

    everybody = held.unique(ENTITY)
    table = Contingency.of(
        qualified=n, converted=m, entities=everybody.height, converters=int(everybody["buyer"].sum())
    )
    if table.a < FILLERS or not table.n0 or not table.b + table.d:
        return None
    times_as_often = table.a * table.n0 > FILLED * table.c * table.n1
    if not times_as_often or (table.p_value or 0.0) >= CERTAIN:
        return None
    return f"filled for {table.a / table.m1:.0%} of customers, {table.b / (table.b + table.d):.0%} of others"


def _buyers(population: Population, frame: pl.DataFrame, y: NDArray[np.bool_]) -> pl.DataFrame:
    """Say of each entity of the snapshots whether it is known to convert (``entity``, ``buyer``)."""
    import polars as pl

    newest = frame.get_column(CUTOFF).max()
    converted = population.entities.select(ENTITY, known=(pl.col(CONVERTED) <= newest).fill_null(value=False))
    return (
        frame.select(ENTITY, y=pl.Series(y))
        .group_by(ENTITY)
        .agg(pl.col("y").any())
        .join(converted, on=ENTITY)
        .select(ENTITY, buyer=pl.col("y") | pl.col("known"))
    )


def _evidence(held: pl.DataFrame, base: float, *, dated: bool) -> str | None:
    """Find the value with the most entities that decides the outcome, or rules it out; None if there is none.

    Being filled is no sign where it is `dated`: a history says when the value was known.
    """
    import polars as pl

    bound = nearly_all(base)
    known = held.filter(pl.col("value").is_not_null())
    entities = known.group_by(ENTITY).agg(pl.col("buyer").first())
    n, m = entities.height, int(entities["buyer"].sum())
    if known.height < held.height and n >= DETERMINISTIC_HEADS and m >= bound * n:
        return f"{m:,} of {n:,} of whom it is known convert ({m / n:.0%})"
    filled = None if dated else _filled(m, n, held)
    if filled is not None:
        return filled
    counted = (
        held.group_by("value")
        .agg(pl.len().alias("n"), pl.col("buyer").sum().cast(pl.Int64).alias("m"))
        .sort("n", "value", descending=[True, False])
        .head(VALUES)
    )
    for value, n, m in counted.iter_rows():
        if value is not None and n >= DETERMINISTIC_HEADS and m >= bound * n:
            return f"{m:,} of {n:,} with the value {value} convert ({m / n:.0%})"
    everybody = held.group_by(ENTITY).agg(pl.col("buyer").first())
    for value, n, m in counted.iter_rows():
        expected, others = base * n, everybody.height - n
        rest = int(everybody["buyer"].sum()) - m
        telling = rest >= max(EVER, 1 - (1 - base) / 2) * others
        if expected >= EXPECTED and m * RULED_OUT <= expected and telling:
            whom = "without a value" if value is None else f"with the value {value}"
            return f"{m:,} of {n:,} {whom} convert, where {expected:.0f} are to be expected"
    return None
