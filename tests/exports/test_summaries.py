"""Summaries: what `load` writes down of the events is what counting them all gives, after any number of nights."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pqlkit.engines.factory import EngineName
from pqlkit.errors import DataError
from pqlkit.exports.dataset import open_dataset, with_sources
from pqlkit.exports.loading import load
from pqlkit.exports.manifest import read_manifest
from pqlkit.exports.mapping import Source
from pqlkit.exports.matching import TableMatch
from pqlkit.exports.project import Project
from pqlkit.exports.summaries import names, who
from pqlkit.measures.last_activity import last_active
from pqlkit.options.data import ExtentOptions
from pqlkit.population.population import population_of

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "user_id,anonymous_id,account_id,event,timestamp"


def check_summed_up(out: Path) -> None:
    events = open_dataset(data=out).tables["events"]
    assert events.who
    assert events.names
    counted = replace(events, who=(), names=())
    keys = [name for name in ("user_id", "account_id") if name in events.columns]
    assert_frame_equal(who(events).sort(keys).collect(), who(counted).sort(keys).collect())
    assert_frame_equal(names(events).sort("event").collect(), names(counted).sort("event").collect())


def night(exports, out, number: int, *rows: str, head: str = HEAD, identities: str | None = None) -> None:
    sources = {"events": Source(path=(exports.write(f"{number}.csv", "\n".join((head, *rows)) + "\n"),))}
    if identities is not None:
        sources["identities"] = Source(path=(exports.write(f"i{number}.csv", identities),))
    load(Project(exports=sources), out, append=number > 0)
    check_summed_up(out)


def test_nights_that_change_what_was_loaded_before_change_its_summary(exports, tmp_path, monkeypatch):
    monkeypatch.setattr("pqlkit.exports.event_files.MOST_ADDED", 1)
    out = tmp_path / "out"
    night(exports, out, 0, "u1,,a,visit,2026-01-01", ",d1,,visit,2026-01-02", ",,b,visit,2026-01-02")
    first = read_manifest(out).tables["events"].summaries
    night(exports, out, 1, "u2,,a,login,2026-01-03")
    assert read_manifest(out).tables["events"].summaries[: len(first)] == first  # the first night was not read again
    night(exports, out, 2, "u2,d1,a,login,2026-01-04", identities="anonymous_id,user_id\nd1,u1\n")
    night(exports, out, 3, "u2,,a,paid,2026-01-05,9", head=f"{HEAD},a.b")
    night(exports, out, 4)
    entry = read_manifest(out).tables["events"]
    assert sorted(file for summary in entry.summaries for file in summary.of) == sorted(entry.files)


def test_many_summaries_become_one_of_the_events_and_one_of_nobodys(exports, tmp_path, monkeypatch):
    monkeypatch.setattr("pqlkit.exports.event_files.MOST_DELTAS", 2)
    monkeypatch.setattr("pqlkit.exports.event_files.MOST_ADDED", 1)
    out = tmp_path / "out"
    many = []
    for number in range(4):
        night(exports, out, number, f"u{number % 2},,a,visit,2026-01-0{number + 1}", ",,,login,2026-01-09")
        many.append(len(read_manifest(out).tables["events"].summaries))
    assert many == [2, 4, 6, 2]


def test_an_appended_night_does_not_count_the_earlier_ones(exports, tmp_path, monkeypatch):
    out = tmp_path / "out"
    night(exports, out, 0, "u1,,a,visit,2026-01-01")
    read: list[str] = []
    scan = pl.scan_parquet

    def watched(source, *args, **options):
        read.extend(map(str, source if isinstance(source, list) else [source]))
        return scan(source, *args, **options)

    monkeypatch.setattr("pqlkit.exports.summaries.pl.scan_parquet", watched)
    earlier = open_dataset(data=out).tables["events"].paths
    load(with_sources(events=exports.write("1.csv", f"{HEAD}\nu2,,a,login,2026-01-03\n")), out, append=True)
    dataset = open_dataset(data=out)
    read.clear()
    match = TableMatch(dataset)
    match.counts()
    match.warnings()
    assert read
    assert not set(earlier) & set(read)


def test_a_dataset_without_summaries_is_counted_and_gets_them(exports, tmp_path):
    out = tmp_path / "out"
    night(exports, out, 0, "u1,,a,visit,2026-01-01", ",,,visit,2026-01-02")
    manifest = json.loads((out / "manifest.json").read_text())
    del manifest["tables"]["events"]["summaries"]
    (out / "manifest.json").write_text(json.dumps(manifest))
    dataset = open_dataset(data=out)
    assert dataset.tables["events"].who == ()
    assert TableMatch(dataset).counts().events_anonymous == 1
    night(exports, out, 1, "u1,,a,visit,2026-01-03")


def test_summaries_that_are_not_about_the_files_are_damage(exports, tmp_path):
    out = tmp_path / "out"
    night(exports, out, 0, "u1,,a,visit,2026-01-01")
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["tables"]["events"]["summaries"][0]["of"] = ["events/other.parquet"]
    (out / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="the manifest is damaged"):
        open_dataset(data=out)


@pytest.mark.parametrize("entity", ["user", "account"])
@pytest.mark.parametrize("engine", ["polars", "duckdb"])
@pytest.mark.parametrize("as_of", [None, "2026-01-02"])
@pytest.mark.parametrize("users", [None, "user_id,account_id,signed_up_at\nu1,a,2026-01-01\nu9,c,2026-01-01\n"])
def test_who_exists_and_was_active_is_the_same_where_it_was_written_down(
    exports, tmp_path, entity, engine, as_of, users
):
    lines = ["u1,,a,visit,2026-01-01", "u2,,b,visit,2026-01-02", ",,b,visit,2026-01-02T05:00:00Z", "u1,,,x,2026-01-03"]
    sources = {"events": exports.write("e.csv", "\n".join((HEAD, *lines)) + "\n")}
    if users is not None:
        sources["users"] = exports.write("u.csv", users)
    project = with_sources(**sources)
    load(project, tmp_path / "out")
    dataset = open_dataset(data=tmp_path / "out")
    counted = replace(dataset, tables={**dataset.tables, "events": replace(dataset.tables["events"], who=(), names=())})
    extent = ExtentOptions(engine=EngineName(engine), as_of=as_of)
    of_each = [population_of(tables, project, extent, entity=entity) for tables in (dataset, counted)]
    assert_frame_equal(of_each[0].entities, of_each[1].entities)
    assert of_each[0].without_events == of_each[1].without_events
    assert_frame_equal(last_active(of_each[0].world), last_active(of_each[1].world))
