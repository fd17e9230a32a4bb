"""Contacts: what became of leads that somebody called before they qualified, how soon after, or never."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pqlkit.columns import USER_ID
from pqlkit.definitions.model import EntityKind
from pqlkit.durations import DAY, HOUR
from pqlkit.exports.small_table import read_table
from pqlkit.measures.ownership import by_id
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    import polars as pl

    from pqlkit.durations import Duration
    from pqlkit.exports.dataset import Table
    from pqlkit.population.population import Population

_SOON: Final = (HOUR, DAY, 3 * DAY)
"""How soon after qualifying a first contact came, in microseconds, at most: one group each, and the rest later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacted:
    """The PQL-to-customer rate of complete starts by their first contact; every start is in one group.

    They were not chosen at random, and a lead that converts at once cannot be called any more: the difference is not what
    calls do. Only a control arm says that.

    Parameters
    ----------
    before
        Contacted before it qualified, whenever that was.
    within_1h, within_24h, within_3d, later
        First contacted so long after it qualified (each without those of the groups before it), before it converted and within
        the conversion window.
    never
        The others: nobody contacted them before they converted or their window was over.
    """

    before: Rate
    within_1h: Rate
    within_24h: Rate
    within_3d: Rate
    later: Rate
    never: Rate

    @property
    def starts(self) -> int:
        """How many there are."""
        return (self.before + self.after + self.never).denominator

    @property
    def after(self) -> Rate:
        """First contacted after it qualified, however soon."""
        return self.within_1h + self.within_24h + self.within_3d + self.later


def contacted(population: Population, counted: pl.DataFrame, conversion_window: Duration) -> Contacted | None:
    """Split the mature starts by the contacts table (``user_id``, ``account_id`` or ``entity``, and ``at``); None without one.

    A call to a user counts for the user's account; a call to an account does not count for its users. Where contacts are dates, one
    on the date of qualifying may lie before or after it: it counts as within 24 hours.

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
    if table is None or calls is None:
        return None
    mature = counted.filter("mature").with_row_index("row")
    end = pl.min_horizontal(
        pl.col("on") + conversion_window.microseconds, pl.col("on") + pl.col("delay").fill_null(2**60)
    )
    first = (
        mature.join(calls, on="entity")
        .filter(pl.col("called") < end)
        .group_by("row")
        .agg(wait=_wait(dated=table.dates_only).min())
    )
    wait = pl.col("wait")
    groups = mature.join(first, on="row", how="left").select(
        "y",
        # 0: before it qualified; from 1 on by how soon after it; null: never.
        group=pl.when(wait < 0).then(0).when(wait >= 0).then(1 + pl.sum_horizontal(wait > soon for soon in _SOON)),
    )
    before, hour, day, days, later, never = (
        _rate(groups.filter(pl.col("group").eq_missing(group))) for group in (0, 1, 2, 3, 4, None)
    )
    return Contacted(before=before, within_1h=hour, within_24h=day, within_3d=days, later=later, never=never)


def contacted_before(population: Population, moments: pl.DataFrame) -> pl.Series | None:
    """Tell of moments (``entity``, ``at``) whether somebody had contacted the entity before; None without a contacts table."""
    import polars as pl

    table = population.dataset.tables.get("contacts")
    calls = None if table is None else _calls(population, table)
    if table is None or calls is None:
        return None
    first = calls.group_by("entity").agg(pl.col("called").min())
    over = pl.col("called") + (DAY - 1 if table.dates_only else 0)
    return (
        moments.join(first, on="entity", how="left", maintain_order="left")
        .select((over < pl.col("at")).fill_null(value=False))
        .to_series()
    )


def _wait(*, dated: bool) -> pl.Expr:
    """Give how long after the start the call came; of a call that is a date, the date's own day is an hour and more."""
    import polars as pl

    called, on = pl.col("called"), pl.col("on")
    if not dated:
        return called - on
    return pl.when(called <= on, on < called + DAY).then(pl.lit(HOUR + 1)).otherwise(called - on)


def _rate(starts: pl.DataFrame) -> Rate:
    return Rate.of(int(starts.get_column("y").sum()), starts.height)


def _calls(population: Population, table: Table) -> pl.DataFrame | None:
    """Find whom each call reached: ``entity``, ``called``; None where the table names another kind of entity."""
    import polars as pl

    own = population.entities.select("entity", pl.col("id").cast(pl.String))
    owners = {f"{population.kind.value}_id": own}
    if population.kind is EntityKind.ACCOUNT:
        members = by_id(population.world.ids, population.world.members.select(USER_ID, "entity"))
        owners[USER_ID] = members.select(pl.col(USER_ID).cast(pl.String).alias("id"), "entity")
    names = [name for name in owners if name in table.columns]
    if not names:
        return None
    rows = (
        read_table(population.world.engine, table, [*names, "at"])
        .select(*[pl.col(name).cast(pl.String) for name in names], pl.col("at").alias("called"))
        .filter(pl.col("called") <= population.as_of)
    )
    frames = [
        rows.select(pl.col(name).alias("id"), "called").join(owners[name], on="id").select("entity", "called")
        for name in names
    ]
    return pl.concat(frames).unique().sort("entity", "called")
