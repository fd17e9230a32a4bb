from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.statistics import comparison
from pqlkit.statistics.contingency import Contingency
from pqlkit.statistics.estimate import Undefined
from pqlkit.statistics.rate import Rate

cell = st.integers(0, 400)
tables = st.builds(Contingency, cell, cell, cell, cell)


def swapped(table: Contingency) -> Contingency:
    return Contingency(table.c, table.d, table.a, table.b)


@given(tables, tables, tables)
def test_tables_add(one: Contingency, two: Contingency, three: Contingency) -> None:
    assert (one + two) + three == one + (two + three)
    assert one + two == two + one
    assert (one + two).with_ == one.with_ + two.with_
    assert (one + two).total == one.total + two.total


def test_negative_cells_are_refused() -> None:
    with pytest.raises(ValueError, match="counts"):
        Contingency.of(qualified=3, converted=4, entities=10, converters=5)


def test_margins() -> None:
    table = Contingency(1, 2, 3, 4)
    assert (table.n1, table.n0, table.m1, table.total) == (3, 7, 4, 10)
    assert (table.share.rate, table.recall.rate, table.base.rate) == (0.3, 0.25, 0.4)


@given(tables)
def test_swapping_the_arms_turns_every_comparison_round(table: Contingency) -> None:
    there, back = table.risk_difference(), swapped(table).risk_difference()
    if there.value is not None and back.low is not None and back.high is not None:
        assert there.value == pytest.approx(-(back.value or 0.0), abs=1e-12)
        assert there.low == pytest.approx(-back.high, abs=1e-12)
    for name in ("relative_risk", "odds_ratio"):
        there, back = getattr(table, name)(), getattr(swapped(table), name)()
        if table.m1 and 0 in (table.a, table.c) and name == "relative_risk" and min(table.n1, table.n0):
            boundless, nothing = (there, back) if table.c == 0 else (back, there)
            assert (boundless.undefined, nothing.value) == (Undefined.BOUNDLESS, 0)
            assert boundless.low * nothing.high == pytest.approx(1)
            continue
        assert there.undefined == back.undefined
        if there.value is not None:
            assert there.value * back.value == pytest.approx(1)
            assert there.low * back.high == pytest.approx(1)
    assert (table.phi or 0.0) == pytest.approx(-(swapped(table).phi or 0.0), abs=1e-12)
    if table.p_value is None:
        assert swapped(table).p_value is None
    else:
        assert table.p_value == pytest.approx(swapped(table).p_value, rel=1e-6)


@given(tables)
def test_intervals_contain_their_estimates(table: Contingency) -> None:
    for found in (table.risk_difference(), table.relative_risk(), table.odds_ratio()):
        if found.value is None:
            assert found.undefined is not None
        else:
            assert found.low is not None
            assert found.high is not None
            assert found.low <= found.value + 1e-12
            assert found.value <= found.high + 1e-12
            assert math.isfinite(found.high)


@given(tables, st.integers(2, 20))
def test_more_evidence_is_more_evidence(table: Contingency, times: int) -> None:
    more = Contingency(*(times * count for count in table.cells))
    if table.p_value is not None and min(table.n1, table.n0) * min(table.m1, table.total - table.m1) >= 5 * table.total:
        assert (more.p_value or 0.0) <= table.p_value + 1e-9
    small, large = table.risk_difference(), more.risk_difference()
    if small.high is not None and small.low is not None and large.high is not None and large.low is not None:
        assert large.high - large.low <= small.high - small.low + 1e-12


@given(st.lists(st.tuples(cell, cell, cell, cell), min_size=1, max_size=20))
def test_columns_and_single_tables_share_one_formula(rows: list[tuple[int, int, int, int]]) -> None:
    columns = np.array(rows, dtype=float).T
    for name in ("phi", "p_value"):
        whole = getattr(comparison, name)(*columns)
        for table, value in zip(rows, whole, strict=True):
            single = getattr(Contingency(*table), name)
            assert (single is None and np.isnan(value)) or single == pytest.approx(value, rel=1e-9)
    value, low, high = comparison.relative_risk(*columns)
    for number, table in enumerate(rows):
        estimate = Contingency(*table).relative_risk()
        if estimate.value is None:
            assert not np.isfinite(value[number])
        else:
            assert (estimate.value, estimate.low, estimate.high) == (value[number], low[number], high[number])
        assert (estimate.undefined is Undefined.BOUNDLESS) == bool(np.isposinf(value[number]))


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ((0, 0, 3, 7), Undefined.EMPTY_GROUP),
        ((3, 7, 0, 0), Undefined.EMPTY_GROUP),
        ((0, 5, 0, 7), Undefined.NO_CONVERTERS),
        ((0, 0, 0, 0), Undefined.EMPTY_GROUP),
    ],
)
def test_an_undefined_ratio_says_why(cells: tuple[int, int, int, int], why: Undefined) -> None:
    table = Contingency(*cells)
    assert table.relative_risk().undefined is why
    assert table.odds_ratio().undefined is why
    assert table.p_value is None


