"""The contract of every engine: what scan, lift, encode, keep, ranked, overlaps and collect promise."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import narwhals as nw
import numpy as np
import polars as pl
import pytest

from pqlkit.engines import ENGINES, engine
from pqlkit.engines.overlaps import Overlap
from pqlkit.errors import DataError, EngineError
from tests.engines.servers import started

NAMES = 'it\'s "quoted", a.b[0] 🙂'


@pytest.fixture(params=ENGINES)
def run(request):
    return started(request.param)


def table():
    return pl.DataFrame(
        {
            NAMES: ["x", "y", None],
            "instant": [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=i) for i in range(3)],
            "day": [date(2026, 1, 1), None, date(1969, 12, 31)],
            "whole": [1, 2, 3],
        }
    )


def test_scan_gives_the_asked_columns_with_times_as_microseconds(run, tmp_path):
    # To a cluster a path is a pattern, as its own users spell it.
    path = tmp_path / ("odd name.parquet" if run.name == "spark" else "odd [name]*.parquet")
    table().write_parquet(path)
    found = run.collect(run.scan([str(path)], {NAMES: "p0", "instant": "at", "day": "day"})).sort("at")
    assert found.columns == ["p0", "at", "day"]
    assert found.get_column("p0").to_list() == ["x", "y", None]
    assert found.get_column("at").to_list() == [1_767_225_600_000_000 + i for i in range(3)]
    assert found.get_column("day").to_list() == [1_767_225_600_000_000, None, -86_400_000_000]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_every_kind_of_time_becomes_utc_microseconds(run, tmp_path, unit, zone):
    path = tmp_path / "times.parquet"
    instant = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)  # noqa: UP017
    frame = pl.DataFrame({"at": [instant]}).with_columns(pl.col("at").cast(pl.Datetime(unit, "UTC")))
    frame = frame.with_columns(pl.col("at").dt.convert_time_zone(zone or "UTC"))
    if zone is None:
        frame = frame.with_columns(pl.col("at").dt.replace_time_zone(None))
    frame.write_parquet(path)
    if (run.name, unit) == ("spark", "ns"):
        with pytest.raises(DataError, match="Spark reads no times in nanoseconds\n  load the export"):
            run.scan([str(path)], ["at"])
        return
    assert run.collect(run.scan([str(path)], ["at"])).item() == int(instant.timestamp()) * 1_000_000


def test_several_files_are_one_table_and_may_lack_a_newer_column(run, tmp_path):
    one, two = tmp_path / "one.parquet", tmp_path / "two.parquet"
    table().write_parquet(one)
    table().drop("whole").write_parquet(two)
    found = run.collect(run.scan([str(two), str(one)], ["instant", "whole"]))
    assert sorted(found.get_column("whole").to_list(), key=lambda x: x or 0) == [None, None, None, 1, 2, 3]


def test_what_cannot_be_read_is_a_clear_error(run, tmp_path):
    path = tmp_path / "a.parquet"
    with pytest.raises(DataError, match="the file does not exist"):
        run.scan([str(path)], ["whole"])
    path.write_text("user_id,event\n")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        run.scan([str(path)], ["whole"])
    table().write_parquet(path)
    with pytest.raises(DataError, match="there is no column 'whale'\n  did you mean 'whole'"):
        run.scan([str(path)], ["whale"])
    with pytest.raises(DataError, match="there is no file to read"):
        run.scan([], ["whole"])


def test_encode_gives_positions(run):
    frame = run.lift(pl.DataFrame({"event": ["b", "a", "c", None], "n": [1, 2, 3, 4]}))
    found = run.collect(run.encode(frame, "event", ["a", "b"])).sort("n")
    assert found.get_column("event").to_list() == [1, 0, None, None]
    assert found.schema["event"] == pl.Int32


@pytest.mark.parametrize("ranks", [[1], [2, 5], None], ids=["first", "some", "all"])
@pytest.mark.parametrize("wide", [1, 2**33, 2**42], ids=["one number", "pieces", "columns"])
def test_ranked_numbers_the_rows_of_each_group(run, ranks, wide):
    random = np.random.default_rng(3)
    rows = pl.DataFrame(
        {
            "entity": random.integers(-2, 40, 600) * 17,
            "code": random.integers(0, 5, 600).astype(np.int32),
            "at": random.integers(-(10**6), 10**6, 600) * wide,
        }
    )
    found = run.collect(run.ranked(run.lift(rows), ["entity", "code"], "at", ranks))
    wanted = [
        (entity, code, at, rank, rank == len(times))
        for (entity, code), own in rows.sort("entity", "code").group_by("entity", "code", maintain_order=True)
        for times in [sorted(own["at"].to_list())]
        for rank, at in enumerate(times, 1)
        if ranks is None or rank in ranks or rank == len(times)
    ]
    assert found.columns == ["entity", "code", "at", "rank", "newest"]
    assert found.schema["at"] == found.schema["rank"] == pl.Int64
    assert sorted(found.rows()) == sorted(wanted)


def test_ranked_of_nothing_is_nothing(run):
    nobody = pl.DataFrame(schema={"entity": pl.Int64, "at": pl.Int64})
    found = run.collect(run.ranked(run.lift(nobody), ["entity"], "at", [1]))
    assert (found.height, found.columns) == (0, ["entity", "at", "rank", "newest"])


def test_whole_sums_come_back_as_int64(run):
    frame = run.lift(pl.DataFrame({"g": [1, 1, 2], "x": [2**40, 1, -1]}))
    found = run.collect(frame.group_by("g").agg(nw.col("x").sum())).sort("g")
    assert found.get_column("x").to_list() == [2**40 + 1, -1]
    assert found.schema["x"] == pl.Int64


def test_what_is_kept_can_be_read_several_times(run):
    frame = run.lift(pl.DataFrame({"n": [1, 2, 3]}))
    kept = run.keep(frame.filter(nw.col("n") > 1))
    assert sorted(run.collect(kept)["n"].to_list()) == [2, 3]
    assert run.collect(kept.select(nw.col("n").sum()))["n"].item() == 5


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame(schema={"a": pl.Int64, "b": pl.String, "c": pl.Float64, "d": pl.Boolean, "e": pl.Int16}),
        pl.DataFrame(
            {"a": [2**40, None], "b": ['it\'s "b" \\ 🙂', None], "c": [0.1, None], "d": [True, None], "e": [None, 1]}
        ),
    ],
    ids=["nothing", "two"],
)
def test_a_lifted_table_comes_back_as_it_was(run, frame):
    back = run.collect(run.lift(frame))
    assert back.rows() == frame.rows()
    assert (back.schema["a"], back.schema["b"], back.schema["c"]) == (pl.Int64, pl.String, pl.Float64)


def test_numbers_without_sign_and_categories_can_be_lifted(run):
    frame = pl.DataFrame(
        {"n": pl.Series([1, 2**31], dtype=pl.UInt32), "c": pl.Series(["x", "y"], dtype=pl.Categorical)}
    )
    back = run.collect(run.lift(frame).with_columns(nw.col("n") + 1)).sort("n")
    assert back["n"].to_list() == [2, 2**31 + 1]
    assert back["c"].cast(pl.String).to_list() == ["x", "y"]


def test_an_engine_that_is_not_there_is_a_clear_error():
    with pytest.raises(EngineError, match="there is no engine 'flink'\n  use one of: polars, duckdb, spark"):
        engine("flink")
    with pytest.raises(EngineError, match="there is no engine 'polar'\n  did you mean polars"):
        engine("polar")


@pytest.mark.parametrize("shape", ["moments", "things", "intervals"])
def test_overlaps_are_where_so_many_intervals_hold(run, shape):
    random = np.random.default_rng(7)
    rows = pl.DataFrame({"who": random.integers(0, 6, 300), "code": random.integers(0, 3, 300).astype(np.int32)})
    rows = rows.with_columns(first=pl.Series(random.integers(-300, 700, 300)))
    if shape == "things":
        rows = rows.with_columns(thing=pl.Series(random.choice(["x", "y"], 300)))
    if shape == "intervals":  # some end before others that begin earlier
        rows = rows.with_columns(last=pl.col("first") + pl.Series(random.integers(0, 40, 300)))
    wanted = [Overlap(code=code, length=length, count=k) for code in (2, 0) for length in (9, 60) for k in (1, 2, 5)]
    found = list(run.overlaps(run.lift(rows), wanted))
    assert len(found) == len(wanted)
    for overlap, stretches in zip(wanted, found, strict=True):
        groups = rows.filter(pl.col("code") == overlap.code).partition_by(
            "who", *(["thing"] if shape == "things" else []), as_dict=True
        )
        expected = [
            (key[0], begin, end)
            for key, own in groups.items()
            for begin, end in held(
                own["first"], own["last" if shape == "intervals" else "first"] + overlap.length, overlap.count
            )
        ]
        assert stretches.columns == ["who", "begin", "end"]
        assert stretches.get_column("who").is_sorted()
        assert sorted(stretches.rows()) == sorted(expected)


def held(begins, ends, count):
    """Look at every moment in turn: where so many intervals hold."""
    moments = np.arange(min(begins), max(ends) + 1)
    depth = sum((moments >= begin).astype(int) - (moments >= end) for begin, end in zip(begins, ends, strict=True))
    edges = np.diff(np.concatenate([[0], (depth >= count).astype(int), [0]]))
    return zip(moments[np.flatnonzero(edges == 1)].tolist(), moments[np.flatnonzero(edges == -1)].tolist(), strict=True)
