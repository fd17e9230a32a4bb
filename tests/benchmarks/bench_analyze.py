"""Every event in every window at one look per user, counted by outcome: pqlkit beside hand-written SQL and Polars.

python tests/benchmarks/bench_analyze.py FOLDER      (a folder of make_events.py)
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tests.benchmarks.bench_score import bare_scan, world
from tests.benchmarks.race import race, run_one, show

DAY = 86_400_000_000
HORIZON = 30 * DAY


def looks(made: Any, *, step: int | None = None) -> Any:
    """Looks 14 days after signup, or every `step` days for a year, with the outcome in the 30 days after."""
    import polars as pl

    frame = made.entities
    if step is None:
        frame = frame.with_columns((pl.col("anchor") + 14 * DAY).alias("cutoff"))
    else:
        first = pl.col("anchor") // (7 * DAY) * (7 * DAY) + (pl.col("entity") % 4 + 1) * 7 * DAY
        frame = frame.with_columns(first.alias("cutoff"))
        frame = pl.concat([frame.with_columns(pl.col("cutoff") + k * step * DAY) for k in range(6)])
    frame = frame.filter(pl.col("converted").is_null() | (pl.col("converted") > pl.col("cutoff")))
    y = (pl.col("converted") <= pl.col("cutoff") + HORIZON).fill_null(False)
    numbered = (
        frame.sort("cutoff", "entity").with_row_index("look").with_columns(pl.col("look").cast(pl.Int64), y.alias("y"))
    )
    return numbered.select("look", "entity", "cutoff", "y")


def pqlkit(folder: Path, name: str, windows: tuple[str, ...], *, step: int | None = None) -> Any:
    from pqlkit.definitions.model import Measure, MeasureKind, WindowKind
    from pqlkit.durations import Duration
    from pqlkit.measures.reduction import histogram

    made = world(folder, name)
    measures = [Measure(), Measure(kind=MeasureKind.DAYS)]
    behaviours, counts = histogram(
        made,
        looks(made, step=step),
        groups=["y"],
        kind=WindowKind.WITHIN if step is None else WindowKind.TRAILING,
        windows=[Duration.parse(window) for window in windows],
        measures=measures,
    )
    longest = Duration.parse(windows[-1])
    chosen = {
        i: (b.event, b.measure.kind.value)
        for i, b in enumerate(behaviours)
        if b.event is not None and b.window.length == longest
    }
    rows: dict[str, list[int]] = {}
    for behaviour, level, y, n in counts.select("behaviour", "level", "y", "n").iter_rows():
        if behaviour in chosen:
            cell = rows.setdefault("/".join(chosen[behaviour]), [0, 0, 0])
            cell[0] += n
            cell[1] += n * int(y)
            cell[2] += n * (level >= 3)
    return dict(sorted(rows.items()))


def _cells(rows: Any) -> dict[str, list[int]]:
    cells: dict[str, list[int]] = {}
    for event, n, p, three, dthree in rows:
        cells[f"{event}/count"] = [int(n), int(p), int(three)]
        cells[f"{event}/days"] = [int(n), int(p), int(dthree)]
    return dict(sorted(cells.items()))


def duckdb_sql(folder: Path, windows: tuple[str, ...]) -> dict[str, list[int]]:
    import duckdb

    counts = ", ".join(
        f"count(*) FILTER (ts < anchor + {int(w[:-1])} * {DAY}) n{w},"
        f" count(DISTINCT ts // {DAY}) FILTER (ts < anchor + {int(w[:-1])} * {DAY}) d{w}"
        for w in windows
    )
    if len(windows) == 1:
        counts = f"count(*) n{windows[0]}, count(DISTINCT ts // {DAY}) d{windows[0]}"
    every = ", ".join(f"sum(n{w} + d{w})" for w in windows[:-1]) or "0"
    last = windows[-1]
    text = f"""
    WITH u AS (SELECT user_id, epoch_us(signed_up_at) anchor, epoch_us(min(converted_at)) converted
               FROM '{folder}/users.parquet' LEFT JOIN '{folder}/conversions.parquet' USING (user_id) GROUP BY ALL),
    l AS (SELECT *, coalesce(converted <= anchor + 44 * {DAY}, false) y FROM u
          WHERE converted IS NULL OR converted > anchor + 14 * {DAY}),
    g AS (SELECT user_id, event, any_value(y) y, {counts}
          FROM (SELECT user_id, event, epoch_us(timestamp) ts FROM '{folder}/events.parquet') JOIN l USING (user_id)
          WHERE ts >= anchor AND ts < anchor + {int(last[:-1])} * {DAY} GROUP BY user_id, event)
    SELECT event, count(*), sum(y::INT), sum((n{last} >= 3)::INT), sum((d{last} >= 3)::INT), {every} FROM g GROUP BY event
    """
    return _cells(row[:5] for row in duckdb.connect().execute(text).fetchall())


def polars_by_hand(folder: Path, windows: tuple[str, ...]) -> dict[str, list[int]]:
    import polars as pl

    users = pl.scan_parquet(folder / "users.parquet").with_columns(
        pl.col("signed_up_at").cast(pl.Int64).alias("anchor")
    )
    bought = pl.scan_parquet(folder / "conversions.parquet").group_by("user_id").agg(pl.col("converted_at").min())
    users = users.join(bought.with_columns(pl.col("converted_at").cast(pl.Int64)), on="user_id", how="left")
    converted, anchor = pl.col("converted_at"), pl.col("anchor")
    users = users.filter(converted.is_null() | (converted > anchor + 14 * DAY))
    users = users.select("user_id", "anchor", (converted <= anchor + 44 * DAY).fill_null(False).alias("y"))
    at = pl.col("at")
    counts = []
    for w in windows:
        inside = at < anchor + int(w[:-1]) * DAY
        counts += [inside.sum().alias(f"n{w}"), (at // DAY).filter(inside).n_unique().alias(f"d{w}")]
    last = windows[-1]
    seen = (
        pl.scan_parquet(folder / "events.parquet")
        .select("user_id", "event", pl.col("timestamp").cast(pl.Int64).alias("at"))
        .join(users, on="user_id")
        .filter(at >= anchor, at < anchor + int(last[:-1]) * DAY)
        .group_by("user_id", "event")
        .agg(pl.col("y").first(), *counts)
    )
    table = seen.group_by("event").agg(
        pl.len(), pl.col("y").sum(), (pl.col(f"n{last}") >= 3).sum(), (pl.col(f"d{last}") >= 3).sum().alias("d")
    )
    return _cells(table.collect(engine="streaming").iter_rows())


ONE, FOUR = ("14d",), ("1d", "3d", "7d", "14d")
CASES: dict[str, tuple[str, ...]] = {"one window": ONE, "four windows": FOUR}
WAYS: dict[str, Any] = {
    f"{way} | {case}": (lambda folder, run=run, windows=windows: run(folder, windows))
    for case, windows in CASES.items()
    for way, run in {
        "pqlkit on Polars": lambda folder, windows: pqlkit(folder, "polars", windows),
        "pqlkit on DuckDB": lambda folder, windows: pqlkit(folder, "duckdb", windows),
        "DuckDB SQL": duckdb_sql,
        "Polars by hand": polars_by_hand,
    }.items()
}
WAYS["every 28d, trailing 7d 28d 84d"] = lambda folder: pqlkit(folder, "polars", ("7d", "28d", "84d"), step=28)
WAYS["bare scan"] = bare_scan

if __name__ == "__main__":
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--way")
    options.add_argument("--repeat", type=int, default=2)
    chosen = options.parse_args()
    if chosen.way:
        run_one(WAYS, chosen.way, chosen.folder)
    else:
        for case in CASES:
            names = [name for name in WAYS if name.endswith(case)]
            beside = ["every 28d, trailing 7d 28d 84d", "bare scan"]
            rows = race(
                __file__,
                chosen.folder,
                [*names, *beside],
                against=f"DuckDB SQL | {case}",
                same=names,
                repeat=chosen.repeat,
            )
            show(f"Analyze: every event by (count, days), {case}", rows)
