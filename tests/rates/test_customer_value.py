"""The value of customers, by hand: who stayed, for how long, for how much; and what each team is measured by."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pytest

from pqlkit.durations import DAY, Duration
from pqlkit.errors import UsageError
from pqlkit.exports.project import Project
from pqlkit.population.population import population_of
from pqlkit.rates.customer_value import Quantity, _enough
from pqlkit.statistics.rate import Rate
from tests.analysis.canonical import dataset
from tests.rates.simulated import record, report
from tests.rates.test_report_by_hand import T0, bought, definition, told

ROWS = [
    # PQL-born: stays; leaves on day 50; leaves, comes back and overlaps.
    bought("a", 20, kind="new", amount=100.0),
    bought("a", 30, kind="expansion", amount=40.0),
    bought("a", 90, kind="contraction", amount=-10.0),
    bought("b", 20, kind="new", amount=50.0, ended_at=50),
    bought("c", 20, kind="new", amount=10.0, ended_at=40),
    bought("c", 30, kind="renewal", amount=10.0, ended_at=60),
    bought("c", 70, kind="renewal", amount=10.0),
    # The others.
    bought("d", 10, kind="new", amount=30.0),
    bought("e", 10, kind="new", amount=90.0, ended_at=20),
    # Not followed for the window; after the window nothing counts.
    bought("f", 150, kind="new", amount=7.0),
    bought("a", 115, kind="expansion", amount=1000.0),
]


@pytest.fixture
def value(tmp_path):
    asked = definition()
    return report(
        told(tmp_path, {"a": 1, "b": 2, "c": 3, "d": None, "e": None, "f": 5}, asked, conversions=ROWS), asked
    )


def test_the_window_is_the_longest_that_half_of_either_side_have_had(value):
    assert value.customers.value.window == Duration(180, "d")
    assert (value.customers.value.pql_born, value.customers.value.others) == (4, 2)
    assert value.customers.value.followed == (3, 2)


@pytest.mark.parametrize(("followed", "of", "enough"), [(1, 2, True), (1, 3, False), (0, 0, False)])
def test_exactly_half_of_a_side_is_enough(followed, of, enough):
    firsts = [0] * followed + [5 * DAY] * (of - followed)
    customers = pl.DataFrame({"pql": [True] * of, "first": firsts}, schema={"pql": pl.Boolean, "first": pl.Int64})
    people: Any = SimpleNamespace(as_of=7 * DAY)
    assert _enough(people, customers, Duration(7, "d")) is enough


def test_figures_by_hand(value):
    lines = {line.what: line for line in value.customers.value.lines}
    assert lines["amount"].window is None
    assert lines["amount"].pql_born.mean.value == pytest.approx(np.mean([100, 50, 10, 7]))
    assert lines["paid"].pql_born.n == 3
    assert lines["retained"].pql_born == Rate.of(2, 3)
    assert lines["retained"].others == Rate.of(1, 2)
    assert lines["days_paid"].pql_born.mean.value == pytest.approx(np.mean([180, 30, 40 + 130]))
    assert lines["expanded"].pql_born == Rate.of(1, 3)
    assert lines["expansion"].pql_born.mean.value == pytest.approx((40 - 10 + 1000) / 3)
    assert lines["paid"].pql_born.mean.value == pytest.approx((100 + 40 - 10 + 1000 + 50 + 30) / 3)
    assert lines["paid"].difference.value == pytest.approx(1210 / 3 - 60)


def test_there_is_none_where_the_outcome_is_no_purchase(tmp_path):
    asked = definition()
    by_event = replace(asked, outcome=replace(asked.outcome, event="x2"))
    people = told(tmp_path, {"a": 1}, by_event, more=[{"user_id": "a", "event": "x2", "timestamp": T0 + 9 * DAY}])
    assert report(people, by_event).customers.value is None


def test_an_export_without_ends_kinds_and_amounts_says_nothing_of_them(tmp_path):
    asked = definition()
    bare = [{"user_id": "a", "converted_at": T0 + 20 * DAY}]
    data = dataset(
        tmp_path,
        events=[{"user_id": "a", "event": "x", "timestamp": T0 + day * DAY} for day in (1, 200)],
        users=[{"user_id": "a", "signed_up_at": T0}],
        conversions=bare,
    )
    shown = report(population_of(data, Project(), definition=asked, entity="user"), asked)
    assert shown.customers.value.lines == ()
    assert record(shown)["customers"]["figures"] == []


def test_each_team_has_its_figures(value):
    figures = {team.team: dict(team.figures) for team in value.teams}
    assert list(figures) == ["marketing", "product", "engineering", "sales", "customer success"]
    assert figures["marketing"]["signups"] == 6
    # b does nothing but x, d and e nothing at all.
    assert figures["engineering"]["signups that used the product"] == Rate.of(4, 6)
    expansion = figures["customer success"]["expansion, first 180 days of customers that were PQLs"]
    assert isinstance(expansion, Quantity)
    assert expansion.n == 3


def test_visitors_are_more_than_signups(tmp_path):
    asked = definition()
    people = told(tmp_path, {"a": 1, "b": None}, asked)
    shown = report(people, asked, visitors=8)
    assert dict(shown.teams[0].figures)["visitors that signed up"] == Rate.of(2, 8)
    with pytest.raises(UsageError, match="1 visitors are fewer than the 2"):
        report(people, asked, visitors=1)


def test_every_figure_is_what_sql_counts(tmp_path):
    """Two hundred customers with up to five rows each, drawn; days paid for are counted day by day at noon."""
    generator = np.random.default_rng(11)
    users = [f"u{i:03}" for i in range(300)]
    rows = []
    for user in users[:200]:
        first = int(generator.integers(10, 60))
        for k in range(int(generator.integers(1, 6))):
            day = first if not k else first + int(generator.integers(0, 120))
            ends = int(day + generator.integers(1, 90)) if generator.random() < 0.6 else None
            kind = "new" if not k else str(generator.choice(["expansion", "contraction", "renewal"]))
            rows.append(bought(user, day, kind=kind, amount=float(generator.integers(5, 200)), ended_at=ends))
    asked = definition()
    qualifies = {user: int(generator.integers(1, 9)) if generator.random() < 0.5 else None for user in users}
    people = told(tmp_path, qualifies, asked, conversions=rows)
    shown = report(people, asked)
    found = shown.customers.value
    assert found.window == Duration(90, "d")
    table = pl.DataFrame(rows, infer_schema_length=None).to_arrow()
    flags = shown.signups.with_columns(id=people.entities["id"].cast(pl.String).gather(shown.signups["entity"]))
    connection = duckdb.connect()
    connection.register("bought", table)
    connection.register("people", flags.select("id", "pql", "customer").to_arrow())
    counted = connection.execute(
        f"""WITH r AS (SELECT user_id AS id, converted_at AS t, kind, amount,
                       CASE WHEN ended_at <= {people.as_of} THEN ended_at END AS e FROM bought WHERE converted_at <= {people.as_of}),
        c AS (SELECT p.id, p.pql, min(t) AS f FROM people p JOIN r USING (id) WHERE customer GROUP BY ALL
              HAVING min(t) + {90 * DAY} <= {people.as_of}),
        x AS (SELECT c.pql, c.f, r.* FROM c JOIN r USING (id) WHERE r.t < c.f + {90 * DAY}),
        s AS (SELECT id, any_value(pql) AS pql, max((coalesce(e, 9e18) >= f + {90 * DAY})::INT) AS retained,
              max((kind = 'expansion')::INT) AS expanded,
              sum(CASE kind WHEN 'expansion' THEN amount WHEN 'contraction' THEN -amount ELSE 0 END) AS expansion,
              sum(CASE kind WHEN 'contraction' THEN -amount ELSE amount END) AS paid FROM x GROUP BY id),
        d AS (SELECT c.id, count(*) AS days FROM c, range(90) AS n(k) WHERE EXISTS (SELECT 1 FROM x WHERE x.id = c.id
              AND x.t <= c.f + n.k * {DAY} + {DAY // 2} AND coalesce(x.e, 9e18) > c.f + n.k * {DAY} + {DAY // 2}) GROUP BY 1)
        SELECT pql, count(*), sum(retained), sum(expanded), avg(expansion), avg(paid), avg(days)
        FROM s JOIN d USING (id) GROUP BY 1 ORDER BY 1 DESC"""
    ).fetchall()
    assert [pql for pql, *_ in counted] == [True, False]
    for side, (_, n, *figures) in zip(("pql_born", "others"), counted, strict=True):
        lines = {line.what: getattr(line, side) for line in found.lines}
        shares = [lines["retained"], lines["expanded"]]
        assert [(share.numerator, share.denominator) for share in shares] == [(figures[0], n), (figures[1], n)]
        means = [lines[name].mean.value for name in ("expansion", "paid", "days_paid")]
        assert means == pytest.approx(figures[2:])
