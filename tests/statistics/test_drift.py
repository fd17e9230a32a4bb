from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import add

import numpy as np
import pytest
from scipy.stats import hypergeom, norm

from pqlkit.statistics.change import stability_index
from pqlkit.statistics.contingency import Contingency
from pqlkit.statistics.design_effect import design_effect, mean_design_effect
from pqlkit.statistics.drift import Period, Verdict, assess
from pqlkit.statistics.estimate import Undefined
from pqlkit.statistics.power import detectable_fall
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
        ({"rate": 0.10}, Verdict.RATE_FELL),
        ({"rate": 0.50, "base": 0.054}, Verdict.OTHERS_CHANGED),
        ({"share": 0.12}, Verdict.SHARE_CHANGED),
        ({"share": 0.12, "rate": 0.10}, Verdict.SHARE_CHANGED),
        ({"share": 0.0}, Verdict.SHARE_CHANGED),
        ({"n": 200}, Verdict.TOO_FEW),
    ],
    ids=["none", "effect", "base", "volume", "volume and effect", "event gone", "few"],
)
def test_planted_drift_is_named(change: dict[str, float], expected: Verdict) -> None:
    generator = np.random.default_rng(17)
    found = [verdict(draw(generator, **change)) for _ in range(100)]  # type: ignore[arg-type]
    assert found.count(expected) >= 90


@pytest.mark.parametrize(
    ("then", "now"), [(15_000, (5000,) * 4), (4000, (4900, 4900)), (1000, (1000,) * 4), (300, (300,) * 2)]
)
@pytest.mark.parametrize("worlds", [120, pytest.param(500, marks=pytest.mark.slow)])
def test_what_has_not_changed_is_seldom_called_drifted_in_any_period(
    then: int, now: tuple[int, ...], worlds: int
) -> None:
    generator = np.random.default_rng(23)
    spread = [0.5, 0.2, 0.1, 0.1, 0.06, 0.04]

    def calm(n: int) -> Period:
        behaviours = tuple(tuple(map(float, generator.multinomial(n, spread))) for _ in range(3))
        return Period(table=draw(generator, n=n, share=0.06), behaviours=behaviours)

    alarms = sum(any(drift.drifted for drift in assess(calm(then), [calm(n) for n in now])) for _ in range(worlds))
    # 5 %, and two standard errors.
    assert alarms / worlds <= 0.05 + 2 * (0.05 * 0.95 / worlds) ** 0.5


def test_every_finding_is_kept_beside_the_verdict() -> None:
    drift = assess(Period(table=THEN), [Period(table=Contingency(70, 630, 140, 5160))])[0]
    assert drift.findings == (Verdict.SHARE_CHANGED, Verdict.RATE_FELL)
    assert drift.verdict is Verdict.SHARE_CHANGED
    assert drift.share_ratio == pytest.approx((700 / 6000) / 0.05)
    assert drift.effect_ratio.value == pytest.approx((0.1 / (140 / 5300)) / (0.25 / (780 / 28_500)))
    assert drift.base_ratio == pytest.approx((140 / 5300) / (780 / 28_500))
    assert drift.rate_difference.value == pytest.approx(0.1 - 0.25)
    assert drift.p_value is not None
    assert drift.p_value < 0.001


def test_a_better_effect_is_not_decay() -> None:
    assert verdict(Contingency(180, 120, 156, 5544)) is Verdict.STABLE


def test_all_tests_of_the_marks_of_a_year_are_one_family() -> None:
    table, same = Contingency(60, 240, 156, 5544), Period(table=Contingency(75, 225, 156, 5544))
    alone = assess(Period(table=THEN), [Period(table=table)])[0]
    assert alone.p_value is not None
    # P(A > a) + P(A = a) / 2 of those who converted then, and for each test what it could find by chance at that level.
    then = hypergeom(1800, 435, 1500)
    p = then.sf(375) + then.pmf(375) / 2
    rate = norm.cdf(np.log(0.8) / np.sqrt((1 - 435 / 1800) / (435 / 1800) * (1 / 300 + 1 / 1500)))
    effect = norm.cdf(np.log(0.8) / np.sqrt(0.8 / 60 + 0.75 / 375 + (1 - 156 / 5700) / 156 + (1 - 780 / 28_500) / 780))
    errors = [np.sqrt((1 - part) / part * (1 / n + 1 / (5 * n))) for part, n in ((0.05, 6000), (156 / 5700, 5700))]
    both = [norm.cdf(np.log(0.75) / error) + norm.sf(np.log(1.25) / error) for error in errors]
    assert alone.p_value == pytest.approx(12 * np.minimum(p, [rate, effect, *both]).sum())
    # What is said of a period does not change with the periods that follow it.
    assert assess(Period(table=THEN), [Period(table=table), same, same, same])[0] == alone


