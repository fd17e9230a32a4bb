"""The cluster: snapshots that are not independent, because one entity has several or users share an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from pqlkit.columns import ACCOUNT_ID, ENTITY, USER_ID
from pqlkit.definitions.model import EntityKind
from pqlkit.exports.small_table import read_table
from pqlkit.measures.ownership import by_id
from pqlkit.options.schedule_kind import DesignKind

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.population.population import Population
    from pqlkit.snapshots.snapshots import Snapshots

__all__ = ["account_of", "clusters", "effect_of", "effect_of_bins", "go_together", "snapshots_effect"]

_ACCOUNTS: Final[WeakKeyDictionary[Population, pl.DataFrame | None]] = WeakKeyDictionary()
"""What `account_of` found, as long as the population is there: it may have taken a pass over the events."""


def clusters(population: Population, entity: NDArray[np.int64]) -> NDArray[np.int64]:
    """Label the cluster of each snapshot.

    Parameters
    ----------
    population
        Who exists.
    entity
        Of each snapshot.

    Returns
    -------
    array of int64
        Users of one account have one label; everybody else has a label of its own.

    Notes
    -----
    Standard errors and design effects are by cluster. Where users share accounts, analysing accounts is the better choice.
    """
    import numpy as np

    accounts = account_of(population)
    if accounts is None:
        return entity
    labels = np.arange(population.entities.height, dtype=np.int64)
    labels[accounts[ENTITY].to_numpy()] = accounts["account"].to_numpy() + len(labels)
    return labels[entity]


def go_together(seen: Snapshots, labels: NDArray[np.int64]) -> bool:
    """Whether snapshots depend on each other: those of one entity overlap, or users share accounts.

    Parameters
    ----------
    seen
        The snapshots.
    labels
        As `clusters` gives them.

    Notes
    -----
    Snapshots of ``every`` tile an entity's life without overlap: only shared accounts make them dependent.
    """
    return seen.design.kind is DesignKind.AGE or bool((labels != seen.frame.get_column(ENTITY).to_numpy()).any())


def snapshots_effect(seen: Snapshots, labels: NDArray[np.int64]) -> float:
    """Give how many snapshots are worth one independent snapshot, at least 1; parameters as for `go_together`."""
    return effect_of(seen.frame.get_column("y").to_numpy(), labels) if go_together(seen, labels) else 1.0


def effect_of(happened: NDArray[np.bool_], labels: NDArray[np.int64]) -> float:
    """Give how many rows are worth one independent row, at least 1; 1 where no two rows share a label."""
    from pqlkit.statistics.design_effect import design_effect

    return 1.0 if _distinct(labels) else design_effect(happened, labels) or 1.0


def effect_of_bins(bins: NDArray[np.integer], labels: NDArray[np.int64]) -> float:
    """Give what `effect_of` gives where rows fall into several bins."""
    from pqlkit.statistics.design_effect import mean_design_effect

    return 1.0 if _distinct(labels) else mean_design_effect(bins, labels) or 1.0


def _distinct(labels: NDArray[np.int64]) -> bool:
    import numpy as np

    # Snapshots stand in the order of their entities, as a rule: neighbours tell then.
    steps = np.diff(labels)
    return bool((steps > 0).all()) or (bool(steps.all()) and len(np.unique(labels)) == len(labels))


def account_of(population: Population) -> pl.DataFrame | None:
    """Give the users who share an account, and a number for each such account.

    Returns
    -------
    DataFrame or None
        ``entity``, ``account`` (Int64, 0, 1, ...), one row per user of such an account, the least account where a user is in
        several; None where entities are accounts, or no account has two users.
    """
    if population not in _ACCOUNTS:
        _ACCOUNTS[population] = _shared(population)
    return _ACCOUNTS[population]


def _shared(population: Population) -> pl.DataFrame | None:
    import polars as pl

    if population.kind is EntityKind.ACCOUNT:
        return None
    pairs = _pairs(population)
    if pairs is None:
        return None
    known = (
        by_id(population.world.ids, population.world.members.select(USER_ID, ENTITY))
        .join(pairs.drop_nulls(), on=USER_ID)
        .group_by(ENTITY)
        .agg(pl.col(ACCOUNT_ID).min())
        .with_columns(pl.len().over(ACCOUNT_ID).alias("users"))
        .filter(pl.col("users") > 1)
        .sort(ENTITY)
    )
    if known.is_empty():
        return None
    return known.select(ENTITY, (pl.col(ACCOUNT_ID).rank("dense").cast(pl.Int64) - 1).alias("account"))


def _pairs(population: Population) -> pl.DataFrame | None:
    """Read which user is in which account: from the users' table, else from events that carry both."""
    import narwhals as nw

    engine, events = population.world.engine, population.world.events
    table = population.dataset.tables.get("users")
    if table is not None and ACCOUNT_ID in table.columns:
        return read_table(engine, table, [USER_ID, ACCOUNT_ID])
    if not {USER_ID, ACCOUNT_ID} <= set(events.collect_schema().names()):
        return None
    both = events.filter(~nw.col(USER_ID).is_null(), ~nw.col(ACCOUNT_ID).is_null())
    return by_id(population.world.ids, engine.collect(both.select(USER_ID, ACCOUNT_ID).unique()))
