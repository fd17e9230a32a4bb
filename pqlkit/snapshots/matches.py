"""Matches: the snapshots at which a definition holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.columns import CUTOFF, ENTITY, OFF, ON
from pqlkit.definitions.model import All, Any, Criterion, NOf, Not, Ref

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.definitions.model import Definition, Node
    from pqlkit.population.population import Population

_NEVER: Final = 2**63 - 1

__all__ = ["holds_at", "judged_at_the_end", "meets", "met_at", "seen_spells"]


def holds_at(population: Population, definition: Definition, frame: pl.DataFrame) -> NDArray[np.bool_]:
    """Say for each snapshot whether a definition holds there by its own clock, which need not be the population's.

    Raises
    ------
    UsageError
        It is about other entities.
    """
    from pqlkit.population.definition_clock import clocked

    return met_at(clocked(population, definition), definition, frame)


def met_at(
    population: Population, definition: Definition, frame: pl.DataFrame, *, spells: pl.DataFrame | None = None
) -> NDArray[np.bool_]:
    """Say for each snapshot whether a definition holds there.

    Parameters
    ----------
    population
        Who exists, by the definition's own clock (see `pqlkit.population.definition_clock.clocked`).
    definition
        Its formula and `eligible` conditions.
    frame
        ``entity``, ``cutoff``, one row per snapshot.
    spells
        The definition's, as `qualifications` gives them, if they are known already.
    """
    return meets(seen_spells(population, definition, spells), frame)


def seen_spells(population: Population, definition: Definition, spells: pl.DataFrame | None = None) -> pl.DataFrame:
    """Give a definition's spells as snapshots see them, for `meets`; `spells` as `qualifications` gives them, if they are known.

    Notes
    -----
    A snapshot at s uses no row at or after s. A window [anchor, anchor + W) that ends at s is over there all the same, so
    `at_most` and `not` are judged a microsecond before it ends; the spells of leads begin when it ends, too late for that snapshot.
    """
    from pqlkit.snapshots.spells import qualifications

    if spells is not None and not judged_at_the_end(definition.qualify):
        return spells
    return qualifications(population, definition, early=True)


def meets(spells: pl.DataFrame, frame: pl.DataFrame) -> NDArray[np.bool_]:
    """Say for each snapshot whether a spell covers the microsecond before its cutoff: nothing at the cutoff counts.

    Parameters
    ----------
    spells
        ``entity``, ``on``, ``off`` of the whole definition; disjoint per entity; any order.
    frame
        ``entity``, ``cutoff``, one row per snapshot.

    Returns
    -------
    array of bool
        In the order of `frame`.

    Examples
    --------
    >>> import polars as pl
    >>> spells = pl.DataFrame({"entity": [0], "on": [10], "off": [20]}, schema_overrides={"off": pl.Int64})
    >>> meets(spells, pl.DataFrame({"entity": [0, 0, 0, 1], "cutoff": [10, 11, 21, 15]})).tolist()
    [False, True, False, False]
    """
    import polars as pl

    whose = spells.get_column(ENTITY)
    if whose.n_unique() == spells.height:
        return _within(spells, frame)
    asked = frame.select(ENTITY, (pl.col(CUTOFF) - 1).alias("moment")).with_row_index("row").sort("moment", ENTITY)
    known = spells.select(ENTITY, ON, OFF).sort(ON, ENTITY)
    joined = asked.join_asof(
        known, left_on="moment", right_on=ON, by=ENTITY, strategy="backward", check_sortedness=False
    )
    held = pl.col(ON).is_not_null() & (pl.col(OFF).is_null() | (pl.col(OFF) > pl.col("moment")))
    return joined.select("row", held.alias("held")).sort("row").get_column("held").to_numpy()


def _within(spells: pl.DataFrame, frame: pl.DataFrame) -> NDArray[np.bool_]:
    """Say the same where nobody has two spells: each is found by its entity."""
    import numpy as np

    whose, asked = (table.get_column(ENTITY).to_numpy() for table in (spells, frame))
    size = int(max(whose.max(initial=-1), asked.max(initial=-1))) + 1
    on, off = np.full(size, _NEVER), np.full(size, _NEVER)
    on[whose], off[whose] = spells.get_column(ON).to_numpy(), spells.get_column(OFF).fill_null(_NEVER).to_numpy()
    moment = frame.get_column(CUTOFF).to_numpy() - 1
    return np.asarray((on[asked] <= moment) & (off[asked] > moment))


def judged_at_the_end(node: Node) -> bool:
    """Say whether a part of the formula is judged when its window ends: `at_most` and `not`."""
    match node:
        case Criterion():
            return node.at_most is not None
        case Not():
            return True
        case All(parts=parts) | Any(parts=parts) | NOf(parts=parts):
            return any(judged_at_the_end(part) for part in parts)
        case Ref():
            return judged_at_the_end(node.target.qualify)
