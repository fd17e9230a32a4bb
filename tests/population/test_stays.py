"""Expansion: lives cut into stays at risk, against a walk through each life, and seen through snapshots."""

from __future__ import annotations

from dataclasses import asdict

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqlkit.definitions.model import Outcome
from pqlkit.durations import DAY
from pqlkit.errors import DataError
from pqlkit.exports.mapping import Source
from pqlkit.exports.project import Project, Traits
from pqlkit.population.outcome import DETAILS
from pqlkit.population.population import population_of
from pqlkit.population.stays import stays_at_risk
from pqlkit.snapshots.snapshots import snapshots_of
from tests.analysis.canonical import dataset, days

T0 = 1_700_006_400_000_000
UPSELL = Outcome(within=days("30d"), kind="expansion", from_plan=("pro",), returns_after=days("20d"))


def bought(day, plan, kind="new", before=None, user="a", ended=None):
    return {
        "user_id": user, "converted_at": T0 + day * DAY, "kind": kind, "plan": plan, "from_plan": before,
        "ended_at": None if ended is None else T0 + ended * DAY,
    }  # fmt: skip


def cut(tmp_path, conversions, outcome=UPSELL, traits=None, **tables):
    project = Project(traits=traits or Traits())
    data = dataset(
        tmp_path,
        events=[{"user_id": "a", "event": "x", "timestamp": T0 + day * DAY} for day in range(0, 300, 5)],
        users=[{"user_id": "a", "signed_up_at": T0, "signup_plan": "free"}],
        conversions=conversions,
        **tables,
    )
    return population_of(data, project, outcome=outcome)


def stays(found):
    def day(at):
        return None if at is None else (at - T0) / DAY

    return [tuple(map(day, row)) for row in found.entities.select("since", "converted", "deleted_at").rows()]


def test_at_risk_begins_with_the_plan(tmp_path):
    found = cut(tmp_path, [bought(10, "pro", before="free"), bought(50, "team", "expansion", "pro")])
    assert stays(found) == [(10, 50, None)]
    assert found.entities["anchor"].item() == T0 + 10 * DAY
    assert (found.conversions.first, found.conversions.filtered) == (1, 1)
    assert snapshots_of(found, "once:14d").entity_classes["place"].to_list() == ["used"]
    events = found.world.entities.select("since", "converted").row(0)
    assert events == (T0 + 10 * DAY, T0 + 50 * DAY)


def test_whoever_never_reached_the_plan_is_ineligible(tmp_path):
    found = cut(tmp_path, [bought(10, "basic", before="free")])
    assert stays(found) == [(None, None, None)]
    assert snapshots_of(found, "once:14d").entity_classes["class"].to_list() == ["ineligible"]


def test_leaving_the_plan_ends_the_stay_as_a_deletion_would(tmp_path):
    found = cut(tmp_path, [bought(10, "pro"), bought(60, "basic", "contraction", "pro")])
    assert stays(found) == [(10, None, 60)]
    ended = cut(tmp_path, [bought(10, "pro", ended=40), bought(90, "pro")])
    assert stays(ended) == [(10, None, 40), (90, None, None)]


def test_an_expansion_within_the_plan_returns_after_a_while(tmp_path):
    more = [bought(day, "pro", "expansion", "pro") for day in (30, 45, 50, 80)]
    found = cut(tmp_path, [bought(10, "pro"), *more])
    # 45 lies in the 20 days after 30; 50 is the return's own first microsecond; 80 is counted.
    assert stays(found) == [(10, 30, None), (50, 80, None), (100, None, None)]
    assert (found.conversions.first, found.conversions.repeats) == (2, 2)
    assert found.entities["id"].to_list() == ["a", "a", "a"]
    assert found.traits.values["signup_plan"].to_list() == ["free"] * 3
    seen = snapshots_of(found, "every:7d", windows=[days("7d")])
    assert seen.frame["y"].sum() + seen.places.before_first_snapshot + seen.places.dormant == 2


def test_those_who_began_in_the_plan_are_at_risk_from_their_anchor(tmp_path):
    free = Outcome(within=days("30d"), kind="expansion", from_plan=("free",))
    found = cut(tmp_path, [bought(10, "pro", "expansion", "free")], outcome=free)
    assert stays(found) == [(0, 10, None)]
    assert stays(cut(tmp_path, [bought(5, "pro", user="b")], outcome=free)) == [(0, None, None)]


def test_the_plan_at_the_anchor_may_come_from_a_history(tmp_path):
    history = [{"user_id": "a", "valid_from": T0, "plan": "pro"}]
    traits = Traits(history={"plan": Source(path=("plans.csv",))})
    found = cut(tmp_path, [bought(40, "team", "expansion", None, user="b")], traits=traits, history__plan=history)
    assert stays(found) == [(0, None, None)]
    assert found.traits.histories["plan"]["entity"].to_list() == [0]


