from __future__ import annotations

import numpy as np
import pytest

from pqlkit.statistics.contingency import Contingency
from pqlkit.statistics.drift import Period, Verdict, assess
from pqlkit.statistics.estimate import Undefined
from pqlkit.statistics.rate import Rate

THEN = Contingency(375, 1125, 780, 27_720)
"""Chosen on 30,000: 5 % qualify and convert at 25 %, the others at 2.7 %."""


def draw(
    generator: np.random.Generator, *, n: int = 6000, share: float = 0.05, rate: float = 0.25, base: float = 0.027
) -> Contingency:
    n1 = int(generator.binomial(n, share))
    a, c = int(generator.binomial(n1, rate)), int(generator.binomial(n - n1, base))
    return Contingency(a, n1 - a, c, n - n1 - c)


def verdict(table: Contingency) -> Verdict:
    return assess(Period(table=THEN), [Period(table=table)])[0].verdict


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, Verdict.STABLE),
        ({"rate": 0.10}, Verdict.EFFECT_DECAYED),
        ({"rate": 0.50, "base": 0.054}, Verdict.BASE_RATE_SHIFT),
        ({"share": 0.12}, Verdict.VOLUME_DRIFT),
        ({"share": 0.12, "rate": 0.10}, Verdict.VOLUME_DRIFT),
        ({"share": 0.0}, Verdict.VOLUME_DRIFT),
        ({"n": 300}, Verdict.TOO_FEW),
    ],
    ids=["none", "effect", "base", "volume", "volume and effect", "event gone", "few"],
)
def test_planted_drift_is_named(change: dict[str, float], expected: Verdict) -> None:
    generator = np.random.default_rng(17)
    found = [verdict(draw(generator, **change)) for _ in range(100)]  # type: ignore[arg-type]
    assert found.count(expected) >= 90


def test_four_calm_quarters_seldom_alarm() -> None:
    generator = np.random.default_rng(23)
    alarms = 0
    for _ in range(200):
        then = Period(table=draw(generator, n=15_000))
        drifts = assess(then, [Period(table=draw(generator, n=5000)) for _ in range(4)])
        alarms += any(drift.verdict not in (Verdict.STABLE, Verdict.TOO_FEW) for drift in drifts)
    assert alarms / 200 <= 0.12


def test_every_finding_is_kept_beside_the_verdict() -> None:
    drift = assess(Period(table=THEN), [Period(table=Contingency(70, 630, 140, 5160))])[0]
    assert drift.findings == (Verdict.VOLUME_DRIFT, Verdict.EFFECT_DECAYED)
    assert drift.verdict is Verdict.VOLUME_DRIFT
    assert drift.share_ratio == pytest.approx((700 / 6000) / 0.05)
    assert drift.effect_ratio.value == pytest.approx((0.1 / (140 / 5300)) / (0.25 / (780 / 28_500)))
    assert drift.base_ratio == pytest.approx((140 / 5300) / (780 / 28_500))
    assert drift.rate_difference.value == pytest.approx(0.1 - 0.25)
    assert drift.p_value is not None
    assert drift.p_value < 0.001


def test_a_better_effect_is_not_decay() -> None:
    assert verdict(Contingency(180, 120, 156, 5544)) is Verdict.STABLE


def test_tests_are_corrected_over_the_periods() -> None:
    table = Contingency(60, 240, 156, 5544)
    alone = assess(Period(table=THEN), [Period(table=table)])[0]
    same = Period(table=Contingency(75, 225, 156, 5544))
    together = assess(Period(table=THEN), [Period(table=table), same, same, same])[0]
    assert alone.p_value is not None
    assert together.p_value == pytest.approx(4 * alone.p_value)


def test_the_trigger_rate_is_followed_when_given() -> None:
    reference = Period(table=THEN, rate=Rate.of(200, 1000))
    drift = assess(reference, [Period(table=Contingency(75, 225, 156, 5544), rate=Rate.of(10, 200))])[0]
    assert drift.rate_difference.value == pytest.approx(-0.15)
    assert drift.verdict is Verdict.EFFECT_DECAYED
    assert drift.p_value is not None
    assert drift.p_value < 0.001


def test_a_fall_that_everybody_shares_is_no_decay() -> None:
    reference = Period(table=THEN, rate=Rate.of(250, 1000))
    fallen = Period(table=Contingency(38, 262, 78, 5622), rate=Rate.of(125, 1000))
    assert assess(reference, [fallen])[0].findings == (Verdict.BASE_RATE_SHIFT,)


def test_an_empty_period_is_too_few() -> None:
    drift = assess(Period(table=THEN), [Period(table=Contingency(0, 0, 0, 0))])[0]
    assert drift.verdict is Verdict.TOO_FEW
    assert drift.rate_difference.undefined is Undefined.EMPTY_GROUP
    assert (drift.p_value, drift.share_ratio, drift.detectable_fall) == (None, None, None)
    assert assess(Period(table=THEN), []) == ()


def test_a_reference_without_converters_says_nothing() -> None:
    drift = assess(Period(table=Contingency(0, 50, 0, 950)), [Period(table=Contingency(0, 50, 0, 950))])[0]
    assert drift.verdict is Verdict.TOO_FEW
    assert drift.effect_ratio.undefined is Undefined.NO_CONVERTERS


def test_shifts_of_the_behaviours_are_measured_in_their_order() -> None:
    then = Period(table=THEN, behaviours=((500, 300, 200), (10, 20, 30)))
    now = Period(table=THEN, behaviours=((300, 300, 400), (10, 20, 30)))
    first, second = assess(then, [now])[0].shifts
    assert first.shifted
    assert second.value == 0


def test_what_a_period_could_show_is_said() -> None:
    small, large = (
        assess(Period(table=THEN), [Period(table=Contingency(n // 4, n - n // 4, 156, 5544))])[0] for n in (60, 400)
    )
    assert small.detectable_fall is not None
    assert large.detectable_fall is not None
    assert large.detectable_fall < small.detectable_fall
