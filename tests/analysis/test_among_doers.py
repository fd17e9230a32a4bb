"""Which kind of an event: a value against the other values, among those who did the event as often."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pqlkit.analysis.among_doers import admitted, kind_tests
from pqlkit.analysis.analyzing import analyze
from pqlkit.analysis.observation import observe
from pqlkit.definitions.expression import parse_expression
from pqlkit.durations import DAY
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings
from pqlkit.proposal.proposing import propose
from pqlkit.proposal.trying import try_
from pqlkit.reporting.records.analysis import record
from tests.analysis.canonical import in_memory

ONCE = Settings(snapshots="once:14d")


def world(*, worth: float = 5.0, much: float = 1.0, seed: int = 1, users: int = 3_000, generic: bool = False):
    """Make users who share with a collaborator, with a link or not at all, and import contacts.

    Whoever shares with a collaborator converts `worth` times as often as others, whoever imports 50 contacts or more `much` times.
    Sharing itself is worth nothing. With `generic` all that is done is one event, ``feature_used``.
    """
    rng = np.random.default_rng(seed)
    people: list[dict[str, Any]] = []
    events: list[Any] = []
    for number in range(users):
        name, anchor = f"u{number:05}", int(rng.integers(0, 150 * DAY))
        shares = [
            str(way) for way in rng.choice(["collaborator", "link", "export"], rng.poisson(1.5), p=[0.15, 0.5, 0.35])
        ]
        imported = int(rng.choice([0, 5, 20, 80], p=[0.6, 0.15, 0.15, 0.1]))
        chance = 0.05 * (worth if "collaborator" in shares else 1.0) * (much if imported >= 50 else 1.0)
        converted = anchor + 15 * DAY + int(rng.integers(1, 20 * DAY)) if rng.random() < chance else None
        people.append({"id": name, "anchor": anchor, "converted": converted})

        def at(anchor: int = anchor) -> int:
            return anchor + int(rng.integers(0, 14 * DAY))

        event, key = ("feature_used", "feature") if generic else ("shared", "with")
        events += [(name, event, at(), {key: way, "size": float(rng.integers(1, 9))}) for way in shares]
        if imported:
            events.append((name, "imported", at(), {"contacts": float(imported)}))
        events += [(name, "login", at()) for _ in range(int(rng.integers(1, 6)))]
    return in_memory(people, events, as_of=200 * DAY)


@pytest.fixture(scope="module")
def deciding():
    return world(much=3.0)


@pytest.fixture(scope="module")
def analysis(deciding):
    return analyze(deciding, ONCE)


def test_the_value_that_decides_is_told_among_the_doers(analysis):
    first = analysis.kinds[0]
    assert first.test.behaviour.event == "shared"
    assert [(one.name, one.values) for one in first.test.behaviour.where] == [("with", ("collaborator",))]
    assert first.test.threshold == 1
    assert first.test.expression == f'shared[with = "collaborator"] in {first.test.behaviour.window.length}'
    doers = next(
        one.curve[0].table
        for one in analysis.behaviours
        if one.behaviour.event == "shared"
        and one.behaviour.measure.kind == "count"
        and one.behaviour.window == first.test.behaviour.window
    )
    assert first.test.table.total == doers.n1
    assert first.test.table.m1 == doers.a
    assert first.test.event_rate == doers.with_.rate


def test_a_number_is_added_up_without_asking(analysis):
    told = {(row.test.behaviour.event, row.test.behaviour.measure.kind.value) for row in analysis.kinds}
    assert ("imported", "sum") in told or ("imported", "max") in told
    row = next(row for row in analysis.kinds if row.test.behaviour.event == "imported")
    assert 20 < row.test.threshold <= 80
    assert row.test.behaviour.measure.property == "contacts"


def test_intervals_of_what_was_chosen_are_wider_and_hold_the_truth(analysis):
    for row in analysis.kinds:
        plain = row.test.table.relative_risk()
        assert row.relative_risk.value == plain.value
        if row.relative_risk.low is not None:
            assert row.relative_risk.low < plain.low
            assert row.relative_risk.high > plain.high


def test_a_generic_event_is_split_by_its_property():
    found = analyze(world(generic=True), ONCE)
    first = found.kinds[0].test
    assert first.behaviour.event == "feature_used"
    assert first.behaviour.where[0].values == ("collaborator",)


def test_a_property_that_says_nothing_is_not_told():
    told = [bool(analyze(world(worth=1.0, seed=seed, users=1_200), ONCE).kinds) for seed in range(12)]
    assert sum(told) <= 2


def test_the_record_spells_the_kind(analysis):
    written: Any = record(analysis)
    row = written["kinds"][0]
    assert row["where"] == {"with": "collaborator"}
    assert row["with"]["rate"] > row["event_rate"] > row["without"]["rate"]
    assert row["tests"] > 4
    assert written["tests"] == len(written["behaviours"]) + len({one["event"] for one in written["kinds"]}) + _fewer(
        analysis
    )


def _fewer(analysis):
    from pqlkit.analysis.fewer import fewer

    return len(fewer(analysis.observed, skip=analysis.observed.left_out))


def test_the_hypothesis_counts_what_was_told(deciding, analysis):
    test = analysis.kinds[0].test
    trial = try_(deciding, test.expression, parse_expression(test.expression), ONCE)
    assert trial.table.n1 == test.table.n1
    assert trial.table.a == test.table.a


def test_a_search_takes_in_what_goes_with_more_and_proposes_it(deciding):
    observed = observe(deciding, ONCE)
    first = len(observed.cube.behaviours)
    taken = admitted(kind_tests(observed.with_kinds, observed.y, first=first))
    names = {observed.with_kinds.behaviours[column].event for column in taken}
    assert "shared" in names
    assert min(taken) >= first
    proposal = propose(deciding, ONCE, ProposeOptions(permutations=0))
    assert proposal.candidates
    criteria = proposal.candidates[0].definition.criteria
    assert any(one.where and one.where[0].values == ("collaborator",) for one in criteria)
    assert "collaborator" in proposal.candidates[0].definition.name


def test_a_search_takes_in_nothing_where_no_property_tells(deciding):
    observed = observe(world(worth=1.0, seed=5), ONCE)
    first = len(observed.cube.behaviours)
    assert len(observed.with_kinds.behaviours) > first
    assert admitted(kind_tests(observed.with_kinds, observed.y, first=first)) == frozenset()


def test_a_value_that_belongs_to_the_upgrade_is_no_kind():
    rng = np.random.default_rng(3)
    people: list[dict[str, Any]] = []
    events: list[Any] = []
    for number in range(1_500):
        name, anchor = f"u{number:05}", int(rng.integers(0, 150 * DAY))
        converted = anchor + 15 * DAY + int(rng.integers(1, 20 * DAY)) if rng.random() < 0.15 else None
        people.append({"id": name, "anchor": anchor, "converted": converted})
        events += [
            (name, "page", anchor + int(rng.integers(0, 30 * DAY)), {"path": str(rng.choice(["/a", "/b"]))})
            for _ in range(4)
        ]
        if converted is not None:
            events.append((name, "page", converted - 60_000_000, {"path": "/checkout"}))
    observed = observe(in_memory(people, events, as_of=200 * DAY), ONCE)
    values = {one.where[0].values[0] for one in observed.with_kinds.behaviours if one.where}
    assert values == {"/a", "/b"}
