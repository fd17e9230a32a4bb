from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import norm

from pqlkit.statistics.multiplicity import (
    attainable,
    attainable_level,
    benjamini_hochberg,
    bonferroni,
    holm,
    miller_siegmund,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pqlkit.statistics.arrays import Floats

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(p_values)
def test_corrections_never_lower_a_p_value_and_keep_the_order(values: list[float]) -> None:
    p = np.array(values)
    for adjusted in (benjamini_hochberg(p), holm(p), bonferroni(p, len(p))):
        assert (adjusted >= p - 1e-15).all()
        assert (adjusted <= 1).all()
        order = np.argsort(p, kind="stable")
        assert (np.diff(adjusted[order]) >= -1e-15).all()
    assert (benjamini_hochberg(p) <= holm(p) + 1e-15).all()
    assert (holm(p) <= bonferroni(p, len(p)) + 1e-15).all()


@given(p_values, st.integers(0, 5))
def test_what_was_not_tested_does_not_count(values: list[float], gaps: int) -> None:
    p = np.array(values)
    for correct in (benjamini_hochberg, holm):
        with_gaps = correct(np.concatenate([np.full(gaps, np.nan), p]))
        assert np.isnan(with_gaps[:gaps]).all()
        np.testing.assert_array_equal(with_gaps[gaps:], correct(p))


def test_nothing_tested() -> None:
    assert benjamini_hochberg([]).shape == (0,)
    assert np.isnan(holm([np.nan, np.nan])).all()


def test_rows_have_their_own_number_of_thresholds() -> None:
    np.testing.assert_allclose(bonferroni([0.01, np.nan, 0.2], [3, 4, 10]), [0.03, np.nan, 1.0])


families = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20)


@given(families)
def test_what_cannot_alarm_costs_nothing(family: list[tuple[float, float]]) -> None:
    p, chance = np.array(family).T
    adjusted = attainable(p, chance)
    assert (adjusted >= p).all()
    assert (adjusted <= bonferroni(p, len(p)) + 1e-12).all()
    np.testing.assert_allclose(attainable(p, np.ones(len(p))), bonferroni(p, len(p)))
    idle = attainable(np.append(p, 0.5), np.append(chance, 0.0))
    np.testing.assert_allclose(idle[:-1], adjusted)
    gaps = attainable(np.append(np.nan, p), np.append(1.0, chance))
    assert np.isnan(gaps[0])
    np.testing.assert_allclose(gaps[1:], adjusted)


@given(families)
def test_the_level_of_each_test_is_the_largest_p_that_passes(family: list[tuple[float, float]]) -> None:
    chance = np.array(family)[:, 1]
    level = attainable_level(chance, 0.05)
    assert 0.05 / len(chance) - 1e-12 <= level <= 0.05
    spent = np.minimum(level, chance).sum()
    assert spent <= 0.05 + 1e-12
    assert level == 0.05 or spent == pytest.approx(0.05)


def test_nothing_can_alarm_and_nothing_was_tested() -> None:
    assert attainable_level([], 0.05) == 0.05
    assert attainable([], []).shape == (0,)
    assert np.isnan(attainable([np.nan], [0.5])).all()


def test_findings_that_need_a_size_err_as_often_as_they_say() -> None:
    """Twelve tests of nothing; a finding is significant and beyond a size that chance reaches in 0.01 to 30 %."""
    generator = np.random.default_rng(8)
    chance = np.repeat([0.0001, 0.001, 0.1, 0.3], 3)
    z = generator.standard_normal((20_000, 12))
    large = z <= norm.ppf(chance)
    p = norm.cdf(z)

    def erring(adjust: Callable[[Floats], Floats]) -> float:
        return float(np.mean([(adjust(row)[big] <= 0.05).any() for row, big in zip(p, large, strict=True)]))

    mine = erring(lambda row: attainable(row, chance))
    assert 0.045 <= mine <= 0.053
    assert erring(lambda row: bonferroni(row, 12)) < 0.035


@given(st.floats(1e-12, 0.3), st.floats(0.01, 0.4))
@example(0.298828125, 0.05078125)
def test_miller_siegmund_grows_with_p_and_with_the_choice(p: float, share: float) -> None:
    here = float(miller_siegmund(p, share))
    assert p <= here <= 1
    assert float(miller_siegmund(p / 2, share)) <= here + 1e-12
    assert float(miller_siegmund(p, share / 2)) >= here - 1e-12


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="smallest share"):
        miller_siegmund(0.01, share)


def test_undefined_stays_undefined() -> None:
    assert np.isnan(miller_siegmund(np.nan, 0.1))


def test_a_chance_that_is_not_known_is_no_discount():
    known, unknown = attainable([0.01, 0.04], [0.001, 1.0]), attainable([0.01, 0.04], [0.001, np.nan])
    np.testing.assert_array_equal(known, unknown)
    assert attainable_level([0.001, np.nan], 0.05) == attainable_level([0.001, 1.0], 0.05)
