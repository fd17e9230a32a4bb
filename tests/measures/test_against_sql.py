"""Every measure and window against hand-written SQL on DuckDB: a second oracle, of another kind."""

from __future__ import annotations

import duckdb
import pytest

from pqlkit.definitions.model import Criterion, Measure, MeasureKind, Window, WindowKind
from pqlkit.durations import Duration
from pqlkit.measures.evaluation import criterion_spells
from tests.measures.oracle import DAY, Rules
from tests.measures.worlds import START, draw_lives, event_table, make_world

LENGTH = 4 * DAY
AS_OF = START + 15 * DAY
AMOUNT = "floor(p0 * 1e6 + 0.5)::BIGINT"

# What a measure is over the rows w of a window, in SQL. `last` is written out where it is used.
MEASURED = {
    MeasureKind.COUNT: ("true", "count(*)", 1),
    MeasureKind.DAYS: ("true", "count(DISTINCT ts // 86400000000)", 1),
    MeasureKind.USERS: ("user_id IS NOT NULL", "count(DISTINCT user_id)", 1),
    MeasureKind.DISTINCT: ("p2 IS NOT NULL", "count(DISTINCT p2)", 1),
    MeasureKind.SUM: ("p0 IS NOT NULL", f"sum({AMOUNT})", 1_000_000),
    MeasureKind.MAX: ("p0 IS NOT NULL", f"max({AMOUNT})", 1_000_000),
}
INSIDE = {
    WindowKind.WITHIN: f"w.ts >= e.anchor AND w.ts < e.anchor + {LENGTH}",
    WindowKind.ROLLING: f"w.ts > t.ts - {LENGTH}",
    WindowKind.TRAILING: f"w.ts > t.ts - {LENGTH}",
    WindowKind.EVER: "true",
}
PROPERTIES = {
    MeasureKind.DISTINCT: "kind",
    MeasureKind.SUM: "amount",
    MeasureKind.MAX: "amount",
    MeasureKind.LAST: "amount",
}


@pytest.fixture(scope="module")
def drawn():
    lives = draw_lives(42, 300)
    world = make_world(lives, Rules(as_of=AS_OF))
    connection = duckdb.connect()
    connection.register("raw_events", event_table(lives).rename({"at": "ts"}).to_arrow())
    connection.register("entities", world.entities.to_arrow())
    connection.execute(
        f"""CREATE TABLE lives AS SELECT entity, anchor, least({AS_OF}, coalesce(converted - 1, {AS_OF})) ending
        FROM entities WHERE anchor IS NOT NULL"""
    )
    connection.execute(
        """CREATE TABLE seen AS SELECT l.*, r.* FROM raw_events r JOIN lives l ON r.account_id = 'acc' || l.entity
        WHERE r.event = 'a' AND r.ts <= l.ending"""
    )
    return world, connection


def moments(connection, kind, window, threshold):
    """The first event at which the value reaches the threshold, by a self-join of every event with its window."""
    valid, value, unit = MEASURED[kind]
    anchored = f"AND t.ts >= t.anchor AND t.ts < t.anchor + {LENGTH}" if window is WindowKind.WITHIN else ""
    text = f"""
    WITH v AS (SELECT * FROM seen WHERE {valid}),
    x AS (SELECT t.entity, t.anchor, t.ts, {value} AS amount FROM (SELECT DISTINCT entity, anchor, ending, ts FROM v) t
          JOIN v w ON w.entity = t.entity AND w.ts <= t.ts AND {INSIDE[window].replace("e.anchor", "t.anchor")}
          {anchored.replace("AND t.", "AND t.")} GROUP BY ALL)
    SELECT entity, greatest(min(x.ts), min(x.anchor)) FROM x JOIN lives USING (entity) WHERE amount >= {threshold * unit}
    GROUP BY entity, ending HAVING greatest(min(x.ts), min(x.anchor)) <= ending ORDER BY entity
    """
    text = text.replace(
        value,
        value.replace("ts //", "w.ts //").replace("user_id", "w.user_id").replace("p0", "w.p0").replace("p2", "w.p2"),
    )
    return connection.execute(text).fetchall()


