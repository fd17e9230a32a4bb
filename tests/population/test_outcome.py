"""Outcomes as the project file writes them, and as definitions inherit them."""

from __future__ import annotations

from typing import Any

import pytest

from pqlkit.definitions.model import Condition, Criterion, Definition, EntityKind, Operator, Outcome, Window, WindowKind
from pqlkit.exports.project import Project
from pqlkit.population.outcome import merged_outcome, project_outcome
from tests.analysis.canonical import days

ADOPTED = Definition(
    name="adopted",
    entity=EntityKind.USER,
    qualify=Criterion(id="a", events=("x",), window=Window(kind=WindowKind.EVER), at_least=1),
    outcome=None,
)


def find(name):
    return {"adopted": ADOPTED}[name]


def test_every_key_is_read():
    written: dict[str, Any] = {
        "within": "2w",
        "where": {
            "plan": "pro",
            "country": ["NL", "DE"],
            "amount": {"at_least": 2, "at_most": 9},
            "team": {"not_in": ["x"]},
        },
        "retained_for": "90d",
        "kind": "expansion",
        "from": ["pro", "team"],
        "to": "team",
        "returns_after": "60d",
    }
    found = project_outcome(written, find)
    assert found == Outcome(
        within=days("14d"),
        where=(
            Condition(name="plan", operator=Operator.EQUALS, values=("pro",)),
            Condition(name="country", operator=Operator.IN, values=("NL", "DE")),
            Condition(name="amount", operator=Operator.AT_LEAST, values=(2,)),
            Condition(name="amount", operator=Operator.AT_MOST, values=(9,)),
            Condition(name="team", operator=Operator.NOT_IN, values=("x",)),
        ),
        retained_for=days("90d"),
        kind="expansion",
        from_plan=("pro", "team"),
        to_plan=("team",),
        returns_after=days("60d"),
    )
    assert project_outcome({"definition": "adopted"}, find).definition is ADOPTED
    assert project_outcome({"event": "Submit Upgrade"}, find).event == "Submit Upgrade"


def test_nothing_written_is_the_first_conversion_within_30_days():
    assert project_outcome({}, find) == Outcome(within=days("30d"))


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (None, {"within": "60d", "event": "buy", "kind": None}),
        (Outcome(within=days("9d")), {"within": "9d", "event": "buy", "kind": None}),
        (Outcome(within=days("9d"), event="pay"), {"within": "9d", "event": "pay", "kind": None}),
        (Outcome(within=days("9d"), definition=ADOPTED), {"within": "9d", "event": None, "kind": None}),
        (Outcome(within=days("9d"), kind="new"), {"within": "9d", "event": "buy", "kind": "new"}),
    ],
)
def test_a_definitions_keys_win_one_by_one(own, expected):
    from dataclasses import replace

    project = Project(outcome={"within": "60d", "event": "buy", "retained_for": "7d"})
    found = merged_outcome(project, replace(ADOPTED, outcome=own), find)
    assert (str(found.within), found.event, found.kind) == (expected["within"], expected["event"], expected["kind"])
    assert found.retained_for == days("7d")
