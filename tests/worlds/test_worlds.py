"""The statistical worlds: the same bytes again, and a truth that an independent count confirms."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pqlkit.definitions.model import Criterion, EntityKind
from pqlkit.durations import DAY
from tests.worlds.by_name import age_trial, card_trial, little, recipe, write_recipe
from tests.worlds.simulation import DRIFT_FROM

if TYPE_CHECKING:
    from pathlib import Path

    from tests.worlds.simulated import SimulatedWorld

SEED = 11


@pytest.fixture(scope="module")
def world():
    return recipe(20_000, SEED)


def sql(query: str, **tables: pl.DataFrame | None) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, frame in tables.items():
            if frame is not None:
                connection.register(name, frame.to_arrow())
        return connection.execute(query).fetchall()


def number(query: str, **tables: pl.DataFrame | None) -> float:
    value = sql(query, **tables)[0][0]
    assert isinstance(value, int | float)
    return float(value)


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


LATE = "(SELECT max(t) FROM (SELECT max(timestamp) t FROM events UNION ALL SELECT max(converted_at) FROM conversions))"
CLASSES = f"""
WITH firsts AS (SELECT user_id, min(converted_at) AS c FROM conversions GROUP BY 1),
     people AS (SELECT u.user_id, signed_up_at AS a, c FROM users u LEFT JOIN firsts USING (user_id)),
     ages AS (SELECT unnest($ages$) AS age),
     looked AS (SELECT user_id, a, c, bool_or(c > a + to_days(age::INT) AND c <= a + to_days(age::INT + 30)
                                             AND a + to_days(age::INT + 30) <= {LATE}) AS hit
                FROM people, ages GROUP BY ALL)
SELECT CASE WHEN c < a THEN 'customer_already'
            WHEN c <= a + to_days($first$) THEN 'early'
            WHEN a + to_days($first$ + 30) > {LATE} THEN 'in_progress'
            WHEN hit THEN 'converted' ELSE 'not_converted' END AS class, count(*)
