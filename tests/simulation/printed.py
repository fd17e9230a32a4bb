"""The printed figures of a proposal, counted again from the exports with SQL, and its intervals with statsmodels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
from statsmodels.stats.proportion import proportion_confint

if TYPE_CHECKING:
    from pqlkit.definitions.model import Criterion
    from pqlkit.proposal.proposed import Proposal
    from tests.worlds.simulated import SimulatedWorld

SNAPSHOTS = """
CREATE TEMP TABLE facts AS
WITH firsts AS (SELECT user_id, min(converted_at) AS c FROM conversions GROUP BY 1)
SELECT u.user_id, epoch_us(signed_up_at) AS a, epoch_us(c) AS c FROM users u LEFT JOIN firsts USING (user_id);
CREATE TEMP TABLE snapshots AS
SELECT user_id, a, c, a + $landmark AS s, coalesce(c > a + $landmark AND c <= a + $landmark + $conversion window, false) AS y
FROM facts
WHERE (c IS NULL OR c > a + $landmark) AND a + $landmark + $conversion window <= $as_of AND a >= $history;
"""
COUNT = """
SELECT count(*) FILTER (met), count(*) FILTER (met AND y), count(*), count(*) FILTER (y)
FROM (SELECT y, {met} AS met FROM snapshots WHERE s BETWEEN {first} AND {last})
"""


def recomputed(world: SimulatedWorld, result: Proposal, record: dict[str, Any]) -> list[float]:
    """Give the difference of every printed snapshot figure of every candidate from its recount.

    For snapshots at one age, criteria with `within` windows and the measures count and days.
    """
    gaps: list[float] = []
    people = result.observed.population
    design = result.observed.snapshots.design
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name in ("events", "users", "conversions"):
            connection.register(name, getattr(world, name).to_arrow())
        values = {
            "$landmark": design.cutoffs[0].microseconds,
            "$conversion window": design.conversion_window.microseconds,
            "$as_of": people.as_of,
            "$history": people.history_from,
        }
        query = SNAPSHOTS
        for name, value in values.items():
            query = query.replace(name, str(value))
        for statement in query.split(";"):
            if statement.strip():
                connection.execute(statement)
        for one, written in zip(result.candidates, record["candidates"], strict=True):
            for side, half in (("fit", result.fit), ("holdout", result.holdout)):
                met = " AND ".join(_met(part) for part in one.definition.criteria)
                asked = COUNT.format(met=met, first=half.first, last=half.through)
                row = connection.execute(asked).fetchone()
                assert row is not None
                gaps += _gaps(written[side], *(int(count) for count in row))
    return gaps


def _met(part: Criterion) -> str:
    """Write one criterion as a correlated count over [a, a + w) before the conversion."""
    assert part.window.length is not None
    assert part.measure.kind.value in {"count", "days"}
    names = "" if part.events is None else " AND e.event IN (" + ", ".join(f"'{name}'" for name in part.events) + ")"
    counted = "count(*)" if part.measure.kind.value == "count" else "count(DISTINCT date_trunc('day', e.timestamp))"
    end = part.window.length.microseconds
    return (
        f"(SELECT {counted} FROM events e WHERE e.user_id = snapshots.user_id AND epoch_us(e.timestamp) >= snapshots.a "
        f"AND epoch_us(e.timestamp) < snapshots.a + {end} AND (snapshots.c IS NULL OR epoch_us(e.timestamp) < snapshots.c){names}) "
        f">= {part.at_least}"
    )


def _gaps(written: dict[str, Any], qualified: int, converted: int, snapshots: int, converters: int) -> list[float]:
    low, high = proportion_confint(converted, qualified, method="wilson")
    rest = (converters - converted) / (snapshots - qualified)
    rate = converted / qualified
    counted = {
        "qualified": qualified,
        "converted": converted,
        "rate": rate,
        "low": low,
        "high": high,
        "share": qualified / snapshots,
        "recall": converted / converters,
        "lift": rate / (converters / snapshots),
        "relative_risk": rate / rest,
    }
    return [abs(float(written[name]) - value) for name, value in counted.items()]