@pytest.mark.parametrize("threshold", [1, 2, 3])
@pytest.mark.parametrize("window", [WindowKind.WITHIN, WindowKind.ROLLING, WindowKind.EVER])
@pytest.mark.parametrize("kind", list(MEASURED))
def test_moments_are_those_of_a_self_join(drawn, kind, window, threshold):
    world, connection = drawn
    length = None if window is WindowKind.EVER else Duration.parse("4d")
    measure = Measure(kind=kind, property=PROPERTIES.get(kind))
    criterion = Criterion(
        id="x", events=("a",), measure=measure, window=Window(kind=window, length=length), at_least=threshold
    )
    found = world.engine.collect(criterion_spells(world, [criterion])).sort("entity")
    wanted = moments(connection, kind, window, threshold)
    assert found.select("entity", "on").rows() == wanted
    assert found.get_column("off").null_count() == found.height
    assert wanted or threshold == 3


@pytest.mark.parametrize("kind", list(MEASURED))
def test_trailing_states_are_those_of_a_self_join_at_every_change(drawn, kind):
    world, connection = drawn
    valid, value, unit = MEASURED[kind]
    value = (
        value.replace("ts //", "w.ts //").replace("user_id", "w.user_id").replace("p0", "w.p0").replace("p2", "w.p2")
    )
    text = f"""
    WITH v AS (SELECT * FROM seen WHERE {valid}),
    t AS (SELECT entity, ts FROM v UNION SELECT entity, ts + {LENGTH} FROM v),
    x AS (SELECT t.entity, t.ts, coalesce({value}, 0) >= {2 * unit} AS held
          FROM t LEFT JOIN v w ON w.entity = t.entity AND w.ts <= t.ts AND w.ts > t.ts - {LENGTH} GROUP BY t.entity, t.ts)
    SELECT entity, ts, held FROM x ORDER BY entity, ts
    """
    length = Duration.parse("4d")
    window = Window(kind=WindowKind.TRAILING, length=length)
    measure = Measure(kind=kind, property=PROPERTIES.get(kind))
    criterion = Criterion(id="x", events=("a",), measure=measure, window=window, at_least=2)
    spells = world.engine.collect(criterion_spells(world, [criterion])).rows()
    lives = {entity: (anchor, ending) for entity, anchor, ending in connection.execute("FROM lives").fetchall()}
    checked = 0
    for entity, at, held in connection.execute(text).fetchall():
        anchor, ending = lives[entity]
        if anchor <= at <= ending:
            on = any(e == entity and start <= at and (off is None or at < off) for e, _, start, off in spells)
            assert on == held, (entity, at)
            checked += held
    assert checked > 10


@pytest.mark.parametrize("window", [WindowKind.WITHIN, WindowKind.EVER])
def test_last_is_the_largest_of_the_newest_instant(drawn, window):
    world, connection = drawn
    inside = f"WHERE ts >= anchor AND ts < anchor + {LENGTH}" if window is WindowKind.WITHIN else ""
    text = f"""
    WITH i AS (SELECT entity, anchor, ending, ts, max({AMOUNT}) FILTER (p0 IS NOT NULL) amount FROM seen {inside} GROUP BY ALL),
    s AS (SELECT *, amount >= 2000000 held, lead(ts) OVER (PARTITION BY entity ORDER BY ts) next FROM i WHERE amount IS NOT NULL)
    SELECT entity, count(*) FROM s WHERE held AND greatest(ts, anchor) <= ending AND (next IS NULL OR next > anchor) GROUP BY entity
    """
    length = None if window is WindowKind.EVER else Duration.parse("4d")
    measure = Measure(kind=MeasureKind.LAST, property="amount")
    criterion = Criterion(id="x", events=("a",), measure=measure, window=Window(kind=window, length=length), at_least=2)
    found = world.engine.collect(criterion_spells(world, [criterion]))
    # Every instant that holds lies in a spell, and every spell begins at one (or at the anchor, held before).
    held = dict(connection.execute(text).fetchall())
    assert set(found.get_column("entity")) == set(held)
    assert len(held) > 20
