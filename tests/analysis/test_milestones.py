"""Milestones on a population: whose clock they count from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pqlkit.definitions.folders import load_definitions
from pqlkit.definitions.model import (
    Anchor,
    Criterion,
    Definition,
    EntityKind,
    Ref,
    Window,
    WindowKind,
)
from pqlkit.durations import DAY
from pqlkit.exports.project import Project
from pqlkit.measures.evaluation import evaluate, spells_of
from pqlkit.population.entity_world import anchored
from pqlkit.population.population import population_of
from tests.analysis.canonical import dataset, days

T0 = 1_700_006_400_000_000
FILE = Path(__file__).parents[2] / "configs" / "definitions" / "activated-team.yml"


def act(user, at, event):
    return {"user_id": user, "account_id": None, "event": event, "timestamp": T0 + int(at * DAY)}


def started(user, first, last):
    return [act(user, first, "project_created"), *(act(user, last, "task_completed") for _ in range(3))]


@pytest.mark.parametrize(("late", "qualifies"), [(7 - 1 / DAY, True), (7, False)])
def test_a_team_is_counted_by_its_users_signups(tmp_path, late, qualifies):
    found_in_file = [one.definition for one in load_definitions([FILE]) if one.definition is not None]
    team = next(one for one in found_in_file if one.name == "activated-team")
    signups = {"u1": 0, "u2": 3, "u3": 10}
    # Five days after the signup and two after its own first event: the signup is what counts.
    events = [row for name, day in signups.items() for row in started(name, day + 5, day + late)]
    data = dataset(
        tmp_path,
        events=[*events, act("u1", 100, "login")],
        users=[{"user_id": name, "signed_up_at": T0 + day * DAY, "account_id": "A"} for name, day in signups.items()],
        accounts=[{"account_id": "A", "signed_up_at": T0}],
    )
    found = population_of(data, Project(), definition=team)
    result = evaluate(found.world, team)
    assert result.criteria["value"].to_list() == [3 if qualifies else 0]
    assert result.spells["on"].to_list() == ([T0 + 17 * DAY - 1] if qualifies else [])


def test_a_milestone_counts_from_the_signup_inside_a_definition_that_does_not(tmp_path):
    week = Window(kind=WindowKind.WITHIN, length=days("7d"))
    event = Criterion(id="a", events=("project_created",), window=week, at_least=1)
    milestone = Definition(name="m", entity=EntityKind.USER, qualify=event, outcome=None)
    trial = Anchor(kind="event", event="trial_started")
    outer = replace(milestone, name="o", anchor=trial, qualify=Ref(id="m", name="m", target=milestone))
    events = [
        act("early", 2, "project_created"), act("early", 6, "trial_started"), act("late", 6, "trial_started"),
        act("late", 8, "project_created"), act("late", 100, "login"),
    ]  # fmt: skip
    users = [{"user_id": name, "signed_up_at": T0} for name in ("early", "late")]
    found = population_of(dataset(tmp_path, events=events, users=users), Project(), definition=outer)
    assert spells_of(found.world, outer).rows() == [(0, T0 + 6 * DAY, None)]


def test_clocks_are_set_anew_however_often(tmp_path):
    events = [act("a", 2, "trial_started"), act("a", 4, "project_created"), act("a", 100, "login")]
    data = dataset(tmp_path, events=events, users=[{"user_id": "a", "signed_up_at": T0}])
    world = population_of(data, Project()).world
    for event, day in (("trial_started", 2), ("project_created", 4)):
        world = anchored(world, Anchor(kind="event", event=event))
        assert world.entities.select("anchor", "signup").rows() == [(T0 + day * DAY, T0)]
    assert anchored(world, Anchor()).entities["anchor"].to_list() == [T0]
