"""The nested column: objects and key/value records inside one column, opened into columns of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.exports.json_lines import flatten, read_objects

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pqlkit.exports.preset import Records, Variant

_ROW: Final = "pqlkit:row"


def unpacked(raw: pl.DataFrame, variant: Variant) -> pl.DataFrame:
    """Open a variant's containers that are JSON text, and its key/value records; the row order stays."""
    for container in variant.containers:
        if container in raw.columns and raw[container].dtype == pl.String:
            raw = raw.drop(container).hstack(_opened(raw[container], container, set(raw.columns)))
    for records in variant.records:
        if records.column in raw.columns:
            raw = raw.drop(records.column).hstack(_pivoted(raw[records.column], records, set(raw.columns)))
    return raw


def with_paths(raw: pl.DataFrame, paths: Iterable[str]) -> pl.DataFrame:
    """Add what mapped paths name inside columns of JSON text: ``props.plan`` where the export has ``props``."""
    wanted: dict[str, list[str]] = {}
    for path in paths:
        root = root_of(path, raw.columns)
        if root is not None and raw[root].dtype == pl.String:
            wanted.setdefault(root, []).append(path)
    for root, named in wanted.items():
        inner = read_objects(raw[root])
        below = {path: path.removeprefix(f"{root}.") for path in named}
        raw = raw.with_columns(
            [
                inner[name].alias(path) if name in inner.columns else pl.lit(None, dtype=pl.String).alias(path)
                for path, name in below.items()
            ]
        )
    return raw


def root_of(path: str, columns: Collection[str]) -> str | None:
    """Give the column inside which a path lies; None where the path is a column, or lies in none.

    Examples
    --------
    >>> root_of("props.account.id", ["user", "props"]), root_of("props", ["props"])
    ('props', None)
    """
    parts = path.split(".")
    roots = (".".join(parts[:depth]) for depth in range(len(parts) - 1, 0, -1))
    return None if path in columns else next((root for root in roots if root in columns), None)


def _opened(texts: pl.Series, prefix: str, taken: set[str]) -> list[pl.Series]:
    frame = read_objects(texts)
    return [frame[name].alias(f"{prefix}.{name}") for name in frame.columns if f"{prefix}.{name}" not in taken]


def _pivoted(values: pl.Series, records: Records, taken: set[str]) -> list[pl.Series]:
    if values.dtype == pl.String:
        values = values.str.json_decode(infer_schema_length=None)
    if not isinstance(values.dtype, pl.List) or values.null_count() == len(values):
        return []
    rows = pl.DataFrame({_ROW: pl.int_range(len(values), eager=True), "record": values}).explode("record")
    opened = flatten(rows.drop_nulls("record"))
    key = f"record.{records.key}"
    parts = [f"record.{name}" for name in records.values if f"record.{name}" in opened.columns]
    if key not in opened.columns or not parts:
        return []
    pairs = opened.select(_ROW, pl.col(key).alias("key"), pl.coalesce(pl.col(parts).cast(pl.String)).alias("value"))
    wide = pairs.drop_nulls().pivot("key", index=_ROW, values="value", aggregate_function="first")
    whole = pl.DataFrame({_ROW: pl.int_range(len(values), eager=True)}).join(
        wide, on=_ROW, how="left", maintain_order="left"
    )
    return [whole[name] for name in whole.columns if name != _ROW and name not in taken]
