"""New once: over any sequence of nights, whatever arrives late, is scored twice or not at all."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pqlkit.definitions.folders import load_definition
from pqlkit.definitions.model import Lead
from pqlkit.durations import DAY, Duration
from pqlkit.scoring.memory import KNOWN, Memory
from pqlkit.scoring.news import news
from pqlkit.scoring.scoring import score
from tests.analysis.canonical import in_memory
from tests.scoring.nights import START, definition

USERS = ("a", "b", "c")
HOURS = DAY // 24


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    return load_definition(definition(tmp_path_factory.mktemp("definitions")))


def scored(team, events, as_of, **people):
    persons = [{"id": user, "anchor": START} | people.get(user, {}) for user in USERS]
    persons = [p for p in persons if not p.pop("gone", False)]
    return score(in_memory(persons, events, as_of=as_of), team)


def after(found, leads):
    return Memory(
        known=found.memory,
        as_of=leads.population.as_of,
        definition_hash=leads.hash,
        definition_version=leads.definition.version,
    )


def new_of(found):
    return set(found.frame.filter("newly_qualified").get_column("user_id").to_list())


def burst(user, day, *, invites=3, logins=2):
    """Qualify at about `day`."""
    rows = [(user, "invite", START + round(day * DAY) + i) for i in range(invites)]
    return rows + [(user, "login", START + round((day - 1) * DAY) + i * DAY + 7) for i in range(logins)]


def night(day):
    return START + round(day * DAY) - 1


events_drawn = st.lists(
    st.tuples(st.sampled_from(USERS), st.sampled_from(["invite", "login"]), st.integers(0, 24 * 40)),
    min_size=10,
    max_size=120,
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    drawn=events_drawn, nights=st.lists(st.integers(1, 41), min_size=2, max_size=9), since=st.sampled_from([None, "3d"])
)
def test_every_start_is_new_exactly_once_over_nights_in_any_number(team, drawn, nights, since):
    """Complete data: the oracle knows starts by their exact moment."""
    events = [(user, name, START + hour * HOURS) for user, name, hour in drawn]
    memory = Memory()
    told, baseline = set(), None
    for day in sorted(nights):  # a day that stands twice is a re-run
        as_of = night(day)
        leads = scored(team, events, as_of)
        found = news(leads, memory, since=Duration.parse(since) if since else None)
        newest = dict(leads.starts.group_by("id").agg(pl.col("on").max()).iter_rows())
        limit = as_of - 3 * DAY if since else -1
        expected = set()
        for user, status in leads.frame.select("user_id", "status").iter_rows():
            start = newest.get(user)
            if start is None or (user, start) in told:
                continue
            backlog = baseline is None and (since is None or start <= limit)
            stale = status == "expired" or (status == "pql" and since is not None and start <= limit)
            if backlog or stale or status == "pql":
                told.add((user, start))
            if status == "pql" and not backlog and not stale:
                expected.add(user)
        baseline = baseline or as_of
        assert new_of(found) == expected
        memory = after(found, leads)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    drawn=st.lists(
        st.tuples(
            st.sampled_from(USERS), st.sampled_from(["invite", "login"]), st.integers(0, 24 * 40), st.integers(0, 9)
        ),
        min_size=10,
        max_size=120,
    ),
    nights=st.lists(st.integers(1, 45), min_size=2, max_size=9),
)
def test_late_events_never_alert_twice_for_one_start(team, drawn, nights):
    """Events arrive up to nine days late and nights come in any order: alerts of a user lie a conversion window apart."""
    events = [(user, name, START + hour * HOURS, hour // 24 + late) for user, name, hour, late in drawn]
    memory = Memory()
    alerted = defaultdict(list)
    for day in nights:
        as_of = night(day)
        leads = scored(team, [row[:3] for row in events if row[3] < day and row[2] <= as_of], as_of)
        found = news(leads, memory)
        starts = dict(
            found.starts.filter(pl.col("reason").is_in(["world", "definition"])).select("id", "on").iter_rows()
        )
        assert set(starts) == new_of(found)
        for user, on in starts.items():
            alerted[user].append(on)
        memory = after(found, leads)
    for moments in alerted.values():
        assert all(later > earlier + 10 * DAY for earlier, later in pairwise(moments))


def test_the_first_night_is_a_baseline_that_alerts_nobody(team):
    leads = scored(team, burst("a", 3), night(5))
    found = news(leads, Memory())
    assert found.baseline
    assert new_of(found) == set()
    assert found.starts.select("id", "reason").rows() == [("a", "baseline")]
    assert new_of(news(scored(team, burst("a", 3), night(6)), after(found, leads))) == set()


def test_since_lets_the_first_night_alert_recent_starts_alone(team):
    events = burst("a", 3) + burst("b", 7)
    leads = scored(team, events, night(8))
    found = news(leads, Memory(), since=Duration.parse("2d"))
    assert new_of(found) == {"b"}
    assert sorted(found.starts.select("id", "reason").rows()) == [("a", "baseline"), ("b", "world")]


@pytest.mark.parametrize(("shift", "new"), [(-1, False), (0, False), (1, True)])
def test_since_is_half_open(team, shift, new):
    """A start exactly 2 d ago is too old; one microsecond later it is new."""
    events = burst("a", 3)
    start = scored(team, events, night(8)).starts.get_column("on")[0]
    leads = scored(team, events, start + 2 * DAY - shift)
    assert (new_of(news(leads, Memory(), since=Duration.parse("2d"))) == {"a"}) is new


def test_late_events_move_qualified_at_earlier_without_a_second_alert(team):
    first = scored(team, [], night(2))
    memory = after(news(first, Memory()), first)
    leads = scored(team, burst("a", 4), night(5))
    found = news(leads, memory)
    assert new_of(found) == {"a"}
    moved = scored(team, burst("a", 4) + burst("a", 2.5), night(6))
    again = news(moved, after(found, leads))
    assert moved.frame["qualified_at"].max() < leads.frame["qualified_at"].max()
    assert new_of(again) == set()
    row = again.frame.filter(pl.col("user_id") == "a").row(0, named=True)
    assert row["known_at"] == found.frame.filter(pl.col("user_id") == "a").row(0, named=True)["known_at"]


def test_a_correction_gives_withdrawn_once_as_a_change(team):
    first = scored(team, [], night(2))
    memory = after(news(first, Memory()), first)
    leads = scored(team, burst("a", 4), night(5))
    told = news(leads, memory)
    corrected = scored(team, burst("a", 4, invites=2), night(6))
    found = news(corrected, after(told, leads))
    row = found.frame.filter(pl.col("user_id") == "a").row(0, named=True)
    assert (row["status"], row["changed"], row["newly_qualified"]) == ("withdrawn", True, False)
    later = news(scored(team, burst("a", 4, invites=2), night(7)), after(found, corrected))
    row = later.frame.filter(pl.col("user_id") == "a").row(0, named=True)
    assert (row["status"], row["changed"]) == ("withdrawn", False)


def test_a_correction_that_is_scored_again_the_same_night_withdraws_it(team):
    leads = scored(team, burst("a", 4), night(5))
    corrected = scored(team, burst("a", 4, invites=2), night(5))
    found = news(corrected, after(news(leads, Memory()), leads))
    assert found.frame.filter(pl.col("user_id") == "a").get_column("status").to_list() == ["withdrawn"]


def test_until_when_it_was_seen_to_hold_never_goes_back(team):
    """Neither on a night that is scored again as of an earlier one, nor once it has lapsed."""
    events, memory = burst("a", 4), Memory()
    for day, until in ((5, 5), (6, 6), (5.5, 6), (20, 6)):
        leads = scored(team, events, night(day))
        memory = after(news(leads, memory), leads)
        assert memory.known.filter(pl.col("id") == "a").get_column("until").to_list() == [night(until)], day


def test_a_lead_that_the_data_no_longer_has_is_withdrawn_too(team):
    first = scored(team, [], night(2))
    memory = after(news(first, Memory()), first)
    leads = scored(team, burst("a", 4), night(5))
    told = news(leads, memory)
    without = scored(team, [], night(6), a={"gone": True})
    found = news(without, after(told, leads))
    assert found.frame.filter(pl.col("user_id") == "a").select("status", "changed").rows() == [("withdrawn", True)]
    assert found.frame.height == 3
    assert found.memory.filter(pl.col("id") == "a").get_column("status").to_list() == ["withdrawn"]


def test_who_lapses_is_not_withdrawn(team):
    leads = scored(team, burst("a", 4), night(5))
    found = news(scored(team, burst("a", 4), night(20)), after(news(leads, Memory()), leads))
    assert found.frame.filter(pl.col("user_id") == "a").get_column("status").to_list() == ["lapsed"]


def test_a_second_start_after_the_cooldown_is_new_again(team):
    first = scored(team, [], night(2))
    memory = after(news(first, Memory()), first)
    events = burst("a", 4)
    leads = scored(team, events, night(5))
    told = news(leads, memory)
    events += burst("a", 25)
    again = scored(team, events, night(26))
    found = news(again, after(told, leads))
    assert new_of(found) == {"a"}
    row = found.frame.filter(pl.col("user_id") == "a").row(0, named=True)
    assert row["requalified_at"] is not None
    assert row["known_at"] == row["as_of"]


def known(leads, **moments):
    """What is remembered of user a: a start at ``on``, seen to hold until ``until``."""
    row = {"id": "a", "status": "lapsed", "known_at": START, "arm": None, "hash": leads.hash, **moments}
    return Memory(known=pl.DataFrame([row], schema=KNOWN), as_of=leads.population.as_of - 1, definition_hash=leads.hash)


@pytest.mark.parametrize(("shift", "new"), [(0, False), (1, True)])
def test_another_start_lies_more_than_a_conversion_window_after_the_one_that_was_known(team, shift, new):
    leads = scored(team, burst("a", 30), night(31))
    start = leads.starts.get_column("on")[0]
    on = start - 10 * DAY - shift
    assert (new_of(news(leads, known(leads, on=on, until=on))) == {"a"}) is new


@pytest.mark.parametrize(("shift", "new"), [(1, False), (0, True)])
def test_another_start_comes_once_the_cooldown_is_over(team, shift, new):
    leads = scored(team, burst("a", 30), night(31))
    start = leads.starts.get_column("on")[0]
    memory = known(leads, on=start - 20 * DAY, until=start - 5 * DAY + shift)
    assert (new_of(news(leads, memory)) == {"a"}) is new


@pytest.mark.parametrize(("shift", "again"), [(-1, False), (0, True)])
def test_who_meets_it_again_is_requalified_once_the_cooldown_is_over(team, shift, again):
    """The invites leave the trailing window 10 days after they came in; the cooldown is 5 days from then."""
    first = START + 4 * DAY
    then = first + 10 * DAY + 5 * DAY + shift
    events = [("a", "login", START + day * DAY) for day in range(25)]
    events += [("a", "invite", at) for at in (first, then) for _ in range(3)]
    row = scored(team, events, then + DAY).frame.filter(pl.col("user_id") == "a").row(0, named=True)
    assert row["qualified_at"] is not None
    assert (row["requalified_at"] is not None) is again


def test_the_older_a_lead_was_when_found_the_less_it_is_new(team):
    """Nine days of silence: the start is older than fresh_for (8d), the lead expired, and nobody is told."""
    first = scored(team, [], night(2))
    memory = after(news(first, Memory()), first)
    leads = scored(team, burst("a", 4) + burst("a", 11), night(13))
    assert leads.frame.filter(pl.col("user_id") == "a").get_column("status").to_list() == ["expired"]
    assert new_of(news(leads, memory)) == set()


@pytest.mark.parametrize(("shift", "status"), [(-1, "pql"), (0, "pql"), (1, "expired")])
def test_fresh_ends_after_fresh_for_to_the_microsecond(team, shift, status):
    events = burst("a", 4) + burst("a", 9)
    start = scored(team, events, night(20)).starts.get_column("on")[0]
    leads = scored(team, events, start + 8 * DAY + shift)
    assert leads.frame.filter(pl.col("user_id") == "a").get_column("status").to_list() == [status]


def test_a_changed_definition_says_who_is_new_because_of_it(team, tmp_path):
    events = burst("a", 4, invites=2)
    leads = scored(team, events, night(5))
    memory = after(news(leads, Memory()), leads)
    body = definition(tmp_path).read_text().replace("at_least: 3", "at_least: 2").replace("version: 1", "version: 2")
    (tmp_path / "team.yml").write_text(body)
    looser = load_definition(tmp_path / "team.yml")
    found = news(scored(looser, events + burst("b", 5.2, invites=2), night(6.5)), memory)
    because = found.frame.filter("newly_qualified").select("user_id", "new_because").rows()
    assert sorted(because) == [("a", "definition"), ("b", "world")]


@pytest.mark.parametrize(("shift", "because"), [(0, "definition"), (-1, "world")])
def test_what_the_last_night_could_have_seen_is_new_because_of_the_definition(team, shift, because):
    """The last night saw all up to its own moment; a later start is the world's doing, whatever the definition was."""
    leads = scored(team, burst("a", 30), night(31))
    start = leads.starts.get_column("on")[0]
    found = news(leads, Memory(as_of=start + shift, definition_hash="another"))
    assert found.frame.filter("newly_qualified").get_column("new_because").to_list() == [because]


