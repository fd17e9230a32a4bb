"""The contact: what became of leads that somebody called, apart from those that nobody did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    import polars as pl

    from pqlkit.analysis.population import Population
    from pqlkit.durations import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacted:
    """The trigger view of mature starts with a contact before the conversion and within the horizon, and of the others.

    They were not chosen at random, and a lead that converts at once cannot be called any more: the difference is not what
    calls do. Only a control arm says that.
    """

    contacted: Rate
    not_contacted: Rate


def contacted(population: Population, counted: pl.DataFrame, horizon: Duration) -> Contacted | None:
    """Split the mature starts by the contacts table (``user_id`` or ``account_id``, ``at``); None where there is none.

    Parameters
    ----------
    population
        With the dataset.
    counted
        Counted starts.
    horizon
        A contact after it belongs to nobody.
    """
    import polars as pl

    table = population.dataset.tables.get("contacts")
    if table is None:
        return None
    key = f"{population.kind.value}_id"
    if key not in table.columns:
        return None
    ids = population.entities.select("entity", pl.col("id").alias(key))
    calls = (
        pl.scan_parquet(list(table.paths))
        .select(key, pl.col("at").dt.timestamp("us").alias("called"))
        .filter(pl.col("called") <= population.as_of)
        .join(ids.lazy(), on=key)
        .select("entity", "called")
        .collect()
    )
    mature = counted.filter("mature").with_row_index("row")
    end = pl.min_horizontal(pl.col("on") + horizon.microseconds, pl.col("on") + pl.col("delay").fill_null(2**60))
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