FROM looked GROUP BY 1
"""


def classes_by_sql(world: SimulatedWorld, ages: list[int]) -> dict[object, object]:
    query = CLASSES.replace("$ages$", str(ages)).replace("$first$", str(ages[0]))
    return dict(sql(query, events=world.events, users=world.users, conversions=world.conversions))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "ages"),
    [
        (lambda: recipe(6000, 3), [14]),
        (lambda: recipe(6000, 4, outcome="additive"), [14]),
        (lambda: age_trial(6000, 5), [1, 2, 3, 5, 7, 10]),
        (lambda: card_trial(6000, 6), [14]),
        (lambda: little(7), [14]),
    ],
    ids=["recipe", "additive", "age", "card", "little"],
)
def test_classes_are_those_that_sql_counts_from_the_tables(make, ages):
    world = make()
    stated = {name: count for name, count in world.truth.classes.items() if count}
    assert classes_by_sql(world, ages) == stated
    assert sum(stated.values()) == world.users.height == world.truth.entities.height


def test_every_conversion_row_has_one_place(world):
    places = world.truth.places
    assert places["rows"] == world.conversions.height
    assert places["rows"] == places["first"] + places["repeats"] + places["filtered"] + places["unknown_entity"]
    first = number(
        "SELECT count(DISTINCT c.user_id) FROM conversions c SEMI JOIN users u USING (user_id)",
        conversions=world.conversions,
        users=world.users,
    )
    others = ("used", "before_first_snapshot", "later", "in_progress", "customer_already")
    assert places["first"] == first == sum(places[name] for name in others)
    assert places["repeats"] > 0
    assert places["unknown_entity"] > 0


def test_as_of_is_the_newest_row(world):
    newest = max(world.events["timestamp"].max(), world.conversions["converted_at"].max())
    assert int(newest.timestamp()) == world.truth.as_of // 1_000_000


def rule_by_sql(world: SimulatedWorld, key: str, entities: pl.DataFrame) -> set[object]:
    """Who meets the planted rule before its first conversion, by the half-open windows of the definition."""
    rule = world.truth.rule
    assert rule is not None
    parts = []
    for criterion in rule.criteria:
        assert isinstance(criterion, Criterion)
        assert criterion.events is not None
        assert criterion.window.length is not None
        parts.append(
            f"sum((event = '{criterion.events[0]}' AND e.timestamp >= a.signed_up_at AND "
            f"e.timestamp < a.signed_up_at + to_days({criterion.window.length.amount}))::INT) >= {criterion.at_least}"
        )
    query = f"""
    WITH firsts AS (SELECT {key}, min(converted_at) AS c FROM conversions GROUP BY 1)
    SELECT e.{key} FROM events e JOIN entities a USING ({key}) LEFT JOIN firsts f USING ({key})
    WHERE f.c IS NULL OR e.timestamp < f.c GROUP BY 1 HAVING {" AND ".join(parts)}
    """
    return {row[0] for row in sql(query, events=world.events, entities=entities, conversions=world.conversions)}


def test_the_rule_is_met_by_whom_the_truth_says(world):
    met = rule_by_sql(world, "user_id", world.users)
    known = world.truth.entities.filter(pl.col("meets").is_not_null())
    assert set(known.filter("meets")["entity"]) == met & set(known["entity"])
    assert known.height == world.truth.classes["converted"] + world.truth.classes["not_converted"]


def test_accounts_pool_their_users():
    world = recipe(4000, SEED, accounts=True)
    alone = recipe(4000, SEED)
    assert world.kind is EntityKind.ACCOUNT
    assert world.accounts is not None
    assert world.users.height > 2.5 * world.accounts.height
    met = rule_by_sql(world, "account_id", world.accounts)
    known = world.truth.entities.filter(pl.col("meets").is_not_null())
    assert set(known.filter("meets")["entity"]) == met & set(known["entity"])
    assert world.truth.classes == alone.truth.classes
    early = number(
        "SELECT count(*) FROM events e JOIN users u USING (user_id) WHERE e.timestamp < u.signed_up_at",
        events=world.events,
        users=world.users,
    )
    assert early == 0


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_recipe_keeps_its_numbers(seed):
    world = recipe(20_000, seed)
    truth = world.truth
    used = truth.entities.filter(pl.col("meets").is_not_null()).with_columns(y=pl.col("class") == "converted")
    assert 40 <= world.events.height / 20_000 <= 54
    assert world.events["event"].n_unique() == 64
    assert used["y"].mean() == pytest.approx(0.04, abs=0.006)
    assert 0.04 <= used["meets"].mean() <= 0.085  # type: ignore[operator]
    assert truth.rate is not None
    assert 0.22 <= truth.rate <= 0.34
    assert used.filter("meets")["y"].mean() == pytest.approx(truth.rate, abs=0.06)
    assert truth.classes["early"] / 20_000 == pytest.approx(0.008, abs=0.003)
    assert truth.classes["in_progress"] / 20_000 == pytest.approx(0.122, abs=0.01)
    assert truth.rule is not None
    assert 2 <= len(truth.rule.criteria) <= 3
    assert all((criterion.at_least or 0) in range(2, 11) for criterion in truth.rule.criteria)


def test_each_condition_alone_is_met_by_a_quarter_to_a_third(world):
    for criterion in world.truth.rule.criteria:
        count = number(
            f"""SELECT count(*) FROM (SELECT user_id FROM events e JOIN users u USING (user_id)
            WHERE event = '{criterion.events[0]}' AND timestamp < signed_up_at + to_days({criterion.window.length.amount})
            GROUP BY 1 HAVING count(*) >= {criterion.at_least})""",
            events=world.events.filter(pl.col("event") == criterion.events[0]),
            users=world.users,
        )
        assert 0.21 <= count / 20_000 <= 0.35


def test_thin_and_none_and_additive_are_what_they_say():
    thin, none, additive = (recipe(10_000, SEED, outcome=name).truth for name in ("thin", "none", "additive"))
    assert thin.rule is not None
    assert len(thin.rule.criteria) == 3
    assert thin.rate == pytest.approx(0.12)
    assert none.rule is None
    assert none.rate is None
    assert none.entities["chance"].n_unique() == 1
    assert additive.rate is None
    assert len(additive.points) == 6
    assert additive.base_rate == pytest.approx(0.04, abs=0.004)
    assert additive.rule is not None
    assert {criterion.id for criterion in additive.rule.criteria} == set(additive.points)


def test_base_rate_is_obeyed():
    for base in (0.015, 0.2):
        assert recipe(10_000, SEED, base_rate=base).truth.base_rate == pytest.approx(base, rel=0.1)


TRAP = """
WITH firsts AS (SELECT user_id, min(converted_at) AS c FROM conversions SEMI JOIN users USING (user_id) GROUP BY 1),
     did AS (SELECT user_id, min(timestamp) AS t FROM events WHERE event = $event$ GROUP BY 1)
