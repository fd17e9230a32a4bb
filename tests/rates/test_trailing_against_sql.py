"""A report of a rule whose windows move, every line counted again in SQL: funnels, qualifications, quarters, contacts, groups."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from typing import Any

import duckdb
import polars as pl
import pytest
from statsmodels.stats.proportion import proportion_confint

from pqlkit.definitions.model import All, Lead
from pqlkit.durations import DAY, HOUR, Duration
from pqlkit.exports.project import Project
from pqlkit.population.population import population_of
from tests.analysis.canonical import dataset
from tests.rates.simulated import record, report
from tests.rates.test_report_by_hand import definition, trailing

T0 = 1_700_006_400_000_000
DAYS, USERS, WITHIN, WINDOW, COOLDOWN, PATIENCE = 240, 400, 30 * DAY, 21 * DAY, 14 * DAY, 84 * DAY
BY = ("channel", "signup_month", "y >= 2 trailing 21d")


def rows() -> Any:
    """Draw users who sign up before the export and within it, and what they do, pay and hear."""
    dice = random.Random(5)
    events: list[Any] = []
    users: list[Any] = []
    conversions: list[Any] = []
    contacts: list[Any] = []
    for number in range(USERS):
        user, begin = f"{number:03}", T0 + dice.randrange(-40 * DAY, (DAYS - 5) * DAY)
        users.append({"user_id": user, "signed_up_at": begin, "channel": dice.choice("abc")})
        keen = dice.random() < 0.5
        for _ in range(dice.randrange(4, 30)):
            at = max(begin, T0) + int(dice.expovariate(1 / (30 if keen else 90)) * DAY)
            events.append({"user_id": user, "event": dice.choice("xxy"), "timestamp": at})
        if dice.random() < 0.5:
            conversions.append(
                {"user_id": user, "converted_at": begin + dice.randrange(-3 * DAY, 70 * DAY), "amount": 1.0}
            )
        if dice.random() < 0.5:
            contacts.append({"user_id": user, "at": begin + dice.choice((DAY, dice.randrange(0, 60 * DAY)))})
    end = T0 + DAYS * DAY
    events = [row for row in events if row["timestamp"] <= end] + [
        {"user_id": "nobody", "event": "z", "timestamp": at} for at in (T0, end)
    ]
    return events, users, [row for row in conversions if row["converted_at"] <= end], contacts


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    events, users, conversions, contacts = rows()
    data = dataset(
        tmp_path_factory.mktemp("moving"), events=events, users=users, conversions=conversions, contacts=contacts
    )
    node = All(parts=(trailing("x", 21, 3), trailing("y", 21, 1)))
    asked = replace(definition(node), lead=Lead(cooldown=Duration(14, "d")))
    project = replace(Project(), traits=replace(Project().traits, fixed=("channel",)))
    people = population_of(data, project, definition=asked, entity="user")
    return record(report(people, asked, by=BY))


def counted(spells):
    """Take the starts that count: each out of the state for the cooldown, and past the window of the one before it."""
    starts = []
    for user, own in spells.items():
        last = None
        for place, (on, _) in enumerate(own):
            rested = place == 0 or on >= own[place - 1][1] + COOLDOWN
            if rested and (last is None or on > last + WITHIN):
                last = on
                starts.append((user, on))
    return starts


@pytest.fixture(scope="module")
def sql():
    """Tables: ``life`` (of whoever is counted: a, c, first q), ``starts`` (q, y, whether complete, first contact), ``outside``."""
    events, users, conversions, contacts = rows()
    end = T0 + DAYS * DAY
    base = duckdb.connect()
    tables = {"e": events, "u": users, "v": conversions, "k": contacts}
    for name, table in tables.items():
        base.register(f"{name}_", pl.DataFrame(table).to_arrow())
    base.execute(f"""
        CREATE TABLE lives AS SELECT u_.user_id AS id, signed_up_at AS a, channel, c FROM u_ LEFT JOIN
            (SELECT user_id, min(converted_at) AS c FROM v_ GROUP BY 1) paid USING (user_id);
        CREATE TABLE ev AS SELECT id, event, "timestamp" AS t FROM e_ JOIN lives ON id = user_id
            WHERE t >= a AND (c IS NULL OR t < c) AND event IN ('x', 'y');
        CREATE TABLE level AS SELECT id, t, sum(x) OVER w >= 3 AND sum(y) OVER w >= 1 AS held FROM (
            SELECT id, t, sum(x) AS x, sum(y) AS y FROM (
                SELECT id, t, (event = 'x')::INT AS x, (event = 'y')::INT AS y FROM ev UNION ALL
                SELECT id, t + {WINDOW}, -(event = 'x')::INT, -(event = 'y')::INT FROM ev) GROUP BY 1, 2)
            WINDOW w AS (PARTITION BY id ORDER BY t);
        CREATE TABLE spell AS SELECT id, t AS q, until FROM (
            SELECT id, t, held, lead(t) OVER (PARTITION BY id ORDER BY t) AS until FROM (
                SELECT *, lag(held, 1, false) OVER (PARTITION BY id ORDER BY t) AS before FROM level) WHERE held <> before)
            JOIN lives USING (id) WHERE held AND t <= {end} AND (c IS NULL OR t < c) ORDER BY id, q;
        CREATE TABLE everybody AS SELECT *, CASE WHEN c < a THEN 'customer_already'
            WHEN a < {T0} AND c < {T0 + WINDOW} THEN 'unobserved' END AS why,
            (SELECT min(q) FROM spell WHERE spell.id = lives.id) AS q,
            strftime(make_timestamp(a), '%Y-%m') AS month FROM lives;
        CREATE TABLE life AS SELECT * FROM everybody WHERE why IS NULL""")
    spells = defaultdict(list)
    for user, on, until in base.execute("SELECT * FROM spell").fetchall():
        spells[user].append((on, until))
    base.register("found_", pl.DataFrame(counted(spells), schema=["id", "q"], orient="row").to_arrow())
    base.execute(f"""
        CREATE TABLE starts AS SELECT life.* EXCLUDE (q), f.q, coalesce(c <= f.q + {WITHIN}, false) AS y,
            f.q + {WITHIN} <= {end} AS complete,
            (SELECT min("at") FROM k_ WHERE user_id = life.id AND "at" < least(f.q + {WITHIN}, coalesce(c, {end * 2}))) - f.q AS wait,
            (SELECT count(*) FROM ev WHERE ev.id = life.id AND event = 'y' AND t <= f.q AND t > f.q - {WINDOW}) AS ys,
            strftime(make_timestamp(f.q), '%Y') || '-Q' || quarter(make_timestamp(f.q)) AS quarter
        FROM found_ f JOIN life USING (id) WHERE a >= {T0} OR f.q >= {T0 + WINDOW}""")
    return lambda text: base.execute(text).fetchone()


def rate(figure):
    return figure["numerator"], figure["denominator"]


def levels(figure):
    parts = (figure["pqls"], figure["pql_customers"], figure["other_customers"])
    return (*(count for part in parts for count in rate(part)), figure["customers"])


def levels_in_sql(sql, pql, paid, among):
    return sql(f"""SELECT count(*) FILTER (p), count(*), count(*) FILTER (p AND y), count(*) FILTER (p),
        count(*) FILTER (NOT p AND y), count(*) FILTER (NOT p), count(*) FILTER (y)
        FROM (SELECT {pql} AS p, {paid} AS y FROM life WHERE {among})""")


COHORT = (
    f"coalesce(q <= a + {PATIENCE}, false)",
    f"coalesce(c <= a + {PATIENCE + WITHIN}, false)",
    f"a >= {T0} AND a + {PATIENCE + WITHIN} <= {T0 + DAYS * DAY}",
)


def test_both_funnels_and_who_is_in_neither(figures, sql):
    funnel = figures["funnel"]
    assert levels(funnel["to_date"]) == levels_in_sql(sql, "q IS NOT NULL", "c IS NOT NULL", "true")
    assert levels(funnel["cohort"]) == levels_in_sql(sql, *COHORT)
    assert funnel["cohort"]["pql_customers"]["numerator"] > 10
    assert [(part["reason"], part["entities"], part["customers"]) for part in funnel["left_out"]] == [
        (why, *sql(f"SELECT count(*), count(c) FROM everybody WHERE why = '{why}'"))
        for why in ("customer_already", "unobserved")
    ]
    assert rate(funnel["recall"]) == sql("SELECT (SELECT count(DISTINCT id) FROM starts WHERE y), count(c) FROM life")


def test_qualifications_and_their_quarters(figures, sql):
    found = figures["qualifications"]
    assert tuple(found[key] for key in ("starts", "entities", "complete", "in_progress", "unrated")) == sql(
        """SELECT count(*), count(DISTINCT id), count(*) FILTER (complete), count(*) FILTER (NOT complete),
        (SELECT count(*) FROM life WHERE q IS NOT NULL AND id NOT IN (SELECT id FROM starts)) FROM starts"""
    )
    assert found["starts"] > found["entities"] > 100
    for period in figures["periods"]:
        assert (period["starts"], *rate(period["pql_to_customer"])) == sql(
            f"""SELECT count(*), count(*) FILTER (complete AND y), count(*) FILTER (complete) FROM starts
            WHERE quarter = '{period["period"]}'"""
        )


def test_contacts_are_every_complete_start_once(figures, sql):
    first = {
        "before": "wait < 0",
        "after": "wait >= 0",
        "after_within_1h": f"wait BETWEEN 0 AND {HOUR}",
        "after_within_24h": f"wait > {HOUR} AND wait <= {DAY}",
        "after_within_3d": f"wait > {DAY} AND wait <= {3 * DAY}",
        "after_later": f"wait > {3 * DAY}",
        "never": "wait IS NULL",
    }
    for group, condition in first.items():
        assert rate(figures["contacted"][group]) == sql(
            f"SELECT count(*) FILTER (y), count(*) FROM starts WHERE complete AND {condition}"
        ), group


def test_every_group_of_a_trait_a_month_and_a_behaviour(figures, sql):
    trait = [("channel", part["segment"], part) for part in figures["segments"] if part["by"] == "channel"]
    for column, name, part in [*trait, *(("month", part["cohort"], part) for part in figures["cohorts"])]:
        inside = f"{column} = '{name}'"
        cohort = levels_in_sql(sql, COHORT[0], COHORT[1], f"{COHORT[2]} AND {inside}")
        assert (part["signups"],) == sql(f"SELECT count(*) FROM life WHERE {inside}")
        assert rate(part["signup_to_pql"]) == cohort[:2]
        assert rate(part["signup_to_customer"]) == (cohort[-1], cohort[1])
        assert rate(part["pql_to_customer"]) == sql(
            f"SELECT count(*) FILTER (y), count(*) FROM starts WHERE complete AND {inside}"
        )
    did = {part["segment"]: rate(part["pql_to_customer"]) for part in figures["segments"] if part["by"] == BY[2]}
    for name, condition in (("did", "ys >= 2"), ("did not", "ys < 2")):
        assert did[name] == sql(f"SELECT count(*) FILTER (y), count(*) FROM starts WHERE complete AND {condition}")


def test_every_interval_is_wilsons(figures):
    found = []

    def walk(value):
        if isinstance(value, dict):
            if value.get("denominator") and value.keys() >= {"numerator", "low", "high"}:
                found.append(value)
            value = list(value.values())
        if isinstance(value, list):
            for part in value:
                walk(part)

    walk(figures)
    assert len(found) > 50
    for part in found:
        ends = proportion_confint(part["numerator"], part["denominator"], method="wilson")
        assert (part["low"], part["high"]) == pytest.approx(ends, abs=1e-9)
