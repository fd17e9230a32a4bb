"""Contacts: who had been called before a moment."""

from __future__ import annotations

from typing import Any

import polars as pl

from pqlkit.analysis.analyzing import analyze
from pqlkit.durations import DAY
from pqlkit.exports.project import Project
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings
from pqlkit.population.population import population_of
from pqlkit.proposal.proposing import propose
from pqlkit.reporting.records.analysis import record
from pqlkit.snapshots.contacts import contacted_before
from tests.analysis.canonical import dataset

USERS = 1_200


def people(tmp_path, *, calls=True):
    """Every third user invites and converts often; every sixth had been called on day one, every other sixth on day forty."""
    users: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    conversions: list[dict[str, Any]] = []
    contacts: list[dict[str, Any]] = []
    for number in range(USERS):
        name, anchor = f"u{number:04}", 20_000 * DAY + number * DAY // 10
        users.append({"user_id": name, "signed_up_at": anchor})
        events += [
            {"user_id": name, "event": "login", "timestamp": anchor + day * DAY} for day in range(number % 4 + 1)
        ]
        if number % 3 == 0:
            events += [
                {"user_id": name, "event": "invite", "timestamp": anchor + (2 + turn) * DAY} for turn in range(3)
            ]
            if number % 9 != 0:
                conversions.append({"user_id": name, "converted_at": anchor + (16 + number % 7) * DAY})
            contacts.append({"user_id": name, "at": anchor + (1 if number % 6 == 0 else 40) * DAY})
        elif number % 40 == 1:
            conversions.append({"user_id": name, "converted_at": anchor + 20 * DAY})
    tables: Any = {"events": events, "users": users, "conversions": conversions}
    if calls:
        tables["contacts"] = contacts
    return population_of(dataset(tmp_path, **tables), Project(), entity="user")


def test_a_moment_is_told_by_the_first_contact_before_it(tmp_path):
    population = people(tmp_path)
    anchors = population.entities.select("entity", "anchor")
    for after, wanted in ((1, 0), (1.5, USERS // 6), (39, USERS // 6)):
        moments = anchors.select("entity", at=pl.col("anchor") + int(after * DAY))
        found = contacted_before(population, moments)
        assert found is not None
        assert int(found.sum()) == wanted


def test_without_contacts_nothing_is_said(tmp_path):
    population = people(tmp_path, calls=False)
    assert contacted_before(population, population.entities.select("entity", at=pl.col("anchor"))) is None
    found = analyze(population, Settings(snapshots="once:14d"))
    assert found.contacted is None
    written: Any = record(found)
    assert {row["contacted_before"] for row in written["behaviours"]} == {None}


def test_analyze_and_propose_say_how_many_had_been_called(tmp_path):
    population = people(tmp_path)
    found = analyze(population, Settings(snapshots="once:14d"))
    row = next(shown for one in found.behaviours if one.behaviour.event == "invite" and (shown := one.as_shown()))
    counted = found.contacted_before(row)
    assert counted is not None
    called, done = counted
    assert done == row.table.n1
    # Half of those who invite had been called on their first day.
    assert abs(called - done / 2) <= 1
    proposal = propose(population, Settings(snapshots="once:14d"), ProposeOptions(permutations=0))
    assert proposal.candidates
    assert proposal.contacted is not None
    assert abs(proposal.contacted[0] - proposal.contacted[1] / 2) <= 1
    assert proposal.contacted[1] == proposal.candidates[0].promised.starts
