from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.statistics.multiplicity import benjamini_hochberg, bonferroni, holm, miller_siegmund

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


@given(st.floats(1e-12, 0.3), st.floats(0.01, 0.4))
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
