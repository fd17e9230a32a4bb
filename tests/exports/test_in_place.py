"""In place: Parquet whose columns say what canonical ones do is used where it lies, whatever their widths, units and dictionaries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pqlkit.engines.factory import EngineName
from pqlkit.exports.catalogue import catalogue
from pqlkit.exports.dataset import open_dataset, with_sources
from pqlkit.exports.in_place import _inside
from pqlkit.exports.loading import load
from pqlkit.exports.mapping import Source
from pqlkit.exports.matching import TableMatch
from pqlkit.exports.project import Project
from pqlkit.measures.last_activity import last_active
from pqlkit.options.data import ExtentOptions
from pqlkit.population.population import population_of

TEXT_IDS = pl.col("user_id").cast(pl.String)
TYPES = {
    "as they are": (),
    "32 bit ids": (pl.col("user_id").cast(pl.Int32),),
    "unsigned ids": (pl.col("user_id").cast(pl.UInt32),),
    "text ids": (TEXT_IDS,),
    "ids of a dictionary": (TEXT_IDS.cast(pl.Categorical),),
    "milliseconds": (pl.col("timestamp").dt.cast_time_unit("ms"),),
    "nanoseconds": (pl.col("timestamp").dt.cast_time_unit("ns"),),
    "times without a zone": (pl.col("timestamp").dt.replace_time_zone(None),),
    "times of New York": (pl.col("timestamp").dt.convert_time_zone("America/New_York"),),
    "names of a dictionary": (pl.col("event").cast(pl.Categorical),),
    "names of an enum": (pl.col("event").cast(pl.Enum(["login", "paid"])), pl.col("plan").cast(pl.Enum(["a", "b"]))),
    "a narrow property": (pl.col("seats").cast(pl.UInt8),),
}


def rows() -> pl.DataFrame:
    start = datetime(2026, 3, 7, 23, tzinfo=UTC)
    return pl.DataFrame(
        {
            "user_id": [n % 5 for n in range(40)],
            "event": ["login" if n % 3 else "paid" for n in range(40)],
            "timestamp": [start + timedelta(minutes=37 * n, milliseconds=n) for n in range(40)],
            "plan": ["a" if n % 2 else None for n in range(40)],
            "seats": [n % 7 for n in range(40)],
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )


def exported(tmp_path, types):
    """Write the events as they are asked for, and users; name them."""
    path, users = tmp_path / "e.parquet", tmp_path / "u.csv"
    rows().with_columns(*types).write_parquet(path)
    users.write_text("user_id,signed_up_at\n" + "".join(f"{name},2026-03-07T22:00:00Z\n" for name in range(6)))
    return str(path), str(users)


@pytest.mark.parametrize("types", TYPES.values(), ids=TYPES.keys())
def test_what_says_the_same_is_used_where_it_lies_and_means_the_same(tmp_path, types):
    path, users = exported(tmp_path, types)
    text = rows().with_columns(*types).schema["user_id"] in (pl.String, pl.Categorical)
    # Ids of digits are numbers, unless the events have them as text: then all tables do.
    project = with_sources(events=path) if text else with_sources(events=path, users=users)
    there = open_dataset(project)
    assert there.tables["events"].paths == (path,)
    load(project, tmp_path / "out")
    copied = open_dataset(data=tmp_path / "out")
    if text:
        ids = pl.col("user_id").cast(pl.String)
        assert_frame_equal(*(table.scan().select(ids).collect().sort("user_id") for table in both(there, copied)))
        return
    order = ["user_id", "event", "timestamp", "plan", "seats"]
    assert_frame_equal(*(table.scan().select(order).collect().sort(order) for table in both(there, copied)))
    assert catalogue(there) == catalogue(copied)
    assert TableMatch(there).counts() == TableMatch(copied).counts()
    for engine in (EngineName.POLARS, EngineName.DUCKDB):  # Sail reads neither nanoseconds nor dictionaries
        people = [population_of(dataset, Project(), ExtentOptions(engine=engine)) for dataset in (there, copied)]
        assert_frame_equal(people[0].entities, people[1].entities)
        assert_frame_equal(last_active(people[0].world), last_active(people[1].world))
        events = [
            each.world.engine.collect(each.world.events.select("user_id", "event", "at", *sorted(properties(each))))
            for each in people
        ]
        assert_frame_equal(*(frame.sort(frame.columns) for frame in events))


def both(left, right):
    return left.tables["events"], right.tables["events"]


def properties(population):
    return population.world.properties.values()


def test_times_without_a_zone_are_of_the_sources_and_read_where_its_clock_changes(tmp_path):
    path, _ = exported(tmp_path, TYPES["times without a zone"])
    source = Source(path=(path,), timezone="America/New_York")
    dataset = open_dataset(Project(exports={"events": source}))
    assert dataset.tables["events"].paths != (path,)
    assert dataset.tables["events"].first == int(datetime(2026, 3, 8, 4, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.mark.parametrize("unit", ["ms", "ns"])
def test_a_time_that_no_calendar_has_is_no_time_whatever_its_unit(tmp_path, unit):
    path = tmp_path / "e.parquet"
    beyond = pl.Series([2**62 if unit == "ms" else -(2**62)], dtype=pl.Int64).cast(pl.Datetime(unit, "UTC"))
    frame = rows().with_columns(pl.col("timestamp").dt.cast_time_unit(unit))
    pl.concat([frame, frame.head(1).with_columns(beyond.alias("timestamp"))]).write_parquet(path)
    dataset = open_dataset(with_sources(events=str(path)))
    assert dataset.tables["events"].rows == 40
    assert dataset.intake.tables["events"].quarantined == 1


@pytest.mark.parametrize(("first", "last", "inside"), [(5, 9, True), (4, 9, False), (5, 10, False), (None, None, True)])
def test_the_ends_of_what_can_be_true_can_be_true(first, last, inside):
    plausible: Any = SimpleNamespace(outer_first=5, outer_last=9)
    assert _inside(first, last, plausible) is inside