def id_of(found, user="a"):
    return found.frame.filter(pl.col("user_id") == user).get_column("lead_id")[0]


@pytest.mark.parametrize("moved", [-HOURS, -1, 0, 1, HOURS])
def test_a_lead_id_stays_when_late_events_move_the_start(team, moved):
    leads = scored(team, burst("a", 4), night(5))
    found = news(leads, Memory())
    late = [(user, name, at + moved) for user, name, at in burst("a", 4)]
    again = scored(team, late, night(6))
    assert (again.starts.get_column("on") == leads.starts.get_column("on")).all() == (moved == 0)
    assert id_of(news(again, after(found, leads))) == id_of(found) is not None
    assert found.starts.get_column("lead_id").to_list() == [id_of(found)]
    assert id_of(found, "b") is None


def test_qualifying_again_is_another_lead(team):
    leads = scored(team, burst("a", 4), night(5))
    first = news(leads, Memory())
    again = scored(team, burst("a", 4) + burst("a", 30), night(31))
    second = news(again, after(first, leads))
    assert new_of(second) == {"a"}
    assert id_of(second) != id_of(first)
    assert id_of(second) == again.frame.filter(pl.col("user_id") == "a").get_column("lead_id")[0]


def test_suppressed_leads_are_known_but_never_new(team):
    first = scored(team, [], night(2))
    memory = after(news(first, Memory()), first)
    leads = scored(team, burst("a", 4) + burst("b", 4), night(5))
    found = news(leads, memory, suppressed={"a", "nobody"})
    assert new_of(found) == {"b"}
    assert new_of(news(leads, after(found, leads))) == set()


