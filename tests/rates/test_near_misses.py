"""Near misses: who was near at earlier dates, what became of them, and who is near now."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from pqlkit.definitions.folders import load_definition
from pqlkit.measures.world import seen_of
from pqlkit.rates.near_misses import near_misses
from pqlkit.scoring.scoring import score
from pqlkit.snapshots.spells import qualifications
from pqlkit.statistics.rate import Rate
from tests.analysis.canonical import in_memory
from tests.scoring.nights import START, at, definition, drawn

BODY = "qualify: {id: invites, event: invite, at_least: 10, trailing: 20d}\noutcome: {within: 10d}\n"
NOW = 130


def looked(tmp_path, entities, events, *, body=BODY, now=NOW):
    meaning = load_definition(definition(tmp_path, body))
    people = in_memory(entities, events, as_of=at(now), history_from=START)
    assert meaning.outcome is not None
    spells = qualifications(people, meaning)
    misses = near_misses(people, meaning, meaning.outcome, spells, people.world)
    # As a dataset has it, where the last event of each is written down.
    known = replace(people, world=replace(people.world, summed_up=seen_of(people.world.events)))
    assert near_misses(known, meaning, meaning.outcome, spells, known.world) == misses
    return misses, people, meaning


def invites(who, *days):
    return [(who, "invite", at(day)) for day in days]


def test_what_became_of_near_misses_and_who_is_near_now(tmp_path):
    """The dates are day 120, 92 and 64: the conversion window before now, and every four weeks."""
    nine = [110 + i / 10 for i in range(9)]
    entities = [{"id": name, "anchor": START} for name in ("gets", "buys", "rests", "quiet", "before", "one", "now")]
    entities[1]["converted"] = at(125)
    entities += [{"id": "paid", "anchor": START, "converted": at(115)}, {"id": "late", "anchor": at(121)}]
    events = [
        *invites("gets", *nine, 122),  # qualifies within ten days of day 120
        *invites("buys", *nine),  # a customer on day 125
        *invites("rests", *nine, 131),
        *invites("quiet", *(day - 9 for day in nine)),  # not active in the 14 days before day 120
        *invites("before", *[90 + i / 20 for i in range(10)], *nine),  # qualified once
        *invites("one", *nine[:7]),  # 70 % of the way
        *invites("paid", *nine),
        *invites("late", *nine),
        *invites("now", *[122 + i / 20 for i in range(8)]),  # 80 % of the way at the end, two short
    ]
    misses, _, _ = looked(tmp_path, entities, events)
    assert misses.dates == (at(120), at(92), at(64))
    assert misses.qualified == Rate.of(1, 3)
    assert misses.customers == Rate.of(1, 3)
    # rests: the 20 days still hold its nine, but it has done nothing for 14 days; late signed up on day 121 and has no ten.
    assert (misses.now, misses.in_reach) == (1, 0)
    more, _, _ = looked(tmp_path, entities, [*events, *invites("now", 125)])
    assert (more.now, more.in_reach) == (1, 1)


def test_what_was_done_later_makes_nobody_active_then(tmp_path):
    """Also where all events are summed up by user, as a dataset has them: the newest of all is not the newest by that date."""
    meaning = load_definition(definition(tmp_path, BODY))
    nine = [101 + i / 10 for i in range(9)]  # not active in the 14 days before day 120
    entities = [{"id": "quiet", "anchor": START}]
    people = in_memory(entities, invites("quiet", *nine, 129), as_of=at(NOW), history_from=START)
    summed_up = replace(people.world, summed_up=seen_of(people.world.events))
    assert meaning.outcome is not None
    spells = qualifications(people, meaning)
    misses = near_misses(replace(people, world=summed_up), meaning, meaning.outcome, spells, summed_up)
    assert misses.qualified == Rate.of(0, 0)


def test_one_step_is_in_reach_however_small_the_threshold(tmp_path):
    body = BODY.replace("at_least: 10", "at_least: 5")
    misses, _, _ = looked(tmp_path, [{"id": "a", "anchor": START}], invites("a", 125, 126, 127, 128), body=body)
    assert (misses.now, misses.in_reach) == (1, 1)


def test_it_is_whom_score_would_have_called_near(tmp_path):
    """At each date the near ones are those of a score of that day, over data that ends there."""
    events = [(who, "invite", when) for who, _, when in drawn(3, users=80, days=100)]
    names = sorted({who for who, _, _ in events})
    bought = {name: at(60) for name in names[::7]}
    entities = [{"id": name, "anchor": START, "converted": bought.get(name)} for name in names]
    body = BODY.replace("at_least: 10", "at_least: 4") + "lead: {near: {at_least: 50%}}\n"
    misses, people, meaning = looked(tmp_path, entities, events, body=body, now=110)
    near = 0
    for date in misses.dates:
        known = [
            {**row, "converted": row["converted"] if row["converted"] and row["converted"] <= date else None}
            for row in entities
        ]
        past = in_memory(known, [event for event in events if event[2] <= date], as_of=date)
        near += score(past, meaning).frame.filter(pl.col("status") == "near").height
    assert near == misses.qualified.denominator > 5
    assert misses.now == score(people, meaning).frame.filter(pl.col("status") == "near").height


def test_a_date_before_the_export_is_not_looked_at(tmp_path):
    misses, people, meaning = looked(tmp_path, [{"id": "a", "anchor": START}], invites("a", 20, 21), now=45)
    assert misses.dates == (at(35),)
    young = replace(people, history_from=at(30))
    assert meaning.outcome is not None
    assert near_misses(young, meaning, meaning.outcome, qualifications(young, meaning), young.world).dates == ()


def test_the_conversion_window_of_a_near_one_ends_with_its_last_microsecond(tmp_path):
    """Near on day 120; the tenth invite comes ten days later to the microsecond, with the last moment of the data."""
    nine = [111 + i / 10 for i in range(9)]
    misses, _, _ = looked(tmp_path, [{"id": "a", "anchor": START}], invites("a", *nine, 130))
    assert misses.qualified == Rate.of(1, 1)


@pytest.mark.parametrize(("shift", "near"), [(0, 0), (1, 1)])
def test_who_was_active_just_longer_ago_than_asked_is_not_near(tmp_path, shift, near):
    """Active within 14 days of day 130: later than the first moment of day 116."""
    eight = [*invites("a", *(115 + i / 20 for i in range(7))), ("a", "invite", at(116) + shift)]
    assert looked(tmp_path, [{"id": "a", "anchor": START}], eight)[0].now == near


@pytest.mark.parametrize(("shift", "dates"), [(0, ()), (-1, (at(28),))])
def test_a_date_lies_more_than_a_step_after_the_begin_of_the_export(tmp_path, shift, dates):
    _, people, meaning = looked(tmp_path, [{"id": "a", "anchor": START}], invites("a", 20), now=38)
    begun = replace(people, history_from=START + shift)
    assert meaning.outcome is not None
    assert near_misses(begun, meaning, meaning.outcome, qualifications(begun, meaning), begun.world).dates == dates
