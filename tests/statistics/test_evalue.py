from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.statistics.evalue import e_value, e_value_limit


@given(st.floats(0.01, 100))
def test_a_trait_that_strong_just_explains_it(risk: float) -> None:
    """The bias of a trait tied to both sides by E is E x E / (2 E - 1): it must equal the relative risk."""
    found = e_value(risk)
    assert found * found / (2 * found - 1) == pytest.approx(max(risk, 1 / risk))
    assert e_value(1 / risk) == pytest.approx(found)


def test_no_association_needs_no_trait() -> None:
    assert e_value(1.0) == 1.0
    assert e_value_limit(1.0, 3.0) == 1.0
    assert e_value_limit(0.2, 0.5) == e_value(0.5)


@pytest.mark.parametrize("risk", [0.0, -1.0, math.inf, math.nan])
def test_impossible_risks_are_refused(risk: float) -> None:
    with pytest.raises(ValueError, match="relative risk"):
        e_value(risk)
