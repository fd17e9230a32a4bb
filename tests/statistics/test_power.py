from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.statistics.comparison import p_value
from pqlkit.statistics.power import (
    detectable_difference,
    detectable_fall,
    detectable_relative_risk,
    sample_size,
)

rate = st.floats(0.01, 0.6)


@given(rate, st.floats(0.02, 0.3), st.floats(0.2, 5))
def test_what_is_needed_is_what_is_detectable(control: float, rise: float, ratio: float) -> None:
    arms = sample_size(control, control + rise, ratio=ratio)
    found = detectable_difference(control, arms.control, arms.treated)
    assert found is not None
    again = sample_size(control, control + found, ratio=arms.treated / arms.control)
    assert again.control == pytest.approx(arms.control, abs=1)
    assert found == pytest.approx(rise, rel=0.1)


@given(rate, st.floats(0.02, 0.3))
def test_arms_of_one_size_need_least(control: float, rise: float) -> None:
    even, uneven = sample_size(control, control + rise), sample_size(control, control + rise, ratio=4)
    assert even.total <= uneven.total + 2
    assert uneven.treated == pytest.approx(4 * uneven.control, abs=4)


def test_the_power_promised_is_reached() -> None:
    generator = np.random.default_rng(2)
    for ratio in (1.0, 4.0):
        arms = sample_size(0.28, 0.38, ratio=ratio)
        x0, x1 = generator.binomial(arms.control, 0.28, 20_000), generator.binomial(arms.treated, 0.38, 20_000)
        found = p_value(x1, arms.treated - x1, x0, arms.control - x0)
        assert np.mean(found < 0.05) == pytest.approx(0.8, abs=0.015)


@pytest.mark.parametrize("rates", [(0.3, 0.3), (-0.1, 0.3), (0.3, 1.1)])
def test_impossible_rates_are_refused(rates: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="two different rates"):
        sample_size(*rates)
    with pytest.raises(ValueError, match="ratio"):
        sample_size(0.1, 0.2, ratio=0)


def test_nothing_can_be_shown_with_nobody() -> None:
    assert detectable_difference(0.3, 0, 100) is None
    assert detectable_difference(1.0, 100, 100) is None
    assert detectable_difference(0.3, 2, 2) is None
    assert detectable_fall(0.3, 100, 0) is None
    assert detectable_fall(0.0, 100, 100) is None


@given(rate, st.integers(50, 5000), st.integers(50, 5000))
def test_a_fall_is_a_rise_of_the_others(level: float, reference: int, period: int) -> None:
    fall = detectable_fall(level, reference, period)
    assert fall is None or 0 < fall <= level + 1e-9
    more = detectable_fall(level, 10 * reference, 10 * period)
    assert fall is None or (more is not None and more < fall)


def test_twenty_two_upgrades_and_a_behaviour_of_every_fourth() -> None:
    assert detectable_relative_risk(22, 0.25) == pytest.approx(3.4, abs=0.05)


def test_more_converters_show_smaller_risks() -> None:
    found = [detectable_relative_risk(n, 0.25) for n in range(8, 80)]
    values = [value for value in found if value is not None]
    assert len(values) == len(found)
    assert (np.diff(values) < 0.02).all()
    assert values[-1] < 2.1


def test_a_single_converter_shows_nothing() -> None:
    assert detectable_relative_risk(1, 0.25) is None
    assert detectable_relative_risk(0, 0.25) is None
    assert detectable_relative_risk(22, 1.0) is None
