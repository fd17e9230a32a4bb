"""Fewer conversions: found among those as active, told by what was expected, and handed on as a hypothesis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pqlkit.analysis.analyzing import analyze
from pqlkit.analysis.fewer import EXPECTED, fewer
from pqlkit.analysis.observation import observe
from pqlkit.definitions.expression import parse_expression
from pqlkit.durations import DAY
from pqlkit.options.settings import Settings
from pqlkit.proposal.trying import try_
from pqlkit.reporting.records.analysis import record
from tests.analysis.canonical import in_memory

ONCE = Settings(snapshots="once:14d")


def world(*, tickets: float = 1.0, seed: int = 1, users: int = 2_500, activity: float = 0.0, asking: float = 0.2):
    """Make users whose chance to convert grows with what they do, and is multiplied for whoever asks for support.

    Whoever does more asks more often, as far as `activity` says so.
    """
    rng = np.random.default_rng(seed)
    people, events = [], []
    for number in range(users):
        name, anchor = f"u{number:05}", int(rng.integers(0, 150 * DAY))
        logins = int(rng.poisson(2 + 6 * rng.random() ** 2))
        asks = rng.random() < asking + activity * logins / 10
        chance = 0.03 * (1 + logins) * (tickets if asks else 1.0)
        converted = anchor + 15 * DAY + int(rng.integers(1, 20 * DAY)) if rng.random() < chance else None
        people.append({"id": name, "anchor": anchor, "converted": converted})
        events += [(name, "login", anchor + int(at)) for at in rng.integers(0, 14 * DAY, logins)]
        if asks:
            events.append((name, "ticket", anchor + int(rng.integers(0, 14 * DAY))))
    return in_memory(people, events, as_of=200 * DAY)


@pytest.fixture(scope="module")
def masked():
    """Tickets halve the chance, but are written by those who are active: among all they hardly show."""
    return world(tickets=0.4, activity=0.9, asking=0.0)


def test_what_activity_hides_is_found_among_the_active(masked):
    found = analyze(masked, ONCE)
    row = next(one for one in found.fewer if one.behaviour.event == "ticket")
    assert row.threshold == 1
    assert row.effect is not None
    assert row.effect.odds_ratio.high is not None
    assert row.effect.odds_ratio.high < 1
    left = row.effect.relative_risk.value
    assert left is not None
    assert 0.3 < left < 0.55
    # Among all of them the ratio is nearer to one: who asks does more, too.
    crude = next(one for one in found.behaviours if one.behaviour.event == "ticket")
    seen = crude.curve[0].table.relative_risk().value
    assert seen is not None
    assert seen > left + 0.05
    assert row.table.a < row.expected


def test_activity_alone_is_no_finding():
    found = analyze(world(tickets=1.0, activity=0.9), ONCE)
    assert "ticket" not in {one.behaviour.event for one in found.fewer}


def test_none_at_all_is_a_finding_where_many_were_expected():
    observed = observe(world(tickets=0.0), ONCE)
    rows = [one for one in fewer(observed) if one.behaviour.event == "ticket"]
    assert rows
    assert all(one.table.a == 0 and one.expected >= EXPECTED for one in rows)
    assert any(one.stands for one in rows)
    assert all(one.relative_risk.value == 0 for one in rows)


def test_nothing_is_tested_of_which_little_was_expected():
    observed = observe(world(tickets=0.0, asking=0.005), ONCE)
    assert "ticket" not in {one.behaviour.event for one in fewer(observed)}


def test_the_hypothesis_that_is_offered_counts_what_was_found(masked):
    found = analyze(masked, ONCE)
    row = next(one for one in found.fewer if one.behaviour.event == "ticket")
    trial = try_(masked, row.expression, parse_expression(row.expression), ONCE)
    observed = trial.observed
    # Those who met it are all that did not reach the threshold, active or not.
    did = int(row.table.n1)
    assert trial.table.n1 == len(observed.y) - did - _inactive_doers(observed, row.threshold)


def _inactive_doers(observed, threshold):
    """Count those who did nothing but ask: nobody is as active as they are."""
    did, logins = np.zeros(len(observed.y), bool), np.zeros(len(observed.y), bool)
    for index, one in enumerate(observed.cube.behaviours):
        if one.measure.kind.value == "count" and str(one.window.length) == "14d":
            rows, levels = observed.cube.column(index)
            if one.event == "ticket":
                did[rows[levels >= threshold]] = True
            if one.event == "login":
                logins[rows] = True
    return int((did & ~logins).sum())


def test_the_record_names_the_row_and_the_hypothesis(masked):
    written: Any = record(analyze(masked, ONCE))
    row = next(one for one in written["fewer"] if one["event"] == "ticket")
    assert row["expression"] == f"ticket <= 0 in {row['window']}"
    assert row["with"]["converted"] < row["expected"]
    assert written["tests"] >= len(written["behaviours"])


def test_false_findings_are_rare():
    found = [fewer(observe(world(seed=seed, users=800), ONCE)) for seed in range(30)]
    assert sum(any(one.stands for one in rows) for rows in found) <= 4
