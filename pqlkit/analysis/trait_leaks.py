"""The leaky trait: a value that all but decides the outcome, because it is only known of those who pay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.analysis.leaks import DETERMINISTIC_HEADS, LeakReason, Suspect, nearly_all, sounds_like_paying
from pqlkit.analysis.traits import TraitKind
from pqlkit.columns import AT, CUTOFF, ENTITY

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.analysis.population import Population

VALUES: Final = 100
"""Values of a trait that are judged one by one; whether it is known at all is judged always."""

__all__ = ["trait_leaks"]


def trait_leaks(population: Population, frame: pl.DataFrame, y: NDArray[np.bool_]) -> tuple[Suspect, ...]:
    """Judge every trait that a historical run may use.

    Parameters
    ----------
    population
        Fixed traits, traits with a history (as of the microsecond before the cutoff) and current ones that are trusted.
    frame
        ``entity``, ``cutoff`` of each look (of the fit part).
    y
        Converted, one per look.

    Returns
    -------
    tuple of Suspect
        By name, reason ``near-deterministic``: 80 % of 30 or more looks with one value (or with any value at all) convert, and
        at most a quarter as many fail to as usual. Current traits that are not trusted are refused everywhere, and not judged.
    """
    import polars as pl

    traits = population.traits
    names = [name for name, kind in traits.kinds.items() if kind is not TraitKind.CURRENT or name in population.trusted]
    if not names or not len(y):
        return ()
    moments = frame.select(ENTITY, (pl.col(CUTOFF) - 1).alias(AT))
    bound = nearly_all(float(y.mean()))
    found = []
    for name in sorted(names):
        values = traits.at(moments, [name]).get_column(name)
        evidence = _evidence(values, pl.Series(y), bound)
        if evidence is not None:
            found.append(
                Suspect(
                    event=name,
                    reason=LeakReason.NEAR_DETERMINISTIC,
                    evidence=evidence,
                    named=sounds_like_paying(name),
                    trait=True,
                )
            )
    return tuple(found)


def _evidence(values: pl.Series, y: pl.Series, bound: float) -> str | None:
    """Find the value with the most looks that nearly all convert; None if there is none."""
    import polars as pl

    counted = (
        pl.DataFrame({"value": values.cast(pl.String), "y": y})
        .filter(pl.col("value").is_not_null())
        .group_by("value")
        .agg(pl.len().alias("n"), pl.col("y").sum().cast(pl.Int64).alias("m"))
        .sort("n", "value", descending=[True, False])
    )
    known, converted = int(counted["n"].sum()), int(counted["m"].sum())
    if values.null_count() and known >= DETERMINISTIC_HEADS and converted >= bound * known:
        return f"{converted} of {known} of whom it is known convert ({converted / known:.0%})"
    for value, n, m in counted.head(VALUES).iter_rows():
        if n >= DETERMINISTIC_HEADS and m >= bound * n:
            return f"{m} of {n} with the value {value} convert ({m / n:.0%})"
    return None
