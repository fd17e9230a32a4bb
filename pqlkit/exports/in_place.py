"""The table in place: Parquet that is canonical already is checked a column at a time and used where it lies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import EVENT, EVENT_ID
from pqlkit.durations import DAY
from pqlkit.errors import DataError
from pqlkit.exports.column_types import LESSER_INTEGERS, ColumnType, as_read, of_dtype
from pqlkit.exports.finding import Found, find
from pqlkit.exports.instants import FIRST, LAST, UTC
from pqlkit.exports.mapping import Match
from pqlkit.exports.parquet import damaged, refuse_numbered, schema
from pqlkit.exports.path_keys import path_keys
from pqlkit.exports.picked_column import UNTIDY
from pqlkit.exports.tables import ADDRESSES, EMAIL, EVENTS, FILE, IDENTITIES, LINE, LONGEST_NAME
from pqlkit.exports.writing import repeats

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Set
    from pathlib import Path

    from pqlkit.exports.mapping import Source
    from pqlkit.exports.plausible_times import Plausible
    from pqlkit.exports.tables import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class InPlace:
    """A canonical table where it lies; `days` counts its rows by UTC day."""

    paths: tuple[str, ...]
    columns: dict[str, ColumnType]
    rows: int
    first: int | None
    last: int | None
    days: dict[int, int]


def in_place(
    layout: Layout, source: Source, plausible: Plausible, files: Sequence[Path] | None = None
) -> InPlace | None:
    """Check whether a source can be used where it lies; None where anything must be changed or left out.

    Parameters
    ----------
    layout, source
        The table and where it is.
    plausible
        The outer bounds of its times.
    files
        Its files, where they are found already; None = all that the source names.
    """
    changed = source.format is not None or source.columns or source.notation or source.reshaped
    if changed or source.match is not Match.USER_ID:
        return None
    finding = find(source.path) if files is None else Found(files=tuple(files))
    paths = finding.files
    if (
        not paths
        or finding.not_read
        or any(path_keys(str(path)) for path in paths)
        or not all(_is_parquet(path) for path in paths)
    ):
        return None
    columns = _columns(layout, paths, source.timezone)
    if columns is None:
        return None
    try:
        return _checked(layout, [str(path) for path in paths], columns, plausible, source.null_values)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise damaged(paths[0], error) from error


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(4) == b"PAR1"
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", where=str(path)) from error


def _columns(layout: Layout, paths: tuple[Path, ...], zone: str) -> dict[str, ColumnType] | None:
    first = schema(paths[0])
    refuse_numbered(first, str(paths[0]))
    if any(schema(path) != first for path in paths[1:]):
        return None
    named = set(layout.required) <= set(first) and all(
        (set(group) - set(ADDRESSES)) & set(first) for group in layout.one_of
    )
    needs_user = layout.name == EVENTS and "user_id" not in first
    if not named or needs_user or {FILE, LINE} & set(first):
        return None
    return {name: of_dtype(dtype) for name, dtype in first.items()} if _typed(layout, first, zone) else None


_TEXTS: Final = (pl.String, pl.Categorical, pl.Enum)
_INTEGERS: Final = (pl.Int64, *LESSER_INTEGERS)


def _typed(layout: Layout, schema: pl.Schema, zone: str) -> bool:
    """Whether all columns say what canonical ones do; of the small tables only those that have their very types."""
    if layout.name != EVENTS and any(dtype in (pl.Categorical, pl.Enum) for dtype in schema.values()):
        return False
    texts = {EVENT, EVENT_ID}
    for name, dtype in schema.items():
        if name in layout.times:
            fits = dtype == UTC or (layout.name == EVENTS and _is_instant(dtype, zone))
        elif name in layout.ids:
            fits = dtype in (pl.String, pl.Int64) or (layout.name == EVENTS and dtype in (*_TEXTS, *_INTEGERS))
        elif name in texts and name in layout.columns:
            fits = dtype in _TEXTS
        else:
            fits = dtype in (*_TEXTS, *_INTEGERS, pl.Float64, pl.Float32, pl.Boolean, UTC)
        if not fits:
            return False
    return True


def _is_instant(dtype: pl.DataType, zone: str) -> bool:
    # Clocks of other zones skip and repeat hours: what such a time means is for the reader of exports to say.
    return isinstance(dtype, pl.Datetime) and (dtype.time_zone is not None or zone == "UTC")


def _checked(
    layout: Layout, paths: list[str], columns: dict[str, ColumnType], plausible: Plausible, nulls: Set[str]
) -> InPlace | None:
    lazy = pl.scan_parquet(paths, glob=False)
    time = layout.time if layout.time in columns else None
    day = pl.col(time).dt.timestamp("us").floordiv(DAY) if time else pl.lit(None, dtype=pl.Int64)
    stamp = pl.col(time).dt.timestamp("us") if time else pl.lit(None, dtype=pl.Int64)
    frame, *bad = pl.collect_all(
        [
            lazy.group_by(day.alias("day")).agg(rows=pl.len(), first=stamp.min(), last=stamp.max()),
            *(lazy.filter(fault).select(pl.len()) for fault in _faults(layout, columns, lazy.collect_schema(), nulls)),
        ],
        engine="streaming",
    )
    rows = int(frame["rows"].sum() or 0)
    first, last = frame["first"].min(), frame["last"].max()
    timeless = time in layout.needed and frame["day"].has_nulls()
    if timeless or any(count.item() for count in bad) or not _inside(first, last, plausible):
        return None
    if _repeated(layout, lazy, paths, columns, rows):
        return None
    days = {int(number): int(count) for number, count in frame.select("day", "rows").iter_rows() if number is not None}
    return InPlace(
        paths=tuple(paths),
        columns=columns,
        rows=rows,
        first=None if first is None else int(first),  # type: ignore[arg-type]
        last=None if last is None else int(last),  # type: ignore[arg-type]
        days=days,
    )


def _inside(first: object, last: object, plausible: Plausible) -> bool:
    if not isinstance(first, int) or not isinstance(last, int):
        return True
    return plausible.outer_first <= first and last <= plausible.outer_last


def _faults(layout: Layout, columns: dict[str, ColumnType], types: pl.Schema, nulls: Set[str]) -> Iterator[pl.Expr]:
    """Say which rows would have to be changed or left out, of each column apart, but for the table's own time.

    A filter by one column alone is judged on the words of the file's dictionary; one by several, on every row.
    """
    named = {EVENT, EVENT_ID} if layout.name == EVENTS else set()
    for name, kind in columns.items():
        value = as_read(pl.col(name), types[name])
        faults = [value.is_null()] if name in layout.needed else []
        if kind is ColumnType.TEXT and name in {*layout.ids, *named, EMAIL}:
            faults += [value.str.len_bytes() > LONGEST_NAME]
            faults += [value == "" if name == EVENT else value.is_in(sorted(nulls | {""}))]
        if kind is ColumnType.TEXT and name in layout.ids:
            faults += [value.str.contains(UNTIDY)]
        if kind is ColumnType.INSTANT:
            # A time that no calendar has would be a panic where it is written as text.
            faults += [_beyond(pl.col(name), types[name])]
        if name == layout.time:
            # Its extremes are judged, as microseconds: which those of a coarser unit must fit first.
            faults = [] if types[name] == UTC else [_beyond(pl.col(name), types[name])]
        if faults:
            yield reduce(or_, faults)
    if layout.owned:
        yield pl.all_horizontal(pl.col(name).is_null() for name in ("user_id", "account_id") if name in columns)


_UNITS: Final = {"ns": 1_000_000_000, "us": 1_000_000, "ms": 1_000}
"""Of a second."""


def _beyond(time: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    unit = _UNITS[dtype.time_unit] if isinstance(dtype, pl.Datetime) and dtype.time_unit is not None else 1_000_000
    return ~time.to_physical().is_between(FIRST * unit // 1_000_000, LAST * unit // 1_000_000)


def _repeated(layout: Layout, lazy: pl.LazyFrame, paths: list[str], columns: dict[str, ColumnType], rows: int) -> bool:
    if layout.name == EVENTS and EVENT_ID in columns:
        return not repeats(paths).is_empty()
    keys = list(columns) if layout.name == IDENTITIES else [layout.key] if layout.key else []
    if not keys:
        return False
    distinct = lazy.select(keys).unique().select(pl.len()).collect(engine="streaming").item()
    return bool(distinct != rows)
