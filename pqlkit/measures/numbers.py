"""Numbers: read a property as exact whole numbers of millionths, the same on every engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import narwhals as nw

from pqlkit.definitions.model import SCALE

if TYPE_CHECKING:
    from narwhals.dtypes import DType

LARGEST: Final = 9_200_000_000_000
"""Sums and single values beyond this do not fit the scaled integers."""

NUMBER: Final = r"^[ \t]*[+-]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][+-]?[0-9]{1,2})?[ \t\r\n]*$"
"""Texts that are numbers."""


def number(column: str, dtype: DType) -> nw.Expr:
    """Read a column as Float64: text is parsed; what is no finite number (nor true or false, 1 and 0) is null."""
    value = nw.col(column)
    if dtype == nw.String:
        # No engine-neutral cast gives null for what does not parse, so that is taken out first.
        plain = nw.when(value.str.contains(NUMBER)).then(value.str.strip_chars(" \t\r\n"))
        return plain.otherwise(nw.lit(None, nw.String)).cast(nw.Float64)
    if dtype == nw.Boolean:
        return value.cast(nw.Int8).cast(nw.Float64)
    if dtype.is_float():
        real = value.cast(nw.Float64)
        return nw.when(real.is_finite()).then(real).otherwise(nw.lit(None, nw.Float64))
    if dtype.is_numeric():
        return value.cast(nw.Float64)
    return nw.lit(None, nw.Float64)


def scaled(value: nw.Expr) -> nw.Expr:
    """Turn a Float64 into the Int64 of its millionths, floor(x * 10^6 + 1/2); values beyond `LARGEST` stop there."""
    kept = value.clip(-float(LARGEST), float(LARGEST))
    return (kept * float(SCALE) + 0.5).floor().cast(nw.Int64)
