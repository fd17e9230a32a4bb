"""Worlds whose findings several tests look at, and a recount of their snapshots in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from pqlkit.durations import DAY
from pqlkit.measures.behaviour import GRID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pqlkit.population.population import Population
    from tests.worlds.simulated import SimulatedWorld


def snapshots_by_sql(people: Population, *, landmark: int = 14, conversion_window: int = 30) -> str:
    """Write the snapshots of ``once`` as a query over `users` and `conversions`: ``user_id``, ``a``, ``c``, ``y``."""
    end, reach = landmark * DAY, conversion_window * DAY
    return f"""
    WITH firsts AS (SELECT user_id, min(converted_at) AS c FROM conversions GROUP BY 1),
    facts AS (SELECT u.user_id, epoch_us(signed_up_at) AS a, epoch_us(c) AS c
              FROM users u LEFT JOIN firsts USING (user_id))
    SELECT user_id, a, c, coalesce(c > a + {end} AND c <= a + {end + reach}, false) AS y FROM facts
    WHERE (c IS NULL OR c > a + {end}) AND a + {end + reach} <= {people.as_of} AND a >= {people.history_from}
    """


def connected(world: SimulatedWorld) -> duckdb.DuckDBPyConnection:
    """Open a database that holds the world's tables."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name in ("events", "users", "conversions"):
        connection.register(name, getattr(world, name).to_arrow())
    return connection


def steps_by_sql(
    connection: duckdb.DuckDBPyConnection, snapshots: str, days: int, measure: str
) -> Iterator[tuple[str | None, int, int, int]]:
    """Give (event or None, threshold, snapshots that reach it, converted among them) for one window and measure."""
    counted = "count(*)" if measure == "count" else "count(DISTINCT date_trunc('day', timestamp))"
    grid = ", ".join(f"({k})" for k in GRID if k <= 10_000)
    yield from connection.execute(f"""
        WITH snapshots AS ({snapshots}), grid(k) AS (VALUES {grid}),
        seen AS (SELECT l.user_id, y, event, timestamp FROM events e JOIN snapshots l USING (user_id)
                 WHERE epoch_us(timestamp) >= a AND epoch_us(timestamp) < a + {days * DAY}
                   AND (c IS NULL OR epoch_us(timestamp) < c)),
        values_ AS (SELECT event, user_id, any_value(y) AS y, {counted} AS n FROM seen GROUP BY 1, 2
                    UNION ALL SELECT NULL, user_id, any_value(y), {counted} FROM seen GROUP BY 2)
        SELECT event, k, count(*), count(*) FILTER (y) FROM values_ JOIN grid ON n >= k GROUP BY 1, 2
    """).fetchall()
