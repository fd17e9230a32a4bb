"""The recipient: whom of a lead one can write to, who looks after it, and by what a CRM knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ACCOUNT_ID, AT, DELETED_AT, ENTITY, USER_ID
from pqlkit.definitions.model import EntityKind
from pqlkit.exports.domains import address_of, domain_of, domains
from pqlkit.exports.small_table import read_table
from pqlkit.exports.tables import DOMAIN, EMAIL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pqlkit.population.population import Population

OWNERS: Final = ("owner", "account_owner", "owner_name")
"""Traits that name who looks after a lead, the first that there is."""


def addresses(population: Population) -> pl.DataFrame:
    """Give the address of each user who has one and is not deleted: ``user_id`` (text) and ``email``."""
    table = population.dataset.tables.get("users")
    if table is None or EMAIL not in table.columns:
        return pl.DataFrame(schema={USER_ID: pl.String, EMAIL: pl.String})
    rows = read_table(population.world.engine, table, [USER_ID, EMAIL, DELETED_AT])
    if DELETED_AT in rows.columns:
        rows = rows.filter(pl.col(DELETED_AT).is_null() | (pl.col(DELETED_AT) > population.as_of))
    known = rows.select(pl.col(USER_ID).cast(pl.String), address_of(rows.get_column(EMAIL)).alias(EMAIL))
    # An export that hides addresses has hashes in their place.
    return known.filter(pl.col(EMAIL).str.contains("@", literal=True)).unique(
        USER_ID, keep="first", maintain_order=True
    )


def owner_column(population: Population) -> pl.Series:
    """Say who looks after each entity, as of now; null where the data has no such trait."""
    name = next((name for name in OWNERS if name in population.traits.kinds), None)
    if name is None:
        return pl.Series("owner", [None] * population.entities.height, dtype=pl.String)
    return traits_now(population, [name])[name].cast(pl.String).alias("owner")


def key_column(population: Population, key: str) -> pl.Series:
    """Give what a CRM knows each entity by.

    Parameters
    ----------
    population
        Whose entities.
    key
        A trait; addresses and domains are spelled one way. Accounts have a `domain` without the trait, too: that of most of
        their users' addresses.

    Raises
    ------
    DataError
        The data has no such trait.
    """
    tables = population.dataset.tables
    if key == DOMAIN and population.kind is EntityKind.ACCOUNT:
        users, accounts = (
            read_table(population.world.engine, tables[name], columns).lazy() if name in tables else None
            for name, columns in (("users", (USER_ID, ACCOUNT_ID, EMAIL)), ("accounts", (ACCOUNT_ID, DOMAIN)))
        )
        known = domains(users, accounts)
        if known is not None:
            ids = population.entities.select(pl.col("id").cast(pl.String))
            first = known.unique(ACCOUNT_ID, keep="first", maintain_order=True)
            joined = ids.join(first, left_on="id", right_on=ACCOUNT_ID, how="left", maintain_order="left")
            return joined.get_column(DOMAIN)
    values = traits_now(population, [key])[key]
    spell = {EMAIL: address_of, DOMAIN: domain_of}.get(key)
    return (values if spell is None else spell(values)).alias(key)


def traits_now(population: Population, names: Sequence[str]) -> Mapping[str, pl.Series]:
    """Give traits of every entity as of now.

    Raises
    ------
    DataError
        The data has no such trait.
    """
    now = population.entities.select(ENTITY, pl.lit(population.as_of, pl.Int64).alias(AT))
    values = population.traits.at(now, names)
    return {name: values.get_column(name) for name in names}
