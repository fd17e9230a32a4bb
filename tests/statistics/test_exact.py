from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqlkit.statistics import exact
from pqlkit.statistics.estimate import Undefined

cell = st.integers(0, 30)


def by_fractions(a: int, b: int, c: int, d: int) -> tuple[float, float]:
    n1, m1, total = a + b, a + c, a + b + c + d
    weights = {x: math.comb(n1, x) * math.comb(total - n1, m1 - x) for x in range(max(0, m1 - c - d), min(n1, m1) + 1)}
    whole = sum(weights.values())
    two_sided = Fraction(sum(w for w in weights.values() if w <= weights[a]), whole)
    above = Fraction(2 * sum(w for x, w in weights.items() if x > a) + weights[a], 2 * whole)
    return float(two_sided), float(above)


@given(st.lists(st.tuples(cell, cell, cell, cell), min_size=1, max_size=8))
@settings(max_examples=60)
def test_columns_agree_with_exact_fractions(rows: list[tuple[int, int, int, int]]) -> None:
    columns = np.array(rows, dtype=float).T
    two_sided, above = exact.fisher(*columns), exact.fisher_greater(*columns, mid_p=True)
    for number, table in enumerate(rows):
        a, b, c, d = table
        if min(a + b, c + d, a + c, b + d) == 0:
            assert np.isnan(two_sided[number])
            assert np.isnan(above[number])
        else:
            assert (two_sided[number], above[number]) == pytest.approx(by_fractions(*table), rel=1e-9, abs=1e-15)


def test_large_tables_match_scipy() -> None:
    from scipy.stats import hypergeom

    a, b, c, d = 2200, 60_000, 30_000, 907_800
    law = hypergeom(a + b + c + d, a + c, a + b)
    expected = law.sf(a) + law.pmf(a) / 2
    assert float(exact.fisher_greater(a, b, c, d, mid_p=True)) == pytest.approx(expected, rel=1e-6)


def test_shape_is_kept_whatever_the_order_of_sizes() -> None:
    a = np.array([[1.0, 300.0], [3.0, 0.0]])
    found = exact.fisher(a, [[2, 400], [1, 0]], [[3, 200], [1, 5]], [[4, 500], [3, 5]])
    alone = [[float(exact.fisher(1, 2, 3, 4)), float(exact.fisher(300, 400, 200, 500))], [34 / 70, math.nan]]
    np.testing.assert_allclose(found, alone, rtol=1e-9)


@given(cell, cell, cell, cell)
@settings(max_examples=50)
def test_odds_interval_holds_its_estimate_and_turns_round(a: int, b: int, c: int, d: int) -> None:
    found, back = exact.odds_ratio(a, b, c, d), exact.odds_ratio(c, d, a, b)
    if found.undefined in (Undefined.EMPTY_GROUP, Undefined.NO_CONVERTERS, Undefined.ALL_CONVERTED):
        assert found.value is None
        return
    if found.value is not None and found.low is not None and found.high is not None:
        assert found.low <= found.value <= found.high
        middle = exact.odds_ratio(a, b, c, d, mid_p=True)
        assert middle.low is not None
        assert middle.high is not None
        assert found.low <= middle.low * (1 + 1e-9)
        assert middle.high <= found.high * (1 + 1e-9)
    if found.value and back.value:
        assert found.value * back.value == pytest.approx(1, rel=1e-6)


def test_exact_interval_and_two_one_sided_tests_agree() -> None:
    found = exact.odds_ratio(7, 3, 2, 12)
    from scipy.stats import fisher_exact

    assert found.low is not None
    p = fisher_exact([[7, 3], [2, 12]], alternative="greater").pvalue
    assert (found.low > 1) == (p < 0.025)


def test_every_converter_did_it_has_no_upper_end() -> None:
    found = exact.odds_ratio(5, 5, 0, 90)
    assert (found.value, found.high, found.undefined) == (None, None, Undefined.SEPARATION)
    assert found.low is not None
    assert found.low > 1
    none = exact.odds_ratio(0, 10, 5, 85)
    assert (none.value, none.low) == (0.0, 0.0)
