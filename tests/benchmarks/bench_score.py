"""Three criteria with the moment of qualifying, for every user: pqlkit beside hand-written SQL and Polars.

python tests/benchmarks/bench_score.py FOLDER      (a folder of make_events.py)
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tests.benchmarks.race import race, run_one, show

RARE = ("event_09", "event_18", "event_27")
COMMON = ("event_00", "event_01", "event_02")
AS_OF = 1_800_000_000_000_000
DAYS_14 = 14 * 86_400_000_000


def world(folder: Path, name: str) -> Any:
    import polars as pl

    from pqlkit.definitions.model import EntityKind
    from pqlkit.engines import engine
    from pqlkit.measures.world import World

    users = pl.read_parquet(folder / "users.parquet").sort("user_id").with_row_index("entity")
    users = users.with_columns(pl.col("entity").cast(pl.Int64), pl.col("signed_up_at").cast(pl.Int64).alias("anchor"))
    bought = pl.read_parquet(folder / "conversions.parquet").group_by("user_id").agg(pl.col("converted_at").min())
    users = users.join(bought.with_columns(pl.col("converted_at").cast(pl.Int64)), on="user_id", how="left").sort(
        "entity"
    )
    run = engine(name)
    columns = {"user_id": "user_id", "event": "event", "timestamp": "at"}
    return World(
        engine=run,
        kind=EntityKind.USER,
        events=run.scan([str(folder / "events.parquet")], columns),
        entities=users.select("entity", "anchor", pl.col("converted_at").alias("converted")),
        members=users.select("user_id", "entity"),
        as_of=AS_OF,
    )


def definition(names: tuple[str, str, str], *, window: bool) -> Any:
    from pqlkit.definitions.model import (
        All,
        Criterion,
        Definition,
        EntityKind,
        Measure,
        MeasureKind,
        Window,
        WindowKind,
    )
    from pqlkit.durations import Duration

    span = Window(kind=WindowKind.WITHIN, length=Duration.parse("14d")) if window else Window(kind=WindowKind.EVER)
    days = Measure(kind=MeasureKind.DAYS)
    parts = (
        Criterion(id="a", events=(names[0],), window=span, at_least=3),
        Criterion(id="b", events=(names[1],), window=span, at_least=1),
        Criterion(id="c", events=(names[2],), window=span, measure=days, at_least=2),
    )
    return Definition(name="bench", entity=EntityKind.USER, qualify=All(parts=parts), outcome=None)


def summary(frame: Any) -> list[int]:
    import polars as pl

    row = frame.select(pl.len().alias("n"), (pl.col("on") % 1_000_003).sum().alias("sum")).row(0)
    return [int(value or 0) for value in row]


def pqlkit(folder: Path, name: str, names: tuple[str, str, str], *, window: bool) -> list[int]:
    from pqlkit.measures.evaluation import spells_of

    return summary(spells_of(world(folder, name), definition(names, window=window)))


def duckdb_sql(folder: Path, names: tuple[str, str, str], *, window: bool) -> list[int]:
    import duckdb

    inside = f"AND ts < anchor + {DAYS_14}" if window else ""
    start = "ts >= anchor" if window else "true"
    a, b, c = names
    text = f"""
    WITH u AS (SELECT user_id, epoch_us(signed_up_at) anchor, epoch_us(min(converted_at)) converted
               FROM '{folder}/users.parquet' LEFT JOIN '{folder}/conversions.parquet' USING (user_id) GROUP BY ALL),
    e AS (SELECT user_id, event, ts, anchor, converted
          FROM (SELECT user_id, event, epoch_us(timestamp) ts FROM '{folder}/events.parquet'
                WHERE event IN ('{a}', '{b}', '{c}')) JOIN u USING (user_id)
          WHERE {start} {inside} AND (converted IS NULL OR ts < converted)),
    a AS (SELECT user_id, ts FROM e WHERE event = '{a}'
          QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY ts) = 3),
    b AS (SELECT user_id, min(ts) ts FROM e WHERE event = '{b}' GROUP BY user_id),
    d AS (SELECT user_id, min(ts) ts FROM e WHERE event = '{c}' GROUP BY user_id, ts // 86400000000),
    c AS (SELECT user_id, ts FROM d QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY ts) = 2),
    q AS (SELECT greatest(anchor, a.ts, b.ts, c.ts) AS "on"
          FROM u JOIN a USING (user_id) JOIN b USING (user_id) JOIN c USING (user_id)
          WHERE converted IS NULL OR anchor < converted)
    SELECT count(*), sum("on" % 1000003) FROM q
    """
    return [int(value or 0) for value in duckdb.connect().execute(text).fetchall()[0]]


def polars_by_hand(folder: Path, names: tuple[str, str, str], *, window: bool) -> list[int]:
    import polars as pl

    users = pl.scan_parquet(folder / "users.parquet").with_columns(
        pl.col("signed_up_at").cast(pl.Int64).alias("anchor")
    )
    bought = pl.scan_parquet(folder / "conversions.parquet").group_by("user_id").agg(pl.col("converted_at").min())
    users = users.join(bought.with_columns(pl.col("converted_at").cast(pl.Int64)), on="user_id", how="left")
    users = users.select("user_id", "anchor", "converted_at").collect().lazy()
    at = pl.col("at")
    seen = (
        pl.scan_parquet(folder / "events.parquet")
        .filter(pl.col("event").is_in(names))
        .select("user_id", pl.col("event"), pl.col("timestamp").cast(pl.Int64).alias("at"))
        .join(users, on="user_id")
        .filter(pl.col("converted_at").is_null() | (at < pl.col("converted_at")))
    )
    if window:
        seen = seen.filter(at >= pl.col("anchor"), at < pl.col("anchor") + DAYS_14)
    seen = seen.collect(engine="streaming").lazy()
    third = (
        seen.filter(pl.col("event") == names[0]).group_by("user_id").agg(at.sort().get(2, null_on_oob=True).alias("a"))
    )
    first = seen.filter(pl.col("event") == names[1]).group_by("user_id").agg(at.min().alias("b"))
    dates = seen.filter(pl.col("event") == names[2]).group_by("user_id", at // 86_400_000_000).agg(at.min().alias("c"))
    second = dates.group_by("user_id").agg(pl.col("c").sort().get(1, null_on_oob=True))
    whole = users.join(third, on="user_id").join(first, on="user_id").join(second, on="user_id").drop_nulls(["a", "c"])
    whole = whole.filter(pl.col("converted_at").is_null() | (pl.col("anchor") < pl.col("converted_at")))
    return summary(whole.select(pl.max_horizontal("anchor", "a", "b", "c").alias("on")).collect(engine="streaming"))


def bare_scan(folder: Path) -> list[int]:
    import polars as pl

    frame = pl.scan_parquet(folder / "events.parquet").select(
        pl.col("user_id").str.len_bytes().sum(), pl.col("event").str.len_bytes().sum(), pl.col("timestamp").max()
    )
    return [len(frame.collect(engine="streaming"))]


CASES: dict[str, dict[str, Any]] = {
    "rare, within 14d": {"names": RARE, "window": True},
    "common, ever": {"names": COMMON, "window": False},
}
WAYS: dict[str, Any] = {
    f"{way} | {case}": (lambda folder, run=run, options=options: run(folder, **options))
    for case, options in CASES.items()
    for way, run in {
        "pqlkit on Polars": lambda folder, **o: pqlkit(folder, "polars", **o),
        "pqlkit on DuckDB": lambda folder, **o: pqlkit(folder, "duckdb", **o),
        "DuckDB SQL": duckdb_sql,
        "Polars by hand": polars_by_hand,
    }.items()
}
WAYS["bare scan"] = bare_scan

if __name__ == "__main__":
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--way")
    chosen = options.parse_args()
    if chosen.way:
        run_one(WAYS, chosen.way, chosen.folder)
    else:
        for case in CASES:
            names = [name for name in WAYS if name.endswith(case)]
            rows = race(__file__, chosen.folder, [*names, "bare scan"], against=f"DuckDB SQL | {case}", same=names)
            show(f"Score: three criteria, {case}", rows)
