"""The array: logarithms and powers that print the same on every machine."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pqlkit.statistics.arrays import exp, log


def test_powers_are_those_of_the_mathematics_library_to_the_last_digit() -> None:
    values = np.random.default_rng(1).uniform(-50, 50, 2_000)
    assert exp(values).tolist() == [math.exp(value) for value in values.tolist()]


def test_logarithms_are_those_of_the_mathematics_library_to_the_last_digit() -> None:
    values = np.random.default_rng(2).uniform(1e-9, 1e9, 2_000)
    assert log(values).tolist() == [math.log(value) for value in values.tolist()]


@pytest.mark.parametrize(("value", "power"), [(709.7, math.exp(709.7)), (709.8, math.inf), (-800.0, 0.0)])
def test_a_power_too_large_to_hold_is_infinite(value: float, power: float) -> None:
    assert float(exp(value)) == power


def test_the_logarithm_of_nothing_is_minus_infinity() -> None:
    assert float(log(0.0)) == -math.inf


def test_undefined_stays_undefined() -> None:
    assert np.isnan(exp([np.nan])).all()
    assert np.isnan(log([np.nan])).all()