def test_the_control_arm_is_new_but_not_alerted_and_keeps_its_arm(team):
    first = scored(team, [], night(2))
    memory = after(news(first, Memory()), first)
    leads = scored(team, burst("a", 4) + burst("b", 4) + burst("c", 4), night(5))
    found = news(leads, memory, control=1.0, notify=True)
    assert new_of(found) == {"a", "b", "c"}
    assert found.new.is_empty()
    assert found.withheld == 3
    assert not found.starts.get_column("queued").any()
    later = news(leads, after(found, leads), control=0.0)
    assert later.frame.get_column("arm").to_list() == ["control"] * 3


def test_without_memory_nobody_is_new_or_old(team):
    leads = scored(team, burst("a", 4), night(5))
    assert news(leads, None).frame.get_column("newly_qualified").null_count() == 3
    recent = news(leads, None, since=Duration.parse("2d"))
    assert recent.frame.filter(pl.col("user_id") == "a").get_column("newly_qualified").to_list() == [True]
    assert recent.frame.get_column("newly_qualified").null_count() == 0


def test_a_definition_without_lead_block_never_expires(team):
    from dataclasses import replace

    plain = replace(team, lead=Lead())
    leads = scored(plain, burst("a", 4) + burst("a", 11), night(13))
    assert leads.frame.filter(pl.col("user_id") == "a").select("status", "fresh_until").rows() == [("pql", None)]
