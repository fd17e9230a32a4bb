"""The Arrow value: columns of types that canonical tables have not, brought to text, numbers or times that say the same.

UUIDs become text, other bytes text where they are UTF-8 and ``0x...`` where they are not, durations seconds, times of day
text, lists of such values JSON. A time outside the years 1 to 9999 is none.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from pqlkit.exports.instants import FIRST, LAST

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["intervals", "readable"]

_UUID: Final = r"^[0-9a-f]{12}[1-8][0-9a-f]{3}[89ab][0-9a-f]{15}$"
_DAY: Final = 86_400_000_000
_UNITS: Final = {"ns": 1_000_000_000, "us": 1_000_000, "ms": 1_000}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INTERVAL: Final = {"months", "days", "nanoseconds"}


def intervals(schema: pl.Schema) -> tuple[str, ...]:
    """Name the columns that are intervals of months, days and seconds, which Polars cannot read."""
    return tuple(
        name
        for name, dtype in schema.items()
        if isinstance(dtype, pl.Struct) and {field.name for field in dtype.fields} == _INTERVAL
    )


def readable(frame: pl.DataFrame) -> pl.DataFrame:
    r"""Bring columns to types that can be mapped, compared and written as text.

    Parameters
    ----------
    frame
        Rows of a Parquet file, records flattened.

    Returns
    -------
    DataFrame
        The same columns; those of ordinary types are the same series.

    Examples
    --------
    >>> readable(pl.DataFrame({"id": [bytes.fromhex("018f4e6f5ab57cc2b9d0c0a801020304"), b"x", b"\xff"]}))["id"].to_list()
    ['018f4e6f-5ab5-7cc2-b9d0-c0a801020304', 'x', '0xff']
    """
    return frame.with_columns(_series(values).alias(values.name) for values in frame if not _ordinary(values.dtype))


def _ordinary(dtype: pl.DataType) -> bool:
    if isinstance(dtype, pl.BaseExtension):
        return False
    if dtype.is_nested():
        return all(_ordinary(leaf) for leaf in _leaves(dtype))
    return dtype.is_numeric() or dtype in (pl.String, pl.Boolean, pl.Null)


def _leaves(dtype: pl.DataType) -> Iterable[pl.DataType]:
    if isinstance(dtype, pl.Struct):
        return [field.dtype for field in dtype.fields]  # type: ignore[misc]
    if isinstance(dtype, pl.Map):
        return [dtype.key, dtype.value]  # type: ignore[list-item]
    return [dtype.inner]  # type: ignore[attr-defined]


def _series(values: pl.Series) -> pl.Series:
    dtype = values.dtype
    if isinstance(dtype, pl.BaseExtension):
        # An extension type is what it is stored as.
        stored = values.ext.storage()
        return stored if _ordinary(stored.dtype) else _series(stored)
    if dtype == pl.Binary:
        return _bytes(values)
    if isinstance(dtype, pl.Duration):
        return (values.to_physical() / _UNITS[dtype.time_unit]).round(9)  # Polars divides by multiplying
    if isinstance(dtype, pl.Datetime):
        unit = _UNITS[dtype.time_unit]
        return _within(values, values.to_physical() // max(1, unit // 1_000_000), 1_000_000 // min(unit, 1_000_000))
    if dtype == pl.Date:
        return _within(values, values.to_physical().cast(pl.Int64), _DAY)
    if dtype.is_nested():
        return pl.Series([_json(value, dtype) for value in values.cast(_physical(dtype)).to_list()], dtype=pl.String)
    return values.cast(pl.String)


def _within(values: pl.Series, physical: pl.Series, micros: int) -> pl.Series:
    """Leave out the times that no calendar has; `physical` counts units of `micros` microseconds."""
    inside = physical.is_between(FIRST // micros, LAST // micros)
    if inside.all():
        return values
    return values.alias("v").to_frame().select(pl.when(inside.fill_null(value=False)).then(pl.col("v"))).to_series()


def _bytes(values: pl.Series) -> pl.Series:
    digits = values.bin.encode("hex")
    uuids = digits.str.contains(_UUID).fill_null(value=False)
    spelled = digits.str.replace(r"^(.{8})(.{4})(.{4})(.{4})(.{12})$", "$1-$2-$3-$4-$5")
    if uuids.all():
        return spelled
    try:
        text = values.cast(pl.String)
    except pl.exceptions.ComputeError:
        text = pl.Series([None if value is None else _text(value) for value in values], dtype=pl.String)
    return spelled.zip_with(uuids, text)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"0x{value.hex()}"


def _physical(dtype: pl.DataType) -> pl.DataType:
    """Give the type whose values Python can hold: times as numbers."""
    if isinstance(dtype, pl.Struct):
        return pl.Struct([pl.Field(field.name, _physical(field.dtype)) for field in dtype.fields])  # type: ignore[arg-type]
    if isinstance(dtype, pl.Array):
        return pl.Array(_physical(dtype.inner), dtype.shape[0])  # type: ignore[arg-type]
    if isinstance(dtype, pl.List):
        return pl.List(_physical(dtype.inner))  # type: ignore[arg-type]
    if dtype == pl.Date:
        return pl.Int32()
    return pl.Int64() if dtype.is_temporal() else pl.String() if dtype in (pl.Categorical, pl.Enum) else dtype


def _json(value: Any, dtype: pl.DataType) -> str | None:
    return None if value is None else json.dumps(_told(value, dtype), ensure_ascii=False, separators=(",", ":"))


def _told(value: Any, dtype: pl.DataType) -> Any:
    if value is None:
        return None
    if isinstance(dtype, pl.Struct):
        return {field.name: _told(value[field.name], field.dtype) for field in dtype.fields}  # type: ignore[arg-type]
    if isinstance(dtype, pl.Map):
        return {str(_told(key, dtype.key)): _told(part, dtype.value) for key, part in value.items()}  # type: ignore[arg-type]
    if isinstance(dtype, pl.List | pl.Array):
        return [_told(part, dtype.inner) for part in value]  # type: ignore[arg-type]
    if dtype == pl.Binary:
        return _bytes(pl.Series([value], dtype=pl.Binary))[0]
    if isinstance(dtype, pl.Duration):
        return value / _UNITS[dtype.time_unit]
    if isinstance(dtype, pl.Datetime | pl.Date):
        micros = value * _DAY if isinstance(dtype, pl.Date) else value * 1_000_000 // _UNITS[dtype.time_unit]
        return (_EPOCH + timedelta(microseconds=micros)).isoformat() if FIRST <= micros <= LAST else None
    return value if isinstance(value, int | float | str | bool) else str(value)
