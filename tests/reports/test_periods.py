"""Periods: planted drift is called by its name, and the reference is what the evidence came from."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from pqlkit.reporting.periods import ENOUGH, Basis, _bounds, _over, newest_verdict
from tests.reports.simulated import people, record, report, rule


@cache
def made(name, evidence=()) -> Any:
    asked = rule(name)
    if evidence:
        asked = replace(asked, evidence={"data": dict(zip(("from", "through"), evidence, strict=True))})
    return report(people(name), asked)


def verdicts(found):
    return [one.drift.verdict.value for one in found.periods if one.drift is not None]


@pytest.mark.parametrize(
    ("name", "newest", "drifted"),
    [("steady", "stable", False), ("effect", "effect-decayed", True), ("volume", "volume-drift", True)],
)
def test_planted_drift_is_called_by_its_name(name, newest, drifted):
    found = made(name)
    assert newest_verdict(found.periods) == newest
    assert found.drifted is drifted


def test_drift_of_the_volume_names_the_event():
    events = {leaf.events[0] for leaf in rule("volume").criteria}
    moved = [set(one.moved) for one in made("volume").periods if one.mature][-1]
    assert moved
    assert moved <= events
    assert all(not one.moved for one in made("steady").periods)


def test_without_evidence_the_first_periods_are_taken_together():
    found = made("steady").periods
    basis = [one.basis for one in found]
    reference = [one for one in found if one.reference]
    mature = [one for one in found if one.mature]
    assert basis[: len(reference)] == [Basis.FIRST] * len(reference)
    assert len(reference) <= len(mature) / 2
    leads = [one.rate.denominator for one in reference]
    assert sum(leads) >= ENOUGH > sum(leads[:-1]) or len(reference) == len(mature) // 2
    assert all(one.drift is None for one in reference)
    assert all(one.drift is not None for one in mature[len(reference) :])


def test_the_evidence_chooses_the_reference():
    found = made("steady", ("2025-03-03", "2025-07-20")).periods
    names = [one.period for one in found if one.reference]
    assert names
    assert all(one.basis is Basis.EVIDENCE for one in found if one.reference)
    assert names == ["2025-Q2"]
    assert [one.drift is None for one in found] == [True, True, False, True]
    assert verdicts(made("steady", ("2025-01-15", "2025-06-15"))) == verdicts(
        made("steady", ("2025-01-01", "2025-06-30"))
    )
    assert [one.reference for one in made("steady", ("2025-01-15", "2025-06-15")).periods] == [True, True, False, False]


@pytest.mark.parametrize("dates", [("2025-01-01", "2026-12-31"), ("2019-01-01", "2019-12-31"), (None, "soon")])
def test_evidence_that_nothing_follows_is_no_reference(dates):
    found = made("steady", dates)
    assert {one.basis for one in found.periods if one.reference} == {Basis.FIRST}
    assert verdicts(found)


def test_a_period_is_mature_when_its_last_start_is():
    found = made("steady")
    names = [one.period for one in found.periods]
    assert [one.mature for one in found.periods] == sorted((one.mature for one in found.periods), reverse=True)
    assert not found.periods[-1].mature
    horizon = rule("steady").outcome.within.microseconds
    end = _bounds(names[0], "UTC")[1]
    exact = replace(found.population, as_of=end + horizon - 1)
    assert _over(names[0], exact, rule("steady"))
    assert not _over(names[0], replace(exact, as_of=exact.as_of - 1), rule("steady"))


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/St_Johns"])
@pytest.mark.parametrize("names", [["2024-12", "2025-01", "2025-02"], ["2024-Q4", "2025-Q1", "2025-Q2"]])
def test_periods_meet_without_a_gap(names, zone):
    bounds = [_bounds(name, zone) for name in names]
    assert all(before[1] == after[0] for before, after in pairwise(bounds))


def test_too_few_is_said_plainly_and_is_no_drift():
    found = report(people("recipe"), rule("recipe"))
    assert set(verdicts(found)) == {"too-few"}
    assert not found.drifted
    written = [one for one in record(found)["periods"] if one["drift"]["verdict"]]
    assert {one["drift"]["verdict"] for one in written} == {"too-few"}
    reference = [one for one in record(found)["periods"] if one["reference"]]
    assert reference[0]["basis"] == "first"
    assert reference[0]["drift"]["p_value"] is None
