"""A short run of the promises: a world or two of each kind, small enough for every test run."""

from __future__ import annotations

import pytest

from tests.simulation.promises import (
    STUDIES,
    additive,
    additive_lines,
    drift_lines,
    drifting,
    easy,
    easy_lines,
    fading_lines,
    freemium_lines,
    freemium_world,
    nothing,
    nothing_lines,
    printed,
    printed_lines,
    promise_kept,
    promise_lines,
    quiet_lines,
    trap_lines,
)
from tests.simulation.quiet_years import fading, quiet


def kept(lines) -> list[str]:
    """Name the promises that were not kept."""
    return [line.what for line in lines if line.kept is False]


@pytest.mark.slow
def test_an_easy_rule_and_every_trap():
    runs = [easy(seed, users=8_000) for seed in (0, 4)]
    assert kept(trap_lines(runs)) == []
    assert [run["inside"] for run in runs] == [True, True]
    assert len(easy_lines(runs)) == 4


def test_what_is_printed_is_what_sql_counts():
    assert kept(printed_lines([printed(0, users=5_000)])) == []


@pytest.mark.slow
def test_nothing_is_found_where_there_is_nothing():
    assert kept(nothing_lines([nothing(number) for number in (0, 1, 5)])) == []


def test_drift_is_named():
    runs = [drifting(number) for number in (0, 1, 2)]
    assert {run["drift"] for run in runs} == {"effect", "volume", None}
    assert kept(drift_lines(runs)) == []


@pytest.mark.slow
def test_intervals_hold_the_true_rate():
    runs = [promise_kept(number) for number in range(6)]
    assert sum(run["covered"] for run in runs if run["said"]) >= 4
    assert promise_lines(runs)[0].promised == "93 to 97 %"


def test_points_beat_the_rule_where_the_truth_adds_up():
    run = additive(0, users=6_000)
    assert run["points"] > run["rule"]
    assert run["points"] > 0.85 * run["true"]
    assert len(additive_lines([run])) == 2


@pytest.mark.slow
def test_the_freemium_world_conserves_conversions_and_its_rates_agree():
    run = freemium_world(0, accounts=6_000)
    assert run["conserved"]
    assert run["same"]
    assert len(freemium_lines([run])) == 4


@pytest.mark.slow
def test_a_gate_is_quiet_in_a_year_in_which_nothing_changes():
    runs = [quiet(number, users=2_000, step=28) for number in (0, 3)]
    assert {run["young"] for run in runs} == {True, False}
    assert kept(quiet_lines(runs)) == []


def test_an_effect_that_ends_is_seen_in_the_quarter_in_progress():
    assert kept(fading_lines([fading(0)])) == []


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.letter)
def test_every_study_says_what_it_promises(study):
    assert study.runs > 0
    assert study.title
