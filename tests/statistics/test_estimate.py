from __future__ import annotations

import math

import numpy as np

from pqlkit.statistics.arrays import number, ratio, together
from pqlkit.statistics.estimate import Estimate, Undefined


def test_nan_becomes_none() -> None:
    found = Estimate.of(1.0, math.nan, np.float64(2))
    assert (found.value, found.low, found.high) == (1.0, None, 2.0)
    assert found.to_json() == {"value": 1.0, "low": None, "high": 2.0}
    assert type(found.high) is float


def test_what_does_not_exist_has_a_reason() -> None:
    found = Estimate.none(Undefined.TOO_FEW)
    assert (found.value, found.undefined) == (None, Undefined.TOO_FEW)
    assert str(found.undefined) == "too-few"


def test_division_by_nothing_is_undefined_without_a_warning() -> None:
    np.testing.assert_array_equal(ratio([1, 0, np.nan], [0, 0, 2]), [np.nan] * 3)
    assert number(ratio(0, 5)) == 0.0
    assert [column.shape for column in together([1, 2], 3, [[1], [2]])] == [(2, 2)] * 3