"""


def trap(world: SimulatedWorld, event: str, select: str) -> float:
    query = TRAP.replace("$event$", f"'{event}'") + select
    return number(query, events=world.events, users=world.users, conversions=world.conversions)


def test_the_event_before_fires_seconds_to_half_an_hour_before_nearly_every_upgrade(world):
    event = world.truth.traps.before
    share = trap(
        world,
        event,
        """SELECT avg(EXISTS (SELECT 1 FROM events e WHERE e.event = 'upgrade_clicked' AND e.user_id = f.user_id
        AND e.timestamp BETWEEN f.c - INTERVAL 30 MINUTE AND f.c - INTERVAL 5 SECOND)::INT) FROM firsts f""",
    )
    assert share == pytest.approx(0.95, abs=0.025)
    converts_within_a_day = trap(
        world,
        event,
        "SELECT avg((c IS NOT NULL AND c <= t + INTERVAL 1 DAY)::INT) FROM did LEFT JOIN firsts USING (user_id)",
    )
    assert converts_within_a_day >= 0.9


def test_the_event_after_is_only_done_by_those_who_have_paid(world):
    event = world.truth.traps.after
    assert (
        trap(world, event, "SELECT avg((c IS NOT NULL AND t > c)::INT) FROM did LEFT JOIN firsts USING (user_id)") == 1
    )
    assert trap(world, event, "SELECT count(*) FROM did") > 0.6 * world.truth.places["first"]


def test_the_common_event_is_done_by_nearly_everybody(world):
    share = trap(
        world,
        world.truth.traps.common,
        f"""SELECT avg((t IS NOT NULL)::INT) FROM users LEFT JOIN did USING (user_id)
        WHERE epoch_us(signed_up_at) + {44 * DAY} <= {world.truth.as_of}""",
    )
    assert share == pytest.approx(0.97, abs=0.01)


def test_the_proxy_goes_with_the_first_true_event(world):
    true = world.truth.rule.criteria[0].events[0]
    assert world.truth.traps.more_after == true
    both = f"""SELECT avg((user_id IN (SELECT user_id FROM events WHERE event = '{true}'))::INT) FROM did"""
    assert trap(world, world.truth.traps.proxy, both) >= 0.95


def test_converters_do_the_first_true_event_more_after_paying(world):
    true = world.truth.traps.more_after
    after = f"""SELECT avg(n) FROM (SELECT f.user_id, count(e.user_id) AS n FROM firsts f LEFT JOIN events e
    ON e.user_id = f.user_id AND e.event = '{true}' AND e.timestamp > f.c GROUP BY 1)"""
    assert trap(world, true, after) > 2.5


def test_without_traps_there_are_the_ordinary_names_only():
    world = recipe(2000, SEED, traps=False)
    assert world.events["event"].n_unique() == 61
    assert world.truth.traps.before is None


def test_drift_of_effect_lowers_the_rate_of_newer_cohorts():
    truth = recipe(20_000, SEED, drift="effect").truth
    assert truth.drift_from == DRIFT_FROM
    assert truth.rate is not None
    assert recipe(20_000, SEED).truth.rate > 1.2 * truth.rate  # type: ignore[operator]


def test_drift_of_volume_raises_the_share_of_newer_cohorts():
    world = recipe(20_000, SEED, drift="volume")
    shares = sql(
        f"""SELECT epoch_us(signed_up_at) >= {DRIFT_FROM} AS newer, avg(meets::INT) FROM users
        JOIN entities ON user_id = entity WHERE meets IS NOT NULL GROUP BY 1 ORDER BY 1""",
        users=world.users,
        entities=world.truth.entities,
    )
    assert shares[1][1] > 1.25 * shares[0][1]  # type: ignore[operator]


def test_seventy_percent_of_the_age_trial_upgrade_inside_it():
    world = age_trial(20_000, SEED)
    inside = number(
        """WITH firsts AS (SELECT user_id, min(converted_at) AS c FROM conversions GROUP BY 1)
        SELECT avg((c < signed_up_at + INTERVAL 14 DAY)::INT) FROM firsts JOIN users USING (user_id)""",
        conversions=world.conversions,
        users=world.users,
    )
    assert inside == pytest.approx(0.7, abs=0.04)
    assert world.truth.snapshots == "age:1d,2d,3d,5d,7d,10d"


def test_the_card_trial_has_its_spike_on_day_14():
    world = card_trial(20_000, SEED)
    days = sql(
        """WITH firsts AS (SELECT user_id, min(converted_at) AS c FROM conversions GROUP BY 1)
        SELECT floor((epoch_us(c) - epoch_us(signed_up_at)) / 86400e6) AS day, count(*) AS n
        FROM firsts JOIN users USING (user_id) GROUP BY 1 ORDER BY n DESC""",
        conversions=world.conversions,
        users=world.users,
    )
    assert days[0][0] == 14
    assert days[0][1] / sum(row[1] for row in days) > 0.6  # type: ignore[operator, misc]


@pytest.mark.parametrize("seed", range(1, 9))
def test_the_start_up_has_41_upgrades_where_it_says(seed):
    truth = little(seed).truth
    assert (truth.places["before_first_snapshot"], truth.places["used"]) == (9, 22)
    assert (truth.places["later"], truth.places["in_progress"]) == (7, 3)
    assert truth.places["rows"] == truth.places["first"] == 41
    assert sum(truth.classes.values()) == 900


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    recipe(3000, SEED).write(tmp_path / "a")
    recipe(3000, SEED).write(tmp_path / "b")
    recipe(3000, SEED + 1).write(tmp_path / "c")
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    different = digest(tmp_path / "c")
    assert all(digest(tmp_path / "a")[name] != different[name] for name in different if name.endswith(".parquet"))


def test_writing_by_chunks_gives_the_rows_of_the_whole(tmp_path):
    world = recipe(45_000, SEED)
    truth = write_recipe(tmp_path, 45_000, SEED)
    parts = sorted((tmp_path / "events").iterdir())
    assert [part.name for part in parts] == ["part-0000.parquet", "part-0001.parquet", "part-0002.parquet"]
    assert_frame_equal(pl.read_parquet(parts), world.events)
    assert_frame_equal(pl.read_parquet(tmp_path / "users.parquet"), world.users)
    assert_frame_equal(pl.read_parquet(tmp_path / "conversions.parquet"), world.conversions)
    assert truth.classes == world.truth.classes
    assert truth.places == world.truth.places
    assert truth.as_of == world.truth.as_of


def test_a_shorter_world_takes_the_longer_ones_parts_away(tmp_path):
    write_recipe(tmp_path, 45_000, SEED)
    write_recipe(tmp_path, 2_000, SEED)
    assert [path.name for path in (tmp_path / "events").iterdir()] == ["part-0000.parquet"]
    assert pl.read_parquet(tmp_path / "events").height == recipe(2_000, SEED).events.height


def test_moments_lie_inside_the_world(world):
    first = world.users["signed_up_at"].dt.epoch("us").min()
    assert world.events["timestamp"].dt.epoch("us").min() >= first
    assert world.truth.as_of <= first + 361 * DAY
