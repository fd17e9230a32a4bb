"""The freemium world: late upgrades in bursts, a trailing rule, and every class as an independent count has it."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pqlkit.durations import DAY, WEEK
from tests.worlds.by_name import freemium
from tests.worlds.freemium import EXPORTED_FROM, START

if TYPE_CHECKING:
    from tests.worlds.simulated import SimulatedWorld

MONDAY = 946_857_600_000_000
FUTURE = 1_900_000_000_000_000


@pytest.fixture(scope="module")
def world():
    return freemium(8000, 5)


def plausible(world: SimulatedWorld) -> pl.DataFrame:
    at = pl.col("timestamp").dt.epoch("us")
    return world.events.filter(at > START, at < FUTURE)


@pytest.fixture(scope="module")
def base(world):
    """Tables in SQL, with every account's phase hashed here and its snapshots laid out by SQL."""
    assert world.accounts is not None
    phase = world.accounts.select("account_id").with_columns(
        phase=pl.Series([zlib.crc32(f"pqlkit{i}".encode()) % 4 for i in world.accounts["account_id"]])
    )
    with duckdb.connect() as connection:
        connection.register("events_", plausible(world).with_columns(pl.col("timestamp").dt.epoch("us")).to_arrow())
        connection.register("phases", phase.to_arrow())
        connection.register(
            "accounts_", world.accounts.with_columns(pl.col("signed_up_at", "deleted_at").dt.epoch("us")).to_arrow()
        )
        connection.register(
            "conversions_", world.conversions.with_columns(pl.col("converted_at").dt.epoch("us")).to_arrow()
        )
        as_of = world.truth.as_of
        connection.execute(f"""
        CREATE TABLE lives AS SELECT a.account_id, a.signed_up_at AS a, a.deleted_at AS d, p.phase,
            (SELECT min(converted_at) FROM conversions_ c WHERE c.account_id = a.account_id) AS c
        FROM accounts_ a JOIN phases p USING (account_id);
        CREATE TABLE snapshots AS
        SELECT l.*, s, epoch.n FROM lives l,
            (SELECT {MONDAY}::BIGINT + {WEEK}::BIGINT * k AS s, k % 4 AS n FROM range(0, 1500) r(k)) epoch
        WHERE n = phase AND s >= greatest(a, {EXPORTED_FROM + 84 * DAY}) AND s <= {as_of + 60 * DAY};
        CREATE TABLE firsts AS SELECT account_id, min(s) AS first FROM snapshots GROUP BY 1;
        CREATE TABLE stamps AS SELECT DISTINCT e.account_id, (timestamp - {MONDAY}) // {WEEK} AS w FROM events_ e
            JOIN lives USING (account_id) WHERE c IS NULL OR timestamp < c;
        CREATE TABLE judged AS
        SELECT k.account_id, s, d IS NULL OR d > s AS alive, s + {28 * DAY} <= {as_of} AS mature,
            EXISTS (SELECT 1 FROM stamps t WHERE t.account_id = k.account_id
                    AND t.w BETWEEN (s - {MONDAY}) // {WEEK} - 4 AND (s - {MONDAY}) // {WEEK} - 1) AS active,
            c IS NOT NULL AND c <= s + {28 * DAY} AS y
        FROM snapshots k WHERE s <= {as_of} AND (c IS NULL OR s < c);
        """)
        yield connection


def test_classes_are_those_that_sql_counts_from_the_tables(world, base):
    counted = dict(
        base.execute(f"""
        WITH best AS (SELECT account_id, bool_or(alive) AS alive, bool_or(alive AND mature) AS mature,
                bool_or(alive AND mature AND active) AS seen, bool_or(alive AND mature AND active AND y) AS hit
            FROM judged GROUP BY 1)
        SELECT CASE WHEN c < {EXPORTED_FROM + 84 * DAY} THEN 'unobserved' WHEN c < a THEN 'customer_already'
            WHEN c <= first THEN 'early' WHEN d <= first THEN 'deleted'
            WHEN NOT coalesce(mature, false) THEN 'in_progress' WHEN NOT seen THEN 'dormant'
            WHEN hit THEN 'converted' ELSE 'not_converted' END AS class, count(*)
        FROM lives LEFT JOIN firsts USING (account_id) LEFT JOIN best USING (account_id) GROUP BY 1""").fetchall()
    )
    assert counted == {name: count for name, count in world.truth.classes.items() if count}
    assert sum(counted.values()) == 8000
    assert set(counted) == set(world.truth.classes)


def test_conversions_are_conserved(world, base):
    places = world.truth.places
    known = base.execute("SELECT count(*) FROM lives WHERE c IS NOT NULL").fetchone()[0]
    strangers = base.execute("SELECT count(*) FROM conversions_ ANTI JOIN accounts_ USING (account_id)").fetchone()[0]
    assert (places["first"], places["unknown_entity"]) == (known, strangers)
    assert places["rows"] == world.conversions.height == known + strangers + places["repeats"]
    others = (
        "used",
        "dormant",
        "in_progress",
        "later",
        "before_history",
        "before_first_snapshot",
        "customer_already",
        "deleted",
    )
    assert sum(places[name] for name in others) == known
    used = base.execute("SELECT count(*) FROM judged WHERE alive AND mature AND active AND y").fetchone()[0]
    asleep = base.execute("SELECT count(*) FROM judged WHERE alive AND mature AND NOT active AND y").fetchone()[0]
    assert (places["used"], places["dormant"]) == (used, asleep)