def test_a_base_rate_that_differs_by_one_test_in_twenty_has_not_shifted() -> None:
    """Its own test, corrected over two periods only, has 0.047; but five tests a period were made."""
    then = Period(table=Contingency(71, 131, 75, 3826))
    first, second = (
        Period(table=table) for table in (Contingency(73, 158, 121, 4605), Contingency(83, 156, 131, 4804))
    )
    found = assess(then, [first, second])
    assert [drift.verdict for drift in found] == [Verdict.STABLE] * 2
    assert found[1].base_ratio == pytest.approx(1.38, abs=0.01)
    assert found[1].base_p_value is not None
    assert found[1].base_p_value > 0.05


def test_a_rise_of_the_others_alone_is_no_decay() -> None:
    """The relative risk halves because its denominator doubles; the promised rate is what it was."""
    drift = assess(Period(table=THEN), [Period(table=Contingency(75, 225, 312, 5388))])[0]
    assert drift.effect_ratio.value == pytest.approx(0.5)
    assert drift.effect_p_value is not None
    assert drift.effect_p_value < 0.001
    assert drift.findings == (Verdict.OTHERS_CHANGED,)


def test_only_a_fall_is_tested() -> None:
    risen = assess(Period(table=THEN), [Period(table=Contingency(105, 195, 156, 5544))])[0]
    assert risen.verdict is Verdict.STABLE
    assert risen.p_value is not None
    assert risen.p_value > 0.99
    assert risen.effect_p_value is not None
    assert risen.effect_p_value > 0.99


def test_a_fall_among_few_leads_is_tested_exactly() -> None:
    """A fall to half would not have been seen often enough to call others stable; a fall to a fifth is seen."""
    then = Period(table=Contingency(35, 181, 133, 4272), rate=Rate.of(35, 226))
    fallen, less = (Period(table=Contingency(30, 207, 136, 4749), rate=Rate.of(x, 229)) for x in (7, 25))
    found = assess(then, [fallen])[0]
    assert found.verdict is Verdict.RATE_FELL
    assert found.detectable_fall is not None
    assert found.detectable_fall > 0.5 * 35 / 226
    assert assess(then, [less])[0].verdict is Verdict.TOO_FEW


def test_what_came_may_rule_out_a_fall_that_so_few_leads_would_often_not_show() -> None:
    """200 leads seldom show a fall by half at the level of a verdict; that 44 of 200 converted leaves no such fall possible."""
    then = Period(table=Contingency(70, 320, 133, 4272), rate=Rate.of(70, 390))
    risen, same = (
        assess(then, [Period(table=Contingency(44, 156, 68, 2192), rate=Rate.of(converted, 200))])[0]
        for converted in (44, 33)
    )
    assert risen.detectable_fall is not None
    assert risen.detectable_fall == pytest.approx(same.detectable_fall)
    assert risen.detectable_fall > 0.5 * 70 / 390
    assert risen.missed_fall is not None
    assert risen.missed_fall < 0.5 * 70 / 390
    assert (risen.verdict, same.verdict) == (Verdict.STABLE, Verdict.TOO_FEW)
    assert risen.comparable == 200


def test_a_fall_that_few_others_may_share_is_no_decay() -> None:
    """After a sale everybody converts less: 6 of 56 leads for 31.6 %, but of the others, too, 6 of 234 for 3.9 %."""
    then = Period(table=Contingency(109, 183, 42, 1039), rate=Rate.of(96, 304))
    now = Period(table=Contingency(7, 45, 6, 228), rate=Rate.of(6, 56))
    found = assess(then, [now])[0]
    assert found.p_value is not None
    assert found.p_value < 0.05
    assert Verdict.RATE_FELL not in found.findings
    steady = Period(table=Contingency(7, 45, 60, 1480), rate=Rate.of(6, 56))
    assert Verdict.RATE_FELL in assess(then, [steady])[0].findings


