"""The arm: who of the leads is contacted, and who is left alone so that the difference can be seen."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ACCOUNT_ID, ENTITY, ON, USER_ID
from pqlkit.definitions.model import EntityKind
from pqlkit.exports.small_table import read_table

if TYPE_CHECKING:
    from pathlib import Path

    from pqlkit.population.population import Population

CONTACT: Final = "contact"
CONTROL: Final = "control"
SALT: Final = "pqlkit:arm:"
"""Stands before an id when it is hashed, so that arms do not follow the weeks of the snapshots or a sample."""

PARTS: Final = 10_000
"""A share is counted in these."""


def arm_column(population: Population, share: float) -> pl.Series:
    """Give each entity its arm, for good: the same account has the same arm on every night and in every definition.

    Parameters
    ----------
    population
        Users belong to the arm of their account, where they have one: colleagues talk.
    share
        Of accounts that are left alone, 0..1. A larger share keeps everybody who was in a smaller one.

    Returns
    -------
    Series
        ``arm``, in entity order: ``contact`` or ``control``.

    Notes
    -----
    ``zlib.crc32(SALT + id as UTF-8 text) % 10000 < share x 10000`` is control.
    """
    groups = _groups(population)
    distinct = groups.unique()
    hashed = [zlib.crc32((SALT + text).encode("utf-8")) % PARTS for text in distinct.to_list()]
    names = [CONTROL if part < share * PARTS else CONTACT for part in hashed]
    return groups.replace_strict(distinct, pl.Series(names, dtype=pl.String), return_dtype=pl.String).alias("arm")


def _groups(population: Population) -> pl.Series:
    """Give the text that is hashed for each entity."""
    ids = population.entities.select(ENTITY, "id")
    own = ids.get_column("id").cast(pl.String)
    table = population.dataset.tables.get("users")
    if population.kind is EntityKind.ACCOUNT or table is None or ACCOUNT_ID not in table.columns:
        return own
    accounts = (
        read_table(population.world.engine, table, [USER_ID, ACCOUNT_ID])
        .select(pl.col(USER_ID).alias("id"), pl.col(ACCOUNT_ID).cast(pl.String))
        .filter(pl.col(ACCOUNT_ID).is_not_null())
        .group_by("id")
        .agg(pl.col(ACCOUNT_ID).min())
    )
    joined = ids.join(accounts, on="id", how="left", maintain_order="left")
    return joined.select(pl.coalesce(ACCOUNT_ID, own)).to_series()


def arms_of(ledger: Path | str, definition: str | None = None) -> pl.DataFrame:
    """Read which starts were given an arm.

    Parameters
    ----------
    ledger
        A file that ``pqlkit score --ledger`` wrote.
    definition
        The name of one definition; None = all.

    Returns
    -------
    DataFrame
        Sorted: ``id`` (text), ``on`` (Int64 UTC microseconds, the start that was new), ``arm``. Starts without an arm (a
        baseline, or a night without ``--control``) have no row.

    Raises
    ------
    DataError
        The file is not a ledger.
    """
    from pqlkit.scoring.ledger import read_starts

    starts = read_starts(ledger, definition).filter(pl.col("arm").is_not_null())
    return starts.select("id", ON, "arm").sort("id", ON)
