"""Every type that a Parquet column can have, in every column that pqlkit reads: rows add up, or one line says why not."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.attempt import attempt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS: Final = 6
START: Final = datetime(2026, 3, 1, tzinfo=UTC)
FAR: Final = (2**63 - 1, -(2**63) + 1, 0, 2**62, None, 253_402_300_800_000_000)
TABLES: Final = {
    "events": ("user_id", "event", "timestamp", "event_id", "anonymous_id", "account_id", "prop"),
    "users": ("user_id", "signed_up_at", "account_id", "prop"),
    "accounts": ("account_id", "created_at", "prop"),
    "conversions": ("user_id", "converted_at", "plan", "prop"),
}
_TIMES: Final = {"timestamp", "signed_up_at", "created_at", "converted_at"}


def _uuids() -> list[bytes | None]:
    return [uuid.UUID(int=(7 << 76) | (2 << 62) | row).bytes for row in range(ROWS - 1)] + [None]


@cache
def kinds() -> dict[str, pa.Array]:
    """Give an array of `ROWS` values of every type, hard values among them."""
    whole = [1, 2, 3, 4, None, 6]
    text = ["a", "", "ü", "=1+1", None, "a\rb"]
    raw = [b"\xff\xfe", b"", b"x" * 16, b"\x00", None, b"ok"]
    days = [date(2026, 3, 1), date(1, 1, 1), date(9999, 12, 31), None, date(2026, 3, 2), date(2026, 3, 3)]
    made: dict[str, pa.Array] = {
        "null": pa.nulls(ROWS),
        "bool": pa.array([True, False, None, True, True, False]),
        "decimal": pa.array(
            [Decimal("1.50"), Decimal(-2), None, Decimal(3), Decimal(4), Decimal(5)], pa.decimal128(9, 2)
        ),
        "wide decimal": pa.array([Decimal(10**30), None, *map(Decimal, range(4))], pa.decimal128(38, 2)),
        "wider decimal": pa.array([Decimal(10**60), None, *map(Decimal, range(4))], pa.decimal256(70, 2)),
        "text": pa.array(text),
        "large text": pa.array(text, pa.large_string()),
        "text view": pa.array(text, pa.string_view()),
        "bytes of text": pa.array([b"a", b"b", "ü".encode(), b"", None, b"c"], pa.binary()),
        "bytes": pa.array(raw, pa.binary()),
        "large bytes": pa.array(raw, pa.large_binary()),
        "uuid": pa.array(_uuids(), pa.binary(16)),
        "fixed bytes": pa.array([b"abc", b"\xff\xff\xff", None, b"abc", b"   ", b"\x00\x01\x02"], pa.binary(3)),
        "date": pa.array(days),
        "date in ms": pa.array(days, pa.date64()),
        "far date": pa.array([2**31 - 1, -(2**31), 0, None, 5, 6], pa.int32()).cast(pa.date32()),
        "seconds of day": pa.array([1, 2, 3, None, 5, 6], pa.time32("s")),
        "microseconds of day": pa.array([1, 2, 3, None, 5, 86_399_999_999], pa.time64("us")),
        "nanoseconds of day": pa.array([1, 2, 3, None, 5, 6], pa.time64("ns")),
        "list of whole numbers": pa.array([[1], [], None, [1, None], [2], [3]]),
        "list of text": pa.array([["a"], [], None, ["b", None], ["c"], ["d"]]),
        "list of bytes": pa.array([[b"\xff"], [], None, [b"b", None], [b"c"], [b"d"]]),
        "list of far times": pa.array([[value] for value in FAR], pa.list_(pa.timestamp("us", "UTC"))),
        "list of lists": pa.array([[["a"]], [[]], None, [["b"], None], [["c"]], [["d"]]]),
        "large list": pa.array([[1], [], None, [1], [2], [3]], pa.large_list(pa.int64())),
        "fixed list": pa.array([[1, 2], [3, 4], None, [1, 1], [2, 2], [3, 3]], pa.list_(pa.int64(), 2)),
        "map": pa.array([[("k", "v")], [], None, [("k", None)], [], []], pa.map_(pa.string(), pa.string())),
        "map of bytes": pa.array(
            [[("k", b"\xff")], [], None, [("k", None)], [], []], pa.map_(pa.string(), pa.binary())
        ),
        "record": pa.array([{"a": 1, "b": "x"}, {"a": None, "b": None}, None, {"a": 2}, {"b": "y"}, {}]),
        "record of bytes": pa.array([{"a": b"\xff"}, {"a": None}, None, {"a": b""}, {"a": b"x"}, {"a": b"y"}]),
        "record of durations": pa.array([{"a": timedelta(1)}, {"a": None}, None, {}, {}, {}]),
        "list of records": pa.array([[{"key": "a", "value": 1}], [], None, [{"key": "b"}], [], []]),
        "dictionary of text": pa.array(text).dictionary_encode(),
        "dictionary of bytes": pa.array(raw, pa.binary()).dictionary_encode(),
        "dictionary of numbers": pa.array(whole).dictionary_encode(),
        "float16": pa.array([1.0, None, 2.0, 3.0, 4.0, 5.0], pa.float32()).cast(pa.float16()),
        "not a number": pa.array([float("nan"), float("inf"), -float("inf"), None, 1e308, -0.0]),
        "unsigned beyond": pa.array([2**64 - 1, 0, None, 1, 2, 3], pa.uint64()),
    }
    for bits in (8, 16, 32, 64):
        made[f"int{bits}"] = pa.array(whole, getattr(pa, f"int{bits}")())
        made[f"uint{bits}"] = pa.array(whole, getattr(pa, f"uint{bits}")())
    for bits in (32, 64):
        made[f"float{bits}"] = pa.array([1.0, 2.5, None, 4.0, 5.0, 6.0], getattr(pa, f"float{bits}")())
    for unit in ("s", "ms", "us", "ns"):
        made[f"duration in {unit}"] = pa.array([1, 2, None, 10**9, 5, 6], pa.duration(unit))
        for zone in (None, "UTC", "Europe/Berlin"):
            now = [START + timedelta(hours=row) for row in range(ROWS)]
            made[f"time in {unit}, {zone}"] = pa.array(now, pa.timestamp(unit, zone or "UTC")).cast(
                pa.timestamp(unit, zone)
            )
            made[f"far time in {unit}, {zone}"] = pa.array(FAR, pa.timestamp(unit, zone))
    return made


def _ordinary(column: str) -> pa.Array:
    if column in _TIMES:
        return pa.array([START + timedelta(hours=row) for row in range(ROWS)], pa.timestamp("us", "UTC"))
    if column == "event":
        return pa.array(["login"] * ROWS)
    return pa.array([f"{column}-{row}" for row in range(ROWS)])


def cells() -> Iterator[tuple[str, str, str]]:
    """Give every table, column and kind of type."""
    for table, columns in TABLES.items():
        for column in columns:
            for kind in kinds():
                yield table, column, kind


def written(folder: Path, table: str, column: str, kind: str) -> Path:
    """Write a table whose one column is of that kind."""
    data: dict[str, Any] = {name: _ordinary(name) for name in TABLES[table]}
    data[column] = kinds()[kind]
    path = folder / f"{table}.parquet"
    pq.write_table(
        pa.table(data), path, store_schema=kind.startswith(("large", "far", "dictionary", "float16", "text view"))
    )
    return path


def fault(folder: Path, table: str, column: str, kind: str) -> str | None:
    """Load it; say what is wrong: an error that is none of the file's, or rows that do not add up."""
    try:
        path = written(folder, table, column, kind)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return None  # no Parquet file can hold it
    arguments = ["load", f"--{table}", str(path), "--out", str(folder / "out"), "--format", "json"]
    if table != "events":
        arguments += ["--events", str(written(folder, "events", "prop", "text"))]
    done = attempt(arguments)
    wrong = done.fault()
    if wrong is None and "is damaged" in done.said:
        wrong = f"called damaged: {done.said}"
    if wrong is None and done.code == 0:
        wrong = _adds_up(done.shown, table)
    return None if wrong is None else f"{table}.{column} as {kind}: {wrong}"


def _adds_up(shown: str, table: str) -> str | None:
    import json

    counts = next(entry for entry in json.loads(shown)["tables"] if entry["name"] == table)
    told = counts["kept"] + counts["duplicate"] + counts["quarantined"] + sum(counts["left_out"].values())
    return (
        None
        if counts["read"] + counts["split"] == told and counts["read"] == ROWS
        else f"rows do not add up: {re.sub(r'[{}]', '', str(counts))[:200]}"
    )
