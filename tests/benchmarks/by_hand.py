"""The hand-written ways: the same columns and counts as `pqlkit score` and `pqlkit analyze`, in SQL and in Polars.

    python -m tests.benchmarks.by_hand score-duckdb-rare FOLDER OUT

What a good analyst would write for these three tables and these questions alone: no checks of the input, users only.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.asked import COLUMNS, CONVERSION_WINDOW, CRITERIA, DAY, LANDMARK, WINDOWS, Criteria

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

FRESH = 30 * DAY
SPAN = LANDMARK * DAY
TIME = "%Y-%m-%dT%H:%M:%S.%fZ"

USERS_SQL = """
    u AS (SELECT user_id, epoch_us(signed_up_at) anchor, epoch_us(min(converted_at)) converted
          FROM '{folder}/users.parquet' LEFT JOIN '{folder}/conversions.parquet' USING (user_id) GROUP BY ALL)"""

SCORE_SQL = """
COPY (
WITH {users},
    e AS (SELECT user_id, event, ts, anchor
          FROM (SELECT user_id, event, epoch_us(timestamp) ts FROM '{folder}/events.parquet'
                WHERE event IN ('{a}', '{b}', '{c}')) JOIN u USING (user_id)
          WHERE {inside} (converted IS NULL OR ts < converted)),
    ab AS (SELECT user_id, count(*) FILTER (event = '{a}') a, min(ts, 3) FILTER (event = '{a}') third,
                  count(*) FILTER (event = '{b}') b, min(ts) FILTER (event = '{b}') once
           FROM e WHERE event IN ('{a}', '{b}') GROUP BY user_id),
    dates AS (SELECT user_id, min(ts) ts FROM e WHERE event = '{c}' GROUP BY user_id, ts // {day}),
    c AS (SELECT user_id, count(*) c, min(ts, 2) twice FROM dates GROUP BY user_id),
    seen AS (SELECT user_id, max(epoch_us(timestamp)) last_at FROM '{folder}/events.parquet' GROUP BY user_id),
    w AS (SELECT user_id, anchor, converted, last_at, coalesce(a, 0) a, coalesce(b, 0) b, coalesce(c, 0) c,
                 greatest(anchor, third[3], once, twice[2]) moment,
                 (SELECT max(t) FROM (SELECT max(epoch_us(timestamp)) t FROM '{folder}/events.parquet'
                  UNION ALL SELECT max(epoch_us(converted_at)) FROM '{folder}/conversions.parquet')) as_of
          FROM u LEFT JOIN ab USING (user_id) LEFT JOIN c USING (user_id) LEFT JOIN seen USING (user_id)),
    m AS (SELECT *, (a >= 3)::INT + (b >= 1)::INT + (c >= 2)::INT met, a + b + c > 0 began,
                 met = 3 AND (converted IS NULL OR anchor < converted) pql FROM w),
    far AS (SELECT *, (least(a / 3, 1) + least(b, 1) + least(c / 2, 1)) / 3 way FROM m),
    s AS (SELECT *, CASE WHEN converted IS NOT NULL THEN 'customer' WHEN pql THEN 'pql' {others} END status,
                 CASE WHEN pql THEN 50 + floor(30 * ((least(a / 3 - 1, 1) + least(b - 1, 1) + least(c / 2 - 1, 1)) / 3))
                                       + floor(20 * greatest(0, 1 - (as_of - moment) / {fresh}))
                      ELSE floor(50 * met / 3) END::INT score FROM far)
    SELECT user_id, status, score, CASE WHEN pql THEN strftime(make_timestamp(moment), '{time}') END qualified_at,
           strftime(make_timestamp(last_at), '{time}') last_active_at, met,
           nullif(concat_ws('; ',
               CASE WHEN a > 0 THEN '{a} ' || a || CASE WHEN a = 1 THEN ' time' ELSE ' times' END END,
               CASE WHEN b > 0 THEN '{b} ' || b || CASE WHEN b = 1 THEN ' time' ELSE ' times' END END,
               CASE WHEN c > 0 THEN '{c} on ' || c || CASE WHEN c = 1 THEN ' day' ELSE ' days' END END), '') evidence,
           a, b, c
    FROM s ORDER BY list_position(['pql', 'near', 'started', 'missed', 'inactive', 'customer'], status), CASE WHEN status = 'near' THEN way END DESC NULLS LAST, score DESC,
                    CASE WHEN pql THEN moment END DESC NULLS LAST, user_id
) TO '{out}' (HEADER)
"""
NEAR_SQL = f"""WHEN way >= 0.8 AND last_at > as_of - {14 * DAY} THEN 'near' WHEN began THEN 'started' ELSE 'inactive'"""

CELLS_SQL = """
COPY (
WITH {users},
    l AS (SELECT user_id, anchor, coalesce(converted <= anchor + {span} + {conversion_window}, false) y FROM u
          WHERE converted IS NULL OR converted > anchor + {span}),
    e AS (SELECT user_id, event, ts // {day} AS day, ts - anchor age, y
          FROM (SELECT user_id, event, epoch_us(timestamp) ts FROM '{folder}/events.parquet') JOIN l USING (user_id)
          WHERE ts >= anchor AND ts < anchor + {span}),
    {cells}
    {table}
) TO '{out}' (FORMAT parquet)
"""


def score_duckdb(criteria: Criteria, folder: Path, out: Path) -> None:
    import duckdb

    a, b, c = criteria.events
    text = SCORE_SQL.format(
        users=USERS_SQL.format(folder=folder),
        inside=f"ts >= anchor AND ts < anchor + {SPAN} AND" if criteria.within else "",
        others="ELSE 'missed'" if criteria.within else NEAR_SQL,
        folder=folder,
        out=out,
        a=a,
        b=b,
        c=c,
        day=DAY,
        fresh=FRESH,
        time=TIME,
    )
    duckdb.connect().execute(text)


def analyze_duckdb(folder: Path, out: Path, *, daily: bool) -> None:
    """Count in one wide grouping with DISTINCT, or (`daily`) by dates first, which is what a second snapshot would find."""
    import duckdb

    if daily:
        inner = ", ".join(f"count(*) FILTER (age < {w * DAY}) n{w}" for w in WINDOWS)
        outer = ", ".join(f"sum(n{w}) n{w}, count(*) FILTER (first < {w * DAY}) d{w}" for w in WINDOWS)
        cells = (
            f"dates AS (SELECT user_id, event, any_value(y) y, {inner}, min(age) first FROM e"
            f" GROUP BY user_id, event, day),"
            f" cells AS MATERIALIZED (SELECT event, any_value(y) y, {outer} FROM dates GROUP BY user_id, event)"
        )
    else:
        outer = ", ".join(
            f"count(*) FILTER (age < {w * DAY}) n{w}, count(DISTINCT day) FILTER (age < {w * DAY}) d{w}"
            for w in WINDOWS
        )
        cells = f"cells AS MATERIALIZED (SELECT event, any_value(y) y, {outer} FROM e GROUP BY user_id, event)"
    table = " UNION ALL ".join(
        f"SELECT event, '{measure}' measure, {w}::BIGINT AS days, {name}{w}::BIGINT AS value, y, count(*)::BIGINT n"
        f" FROM cells WHERE {name}{w} > 0 GROUP BY event, {name}{w}, y"
        for w in WINDOWS
        for name, measure in (("n", "count"), ("d", "days"))
    )
    text = CELLS_SQL.format(
        users=USERS_SQL.format(folder=folder),
        folder=folder,
        out=out,
        day=DAY,
        span=SPAN,
        conversion_window=CONVERSION_WINDOW * DAY,
        cells=cells,
        table=table,
    )
    duckdb.connect().execute(text)


def _users(folder: Path) -> pl.LazyFrame:
    import polars as pl

    users = pl.scan_parquet(folder / "users.parquet")
    users = users.select("user_id", pl.col("signed_up_at").cast(pl.Int64).alias("anchor"))
    bought = pl.scan_parquet(folder / "conversions.parquet").group_by("user_id").agg(pl.col("converted_at").min())
    bought = bought.select("user_id", pl.col("converted_at").cast(pl.Int64).alias("converted"))
    return users.join(bought, on="user_id", how="left").collect().lazy()


def _events(folder: Path) -> pl.LazyFrame:
    import polars as pl

    events = pl.scan_parquet(folder / "events.parquet")
    return events.select("user_id", "event", pl.col("timestamp").cast(pl.Int64).alias("at"))


def score_polars(criteria: Criteria, folder: Path, out: Path) -> None:
    import polars as pl

    a, b, c = criteria.events
    users, at = _users(folder), pl.col("at")
    seen = _events(folder).filter(pl.col("event").is_in(criteria.events)).join(users, on="user_id")
    seen = seen.filter(pl.col("converted").is_null() | (at < pl.col("converted")))
    if criteria.within:
        seen = seen.filter(at >= pl.col("anchor"), at < pl.col("anchor") + SPAN)
    seen = seen.select("user_id", "event", "at").collect(engine="streaming").lazy()
    third = (
        seen.filter(pl.col("event") == a)
        .group_by("user_id")
        .agg(pl.len().alias("a"), at.sort().get(2, null_on_oob=True).alias("third"))
    )
    once = seen.filter(pl.col("event") == b).group_by("user_id").agg(pl.len().alias("b"), at.min().alias("once"))
    dates = seen.filter(pl.col("event") == c).group_by("user_id", at // DAY).agg(at.min().alias("first"))
    twice = dates.group_by("user_id").agg(pl.len().alias("c"), pl.col("first").sort().get(1, null_on_oob=True))
    last = _events(folder).group_by("user_id").agg(at.max().alias("last")).collect(engine="streaming")
    as_of = max(last["last"].max(), users.select(pl.col("converted").max()).collect().item())
    whole = users.join(third, on="user_id", how="left").join(once, on="user_id", how="left")
    whole = whole.join(twice.rename({"first": "second"}), on="user_id", how="left")
    listed(criteria, whole.join(last.lazy(), on="user_id", how="left"), as_of, out)


def listed(criteria: Criteria, whole: pl.LazyFrame, as_of: int, out: Path) -> None:
    """Make the list of what was counted for each user, in Polars.

    Parameters
    ----------
    criteria
        The question.
    whole
        ``user_id``, ``anchor``, ``converted``, how often (``a``, ``b``, ``c``; null = never), when the third, only and second came
        (``third``, ``once``, ``second``) and ``last``, in microseconds.
    as_of, out
        The newest moment, and the file to write.
    """
    import polars as pl

    a, b, c = criteria.events
    whole = whole.with_columns(pl.col("a", "b", "c").fill_null(0).cast(pl.Int64))
    met = (pl.col("a") >= 3).cast(pl.Int64) + (pl.col("b") >= 1).cast(pl.Int64) + (pl.col("c") >= 2).cast(pl.Int64)
    moment, bought, anchor = pl.col("moment"), pl.col("converted"), pl.col("anchor")
    whole = whole.with_columns(
        met.alias("met"),
        pl.sum_horizontal("a", "b", "c").gt(0).alias("began"),
        pl.max_horizontal("anchor", "third", "once", "second").alias("moment"),
    ).with_columns(((pl.col("met") == 3) & (bought.is_null() | (anchor < bought))).alias("pql"))
    # By columns of constants: Polars turns a division by a number into a product with its inverse, which rounds otherwise.
    whole = whole.with_columns(pl.lit(3.0).alias("three"), pl.lit(2.0).alias("two"))
    parts = (pl.col("a") / pl.col("three"), pl.col("b").cast(pl.Float64), pl.col("c") / pl.col("two"))
    excess = sum(((part - 1).clip(upper_bound=1.0) for part in parts), pl.lit(0.0))
    recent = (20 * (1 - (as_of - moment) / FRESH).clip(lower_bound=0.0)).floor()
    status = pl.when(bought.is_not_null()).then(pl.lit("customer")).when(pl.col("pql")).then(pl.lit("pql"))
    way = sum((part.clip(upper_bound=1.0) for part in parts), pl.lit(0.0)) / pl.col("three")
    near = status.when((way >= 0.8) & (pl.col("last") > as_of - 14 * DAY)).then(pl.lit("near"))
    open_ = near.when(pl.col("began")).then(pl.lit("started")).otherwise(pl.lit("inactive"))
    stands = status.otherwise(pl.lit("missed")) if criteria.within else open_
    order = {"pql": 0, "near": 1, "started": 2, "missed": 3, "inactive": 4, "customer": 5}
    points = (
        pl.when("pql")
        .then(50 + (30 * (excess / pl.col("three"))).floor() + recent)
        .otherwise((50 * pl.col("met") / 3).floor())
    )
    words = [
        pl.when(pl.col(n) > 0).then(
            pl.format(
                f"{e}{{}}{{}} {w}{{}}", pl.lit(p), n, pl.when(pl.col(n) == 1).then(pl.lit("")).otherwise(pl.lit("s"))
            )
        )
        for n, e, p, w in (("a", a, " ", "time"), ("b", b, " ", "time"), ("c", c, " on ", "day"))
    ]
    evidence = pl.concat_str(words, separator="; ", ignore_nulls=True)
    table = whole.with_columns(
        stands.alias("status"),
        points.cast(pl.Int64).alias("score"),
        pl.when("pql").then(moment).alias("qualified_at"),
        pl.when(evidence != "").then(evidence).alias("evidence"),
    )
    nearest = pl.when(pl.col("status") == "near").then(way)
    by = [pl.col("status").replace_strict(order), nearest, pl.col("score"), pl.col("qualified_at"), pl.col("user_id")]
    table = table.sort(by, descending=[False, True, True, True, False], nulls_last=True)
    times = pl.from_epoch(pl.col("qualified_at"), time_unit="us"), pl.from_epoch(pl.col("last"), time_unit="us")
    shown = table.with_columns(
        times[0].dt.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").alias("qualified_at"),
        times[1].dt.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").alias("last_active_at"),
    )
    shown.select(COLUMNS).collect().write_csv(out)


def analyze_polars(folder: Path, out: Path) -> None:
    import polars as pl

    at, anchor, converted = pl.col("at"), pl.col("anchor"), pl.col("converted")
    users = _users(folder).filter(converted.is_null() | (converted > anchor + SPAN))
    y = (converted <= anchor + SPAN + CONVERSION_WINDOW * DAY).fill_null(value=False)
    users = users.select("user_id", "anchor", y.alias("y")).collect().lazy()
    seen = _events(folder).join(users, on="user_id").with_columns((at - anchor).alias("age"))
    seen = seen.filter(pl.col("age") >= 0, pl.col("age") < SPAN)
    inner = [(pl.col("age") < w * DAY).sum().alias(f"n{w}") for w in WINDOWS]
    dates = seen.group_by("user_id", "event", at // DAY).agg(pl.col("y").first(), *inner, pl.col("age").min())
    outer = [pl.col(f"n{w}").sum() for w in WINDOWS]
    outer += [(pl.col("age") < w * DAY).sum().alias(f"d{w}") for w in WINDOWS]
    cells = dates.group_by("user_id", "event").agg(pl.col("y").first(), *outer).collect(engine="streaming")
    parts = []
    for w in WINDOWS:
        for name, measure in (("n", "count"), ("d", "days")):
            value = pl.col(f"{name}{w}").cast(pl.Int64).alias("value")
            counted = cells.lazy().select("event", "y", value).filter(pl.col("value") > 0)
            counted = counted.group_by("event", "value", "y").agg(pl.len().cast(pl.Int64).alias("n"))
            kind = [pl.lit(measure).alias("measure"), pl.lit(w, pl.Int64).alias("days")]
            parts.append(counted.select("event", *kind, "value", "y", "n"))
    pl.concat(parts).collect().write_parquet(out)


def analyze_counting(folder: Path, out: Path) -> None:
    """Ask pqlkit's measures for the counts alone, without population, leaks, intervals or adjusted effects."""
    import polars as pl

    from pqlkit.definitions.model import EntityKind, Measure, MeasureKind, WindowKind
    from pqlkit.durations import Duration
    from pqlkit.engines.factory import engine
    from pqlkit.measures.behaviour import GRID
    from pqlkit.measures.reduction import histogram
    from pqlkit.measures.world import World

    users = (
        _users(folder).sort("user_id").with_row_index("entity").with_columns(pl.col("entity").cast(pl.Int64)).collect()
    )
    anchor, converted = pl.col("anchor"), pl.col("converted")
    looked = users.filter(converted.is_null() | (converted > anchor + SPAN)).select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("snapshot"),
        "entity",
        (anchor + SPAN).alias("cutoff"),
        (converted <= anchor + SPAN + CONVERSION_WINDOW * DAY).fill_null(value=False).alias("y"),
    )
    where = engine("polars")
    names = {"user_id": "user_id", "event": "event", "timestamp": "at"}
    known = World(
        engine=where,
        kind=EntityKind.USER,
        events=where.scan([str(folder / "events.parquet")], names),
        entities=users.select("entity", "anchor", "converted"),
        members=users.select("user_id", "entity"),
        as_of=2**60,
    )
    behaviours, counts = histogram(
        known,
        looked,
        groups=["y"],
        kind=WindowKind.WITHIN,
        windows=[Duration.parse(f"{days}d") for days in WINDOWS],
        measures=[Measure(), Measure(kind=MeasureKind.DAYS)],
    )
    named = pl.DataFrame(
        {
            "behaviour": range(len(behaviours)),
            "event": [one.event for one in behaviours],
            "measure": [one.measure.kind.value for one in behaviours],
            "days": [one.window.length.microseconds // DAY if one.window.length else 0 for one in behaviours],
        },
        schema_overrides={"behaviour": pl.Int32},
    )
    value = (pl.col("level").cast(pl.Int64) - 1).replace_strict(dict(enumerate(GRID)), return_dtype=pl.Int64)
    table = counts.join(named, on="behaviour").filter(pl.col("event").is_not_null())
    table.select("event", "measure", "days", value.alias("value"), "y", "n").write_parquet(out)


def scan(folder: Path, out: Path) -> None:
    """Read the three columns and use each value: what any way must do at least."""
    import polars as pl

    events = folder / "events.parquet"
    frame = pl.scan_parquet(events if events.exists() else folder / "events" / "*.parquet").select(
        pl.col("user_id").hash().max(),
        pl.col("event").str.len_bytes().cast(pl.Int64).sum(),
        pl.col("timestamp").max(),
    )
    frame.collect(engine="streaming").write_parquet(out)


WAYS: dict[str, Callable[[Path, Path], None]] = {
    **{
        f"score-{name}-{case}": partial(run, criteria)
        for case, criteria in CRITERIA.items()
        for name, run in (("duckdb", score_duckdb), ("polars", score_polars))
    },
    "analyze-duckdb": partial(analyze_duckdb, daily=False),
    "analyze-duckdb-daily": partial(analyze_duckdb, daily=True),
    "analyze-polars": analyze_polars,
    "analyze-counting": analyze_counting,
    "scan": scan,
}

if __name__ == "__main__":
    WAYS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