def test_the_pql_conversion_rate_is_followed_when_given() -> None:
    baseline = Period(table=THEN, rate=Rate.of(200, 1000))
    drift = assess(baseline, [Period(table=Contingency(75, 225, 156, 5544), rate=Rate.of(10, 200))])[0]
    assert drift.rate_difference.value == pytest.approx(-0.15)
    assert drift.verdict is Verdict.RATE_FELL
    assert drift.p_value is not None
    assert drift.p_value < 0.001


def test_a_fall_that_everybody_shares_is_no_decay() -> None:
    baseline = Period(table=THEN, rate=Rate.of(250, 1000))
    fallen = Period(table=Contingency(38, 262, 78, 5622), rate=Rate.of(125, 1000))
    assert assess(baseline, [fallen])[0].findings == (Verdict.OTHERS_CHANGED,)


def test_an_empty_period_is_too_few() -> None:
    drift = assess(Period(table=THEN), [Period(table=Contingency(0, 0, 0, 0))])[0]
    assert drift.verdict is Verdict.TOO_FEW
    assert drift.rate_difference.undefined is Undefined.EMPTY_GROUP
    assert (drift.p_value, drift.share_ratio, drift.detectable_fall) == (None, None, None)
    assert assess(Period(table=THEN), []) == ()


def test_a_baseline_without_converters_says_nothing() -> None:
    drift = assess(Period(table=Contingency(0, 50, 0, 950)), [Period(table=Contingency(0, 50, 0, 950))])[0]
    assert drift.verdict is Verdict.TOO_FEW
    assert drift.effect_ratio.undefined is Undefined.NO_CONVERTERS


def test_shifts_of_the_behaviours_are_measured_in_their_order() -> None:
    then = Period(table=THEN, behaviours=((500, 300, 200), (10, 20, 30)))
    now = Period(table=THEN, behaviours=((300, 300, 400), (10, 20, 30)))
    first, second = assess(then, [now])[0].shifts
    assert first.shifted
    assert second.value == 0


def test_shifts_of_the_behaviours_are_corrected_too() -> None:
    then, now = (60, 20, 20), (42, 30, 28)
    plain = stability_index(then, now)
    assert plain.shifted
    assert plain.p_value is not None
    table = Contingency(25, 75, 30, 970)
    found = assess(Period(table=table, behaviours=(then,) * 3), [Period(table=table, behaviours=(now, then, then))])[0]
    assert found.shifts[0].value == pytest.approx(plain.value)
    assert found.shifts[0].p_value is not None
    assert found.shifts[0].p_value > 2 * plain.p_value
    assert not found.shifts[0].shifted
    assert not found.drifted


def test_what_a_period_could_show_is_said_after_the_correction() -> None:
    found = assess(Period(table=THEN), [Period(table=Contingency(75, 225, 156, 5544))])[0].detectable_fall
    assert found is not None
    # A test on one side, at the level that remains for each test of a mark: less than a test on two at 5 % alone could show.
    assert found > (detectable_fall(0.25, 1500, 300) or 1)


def aged(*ages: Contingency, behaviours: tuple[tuple[float, ...], ...] = ()) -> Period:
    """Give a period whose entities are of several ages, each with a table and perhaps a behaviour."""
    bands = tuple(
        Period(table=table, behaviours=(behaviours[place],) if behaviours else ()) for place, table in enumerate(ages)
    )
    return replace(reduce(add, bands), ages=bands)


YOUNG, OLD = Contingency(200, 300, 40, 1460), Contingency(20, 180, 5, 1795)
"""At either age what it is: the young qualify in 25 % and convert in 40 %, the old in 10 % and 10 %."""


def times(table: Contingency, factor: float) -> Contingency:
    return Contingency(*(round(cell * factor) for cell in table.cells))


def test_that_entities_grow_older_is_no_drift() -> None:
    behaviours = ((400, 400, 1200), (1000, 600, 400))
    then = aged(times(YOUNG, 4), times(OLD, 0.1), behaviours=behaviours)
    now = aged(times(YOUNG, 0.5), times(OLD, 4), behaviours=behaviours)
    plain, same = (assess(one, [two])[0] for one, two in ((replace(then, ages=()), replace(now, ages=())), (then, now)))
    assert set(plain.findings) >= {Verdict.SHARE_CHANGED, Verdict.OTHERS_CHANGED}
    assert same.verdict is Verdict.STABLE
    assert same.share_ratio == pytest.approx(1, abs=0.02)
    assert same.shifts[0].value == pytest.approx(0, abs=0.001)


