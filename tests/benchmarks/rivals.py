"""The rivals: the same question to other engines, each in an environment of its own, where what is packaged for it works.

    .bench/peers/rivals/bin/python -m tests.benchmarks.rivals chdb rare FOLDER OUT

Each counts for itself; of what it counted, Polars makes the list (`by_hand.listed`), which is the smaller part of the work.
"""

# mypy: ignore-errors
# The tools are not installed where mypy runs.

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from tests.benchmarks.asked import CRITERIA, DAY
from tests.benchmarks.by_hand import SPAN, listed

COUNTED_SQL = """
WITH u AS (SELECT s.user_id AS user_id, {us}s.signed_up_at{end} AS anchor, min({us}k.converted_at{end}) AS converted
           FROM {users} s LEFT JOIN {conversions} k ON s.user_id = k.user_id GROUP BY s.user_id, s.signed_up_at),
    e AS (SELECT t.user_id AS user_id, t.event AS event, {us}t.timestamp{end} AS ts, u.anchor AS anchor, u.converted AS converted
          FROM {events} t JOIN u ON t.user_id = u.user_id WHERE t.event IN ('{a}', '{b}', '{c}')),
    i AS (SELECT user_id, event, ts FROM e WHERE {inside} (converted IS NULL OR ts < converted)),
    r AS (SELECT user_id, event, ts, row_number() OVER (PARTITION BY user_id, event ORDER BY ts) AS n
          FROM i WHERE event IN ('{a}', '{b}')),
    ab AS (SELECT user_id, count(CASE WHEN event = '{a}' THEN 1 END) AS a, min(CASE WHEN event = '{a}' AND n = 3 THEN ts END) AS third,
                  count(CASE WHEN event = '{b}' THEN 1 END) AS b, min(CASE WHEN event = '{b}' AND n = 1 THEN ts END) AS once
           FROM r GROUP BY user_id),
    d AS (SELECT user_id, {date} AS day, min(ts) AS early FROM i WHERE event = '{c}' GROUP BY user_id, {date}),
    o AS (SELECT user_id, early, row_number() OVER (PARTITION BY user_id ORDER BY early) AS n FROM d),
    cc AS (SELECT user_id, count(*) AS c, min(CASE WHEN n = 2 THEN early END) AS second FROM o GROUP BY user_id),
    seen AS (SELECT user_id, max({us}timestamp{end}) AS last FROM {events} GROUP BY user_id)
SELECT u.user_id AS user_id, u.anchor AS anchor, u.converted AS converted, ab.a AS a, ab.third AS third, ab.b AS b,
       ab.once AS once, cc.c AS c, cc.second AS second, seen.last AS last
FROM u LEFT JOIN ab ON u.user_id = ab.user_id LEFT JOIN cc ON u.user_id = cc.user_id LEFT JOIN seen ON u.user_id = seen.user_id
"""


def _sql(criteria, **words):
    a, b, c = criteria.events
    inside = f"ts >= anchor AND ts < anchor + {SPAN} AND" if criteria.within else ""
    return COUNTED_SQL.format(a=a, b=b, c=c, inside=inside, **words)


def chdb(criteria, folder):
    """Count in ClickHouse, within the process."""
    import chdb as engine

    tables = {name: f"file('{folder / name}.parquet', Parquet)" for name in ("users", "conversions", "events")}
    text = _sql(criteria, us="toUnixTimestamp64Micro(", end=")", date=f"intDiv(ts, {DAY})", **tables)
    settings = "SETTINGS join_use_nulls = 1, aggregate_functions_null_for_empty = 1"
    return pl.from_arrow(engine.query(f"{text} {settings}", "ArrowTable"))


def datafusion(criteria, folder):
    """Count in DataFusion."""
    from datafusion import SessionContext

    engine = SessionContext()
    for name in ("users", "conversions", "events"):
        engine.register_parquet(name, str(folder / f"{name}.parquet"))
    tables = {name: name for name in ("users", "conversions", "events")}
    text = _sql(criteria, us="arrow_cast(", end=", 'Int64')", date=f"ts / {DAY}", **tables)
    return pl.from_arrow(engine.sql(text).to_arrow_table())


def pandas(criteria, folder):
    """Count in pandas, in memory."""
    import pandas as pd

    a, b, c = criteria.events

    def read(name, time):
        table = pd.read_parquet(
            folder / f"{name}.parquet", columns=["user_id", time, *(["event"] if name == "events" else [])]
        )
        table[time] = table[time].astype("datetime64[us, UTC]").astype("int64")
        return table

    users = read("users", "signed_up_at").rename(columns={"signed_up_at": "anchor"})
    bought = read("conversions", "converted_at").groupby("user_id").converted_at.min().rename("converted")
    users = users.merge(bought, how="left", left_on="user_id", right_index=True)
    events = read("events", "timestamp").rename(columns={"timestamp": "ts"})
    last = events.groupby("user_id").ts.max().rename("last")
    seen = events[events.event.isin([a, b, c])].merge(users, on="user_id")
    seen = seen[seen.converted.isna() | (seen.ts < seen.converted)]
    if criteria.within:
        seen = seen[(seen.ts >= seen.anchor) & (seen.ts < seen.anchor + SPAN)]
    seen = seen.sort_values("ts")
    own = {name: seen[seen.event == event] for name, event in (("a", a), ("b", b), ("c", c))}
    dates = own["c"].assign(day=own["c"].ts // DAY).drop_duplicates(["user_id", "day"])
    for name, rows, rank, moment in (
        ("a", own["a"], 2, "third"),
        ("b", own["b"], 0, "once"),
        ("c", dates, 1, "second"),
    ):
        groups = rows.groupby("user_id").ts
        counts = pd.concat(
            [
                groups.size().rename(name),
                rows.set_index("user_id").ts[(groups.cumcount() == rank).to_numpy()].rename(moment),
            ],
            axis=1,
        )
        users = users.merge(counts, how="left", left_on="user_id", right_index=True)
    users = users.merge(last, how="left", left_on="user_id", right_index=True)
    return pl.from_pandas(users)


RIVALS = {"chdb": chdb, "datafusion": datafusion, "pandas": pandas}


def main():
    criteria, folder, out = CRITERIA[sys.argv[2]], Path(sys.argv[3]), Path(sys.argv[4])
    counted = RIVALS[sys.argv[1]](criteria, folder)
    times = ["anchor", "converted", "third", "once", "second", "last"]
    counted = counted.with_columns(pl.col(*times, "a", "b", "c").cast(pl.Int64))
    bought = (
        pl.scan_parquet(folder / "conversions.parquet")
        .select(pl.col("converted_at").max().cast(pl.Int64))
        .collect()
        .item()
    )
    listed(criteria, counted.lazy(), max(counted["last"].max(), bought), out)


if __name__ == "__main__":
    main()
