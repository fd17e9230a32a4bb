from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.statistics.agreement import f_beta, kappa, youden


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, int, int, int]:
    positives, others = draw(st.integers(1, 300)), draw(st.integers(1, 3000))
    return draw(st.integers(0, positives)), draw(st.integers(0, others)), positives, positives + others


@given(cases())
def test_more_right_leads_are_better_and_more_wrong_ones_worse(case: tuple[int, int, int, int]) -> None:
    tp, fp, positives, total = case
    for score in (f_beta, kappa, youden):
        now = score(tp, fp, positives, total)
        if tp < positives:
            assert score(tp + 1, fp, positives, total) >= now
        if fp < total - positives:
            assert score(tp, fp + 1, positives, total) <= now


def test_a_perfect_rule_scores_one() -> None:
    assert [float(s(30, 0, 30, 90)) for s in (f_beta, kappa, youden)] == [1, 1, 1]


def test_chance_scores_nothing() -> None:
    assert float(kappa(10, 20, 30, 90)) == 0
    assert float(youden(10, 20, 30, 90)) == 0


def test_f_beta_by_hand() -> None:
    precision, recall = 0.3, 0.6
    for beta in (0.5, 1.0, 2.0):
        by_hand = (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
        assert float(f_beta(30, 70, 50, 1000, beta=beta)) == pytest.approx(by_hand)


def test_nobody_qualified_and_nobody_converted() -> None:
    assert float(f_beta(0, 0, 30, 90)) == 0
    assert np.isnan(f_beta(0, 0, 0, 90))
    assert np.isnan(kappa(0, 0, 0, 90))
    assert np.isnan(kappa(90, 0, 90, 90))
    assert np.isnan(youden(0, 5, 0, 90))
    assert np.isnan(youden(5, 0, 90, 90))
