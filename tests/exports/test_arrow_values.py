"""Columns of Parquet files that canonical tables have not: what becomes of their values."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from pqlkit.exports.arrow_values import intervals, readable
from pqlkit.exports.parquet import damaged

if TYPE_CHECKING:
    from pathlib import Path


def told(values: pl.Series) -> list[object]:
    return readable(values.alias("x").to_frame())["x"].to_list()


def test_ids_in_bytes_are_spelled_as_databases_spell_them() -> None:
    ids = [uuid.UUID("018f4e6f-5ab5-7cc2-b9d0-c0a801020304"), uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")]
    assert told(pl.Series([*(one.bytes for one in ids), None])) == [*map(str, ids), None]


def test_bytes_are_text_where_they_are_text_and_digits_where_not() -> None:
    assert told(pl.Series(["ü".encode(), b"", None])) == ["ü", "", None]
    assert told(pl.Series([b"\xff\x00", "ü".encode(), b"sixteen letters!"])) == ["0xff00", "ü", "sixteen letters!"]


def test_durations_are_seconds_in_any_unit() -> None:
    for unit in ("ms", "us", "ns"):
        assert told(pl.Series([timedelta(minutes=1, milliseconds=500), None], dtype=pl.Duration(unit))) == [60.5, None]


def test_a_time_that_no_calendar_has_is_none() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    for unit in ("ms", "us"):
        values = pl.Series([now, None, now], dtype=pl.Datetime(unit, "UTC")).to_physical()
        far = values.set(pl.Series([True, False, False]), 2**62).cast(pl.Datetime(unit, "UTC"))
        assert told(far) == [None, None, now]
    assert told(pl.Series([2**31 - 1, 0], dtype=pl.Int32).cast(pl.Date)) == [None, date(1970, 1, 1)]


def test_lists_of_such_values_are_json() -> None:
    assert told(pl.Series([[b"\xff", b"a"], None, []], dtype=pl.List(pl.Binary))) == ['["0xff","a"]', None, "[]"]
    assert told(pl.Series([[timedelta(seconds=1)]])) == ["[1.0]"]
    assert told(pl.Series([[datetime(2026, 3, 1, tzinfo=UTC)]])) == ['["2026-03-01T00:00:00+00:00"]']


def test_ordinary_columns_are_the_same_series() -> None:
    frame = pl.DataFrame({"a": [1], "b": ["x"], "c": [[1]], "d": [None], "e": [1.5], "f": [True]})
    assert readable(frame).equals(frame)
    assert readable(frame).schema == frame.schema


def test_columns_of_intervals_are_found() -> None:
    parts: dict[str, pl.DataType] = {"months": pl.Int32(), "days": pl.Int32(), "nanoseconds": pl.Duration("ns")}
    assert intervals(pl.Schema({"user_id": pl.String(), "spent": pl.Struct(parts)})) == ("spent",)


def test_a_column_of_intervals_is_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT 'u' AS user_id, 'login' AS event, TIMESTAMP '2026-03-01' AS timestamp, INTERVAL 1 DAY AS spent)"
            f" TO '{path}' (FORMAT parquet)"
        )
    # In a process of its own: Polars asks only once, when it is loaded, what an interval is to be.
    line = [
        sys.executable,
        "-m",
        "pqlkit",
        "load",
        "--events",
        str(path),
        "--out",
        str(tmp_path / "out"),
        "--format",
        "json",
    ]
    shown = json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout)
    assert shown["tables"][0]["kept"] == 1
    assert shown["warnings"] == [
        "events: the column 'spent' holds intervals of months, days and seconds, which are not read: left out"
    ]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("parquet: File out of specification: x", "the Parquet file is damaged"),
        ("not yet supported: LZO", "the Parquet file cannot be read: not yet supported: LZO"),
    ],
)
def test_only_what_is_damaged_is_called_so(tmp_path: Path, reason: str, said: str) -> None:
    assert said in str(damaged(tmp_path / "x.parquet", pl.exceptions.ComputeError(reason)))
