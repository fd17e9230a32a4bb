"""The gate passes what chance does not do, at a size that matters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import hypergeom

from pqlkit.proposal.gates import gate


@pytest.mark.parametrize(("qualified", "converted"), [(100, 20), (100, 9), (50, 3), (300, 30), (10, 0)])
def test_the_p_value_is_the_hypergeometric_mid_p(qualified, converted):
    law = hypergeom(2_000, 80, qualified)
    expected = law.sf(converted) + law.pmf(converted) / 2
    judged = gate(qualified=qualified, converted=converted, snapshots=2_000, converters=80)
    assert judged.p_value == pytest.approx(expected, rel=1e-9)
    risk = (converted / qualified) / ((80 - converted) / (2_000 - qualified))
    assert judged.relative_risk == pytest.approx(risk)
    assert judged.passed == (risk >= 1.5 and expected <= 0.01)
    assert judged.passed == (judged.reasons == ())


def test_a_large_but_weak_rule_fails_by_size_alone():
    judged = gate(qualified=50_000, converted=2_800, snapshots=100_000, converters=4_800)
    assert judged.p_value is not None
    assert judged.p_value < 1e-20
    assert judged.reasons == ("converts 1.4 times as often as the others, less than 1.5",)


def test_nobody_without_it_converting_is_boundless():
    judged = gate(qualified=100, converted=40, snapshots=1_000, converters=40)
    assert (judged.passed, judged.relative_risk) == (True, None)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((0, 0, 100, 10), "nobody in the later period meets it"),
        ((100, 10, 100, 10), "everybody in the later period meets it"),
        ((10, 0, 100, 0), "nobody in the later period converted"),
        ((10, 10, 100, 100), "everybody in the later period converted"),
    ],
)
def test_empty_margins_fail_in_words(counts, words):
    names = ("qualified", "converted", "snapshots", "converters")
    judged = gate(**dict(zip(names, counts, strict=True)))
    assert (judged.passed, judged.relative_risk, judged.p_value, judged.reasons) == (False, None, None, (words,))


def test_overlapping_snapshots_count_for_less():
    counts = {"qualified": 100, "converted": 9, "snapshots": 1_000, "converters": 40}
    assert gate(**counts).passed
    assert not gate(**counts, deff=4.0).passed
    assert gate(**counts, deff=4.0).relative_risk == gate(**counts).relative_risk


def test_high_base_rates_may_spare_instead():
    # .90 with, .70 without: 1.29 times as often, but a third as often not.
    assert gate(qualified=200, converted=180, snapshots=1_000, converters=740).passed


def test_its_size_under_chance():
    random = np.random.default_rng(1)
    hits = random.hypergeometric(40, 960, 80, 4_000)
    passed = [gate(qualified=80, converted=int(a), snapshots=1_000, converters=40).passed for a in np.unique(hits)]
    share = sum((hits == a).mean() for a, ok in zip(np.unique(hits), passed, strict=True) if ok)
    assert share <= 0.0125
