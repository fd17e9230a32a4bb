"""Columns of the sample product: whole numbers become times, with null for a time that never comes, and codes become names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

INSTANT: Final = pl.Datetime("us", "UTC")
"""The type of moments in every table."""

NEVER: Final = 2**62
"""Stands for the conversion of an entity that never converts."""


def named(names: Sequence[str], code: NDArray[np.int64]) -> pl.Series:
    """Give the names of codes, as text."""
    return pl.Series(names, dtype=pl.String).gather(code)
