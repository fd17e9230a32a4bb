"""The Arrow value: columns of types that Polars reads and cannot cast, brought to types that it can."""

from __future__ import annotations

from typing import Final

import polars as pl

_UUID_BYTES: Final = 16
_YEARS: Final = (1, 9999)
"""Years that dates have; databases write times without an end beyond them."""


def readable(frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Bring columns to types that can be cast; give the frame, and the names of columns that were left out.

    An extension type is what it is stored as. Bytes are UUIDs where each is 16 bytes and they are no text, else text
    (UTF-8); a column with other bytes is left out. Times and dates beyond the calendar (``infinity``) are null.

    Examples
    --------
    >>> import uuid
    >>> bytes_ = [uuid.UUID("01234567-89ab-4cde-8f01-23456789abcd").bytes, None]
    >>> readable(pl.DataFrame({"id": bytes_, "name": [b"ann", None], "raw": [b"a", bytes([255])]}))[1]
    ('raw',)
    """
    changed: list[pl.Series] = []
    dropped: list[str] = []
    for column in frame:
        values = column.ext.storage() if isinstance(column.dtype, pl.BaseExtension) else column
        if values.dtype == pl.Binary:
            text = _text(values)
            if text is None:
                dropped.append(column.name)
                continue
            values = text
        elif values.dtype.is_temporal() and not isinstance(values.dtype, pl.Duration | pl.Time):
            values = _dated(values)
        if values is not column:
            changed.append(values.alias(column.name))
    return frame.drop(dropped).with_columns(changed), tuple(dropped)


def _text(values: pl.Series) -> pl.Series | None:
    try:
        decoded = values.cast(pl.String)
    except pl.exceptions.PolarsError:
        decoded = None
    sizes = values.bin.size().drop_nulls()
    if len(sizes) and (sizes == _UUID_BYTES).all() and (decoded is None or _versioned(values)):
        digits = values.bin.encode("hex").alias("v").to_frame()
        cuts = ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))
        dashed = pl.concat_str([pl.col("v").str.slice(*cut) for cut in cuts], separator="-")
        return digits.select(dashed).to_series()
    return decoded


def _versioned(values: pl.Series) -> bool:
    """Tell whether all of some 16 bytes are marked as UUIDs: a version from 1 to 8, and the variant."""
    digits = values.bin.encode("hex").drop_nulls()
    return bool(digits.str.contains("^.{12}[1-8].{3}[89ab]").all())


def _dated(values: pl.Series) -> pl.Series:
    frame = values.alias("v").to_frame()
    low, high = _bounds(values.dtype)
    number = pl.col("v").to_physical()
    if frame.select(((number < low) | (number > high)).any()).item():
        return frame.select(pl.when((number >= low) & (number <= high)).then(pl.col("v"))).to_series()
    return values


def _bounds(dtype: pl.DataType) -> tuple[int, int]:
    days = [
        (pl.date(year, month, day) - pl.date(1970, 1, 1))
        for year, month, day in ((_YEARS[0], 1, 2), (_YEARS[1], 12, 31))
    ]
    first, last = pl.select(days[0].dt.total_days().alias("a"), days[1].dt.total_days().alias("b")).row(0)
    if not isinstance(dtype, pl.Datetime):
        return first, last
    scale = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}[dtype.time_unit]
    # Nanoseconds end in 2262 by themselves.
    return max(first * scale, -(2**63) + 1), min(last * scale, 2**63 - 2)
