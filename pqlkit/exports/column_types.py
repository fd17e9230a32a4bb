"""The column's type: the narrowest that all of its values share, found bit by bit and independent of their order."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.exports.instants import UTC
from pqlkit.exports.nulls import is_null_value

if TYPE_CHECKING:
    from collections.abc import Set


class ColumnType(StrEnum):
    """What a column holds. Instants are ``Datetime[us, UTC]``; dates stay dates only outside the canonical times."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    INSTANT = "instant"
    DATE = "date"


POLARS: Final[dict[ColumnType, pl.DataType]] = {
    ColumnType.TEXT: pl.String(),
    ColumnType.INTEGER: pl.Int64(),
    ColumnType.NUMBER: pl.Float64(),
    ColumnType.BOOLEAN: pl.Boolean(),
    ColumnType.INSTANT: UTC,
    ColumnType.DATE: pl.Date(),
}

LESSER_INTEGERS: Final = (pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.UInt32)
"""Types whose numbers all are integers of a canonical table."""

_INTEGER: Final = r"^(?:0|-?[1-9][0-9]{0,17})$"
_NUMBER: Final = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?$"
_BOOLEAN: Final = r"^(?i:true|false)$"
_PATTERNS: Final = ((ColumnType.INTEGER, _INTEGER), (ColumnType.NUMBER, _NUMBER), (ColumnType.BOOLEAN, _BOOLEAN))


def join(left: ColumnType | None, right: ColumnType | None) -> ColumnType | None:
    """Give the narrowest type that holds both; None (no value seen) fits everything.

    Examples
    --------
    >>> str(join(ColumnType.INTEGER, ColumnType.NUMBER)), str(join(ColumnType.BOOLEAN, ColumnType.INTEGER))
    ('number', 'text')
    """
    if left is None or left is right:
        return right
    if right is None:
        return left
    if {left, right} == {ColumnType.INTEGER, ColumnType.NUMBER}:
        return ColumnType.NUMBER
    return ColumnType.TEXT


def of_dtype(dtype: pl.DataType) -> ColumnType:
    """Name a Polars type."""
    if dtype.is_integer():
        return ColumnType.INTEGER
    if dtype.is_float() or dtype.is_decimal():
        return ColumnType.NUMBER
    if dtype == pl.Boolean:
        return ColumnType.BOOLEAN
    if dtype == pl.Date:
        return ColumnType.DATE
    return ColumnType.INSTANT if isinstance(dtype, pl.Datetime) else ColumnType.TEXT


def as_read(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Give a column of a file the type that its kind has: what other widths, units and dictionaries say is the same."""
    if dtype in LESSER_INTEGERS:
        return column.cast(pl.Int64)
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    if isinstance(dtype, pl.Datetime):
        utc = column.dt.replace_time_zone("UTC") if dtype.time_zone is None else column.dt.convert_time_zone("UTC")
        return utc.dt.cast_time_unit("us")
    return column


def of_text(values: pl.Series, nulls: Set[str] = frozenset()) -> ColumnType | None:
    """Tell what texts are: integers without leading zeros, numbers, true/false, else text. None if all are null.

    Null values among numbers do not make them text; where all others are text, they are text too.

    Examples
    --------
    >>> of_text(pl.Series(["1", "20", None])), of_text(pl.Series(["007"]))
    (<ColumnType.INTEGER: 'integer'>, <ColumnType.TEXT: 'text'>)
    """
    some = values.drop_nulls()
    if nulls and (absent := is_null_value(some, nulls)).any():
        some = some.filter(~absent)
    if some.is_empty():
        return None
    for name, pattern in _PATTERNS:
        # A look at one value spares most text columns the full pass.
        if pl.Series([some[0]]).str.contains(pattern)[0] and some.str.contains(pattern).all():
            return name
    if any(pl.Series([some[0]]).str.contains(pattern)[0] for _, pattern in _PATTERNS[:2]):
        return ColumnType.NUMBER if some.str.contains(_NUMBER).all() else ColumnType.TEXT
    return ColumnType.TEXT


def as_type(expression: pl.Expr, dtype: pl.DataType, target: ColumnType) -> pl.Expr:
    """Cast a staged column to its final type without changing what it says (``2.0`` becomes the text ``2``)."""
    if target is ColumnType.TEXT:
        return as_text(expression, dtype)
    if dtype == pl.String and target is ColumnType.BOOLEAN:
        lower = expression.str.to_lowercase()
        return pl.when(lower.is_in(["true", "false"])).then(lower == "true")
    return expression.cast(POLARS[target], strict=False)


def as_text(expression: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Write values as text: whole numbers without a point, times as ISO 8601 UTC."""
    if dtype.is_float():
        whole = (expression.floor() == expression) & (expression.abs() < 2**53)
        return (
            pl.when(whole)
            .then(expression.cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(expression.cast(pl.String))
        )
    if isinstance(dtype, pl.Datetime):
        return expression.dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
    return expression if dtype == pl.String else expression.cast(pl.String)
