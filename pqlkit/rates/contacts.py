"""Contacts: what became of the leads that somebody called, and of those that nobody called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pqlkit.columns import USER_ID
from pqlkit.definitions.model import EntityKind
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    import polars as pl

    from pqlkit.durations import Duration
    from pqlkit.exports.dataset import Table
    from pqlkit.population.population import Population


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacted:
    """The qualification view of mature starts with a contact before the conversion and within the conversion window, and of the others.

    They were not chosen at random, and a lead that converts at once cannot be called any more: the difference is not what
    calls do. Only a control arm says that.
    """

    contacted: Rate
    not_contacted: Rate


def contacted(population: Population, counted: pl.DataFrame, conversion_window: Duration) -> Contacted | None:
    """Split the mature starts by the contacts table (``user_id``, ``account_id`` or ``entity``, and ``at``); None without one.

    A call to a user counts for the user's account; a call to an account does not count for its users.

    Parameters
    ----------
    population
        With the dataset.
    counted
        Counted starts.
    conversion_window
        A contact after it belongs to nobody.
    """
    import polars as pl

    table = population.dataset.tables.get("contacts")
    calls = None if table is None else _calls(population, table)
    if calls is None:
        return None
    mature = counted.filter("mature").with_row_index("row")
    end = pl.min_horizontal(
        pl.col("on") + conversion_window.microseconds, pl.col("on") + pl.col("delay").fill_null(2**60)
    )
    reached = (
        mature.join(calls, on="entity")
        .filter((pl.col("called") >= pl.col("on")) & (pl.col("called") < end))
        .select("row")
        .unique()
    )
    with_ = mature.join(reached, on="row", how="semi")
    others = mature.join(reached, on="row", how="anti")
    return Contacted(
        contacted=Rate.of(int(with_.get_column("y").sum()), with_.height),
        not_contacted=Rate.of(int(others.get_column("y").sum()), others.height),
    )


def _calls(population: Population, table: Table) -> pl.DataFrame | None:
    """Find whom each call reached: ``entity``, ``called``; None where the table names another kind of entity."""
    import polars as pl

    own = population.entities.select("entity", pl.col("id").cast(pl.String))
    owners = {f"{population.kind.value}_id": own}
    if population.kind is EntityKind.ACCOUNT:
        owners[USER_ID] = population.world.members.select(pl.col(USER_ID).cast(pl.String).alias("id"), "entity")
    names = [name for name in owners if name in table.columns]
    if not names:
        return None
    rows = (
        pl.scan_parquet(list(table.paths), glob=False)
        .select(*[pl.col(name).cast(pl.String) for name in names], pl.col("at").dt.timestamp("us").alias("called"))
        .filter(pl.col("called") <= population.as_of)
        .collect()
    )
    found = [
        rows.select(pl.col(name).alias("id"), "called").join(owners[name], on="id").select("entity", "called")
        for name in names
    ]
    return pl.concat(found).unique().sort("entity", "called")
