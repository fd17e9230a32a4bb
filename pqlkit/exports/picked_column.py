"""The picked column: a raw frame's values as a mapping asks for them, brought to a canonical type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.exports.column_types import as_text
from pqlkit.exports.json_lines import EXACT
from pqlkit.exports.nulls import NULL_VALUES, without_nulls

if TYPE_CHECKING:
    from collections.abc import Set

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
    if values.dtype.is_nested():
        return plain(values)
    frame = values.alias("v").to_frame()
    return frame.select(as_text(pl.col("v"), values.dtype)).to_series()


def none_if_empty(values: pl.Series) -> pl.Series:
    """Take the empty text for no value."""
    return values.alias("v").to_frame().select(pl.when(pl.col("v") != "").then(pl.col("v"))).to_series()


UNTIDY: Final = r"^\s|\s$|^-?(?:0|[1-9][0-9]{0,14})\.0+$|^\["
"""Ids that stand for another text: with blanks around them, as whole numbers with decimals, or in a list."""


def id_text(values: pl.Series, nulls: Set[str] = NULL_VALUES) -> pl.Series:
    """Write ids as text: null values are null, blanks around an id and the point of a whole number come off."""
    if values.dtype.is_float():
        values = values.fill_nan(None)
    text = text_of(values)
    if text.str.contains(UNTIDY).any():
        text = _tidy(text)
    return without_nulls(text, nulls)


def _tidy(text: pl.Series) -> pl.Series:
    bare = text.str.strip_chars().str.replace(r"^(-?(?:0|[1-9][0-9]{0,14}))\.0+$", "$1")
    return bare.set(bare == "[]", None).str.replace(r'^\["([^"\\,]*)"\]$', "$1").str.replace(r"^\[(-?[0-9]+)\]$", "$1")


_SEVERAL: Final = r'^\[\s*(?:"[^"]*"(?:\s*,\s*"[^"]*")+|-?[0-9]+(?:\s*,\s*-?[0-9]+)+)\s*\]$'


def several_ids(text: pl.Series) -> pl.Series:
    """Mark cells that hold a JSON list of ids: whose a row is cannot be told."""
    if not text.str.starts_with("[").any():
        return pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(text))
    return text.str.contains(_SEVERAL).fill_null(value=False)


def lost_digits(values: pl.Series) -> pl.Series:
    """Mark ids that have lost their last digits: whole numbers that went through a float, so that several became one."""
    if values.dtype.is_float():
        return (values.abs() >= EXACT).fill_null(value=False)
    if values.dtype != pl.String:
        return pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(values))
    return values.str.contains(r"^\s*[0-9](?:\.[0-9]+)?[eE]\+(?:1[6-9]|[2-9][0-9])\s*$").fill_null(value=False)


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
