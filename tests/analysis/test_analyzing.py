"""The analysis as a whole: who is looked at, what is warned of, and what each setting changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from pqlkit.analysis.analyzing import analyze
from pqlkit.analysis.follow_up import disagreement_in_words
from pqlkit.analysis.observation import observe
from pqlkit.definitions.model import Anchor, EntityKind
from pqlkit.durations import DAY, Duration
from pqlkit.errors import UsageError
from pqlkit.options.data import ExtentOptions
from pqlkit.options.settings import Exposure, Settings
from pqlkit.snapshots.clusters import account_of, clusters
from pqlkit.snapshots.qualifications import pql_conversion_rate, starts
from pqlkit.statistics.design_effect import design_effect
from tests.analysis.canonical import dataset, in_memory
from tests.analysis.findings import connected
from tests.analysis.hand_made import definition, part
from tests.simulation.trial import populated
from tests.worlds.by_name import age_trial, recipe

ONCE = Settings(snapshots="once:14d")


def drifted(rate_then: float, rate_now: float, *, seed: int = 1, users: int = 6_000):
    """Sign users up over 200 days; those of the last 40 convert at another rate."""
    rng = np.random.default_rng(seed)
    as_of = 200 * DAY
    people = []
    for number in range(users):
        anchor = int(rng.integers(0, as_of))
        chance = rate_now if anchor > as_of - 44 * DAY else rate_then
        at = anchor + 14 * DAY + int(rng.integers(1, 30 * DAY))
        converted = at if rng.random() < chance and at <= as_of else None
        people.append({"id": f"u{number:05}", "anchor": anchor, "converted": converted})
    return in_memory(people, [("u00000", "e", 1)], as_of=as_of)


@pytest.mark.parametrize(("now", "word"), [(0.0, "worse"), (0.3, "better"), (0.1, None)])
def test_the_curve_and_the_plain_rate_part_when_newer_entities_convert_differently(now, word):
    said = disagreement_in_words(observe(drifted(0.1, now), ONCE))
    assert (said is None) if word is None else (said is not None and f"convert {word}" in said)


def test_they_part_by_chance_as_rarely_as_two_standard_errors_do():
    said = [disagreement_in_words(observe(drifted(0.1, 0.1, seed=seed, users=1_500), ONCE)) for seed in range(100, 120)]
    assert sum(one is not None for one in said) <= 4  # 4.6 % of 20, with room for chance


def test_a_narrowed_analysis_is_not_compared_with_the_curve():
    people = drifted(0.1, 0.0)
    assert disagreement_in_words(observe(people, ONCE)) is not None
    assert disagreement_in_words(observe(people, replace(ONCE, given=definition(part("e"))))) is None


@pytest.fixture(scope="module")
def world():
    return recipe(3_000, 91)


@pytest.fixture(scope="module")
def people(world):
    with populated(world) as found:
        yield found


def test_until_conversion_keeps_early_converters_and_stops_their_clock(world, people):
    found: Any = observe(people, replace(ONCE, exposure=Exposure.UNTIL_CONVERSION))
    reach = 44 * DAY
    facts = f"""
        WITH firsts AS (SELECT user_id, min(converted_at) AS c FROM conversions GROUP BY 1),
        facts AS (SELECT u.user_id, epoch_us(signed_up_at) AS a, epoch_us(c) AS c
                  FROM users u LEFT JOIN firsts USING (user_id)),
        snapshots AS (SELECT *, coalesce(c >= a AND c <= a + {reach}, false) AS y FROM facts
                  WHERE (c IS NULL OR c >= a) AND a + {reach} <= {people.as_of} AND a >= {people.history_from})
    """
    with connected(world) as connection:
        whole = connection.execute(facts + "SELECT count(*), count(*) FILTER (y) FROM snapshots").fetchone()
        did = connection.execute(
            facts
            + f"""SELECT event, count(DISTINCT user_id), count(DISTINCT user_id) FILTER (y)
                  FROM events JOIN snapshots USING (user_id)
                  WHERE epoch_us(timestamp) >= a AND epoch_us(timestamp) < a + {14 * DAY}
                    AND (c IS NULL OR epoch_us(timestamp) < c) GROUP BY 1"""
        ).fetchall()
    assert (len(found.y), int(found.y.sum())) == whole
    counted = {}
    for index, one in enumerate(found.cube.behaviours):
        if one.event and one.measure.kind == "count" and one.window.length.microseconds == 14 * DAY:
            rows, _ = found.cube.column(index)
            counted[one.event] = (len(rows), int(found.y[rows].sum()))
    assert counted == {event: (n, m) for event, n, m in did}
    assert int(found.y.sum()) > int(observe(people, ONCE).y.sum())
    assert found.snapshots.classes.early == 0


def test_until_conversion_is_said_and_needs_one_age(people):
    from pqlkit.errors import UsageError

    result = analyze(people, replace(ONCE, exposure=Exposure.UNTIL_CONVERSION, by=()))
    assert any("shorter time" in warning for warning in result.warnings)
    with pytest.raises(UsageError, match="until-conversion"):
        observe(people, Settings(snapshots="every:28d", exposure=Exposure.UNTIL_CONVERSION))


def test_excluded_events_are_nowhere_and_globs_are_globs(people, world):
    names = set(world.events["event"].unique())
    gone = {name for name in names if name.startswith("c")}
    found: Any = observe(people, replace(ONCE, exclude_event=("c*",)))
    seen = {one.event for one in found.cube.behaviours}
    assert gone
    assert not seen & gone
    assert found.cube.offsets[-1] == len(found.cube.rows) == len(found.cube.levels)
    whole: Any = observe(people, ONCE)
    for index, one in enumerate(found.cube.behaviours):
        rows, levels = whole.cube.column(whole.cube.behaviours.index(one))
        assert np.array_equal(found.cube.column(index)[0], rows)
        assert np.array_equal(found.cube.column(index)[1], levels)


def test_given_keeps_the_snapshots_that_meet_a_definition(people, world):
    event = "dashboard_viewed"
    whole: Any = observe(people, ONCE)
    index = next(
        i
        for i, one in enumerate(whole.cube.behaviours)
        if one.event == event and one.measure.kind == "count" and one.window.length.microseconds == 14 * DAY
    )
    rows, levels = whole.cube.column(index)
    meeting = rows[levels >= 3]
    found: Any = observe(people, replace(ONCE, given=definition(part(event, 3))))
    wanted = whole.snapshots.frame["entity"].to_numpy()[meeting]
    assert found.snapshots.frame["entity"].to_list() == wanted.tolist()
    assert found.snapshots.frame["snapshot"].to_list() == list(range(len(wanted)))


def late_clock():
    """Users who sign up at 0 and begin on day 5; all do "e" on day 12, which is within 14 days of either, and half on day 2."""
    events = [(f"u{n}", name, at * DAY) for n in range(8) for name, at in (("begin", 5), ("e", 12), ("end", 60))]
    events += [(f"u{n}", "f", 2 * DAY) for n in range(4)]
    return in_memory([{"id": f"u{n}", "anchor": 0} for n in range(8)], events, as_of=90 * DAY)


def test_given_is_read_by_the_clock_of_the_definition():
    early = replace(definition(part("e", days=10)), anchor=Anchor(kind="event", event="begin"))
    assert observe(late_clock(), replace(ONCE, given=early)).snapshots.frame.height == 8
    assert observe(late_clock(), replace(ONCE, given=replace(early, anchor=Anchor()))).snapshots.frame.height == 0
    before = replace(definition(part("f")), anchor=Anchor(kind="event", event="begin"))
    assert observe(late_clock(), replace(ONCE, given=before)).snapshots.frame.height == 0


def test_given_about_other_entities_is_refused():
    other = replace(definition(part("e"), name="teams"), entity=EntityKind.ACCOUNT)
    with pytest.raises(UsageError, match="teams is about accounts, and these snapshots are of users") as caught:
        observe(late_clock(), replace(ONCE, given=other))
    assert caught.value.hint == "use --entity account, or a definition about users"


def test_snapshots_that_overlap_have_a_design_effect_and_tables_pay_for_it():
    with populated(age_trial(3_000, 92)) as people:
        found: Any = observe(people, Settings(snapshots="age:1d,3d,5d"))
    entity = found.snapshots.frame["entity"].to_numpy()
    assert len(set(entity.tolist())) < len(entity)
    assert found.design_effect == design_effect(found.y, entity)
    assert found.design_effect > 1.3
    assert found.base.low < found.base.numerator / found.base.denominator - 0.001


def test_once_has_none(people):
    assert observe(people, ONCE).design_effect == 1.0


def shared(tmp_path, *, alike: bool):
    """Sign up 300 accounts of four users; with `alike`, all users of an account convert or none does."""
    from pqlkit.exports.project import Project
    from pqlkit.population.population import population_of

    rng = np.random.default_rng(3)
    team = rng.random(300) < 0.2
    users, events, conversions = [], [], []
    for number in range(1200):
        account = number // 4
        users.append({"user_id": f"u{number:04}", "account_id": f"a{account:03}", "signed_up_at": number})
        events.append({"user_id": f"u{number:04}", "event": "e", "timestamp": number})
        if team[account] if alike else rng.random() < 0.2:
            conversions.append({"user_id": f"u{number:04}", "converted_at": number + 20 * DAY})
    events.append({"user_id": "u0000", "event": "e", "timestamp": 90 * DAY})
    tables = dataset(tmp_path, users=users, events=events, conversions=conversions)
    return population_of(tables, Project(), ExtentOptions(as_of="1970-04-01"), entity="user")


def test_users_of_one_account_are_not_independent(tmp_path):
    people = shared(tmp_path, alike=True)
    accounts = account_of(people)
    assert accounts is not None
    assert accounts["account"].n_unique() == 300
    found: Any = observe(people, ONCE)
    assert found.design_effect == pytest.approx(4, rel=0.05)  # four users that always agree count for one
    labels = clusters(people, np.arange(8))
    assert len(set(labels[:4].tolist())) == 1
    assert labels[0] != labels[4]


def test_where_they_do_not_agree_the_design_effect_is_small(tmp_path):
    found: Any = observe(shared(tmp_path, alike=False), ONCE)
    assert len(found.y) == 1200
    assert 1.0 <= found.design_effect < 1.4


@pytest.mark.parametrize("alike", [True, False])
def test_leads_of_one_account_are_not_independent_either(tmp_path, alike):
    people = shared(tmp_path, alike=alike)
    spells = people.entities.select("entity", on=pl.col("anchor") + DAY, off=pl.lit(None, pl.Int64))
    rate = pql_conversion_rate(starts(people, spells, conversion_window=Duration(30, "d")))
    assert rate.denominator == 1200
    assert rate.design_effect == pytest.approx(4 if alike else 1.1, abs=0.3)


def test_nobody_asks_who_shares_an_account_where_no_rate_is_taken(tmp_path, monkeypatch):
    people = shared(tmp_path, alike=True)
    spells = people.entities.select("entity", on=pl.col("anchor") + DAY, off=pl.lit(None, pl.Int64))
    whole = starts(people, spells, conversion_window=Duration(30, "d"))
    monkeypatch.setattr("pqlkit.snapshots.qualifications.clusters", None)
    assert starts(people, spells, conversion_window=Duration(30, "d"), clustered=False).equals(
        whole.drop("cluster", "too_soon")
    )


def test_leads_of_lonely_users_are(people):
    spells = people.entities.select("entity", on=pl.col("anchor") + DAY, off=pl.lit(None, pl.Int64))
    assert (
        pql_conversion_rate(starts(people, spells.drop_nulls("on"), conversion_window=Duration(30, "d"))).design_effect
        == 1.0
    )


def test_lonely_users_have_no_account_in_common(people):
    assert account_of(people) is None
    entity = np.array([3, 1, 2])
    assert clusters(people, entity) is entity


def test_order_is_by_distance_of_the_adjusted_interval_from_one(people):
    result: Any = analyze(people, replace(ONCE, by=()))
    shown = [one.as_shown() for one in result.behaviours]
    figures = [None if one is None else one.adjusted for one in shown]
    fitted = [one for one in figures if one is not None and one.value is not None]
    assert len(fitted) > 5
    assert figures[: len(fitted)] == fitted
    assert shown == sorted(shown, key=lambda one: one is None)
    distance = [max(np.log(one.low), -np.log(one.high), 0.0) for one in fitted]
    assert distance == sorted(distance, reverse=True)
    frame = pl.DataFrame({"q": [one.q_value for one in result.behaviours]})
    assert frame["q"].null_count() == 0


def test_leaks_are_judged_when_they_are_asked_for_and_once(people):
    said: list[str] = []
    found = observe(people, ONCE, progress=said.append)
    assert not any("belong to the conversion" in sentence for sentence in said)
    assert found.leakage is found.leakage
    assert sum("belong to the conversion" in sentence for sentence in said) == 1
