"""The plan of the experiment: sample sizes of the table in the statistics, and weeks at the present pace."""

from __future__ import annotations

import math
from typing import Any

import pytest
from scipy.stats import norm

from pqlkit.proposal.candidate import Promise
from pqlkit.proposal.experiment import experiment
from pqlkit.snapshots.qualifications import PqlsPerWeek, TimeToConvert
from pqlkit.statistics.rate import Rate


def promised(converted: int, of: int, *, weekly: float | None = 100.0) -> Promise:
    return Promise(
        too_soon=0,
        starts=of,
        rate=Rate.of(converted, of),
        time_to_convert=TimeToConvert(n=0, median_days=None, p25_days=None, p75_days=None, within_a_day=None),
        pqls_per_week=PqlsPerWeek(weeks=10, median=weekly, p90=weekly),
    )


@pytest.mark.parametrize(("gain", "arm"), [(0.05, 1330), (0.03, 3627), (0.10, 346)])
def test_equal_arms_are_those_of_the_published_table(gain, arm):
    plan: Any = experiment(promised(280, 1000))
    equal = next(one for one in plan.arms if one.gain == gain and one.control_share == 0.5)
    assert equal.control == pytest.approx(arm, abs=2)
    assert equal.contacted == pytest.approx(arm, abs=2)
    assert equal.weeks == math.ceil((equal.control + equal.contacted) / 100)


def test_a_small_control_arm_has_the_same_power():
    plan: Any = experiment(promised(280, 1000))
    for one in plan.arms:
        p0, p1 = 0.28, 0.28 + one.gain
        assert one.control / (one.control + one.contacted) == pytest.approx(one.control_share, abs=0.01)
        error = math.sqrt(p0 * (1 - p0) / one.control + p1 * (1 - p1) / one.contacted)
        power = norm.sf(norm.isf(0.025) - one.gain / error)
        assert power == pytest.approx(0.8, abs=0.04)


def test_an_unknown_rate_or_pace_gives_no_plan_or_no_weeks():
    assert experiment(promised(0, 0)) is None
    assert experiment(promised(0, 50)) is None
    assert experiment(promised(48, 50)) is None
    plan: Any = experiment(promised(10, 50, weekly=None))
    assert all(one.weeks is None for one in plan.arms)