def test_without_a_from_plan_whoever_bought_is_at_risk(tmp_path):
    anything = Outcome(within=days("30d"), kind="expansion")
    found = cut(tmp_path, [bought(10, "pro"), bought(50, "team", "expansion")], outcome=anything)
    assert stays(found) == [(10, 50, None), (140, None, None)]
    began = cut(tmp_path, [bought(50, "team", "expansion")], outcome=anything)
    assert stays(began)[0] == (0, 50, None)


def test_expansion_needs_conversions(tmp_path):
    with pytest.raises(DataError, match="conversions export"):
        cut(tmp_path, None)


# --- the walk ---------------------------------------------------------------------------------------------------------


def walk(anchor, first_plan, deleted, rows, outcome):
    """Step through one life row by row."""
    returns = outcome.returns_after.microseconds
    rows = sorted(rows, key=lambda row: row["converted"])
    began = rows[0]["from_plan"] if rows and rows[0]["from_plan"] is not None else first_plan
    changes: list[tuple[int, str | None, int | None]] = [
        (min([anchor, *(row["converted"] for row in rows)]), began, None)
    ]
    changes += [(row["converted"], row["plan"], row["ended_at"]) for row in rows]

    def plan_during(at):
        """The plan in the microsecond from `at` on."""
        _, plan, ended = [change for change in changes if change[0] <= at][-1]
        return plan if ended is None or at < ended else None

    edges = sorted({anchor, *(c[0] for c in changes), *(c[2] for c in changes if c[2] is not None)})
    hits = {row["converted"] for row in rows if row["passes"]}
    found, since, free = [], None, anchor

    def close(at):
        found.append((since, None, at if deleted is None else min(at, deleted)))

    moments = sorted({*edges, *(hit + returns for hit in hits)})
    for at in [moment for moment in moments if moment >= anchor]:
        if since is not None and at in hits and at > since:
            found.append((since, at, deleted))
            since, free = None, at + returns
        inside = plan_during(at) in outcome.from_plan
        if since is not None and not inside:
            close(at)
            since = None
        if since is None and inside and at >= free:
            since = at
    if since is not None:
        found.append((since, None, deleted))
    return found or [(None, None, deleted)]


day = st.integers(0, 60)


@st.composite
def life(draw):
    moments = sorted(draw(st.lists(day, unique=True, max_size=8)))
    rows = []
    for at in moments:
        ended = draw(st.one_of(st.none(), st.none(), st.integers(1, 15)))
        rows.append(
            {
                "converted": at * DAY,
                "ended_at": None if ended is None else (at + ended) * DAY,
                "plan": draw(st.sampled_from(["pro", "team", "free", None])),
                "from_plan": draw(st.sampled_from(["pro", "free", None])),
                "passes": draw(st.booleans()),
            }
        )
    return draw(day) * DAY, draw(st.sampled_from(["pro", None])), draw(st.one_of(st.none(), st.just(55 * DAY))), rows


@settings(max_examples=150, deadline=None)
@given(lives=st.lists(life(), min_size=1, max_size=3), back=st.sampled_from([1, 7, 20]))
def test_stays_are_those_of_a_walk_through_each_life(lives, back):
    outcome = Outcome(within=days("30d"), kind="expansion", from_plan=("pro",), returns_after=days(f"{back}d"))
    people = pl.DataFrame(
        [(i, anchor, deleted, plan) for i, (anchor, plan, deleted, _) in enumerate(lives)],
        schema={"entity": pl.Int64, "anchor": pl.Int64, "deleted_at": pl.Int64, "first_plan": pl.String},
        orient="row",
    )
    schema = {"entity": pl.Int64} | DETAILS | {"passes": pl.Boolean}
    rows = pl.DataFrame(
        [
            {name: ({"entity": i} | row).get(name) for name in schema}
            for i, (_, _, _, one) in enumerate(lives)
            for row in one
        ],
        schema=schema,
    ).sort("converted", "entity")
    found, counts = stays_at_risk(people, rows, outcome)
    expected = [
        (i, *stay)
        for i, (anchor, plan, deleted, one) in enumerate(lives)
        for stay in walk(anchor, plan, deleted, one, outcome)
    ]
    assert found.select("entity", "since", "converted", "deleted_at").rows() == expected
    kept = asdict(counts)
    assert kept["rows"] == kept["first"] + kept["repeats"] + kept["filtered"] + kept["unknown_entity"]
