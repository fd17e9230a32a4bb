"""The summary: who has events, and which events there are, so that nobody reads them all for a sentence about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import narwhals as nw
import polars as pl

from pqlkit.columns import ACCOUNT_ID, EVENT, TIMESTAMP, USER_ID
from pqlkit.exports.instants import UTC
from pqlkit.exports.numbering import with_ids
from pqlkit.exports.tables import EVENTS, layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pqlkit.engines.base import Engine
    from pqlkit.exports.dataset import Table

ROWS: Final = "rows"
FIRST: Final = "first"
LAST: Final = "last"
PROPERTIES: Final = "properties"


def who_of(events: pl.LazyFrame) -> pl.LazyFrame:
    """Sum up events by their ids: ``user_id``, ``account_id`` (where there is one), ``rows``, ``first``, ``last`` (instants)."""
    keys = [name for name in (USER_ID, ACCOUNT_ID) if name in events.collect_schema()]
    return events.group_by(keys).agg(*_sums())


def names_of(events: pl.LazyFrame) -> pl.LazyFrame:
    """Sum up events by their names: ``event``, ``rows``, ``first``, ``last`` (instants), ``properties`` (those with any value)."""
    known = set(layout(EVENTS).columns)
    properties = sorted(name for name in events.collect_schema() if name not in known)
    # The columns are numbered, because a property may be called anything.
    filled = {f"p{place}": pl.col(name).count() > 0 for place, name in enumerate(properties)}
    present = [pl.when(f"p{place}").then(pl.lit(name)) for place, name in enumerate(properties)]
    listed = pl.concat_list(present).list.drop_nulls() if present else pl.lit([], dtype=pl.List(pl.String))
    sums = events.group_by(EVENT).agg(*_sums(), **filled)
    return sums.select(EVENT, ROWS, FIRST, LAST, listed.alias(PROPERTIES))


def _sums() -> tuple[pl.Expr, ...]:
    time = pl.col(TIMESTAMP)
    return pl.len().cast(pl.Int64).alias(ROWS), time.min().alias(FIRST), time.max().alias(LAST)


def joined_who(parts: Iterable[pl.LazyFrame]) -> pl.LazyFrame:
    """Make one of several summaries by ids."""
    whole = pl.concat(list(parts))
    keys = [name for name in (USER_ID, ACCOUNT_ID) if name in whole.collect_schema()]
    return whole.group_by(keys).agg(*_totals())


def joined_names(parts: Iterable[pl.LazyFrame]) -> pl.LazyFrame:
    """Make one of several summaries by names."""
    properties = pl.col(PROPERTIES).explode().drop_nulls().unique().sort()
    return pl.concat(list(parts)).group_by(EVENT).agg(*_totals(), properties)


def _totals() -> tuple[pl.Expr, ...]:
    return pl.col(ROWS).sum(), pl.col(FIRST).min(), pl.col(LAST).max()


def who(events: Table) -> pl.LazyFrame:
    """Give `who_of` all events: read where it was written down, else counted."""
    return with_ids(who_by_number(events), events.numbers)


def who_by_number(events: Table) -> pl.LazyFrame:
    """Give `who` with the numbers of users and accounts, where the events name them so."""
    return joined_who(_scanned(events.who)) if events.who else who_of(events.scan_numbers())


def names(events: Table) -> pl.LazyFrame:
    """Give `names_of` all events: read where it was written down, else counted."""
    return joined_names(_scanned(events.names)) if events.names else names_of(events.scan())


def _scanned(paths: Sequence[str]) -> list[pl.LazyFrame]:
    return [pl.scan_parquet(path, glob=False) for path in paths]


def names_on(engine: Engine, events: Table) -> pl.DataFrame:
    """Count `names_of` all events where an engine finds them."""
    known = set(layout(EVENTS).columns)
    properties = {name: f"p{place}" for place, name in enumerate(sorted(set(events.columns) - known))}
    rows = engine.scan(events.paths, {EVENT: EVENT, TIMESTAMP: "at"} | properties)
    ends = (nw.col("at").min().alias(FIRST), nw.col("at").max().alias(LAST))
    filled = (nw.col(column).count().cast(nw.Int64).alias(column) for column in properties.values())
    sums = engine.collect(rows.group_by(EVENT).agg(nw.len().cast(nw.Int64).alias(ROWS), *ends, *filled))
    listed = (
        [
            [name for name, column in properties.items() if row[column]]
            for row in sums.select(properties.values()).iter_rows(named=True)
        ]
        if properties
        else [[] for _ in range(sums.height)]
    )
    times = [pl.col(name).cast(UTC) for name in (FIRST, LAST)]
    return sums.select(EVENT, ROWS, *times, pl.Series(PROPERTIES, listed, dtype=pl.List(pl.String)))
