"""The array: columns of numbers in which NaN says "undefined", and the way back to one number or None.

Every formula of this package is written once, on arrays; the records (`Rate`, `Contingency`) call it with single
numbers and turn NaN into None.
"""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
"""An array of 64-bit floats; NaN is "undefined"."""

Flags: TypeAlias = NDArray[np.bool_]
"""An array of truth values."""

Indices: TypeAlias = NDArray[np.int64]
"""An array of row or column numbers, from 0."""

Numbers: TypeAlias = ArrayLike
"""What NumPy reads as numbers: one number, a sequence, an array."""

Z95: Final = 1.959963984540054
"""The 97.5 % point of the standard normal: half-width of a 95 % interval in standard errors."""


def floats(values: Numbers) -> Floats:
    """Read numbers as an array of floats.

    Examples
    --------
    >>> floats([1, 2])
    array([1., 2.])
    """
    return np.asarray(values, dtype=np.float64)


def together(*values: Numbers) -> tuple[Floats, ...]:
    """Read several columns as floats of one common shape.

    Examples
    --------
    >>> together([1, 2], 3)
    (array([1., 2.]), array([3., 3.]))
    """
    return tuple(np.broadcast_arrays(*(floats(value) for value in values)))


def ratio(above: Numbers, below: Numbers) -> Floats:
    """Divide, with NaN wherever the denominator is 0 or either side is undefined.

    Examples
    --------
    >>> ratio([1, 1], [4, 0])
    array([0.25,  nan])
    """
    a, b = together(above, below)
    return floats(np.divide(a, b, out=np.full(a.shape, np.nan), where=b != 0))


def exp(values: Numbers) -> Floats:
    """Raise e to each power, to the same last digit on every processor.

    NumPy's own differs in the last digit between processors with and without AVX-512, and printed figures may not.

    Examples
    --------
    >>> exp([0.0, 1.0])
    array([1.        , 2.71828183])
    """
    with np.errstate(invalid="ignore"):
        return floats(_EXP(floats(values)))


def log(values: Numbers) -> Floats:
    """Give natural logarithms to the same last digit on every processor, as `exp`; 0 gives minus infinity.

    Examples
    --------
    >>> log([0.0, 1.0])
    array([-inf,   0.])
    """
    with np.errstate(invalid="ignore"):
        return floats(_LOG(floats(values)))


_LARGEST_POWER: Final = 709.78
"""e to a larger power is beyond what a float holds."""

_EXP: Final = np.frompyfunc(lambda value: math.inf if value > _LARGEST_POWER else math.exp(value), 1, 1)
_LOG: Final = np.frompyfunc(lambda value: math.log(value) if value else -math.inf, 1, 1)


def number(value: Any) -> float | None:
    """Give one number back as a plain float, or None where it is NaN.

    Examples
    --------
    >>> number(ratio(1, 4)), number(ratio(1, 0))
    (0.25, None)
    """
    plain = float(value)
    return None if np.isnan(plain) else plain