def test_all_converted() -> None:
    table = Contingency(5, 0, 7, 0)
    found = table.relative_risk()
    assert found.value == 1
    assert found.low == pytest.approx(5 / (5 + 1.959964**2))
    assert found.high == pytest.approx((7 + 1.959964**2) / 7)
    assert table.odds_ratio().undefined is Undefined.ALL_CONVERTED
    assert table.risk_difference().value == 0
    assert table.phi == 0
    assert table.lift == 1
    assert table.youden is None


def test_a_ratio_over_nobody_is_at_least_its_one_sided_limit() -> None:
    found = Contingency(22, 74, 0, 899).relative_risk()
    assert (found.value, found.high, found.undefined) == (None, None, Undefined.BOUNDLESS)
    assert found.low == pytest.approx(53.8, abs=0.05)
    clustered = Contingency(22, 74, 0, 899, design_effect=2.0).relative_risk()
    assert clustered.low == pytest.approx(Contingency(11, 37, 0, 449).relative_risk().low, rel=0.01)
    assert (clustered.low or 0) < (found.low or 0)


def test_a_ratio_of_nobody_is_nothing_up_to_its_limit() -> None:
    found = Contingency(0, 12, 9, 300).relative_risk()
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(8.9667, abs=1e-4)


def test_zero_cells_of_an_odds_ratio_are_corrected_and_flagged() -> None:
    none = Contingency(0, 10, 5, 85)
    assert not none.relative_risk().corrected
    assert Contingency(5, 5, 0, 90).odds_ratio().corrected
    assert not Contingency(5, 5, 1, 90).odds_ratio().corrected
    assert not Contingency(5, 0, 1, 90).relative_risk().corrected


def test_one_entity() -> None:
    table = Contingency(1, 0, 0, 0)
    assert table.with_.rate == 1
    assert table.without.rate is None
    assert table.risk_difference().undefined is Undefined.EMPTY_GROUP
    assert table.phi == 0
    assert Contingency(0, 0, 0, 0).phi is None
    assert Contingency(0, 0, 0, 0).lift is None


def test_lift_is_bounded_by_one_over_the_share() -> None:
    table = Contingency(10, 0, 0, 90)
    assert table.lift == 10
    assert Contingency(0, 0, 5, 5).lift is None


def test_phi_squared_is_chi_squared_over_n() -> None:
    from scipy.special import chdtrc

    table = Contingency(30, 70, 70, 830)
    assert table.phi is not None
    assert table.p_value == pytest.approx(chdtrc(1, table.total * table.phi**2))


def test_phi_of_a_million_entities_does_not_overflow() -> None:
    table = Contingency(10**9, 10**9, 10**9, 10**9)
    assert table.phi == 0
    assert table.p_value == 1


def test_a_design_effect_widens_as_fewer_rows_would() -> None:
    table, third = Contingency(90, 210, 210, 2490), Contingency(30, 70, 70, 830)
    for name in ("relative_risk", "odds_ratio", "risk_difference"):
        inflated, fewer = getattr(table, name)(design_effect=3.0), getattr(third, name)()
        assert (inflated.low, inflated.high) == pytest.approx((fewer.low, fewer.high))
    p = comparison.p_value(*table.cells, design_effect=3.0)
    assert float(p) == pytest.approx(third.p_value or 0)


def test_objectives_of_one_table() -> None:
    table = Contingency(20, 5, 10, 15)
    assert table.kappa == pytest.approx(0.4)
    assert table.f_beta() == pytest.approx(2 * 20 / (30 + 25))
    assert table.youden == pytest.approx(20 / 30 - 5 / 20)


def test_a_table_of_dependent_rows_has_the_intervals_of_fewer():
    plain, dependent = Contingency(30, 70, 70, 830), Contingency(30, 70, 70, 830, design_effect=5.0)
    assert dependent.with_ == Rate.of(30, 100, design_effect=5.0)
    assert dependent.without == Rate.of(70, 900, design_effect=5.0)
    assert dependent.share == Rate.of(100, 1_000, design_effect=5.0)
    assert dependent.recall == Rate.of(30, 100, design_effect=5.0)
    assert dependent.relative_risk() == plain.relative_risk(design_effect=5.0)
    assert dependent.odds_ratio() == plain.odds_ratio(design_effect=5.0)
    assert dependent.risk_difference() == plain.risk_difference(design_effect=5.0)
    assert (dependent.p_value or 0) > (plain.p_value or 1)
    assert dependent.relative_risk(design_effect=1.0) == plain.relative_risk()


def test_a_sum_of_tables_keeps_the_larger_design_effect():
    total = Contingency(1, 2, 3, 4, design_effect=2.0) + Contingency(1, 1, 1, 1)
    assert (total.cells, total.design_effect) == ((2, 3, 4, 5), 2.0)


def test_exact_tests_see_the_rows_that_are_independent():
    assert Contingency(30, 70, 70, 830, design_effect=4.0).independent.cells == (8, 18, 18, 208)
    assert Contingency(3, 7, 7, 83).independent.cells == (3, 7, 7, 83)
