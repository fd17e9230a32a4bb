from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.statistics.rate import Rate, wilson


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int]:
    total = draw(st.integers(1, 10**7))
    return draw(st.integers(0, total)), total


def test_nothing_of_nothing_is_undefined() -> None:
    nothing = Rate.of(0, 0)
    assert (nothing.rate, nothing.low, nothing.high) == (None, None, None)
    assert np.isnan(wilson(0, 0)).all()


@pytest.mark.parametrize(("numerator", "denominator"), [(2, 1), (-1, 5), (0, -1)])
def test_impossible_counts_are_refused(numerator: int, denominator: int) -> None:
    with pytest.raises(ValueError, match="0 <= numerator <= denominator"):
        Rate.of(numerator, denominator)


@given(st.lists(counts(), max_size=5), st.floats(0.5, 3))
def test_many_rates_are_each_its_own(cases: list[tuple[int, int]], effect: float) -> None:
    assert Rate.of_each(cases, design_effect=effect) == [Rate.of(*case, design_effect=effect) for case in cases]


def test_one_row_and_all_converted_stay_within_the_unit_interval() -> None:
    assert (Rate.of(1, 1).high, Rate.of(0, 1).low) == (1.0, 0.0)
    assert 0 < (Rate.of(1, 1).low or 0) < 1
    assert (Rate.of(500, 500).rate, Rate.of(500, 500).high) == (1.0, 1.0)


@given(counts())
def test_interval_contains_the_rate(case: tuple[int, int]) -> None:
    rate = Rate.of(*case)
    assert rate.low is not None
    assert rate.high is not None
    assert 0 <= rate.low <= case[0] / case[1] <= rate.high <= 1


@given(counts())
def test_failures_mirror_successes(case: tuple[int, int]) -> None:
    x, n = case
    low, high = wilson(x, n)
    other_low, other_high = wilson(n - x, n)
    np.testing.assert_allclose([low, high], [1 - other_high, 1 - other_low], atol=1e-12)


@given(counts(), st.integers(2, 50))
def test_more_evidence_never_widens(case: tuple[int, int], times: int) -> None:
    x, n = case
    low, high = wilson(x, n)
    more_low, more_high = wilson(x * times, n * times)
    assert more_high - more_low <= high - low + 1e-12


@given(counts(), counts(), counts())
def test_rates_add(first: tuple[int, int], second: tuple[int, int], third: tuple[int, int]) -> None:
    a, b, c = Rate.of(*first), Rate.of(*second, design_effect=2.0), Rate.of(*third)
    assert (a + b) + c == a + (b + c)
    assert a + c == Rate.of(first[0] + third[0], first[1] + third[1])
    assert a + b == b + a


def test_a_design_effect_of_k_is_a_kth_of_the_rows() -> None:
    clustered, fewer = Rate.of(30, 300, design_effect=3.0), Rate.of(10, 100)
    assert (clustered.low, clustered.high) == pytest.approx((fewer.low, fewer.high), abs=1e-12)
    assert Rate.of(30, 300, design_effect=0.5) == Rate.of(30, 300)
    assert Rate.of(30, 300, design_effect=None) == Rate.of(30, 300)


def test_json_keeps_full_precision_under_the_names_asked_for() -> None:
    found = Rate.of(1, 3).to_json(numerator="converted", denominator="entities")
    assert list(found) == ["entities", "converted", "rate", "low", "high"]
    assert found["rate"] == 1 / 3
