"""Expansion from end to end: proposed, reported and scored, with one entity per stay at risk and one lead per id."""

from __future__ import annotations

import random
from typing import Any

import pytest

from pqlkit.definitions.model import Outcome
from pqlkit.durations import DAY, Duration
from pqlkit.exports.project import Project
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings
from pqlkit.population.population import population_of
from pqlkit.proposal.proposing import propose
from pqlkit.scoring.scoring import score
from pqlkit.snapshots.qualifications import between, pql_conversion_rate
from tests.analysis.canonical import dataset
from tests.rates.simulated import report

T0 = 1_700_006_400_000_000
END = T0 + 400 * DAY
UPSELL = Outcome(
    within=Duration(28, "d"), kind="expansion", from_plan=("pro",), to_plan=("team",), returns_after=Duration(60, "d")
)


def lives():
    """Weeks in the plan; a week in which seats are added is followed by an expansion in one of seven, which is undone later."""
    rng = random.Random(3)
    events: list[dict[str, Any]] = []
    users, rows = [], []
    for user in (f"u{i}" for i in range(900)):
        begins = T0 + rng.randrange(200) * DAY
        users.append({"user_id": user, "signed_up_at": begins})
        rows.append((user, begins, "new", "free", "pro"))
        for monday in range(begins, END, 7 * DAY):
            names = ["login"] * rng.randrange(3)
            if rng.random() < 0.25:
                names += ["seat"] * 3
                if rng.random() < 1 / 7:
                    rows.append((user, monday + 10 * DAY, "expansion", "pro", "team"))
                    rows.append((user, monday + 40 * DAY, "downgrade", "team", "pro"))
            events += [{"user_id": user, "event": name, "timestamp": monday + rng.randrange(DAY)} for name in names]
    columns = ("user_id", "converted_at", "kind", "from_plan", "plan")
    bought = [dict(zip(columns, row, strict=True)) for row in rows if row[1] <= END]
    return {"events": [row for row in events if row["timestamp"] <= END], "users": users, "conversions": bought}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Any:
    return dataset(tmp_path_factory.mktemp("upsell"), **lives())


def test_an_upsell_is_proposed_reported_and_scored(data):
    people = population_of(data, Project(), outcome=UPSELL, entity="user")
    assert people.entities.height > people.entities["id"].n_unique() == 900
    found = propose(people, Settings(snapshots="every:28d"), ProposeOptions(permutations=0, top=1))
    (best,) = found.candidates
    assert {event for leaf in best.definition.criteria for event in leaf.events or ()} == {"seat"}
    assert best.definition.outcome == UPSELL
    again = population_of(data, Project(), definition=best.definition)
    own = report(again, best.definition)
    assert pql_conversion_rate(between(own.starts, found.holdout.first, None)) == best.promised.rate
    assert own.funnel.customers <= again.conversions.first
    hits = own.starts.filter("y")
    assert hits["entity"].n_unique() == hits.height
    leads = score(again, best.definition).frame
    assert leads["user_id"].n_unique() == leads.height == 900