def test_a_fall_is_seen_while_entities_grow_older() -> None:
    then, now = aged(times(YOUNG, 4), OLD), aged(Contingency(50, 450, 40, 1460), times(OLD, 4))
    assert assess(then, [now])[0].verdict is Verdict.RATE_FELL


def test_periods_that_share_no_age_say_nothing() -> None:
    nobody = Contingency(0, 0, 0, 0)
    drift = assess(aged(YOUNG, nobody), [aged(nobody, OLD)])[0]
    assert drift.verdict is Verdict.TOO_FEW
    assert (drift.share_ratio, drift.detectable_fall) == (None, None)
    assert drift.rate_difference.undefined is Undefined.EMPTY_GROUP


def test_one_age_is_compared_as_it_is() -> None:
    then, now = Period(table=THEN), Period(table=Contingency(60, 240, 156, 5544))
    assert assess(replace(then, ages=(then,)), [replace(now, ages=(now,))]) == assess(then, [now])


def test_what_a_period_could_show_is_said() -> None:
    small, large = (
        assess(Period(table=THEN), [Period(table=Contingency(n // 4, n - n // 4, 156, 5544))])[0] for n in (60, 400)
    )
    assert small.detectable_fall is not None
    assert large.detectable_fall is not None
    assert large.detectable_fall < small.detectable_fall


@pytest.mark.parametrize("known", [True, False])
def test_snapshots_of_one_entity_are_not_taken_for_several(known: bool) -> None:
    """Five snapshots of each of 200 people who never change: only who knows that they go together calls it stable."""
    generator = np.random.default_rng(12)
    drifted = 0
    for _ in range(200):
        periods = []
        for _ in range(2):
            level = np.repeat(generator.choice(3, 200, p=[0.6, 0.25, 0.15]), 5)
            met, who, y = level == 2, np.repeat(np.arange(200), 5), generator.random(1000) < 0.2
            period = Period(
                table=Contingency.of(
                    qualified=int(met.sum()), converted=int((met & y).sum()), entities=1000, converters=int(y.sum())
                ),
                behaviours=(tuple(np.bincount(level, minlength=3).astype(float)),),
                share_effect=design_effect(met, who) or 1.0 if known else 1.0,
                behaviour_effects=(mean_design_effect(level, who) or 1.0,) if known else (),
            )
            periods.append(period)
        drifted += Verdict.SHARE_CHANGED in assess(periods[0], periods[1:])[0].findings
    assert drifted <= 4 if known else drifted > 14


def test_outcomes_that_go_together_weigh_less() -> None:
    then, now = Contingency(120, 280, 160, 7440), Contingency(20, 180, 80, 3720)
    alone = assess(Period(table=then), [Period(table=now)])[0]
    together = assess(Period(table=then), [Period(table=replace(now, design_effect=8.0))])[0]
    assert (alone.verdict, together.verdict) == (Verdict.RATE_FELL, Verdict.TOO_FEW)
    assert (together.p_value or 0) > (alone.p_value or 0)
    assert (together.effect_p_value or 0) > (alone.effect_p_value or 0)
    assert together.rate_difference.value == alone.rate_difference.value
    assert (together.rate_difference.low or 0) < (alone.rate_difference.low or 0)
    assert together.detectable_fall is None or together.detectable_fall > (alone.detectable_fall or 0)


def test_of_two_periods_taken_together_the_larger_effects_stand() -> None:
    one = Period(table=THEN, behaviours=((1, 2), (3, 4)), share_effect=2.0, behaviour_effects=(1.5, 3.0))
    two = Period(table=THEN, behaviours=((10, 20), (30, 40)), share_effect=1.2, behaviour_effects=(2.5, 1.0))
    both = one + two
    assert both == Period(
        table=THEN + THEN,
        rate=THEN.with_ + THEN.with_,
        behaviours=((11, 22), (33, 44)),
        share_effect=2.0,
        behaviour_effects=(2.5, 3.0),
    )
    assert (one + Period(table=THEN, behaviours=((0, 0), (0, 0)))).behaviour_effects == (1.5, 3.0)
