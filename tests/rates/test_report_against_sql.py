"""A report of a trial product, every figure counted again in SQL from the exports."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import duckdb
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from pqlkit.durations import DAY
from tests.rates.simulated import people, record, report, rule, world

CONVERSION_WINDOW, PATIENCE = 30 * DAY, 14 * DAY


@cache
def made() -> Any:
    return report(people("recipe"), rule("recipe"), by=["signup_month", "channel"])


@cache
def sql() -> Any:
    """One row per user: when it qualified (`q`), converted (`c`) and was to be looked at (`s`), in microseconds."""
    found, simulated = made(), world("recipe")[0]
    connection = duckdb.connect()
    connection.register("events_", simulated.events.to_arrow())
    connection.register("users_", simulated.users.to_arrow())
    connection.register("conversions_", simulated.conversions.to_arrow())
    e = found.population.as_of
    reached = []
    for index, leaf in enumerate(found.definition.criteria):
        reached.append(
            f"""r{index} AS (SELECT user_id, t AS at FROM (
                SELECT user_id, t, row_number() OVER (PARTITION BY user_id ORDER BY t) AS n FROM e
                JOIN u USING (user_id) WHERE event = '{leaf.events[0]}' AND t >= a
                AND t < a + {leaf.window.length.microseconds}) WHERE n = {int(leaf.at_least)})"""
        )
    both = " JOIN ".join(f"r{i}" + (" USING (user_id)" if i else "") for i in range(len(reached)))
    latest = ", ".join(f"r{i}.at" for i in range(len(reached)))
    connection.execute(
        f"""CREATE TABLE life AS WITH
        c AS (SELECT user_id, min(epoch_us(converted_at)) AS c FROM conversions_
              WHERE epoch_us(converted_at) <= {e} GROUP BY 1),
        u AS (SELECT user_id, epoch_us(signed_up_at) AS a, c, country, channel FROM users_ LEFT JOIN c USING (user_id)
              WHERE epoch_us(signed_up_at) <= {e}),
        e AS (SELECT user_id, event, epoch_us(timestamp) AS t FROM events_ JOIN u USING (user_id)
              WHERE epoch_us(timestamp) <= {e} AND (c IS NULL OR epoch_us(timestamp) < c)),
        {", ".join(reached)},
        q AS (SELECT user_id, greatest({latest}) AS q FROM {both})
        SELECT user_id, a, c, q, a + {PATIENCE} AS s, channel, strftime(make_timestamp(a), '%Y-%m') AS month
        FROM u LEFT JOIN q USING (user_id)"""
    )
    return connection


def one(text) -> Any:
    return sql().execute(text.replace(":e", str(made().population.as_of))).fetchone()


def counts(rate):
    return rate.numerator, rate.denominator


def test_the_funnel_counts_what_sql_counts():
    funnel = made().funnel
    assert (funnel.signups, funnel.pqls, funnel.customers) == one("SELECT count(*), count(q), count(c) FROM life")
    assert funnel.customers > 100
    assert counts(funnel.qualified_first) == one(
        "SELECT count(*) FILTER (q < c), count(*) FROM life WHERE c IS NOT NULL"
    )
    assert counts(funnel.recall) == one(
        f"SELECT count(*) FILTER (q < c AND c <= q + {CONVERSION_WINDOW}), count(*) FROM life WHERE c IS NOT NULL"
    )


def lines(levels):
    rates = (levels.pqls, levels.pql_customers, levels.other_customers)
    return (*(figure for rate in rates for figure in counts(rate)), levels.customers.numerator)


@pytest.mark.parametrize("followed", [False, True])
def test_every_line_of_both_funnels_is_what_sql_counts(followed):
    """So far, and for a named time: a PQL of the cohort is one by its day, and so is a customer."""
    reach = PATIENCE + CONVERSION_WINDOW
    pql = f"coalesce(q <= a + {PATIENCE}, false)" if followed else "q IS NOT NULL"
    paid = f"coalesce(c <= a + {reach}, false)" if followed else "c IS NOT NULL"
    among = f"WHERE a + {reach} <= :e" if followed else ""
    funnel = made().funnel
    levels = funnel.cohort.levels if followed else funnel.to_date
    assert lines(levels) == one(
        f"""SELECT count(*) FILTER (p), count(*), count(*) FILTER (p AND y), count(*) FILTER (p),
            count(*) FILTER (NOT p AND y), count(*) FILTER (NOT p), count(*) FILTER (y)
            FROM (SELECT {pql} AS p, {paid} AS y FROM life {among})"""
    )
    assert levels.customers.numerator == levels.pql_customers.numerator + levels.other_customers.numerator > 100


def test_the_change_of_a_period_is_newcombes_of_what_sql_counts():
    quarters = (
        sql()
        .execute(
            f"""SELECT strftime(make_timestamp(q), '%Y') || '-Q' || quarter(make_timestamp(q)) AS quarter,
            count(*) FILTER (c <= q + {CONVERSION_WINDOW}), count(*)
            FROM life WHERE q + {CONVERSION_WINDOW} <= {made().population.as_of} GROUP BY 1 ORDER BY 1"""
        )
        .fetchall()
    )
    told = {name: (paid, n) for name, paid, n in quarters}
    complete = [part for part in made().periods if part.mature]
    assert len(complete) > 1
    assert complete[0].change is None
    for before, now in itertools.pairwise(complete):
        assert now.change.since == before.period
        low, high = confint_proportions_2indep(
            *told[now.period], *told[before.period], method="newcomb", compare="diff"
        )
        assert (now.change.by.low, now.change.by.high) == pytest.approx((low, high), abs=1e-9)
    assert all(part.change is None for part in made().periods if not part.mature)


def test_the_qualifications_view_counts_mature_starts_alone():
    found = made()
    mature = f"q + {CONVERSION_WINDOW} <= :e"
    assert counts(found.funnel.pql_to_customer) == one(
        f"SELECT count(*) FILTER (c <= q + {CONVERSION_WINDOW}), count(*) FROM life WHERE {mature}"
    )
    assert (found.in_progress,) == one(f"SELECT count(*) FROM life WHERE q IS NOT NULL AND NOT ({mature})")
    assert found.in_progress > 0


def test_the_snapshot_view_compares_those_at_risk_at_the_landmark():
    snapshot = made().funnel.snapshot
    at_risk = f"s + {CONVERSION_WINDOW} <= :e AND (c IS NULL OR c > s)"
    hit = f"c <= s + {CONVERSION_WINDOW}"
    assert (snapshot.a, snapshot.n1, snapshot.c, snapshot.n0) == one(
        f"""SELECT count(*) FILTER (q IS NOT NULL AND {hit}), count(*) FILTER (q IS NOT NULL),
            count(*) FILTER (q IS NULL AND {hit}), count(*) FILTER (q IS NULL) FROM life WHERE {at_risk}"""
    )


@pytest.mark.parametrize(
    ("step", "when", "within"), [("pql", "q", PATIENCE), ("customer", "c", PATIENCE + CONVERSION_WINDOW)]
)
def test_waiting_is_of_those_followed_equally_long(step, when, within):
    found = made().times.to_pql if step == "pql" else made().times.to_customer
    expected = one(
        f"""SELECT count(*), quantile_cont(({when} - a) / {DAY}.0, [0.25, 0.5, 0.75])
            FROM life WHERE a + {PATIENCE + CONVERSION_WINDOW} <= :e AND {when} <= a + {within}"""
    )
    assert found.reached == expected[0]
    assert [found.p25_days, found.median_days, found.p75_days] == pytest.approx(expected[1], abs=1e-9)
    cohort = made().funnel.cohort.levels
    rate = cohort.pqls if step == "pql" else cohort.customers
    assert (found.reached, found.n) == counts(rate)


def test_amounts_are_per_customer_and_per_lead():
    found = made().customers.amounts
    customers, total = (
        sql()
        .execute(
            f"""SELECT count(*), sum(x.amount) FROM life JOIN conversions_ x ON x.user_id = life.user_id
            AND epoch_us(x.converted_at) = c WHERE c <= q + {CONVERSION_WINDOW} AND q + {CONVERSION_WINDOW} <= {made().population.as_of}"""
        )
        .fetchone()
    )
    assert found.customers == customers == made().funnel.pql_to_customer.numerator
    assert found.per_customer == pytest.approx(total / customers, rel=1e-12)
    assert found.per_pql == pytest.approx(total / made().funnel.pql_to_customer.denominator, rel=1e-12)


def test_a_cohort_counts_what_sql_counts():
    month = one("SELECT month FROM life GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")[0]
    found = next(part for part in made().parts.cohorts if part.name == month)
    assert counts(found.signup_to_pql) == one(
        f"SELECT count(*) FILTER (q <= a + {PATIENCE}), count(*) FROM life WHERE month = '{month}' AND a + {PATIENCE + CONVERSION_WINDOW} <= :e"
    )
    assert counts(found.pql_to_customer) == one(
        f"SELECT count(*) FILTER (c <= q + {CONVERSION_WINDOW}), count(*) FROM life WHERE month = '{month}' AND q + {CONVERSION_WINDOW} <= :e"
    )


def test_cohorts_segments_and_periods_add_up():
    found = made()
    for parts in (found.parts.cohorts, found.parts.segments):
        assert len(parts) > 1
        assert sum(part.signups for part in parts) == found.funnel.signups
        cohort = found.funnel.cohort.levels
        for name, whole in (
            ("signup_to_pql", cohort.pqls),
            ("pql_to_customer", found.funnel.pql_to_customer),
            ("signup_to_customer", cohort.customers),
        ):
            total = [counts(getattr(part, name)) for part in parts]
            assert tuple(map(sum, zip(*total, strict=True))) == counts(whole)
    periods = [counts(part.rate) for part in found.periods]
    assert tuple(map(sum, zip(*periods, strict=True))) == counts(found.funnel.pql_to_customer)
    assert sum(part.starts for part in found.periods) == found.starts.height
    assert sum(part.snapshot.total for part in found.periods) == found.funnel.snapshot.total


def test_a_period_holds_the_starts_of_its_dates():
    found = made()
    for part in found.periods:
        assert (part.starts,) == one(
            f"""SELECT count(*) FROM life WHERE q IS NOT NULL AND
                strftime(make_timestamp(q), '%Y') || '-Q' || quarter(make_timestamp(q)) = '{part.period}'"""
        )


def test_the_quality_of_a_team_is_a_rate_of_the_funnel():
    figures = {team.team: dict(team.figures) for team in made().teams}
    assert figures["marketing"]["signups that became PQLs within 14 days"] is made().funnel.cohort.levels.pqls
    assert figures["sales"]["new PQLs that became customers"] is made().funnel.pql_to_customer


def test_the_json_says_the_same():
    written = record(made())
    assert written["schema"] == "pqlkit/report/2"
    funnel = written["funnel"]
    assert funnel["pql_to_customer"]["view"] == "qualification"
    assert funnel["pql_to_customer"]["numerator"] == made().funnel.pql_to_customer.numerator
    assert funnel["pql_to_customer"]["in_progress"] == made().in_progress
    assert funnel["snapshot"]["with"]["converted"] == made().funnel.snapshot.a
    assert written["time_to_pql"]["median_days"] == made().times.to_pql.median_days
    assert written["arms"] == written["contacted"] == written["retained"] == {}


def test_an_earlier_as_of_waits_for_the_rest():
    cut = one("SELECT a + (SELECT max(a) - min(a) FROM life) / 2 FROM life ORDER BY a LIMIT 1")[0]
    text = one(f"SELECT strftime(make_timestamp({int(cut)}), '%Y-%m-%d')")[0]
    early = report(people("recipe", as_of=text), rule("recipe"))
    whole = made().funnel.pql_to_customer
    assert 0 < early.funnel.pql_to_customer.denominator < whole.denominator
    assert early.starts["on"].max() <= early.population.as_of
