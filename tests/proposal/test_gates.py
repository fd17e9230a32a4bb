"""The gate passes what comparable others do not do, at a size that matters."""

from __future__ import annotations

import numpy as np
import pytest

from pqlkit.proposal.comparable import Comparison
from pqlkit.proposal.gates import Asked, gate
from pqlkit.statistics.stratified import Moments, excess


def compared(n, a, m, b, *, clusters=None, newest=None):
    """Leads and others of one stratum, each of another entity unless `clusters` says how many there are."""
    size = clusters or n + m
    kind = Moments(y=np.arange(n) < a, cluster=np.arange(n) % size, strata=[np.zeros(n, dtype=np.int64)])
    others = Moments(y=np.arange(m) < b, cluster=(n + np.arange(m)) % size, strata=[np.zeros(m, dtype=np.int64)])
    return Comparison(active=excess(kind, others), adjusted=None, newest=newest)


def judged(comparison, **asked):
    return gate(comparison, starts=100, weeks=20.0, asked=Asked(**asked))


def test_what_stands_out_passes():
    found = judged(compared(200, 60, 2_000, 100))
    assert (found.passed, found.reasons, found.conditional) == (True, (), None)
    assert found.relative_risk == pytest.approx(6)
    assert found.p_value is not None
    assert found.p_value < 1e-6


def test_what_else_is_known_against_a_rule_fails_it():
    found = gate(compared(200, 60, 2_000, 100), starts=100, weeks=20.0, faults=["a trait of it keeps out better leads"])
    assert (found.passed, found.reasons) == (False, ("a trait of it keeps out better leads",))


def test_where_nothing_can_be_judged_what_is_known_says_why():
    assert gate(None, starts=100, weeks=20.0, faults=["their windows end too soon"]).reasons == (
        "their windows end too soon",
    )


def test_what_others_do_as_well_fails_in_words():
    found = judged(compared(200, 12, 2_000, 100))
    assert found.reasons == (
        "its later leads convert 6.0%, comparable others 5.0%: 1.2 times as often, less than 1.5",
        f"chance alone does as well with p = {found.p_value:.2g}, more than 0.01",
    )


def test_what_passes_narrowly_says_what_it_would_be_without_the_luck():
    found = judged(compared(100, 14, 3_000, 150))
    assert found.passed
    assert found.z is not None
    assert 2.4 < found.z < 3.5
    assert found.conditional is not None
    assert found.relative_risk is not None
    assert 1.0 <= found.conditional < found.relative_risk


def test_few_conversions_are_judged_exactly_and_by_people():
    assert judged(compared(30, 8, 2_000, 20)).passed
    one_account = judged(compared(30, 8, 2_000, 20, clusters=3))
    assert not one_account.passed


@pytest.mark.parametrize(
    ("comparison", "words"),
    [
        (None, "no later lead is complete yet"),
        (compared(100, 0, 1_000, 50), "no later lead converted"),
    ],
)
def test_nothing_to_judge_by_fails_in_words(comparison, words):
    assert words in " ".join(judged(comparison).reasons)


def test_what_costs_more_than_it_brings_fails():
    found = judged(compared(200, 60, 2_000, 100), value=500.0, cost=200.0)
    assert found.reasons == (
        "its later leads cost more than they bring: 60 of 200 convert, and a lead pays for itself from 40.0% on",
    )
    assert judged(compared(200, 60, 2_000, 100), value=500.0, cost=100.0).passed


def test_more_leads_than_can_be_worked_fail_once_it_is_sure():
    assert judged(compared(200, 60, 2_000, 100), capacity=4.5).passed
    assert judged(compared(200, 60, 2_000, 100), capacity=4.0).reasons == ("5 new leads a week later, more than 4",)


def test_the_newest_leads_fail_it_only_if_they_are_surely_worse():
    fallen, unsure = compared(900, 50, 2_000, 110).active, compared(60, 4, 2_000, 110).active
    assert not judged(compared(200, 60, 2_000, 100, newest=fallen)).passed
    assert judged(compared(200, 60, 2_000, 100, newest=unsure)).passed


def test_where_most_convert_anyway_a_rule_may_spare_instead():
    assert judged(compared(300, 270, 2_000, 1_400)).passed


def test_its_size_under_chance():
    random = np.random.default_rng(1)
    passed = [
        judged(compared(150, a, 2_000, b)).passed
        for a, b in zip(random.binomial(150, 0.1, 800), random.binomial(2_000, 0.1, 800), strict=True)
    ]
    assert np.mean(passed) <= 0.02