def test_most_snapshots_are_dormant_and_upgrades_take_months(base):
    dormant = base.execute("SELECT 1 - avg(active::INT) FROM judged WHERE alive AND mature").fetchone()[0]
    assert dormant == pytest.approx(0.72, abs=0.05)
    median = base.execute(f"SELECT median((c - a) / {DAY}) FROM lives WHERE c > a").fetchone()[0]
    assert median > 150


def test_the_rule_holds_on_the_mondays_that_the_events_say(world):
    assert world.weeks is not None
    late = EXPORTED_FROM + 28 * DAY
    said = world.weeks.filter("holds", pl.col("monday").dt.epoch("us") >= late).select("account_id", "monday")
    found = None
    for criterion in world.truth.rule.criteria:
        rows = plausible(world).filter(pl.col("event") == criterion.events[0])
        bins = rows.with_columns(monday=pl.col("timestamp").dt.truncate("1w")).group_by("account_id", "monday").len()
        moved = [bins.with_columns(pl.col("monday") + pl.duration(weeks=weeks)) for weeks in (1, 2, 3, 4)]
        met = pl.concat(moved).group_by("account_id", "monday").agg(pl.col("len").sum())
        met = met.filter(pl.col("len") >= criterion.at_least).select("account_id", "monday")
        found = met if found is None else found.join(met, on=["account_id", "monday"], how="semi")
    # Converters do more of the first event after paying, which the truth (without any upgrade) does not know.
    firsts = world.conversions.group_by("account_id").agg(c=pl.col("converted_at").min())
    before = pl.col("c").is_null() | (pl.col("monday") <= pl.col("c"))
    last = pl.col("monday").dt.epoch("us") <= START + 155 * WEEK

    def free(frame: pl.DataFrame) -> pl.DataFrame:
        kept = frame.join(firsts, on="account_id", how="left").filter(before, last)
        return kept.select("account_id", "monday").sort("account_id", "monday")

    assert_frame_equal(free(said), free(found.filter(pl.col("monday").dt.epoch("us") >= late)))  # type: ignore[union-attr]


def test_snapshots_that_meet_the_rule_convert_at_the_stated_rate(world, base):
    assert world.weeks is not None
    base = base.cursor()
    base.register("weeks_", world.weeks.with_columns(pl.col("monday").dt.epoch("us")).to_arrow())
    rows = base.execute("""
        SELECT holds, count(*), avg(y::INT) FROM judged JOIN weeks_ w ON w.account_id = judged.account_id AND w.monday = s
        WHERE alive AND mature AND judged.active GROUP BY 1 ORDER BY 1""").fetchall()
    (_, _, without), (_, snapshots, with_rule) = rows
    assert snapshots > 200
    assert with_rule == pytest.approx(world.truth.rate, abs=0.045)
    assert with_rule > 6 * without


def test_nothing_is_to_be_found_when_permuted():
    truth = freemium(3000, 5, permuted=True).truth
    assert truth.rule is None
    assert truth.rate is None
    assert truth.base_rate > 0


def test_plans_change_at_the_upgrade(world):
    assert world.accounts is not None
    assert world.plan_history is not None
    firsts = world.conversions.group_by("account_id").agg(c=pl.col("converted_at").min())
    known = firsts.join(world.accounts, on="account_id")
    assert (known["plan"] == "team").all()
    assert (world.accounts.join(firsts, on="account_id", how="anti")["plan"] == "free").all()
    then = known.select("account_id", at=pl.col("c") - pl.duration(microseconds=1)).sort("at")
    plans = then.join_asof(
        world.plan_history.sort("valid_from"),
        left_on="at",
        right_on="valid_from",
        by="account_id",
        check_sortedness=False,
    )
    assert (plans["plan"] == "free").all()


def test_faults_are_there_and_few(world):
    wrong = world.events.height - plausible(world).height
    assert 0 < wrong < world.events.height / 1000
    years = set(world.events["timestamp"].dt.year())
    assert {1970, 2031} <= years
    assert plausible(world)["timestamp"].dt.epoch("us").min() >= EXPORTED_FROM  # type: ignore[operator]
    assert (world.conversions["converted_at"].dt.epoch("us") < EXPORTED_FROM).any()


def test_nobody_does_anything_before_signing_up_or_after_being_deleted(world, base):
    bad = base.execute("""SELECT count(*) FROM events_ e JOIN accounts_ a USING (account_id)
        WHERE timestamp < a.signed_up_at OR timestamp >= a.deleted_at""").fetchone()[0]
    late = base.execute("SELECT count(*) FROM lives WHERE c >= d").fetchone()[0]
    assert (bad, late) == (0, 0)


def test_work_is_done_on_weekdays(world):
    weekend = (plausible(world)["timestamp"].dt.weekday() >= 6).mean()
    assert 0.02 < weekend < 0.1  # type: ignore[operator]


def test_the_same_seed_gives_the_same_rows():
    one, other = freemium(2000, 9), freemium(2000, 9)
    for name in ("events", "users", "accounts", "conversions", "plan_history", "weeks"):
        assert_frame_equal(getattr(one, name), getattr(other, name))
    assert not freemium(2000, 10).events.equals(one.events)
