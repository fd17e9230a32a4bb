"""The picked column: a raw frame's values as a mapping asks for them, brought to a canonical type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pqlkit.exports.column_types import as_text

if TYPE_CHECKING:
    from pqlkit.exports.mapping import Column


def values_of(raw: pl.DataFrame, column: Column) -> pl.Series:
    """Give what a mapping asks for: the constant, or in each row the first of its columns that has a value."""
    if column.constant is not None:
        return pl.Series([column.constant], dtype=pl.String).new_from_index(0, raw.height)
    parts = [raw[name] for name in column.parts if name in raw.columns and raw[name].dtype != pl.Null]
    if not parts:
        return pl.Series([None], dtype=pl.String).new_from_index(0, raw.height)
    if len(parts) == 1:
        return parts[0]
    if len({part.dtype for part in parts}) > 1:
        parts = [text_of(part) for part in parts]
    if parts[0].dtype == pl.String:
        parts = [none_if_empty(part) for part in parts]
    return pl.select(pl.coalesce([part.alias(f"c{place}") for place, part in enumerate(parts)])).to_series()


def text_of(values: pl.Series) -> pl.Series:
    """Write values as text."""
    if values.dtype == pl.String:
        return values
    frame = values.alias("v").to_frame()
    return frame.select(as_text(pl.col("v"), values.dtype)).to_series()


def none_if_empty(values: pl.Series) -> pl.Series:
    """Take the empty text for no value."""
    return values.alias("v").to_frame().select(pl.when(pl.col("v") != "").then(pl.col("v"))).to_series()


def id_text(values: pl.Series) -> pl.Series:
    """Write ids as text: empty ones are null, whole floats lose their point."""
    if values.dtype.is_float():
        values = values.fill_nan(None)
    return none_if_empty(text_of(values))


def plain(values: pl.Series) -> pl.Series:
    """Bring a property to one of the six types: categories and others become text, times UTC."""
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime):
        zoned = values.cast(pl.Datetime("us", dtype.time_zone))
        return zoned.dt.convert_time_zone("UTC") if dtype.time_zone else zoned.dt.replace_time_zone("UTC")
    if dtype.is_integer():
        whole = values.cast(pl.Int64, strict=False)
        return whole if whole.null_count() == values.null_count() else values.cast(pl.String)
    if dtype.is_float() or dtype.is_decimal():
        return values.cast(pl.Float64).fill_nan(None)
    if dtype in (pl.String, pl.Boolean, pl.Date):
        return values
    if dtype.is_nested():
        wrapped = values.alias("v").to_frame().select(pl.struct("v").struct.json_encode().str.slice(5)).to_series()
        text = wrapped.str.strip_suffix("}")
        return pl.select(pl.when(text != "null").then(text)).to_series()
    return values.cast(pl.String, strict=False)
