"""The array: columns of numbers in which NaN says "undefined", and the way back to one number or None.

Every formula of this package is written once, on arrays; the records (`Rate`, `Contingency`) call it with single
numbers and turn NaN into None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

Floats: TypeAlias = NDArray[np.float64]
"""An array of 64-bit floats; NaN is "undefined"."""

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
    return np.divide(a, b, out=np.full(a.shape, np.nan), where=b != 0)


def number(value: Any) -> float | None:
    """Give one number back as a plain float, or None where it is NaN.

    Examples
    --------
    >>> number(ratio(1, 4)), number(ratio(1, 0))
    (0.25, None)
    """
    plain = float(value)
    return None if np.isnan(plain) else plain


def blocks(rows: int, width: int, *, cells: int = 2_000_000) -> Iterator[slice]:
    """Cut rows into slices whose rows x width tables stay small in memory.

    Parameters
    ----------
    rows, width
        Shape of the whole table.
    cells
        Largest number of cells held at once.

    Examples
    --------
    >>> list(blocks(5, 2, cells=4))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 6, None)]
    """
    step = max(1, cells // max(1, width))
    return (slice(start, start + step) for start in range(0, rows, step))
