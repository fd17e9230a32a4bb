"""The events of a dataset over loads: which files there are, what each holds, and what is never misread."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pqlkit.errors import DataError
from pqlkit.exports import event_files
from pqlkit.exports.dataset import open_dataset, with_sources
from pqlkit.exports.loading import load
from pqlkit.exports.manifest import EventParts, read_manifest
from pqlkit.exports.mapping import Source
from pqlkit.exports.numbering import HOME
from pqlkit.exports.project import Project

HEAD = "user_id,anonymous_id,account_id,event,timestamp"


@pytest.fixture
def night(exports, tmp_path, monkeypatch):
    """Load rows into ``out`` or add them; nights are kept apart as long as they are fewer than the rows there are."""
    monkeypatch.setattr(event_files, "MOST_ADDED", 0.5)

    def run(number: int, *rows: str, head: str = HEAD, **others: str) -> EventParts:
        files = {"events": f"{head}\n" + "".join(f"{row}\n" for row in rows), **others}
        sources = {name: Source(path=(exports.write(f"{name}{number}.csv", text),)) for name, text in files.items()}
        load(Project(exports=sources), tmp_path / "out", append=number > 0)
        parts = read_manifest(tmp_path / "out").tables["events"].parts
        assert parts is not None
        return parts

    return run


def rows_of(folder: Path, file: str) -> pl.DataFrame:
    return pl.read_parquet(folder / "out" / file, glob=False)


def ids(folder: Path, *columns: str) -> list[tuple[object, ...]]:
    frame = open_dataset(data=folder / "out").tables["events"].scan().collect()
    return frame.sort("timestamp", "user_id").select(columns).rows()


def test_a_night_without_users_keeps_the_numbers_of_those_listed_before(night, tmp_path):
    users = "user_id,account_id,signed_up_at\nu1,b,2026-01-01\nu2,a,2026-01-01\n"
    night(0, "u1,,,visit,2026-01-01", users=users)
    parts = night(1, "u2,,,visit,2026-01-02", "u3,,b,visit,2026-01-03")
    numbers = pl.concat([rows_of(tmp_path, file) for file in parts.users]).sort("number")
    assert numbers.select("user_id", HOME).rows() == [("u2", 0), ("u1", 1), ("u3", 1)]
    intake = load(Project(), tmp_path / "out", append=True)
    assert (intake.matching.users_with_events, intake.matching.event_users_unknown) == (2, 1)
    assert ids(tmp_path, "user_id", "account_id") == [("u1", None), ("u2", None), ("u3", "b")]


def test_events_lie_in_blocks_by_event_and_user_and_name_nobody(night, tmp_path, monkeypatch):
    monkeypatch.setattr(event_files, "BLOCK_ROWS", 2)
    users = "user_id,account_id,signed_up_at\nu1,b,2026-01-01\nu2,a,2026-01-01\nu3,b,2026-01-01\n"
    days = [f"u{1 + n % 3},,,{'ab'[n % 2]},2026-01-0{1 + n}" for n in range(6)]
    parts = night(0, *days, ",,b,a,2026-01-07", ",d,,a,2026-01-08", users=users)
    assert [(block.low, block.high, block.rows) for block in parts.blocks] == [(0, 1, 2), (1, 2, 5)]
    block = rows_of(tmp_path, parts.blocks[1].file)
    assert block.select("event", "user_id", HOME).rows() == [
        ("a", None, 1), ("a", 1, 1), ("a", 2, 1), ("b", 1, 1), ("b", 2, 1)
    ]  # fmt: skip
    (nobodys,) = parts.anonymous
    assert rows_of(tmp_path, nobodys).select("user_id", "anonymous_id").rows() == [(None, "d")]
    assert [user for (user,) in ids(tmp_path, "user_id")] == ["u1", "u2", "u3", "u1", "u2", "u3", None, None]


def test_nights_are_files_of_their_own_until_they_are_many(night, tmp_path):
    night(0, *(f"u{n},,,a,2026-01-0{n}" for n in range(1, 7)))
    first = night(1, "u1,,,b,2026-01-08", "u9,,,a,2026-01-08")
    assert [delta.rows for delta in first.deltas] == [2]
    second = night(2, "u2,,,a,2026-01-02")  # a day that came late
    assert [delta.rows for delta in second.deltas] == [2, 1]
    assert second.blocks == first.blocks
    last = night(3, *(f"u9,,,c,2026-01-1{n}" for n in range(5)))
    assert not last.deltas
    assert sum(block.rows for block in last.blocks) == 14
    assert open_dataset(data=tmp_path / "out").tables["events"].scan().collect().height == 14


def test_blocks_that_nothing_was_added_to_stay_as_they_are(night, monkeypatch):
    monkeypatch.setattr(event_files, "BLOCK_ROWS", 4)
    before = night(0, *(f"u{n // 4},,,a,2026-01-0{1 + n % 4}" for n in range(12)))
    after = night(1, *(f"u{n},,,b,2026-01-09T0{n}:00:00" for n in (1, 9, 1, 9, 1, 9)), *["u1,,,b,2026-01-10"] * 7)
    assert [block.low for block in before.blocks] == [0, 1, 2]
    assert {before.blocks[0], before.blocks[2]} <= {*after.blocks}
    assert [(block.low, block.rows) for block in after.blocks] == [(0, 4), (1, 14), (2, 4), (3, 3)]


def test_who_is_identified_later_takes_the_events_along(night, tmp_path):
    night(0, *["u1,,,a,2026-01-01"] * 5, *(f",d{n % 2},x,visit,2026-01-0{n}" for n in range(1, 5)))
    parts = night(1, "u1,,,a,2026-01-09", identities="anonymous_id,user_id\nd1,u1\n")
    assert [delta.rows for delta in parts.deltas] == [3]
    assert [rows_of(tmp_path, file)["anonymous_id"].to_list() for file in parts.anonymous] == [["d0", "d0"]]
    assert ids(tmp_path, "user_id", "account_id")[4:] == [
        ("u1", None), ("u1", "x"), (None, "x"), ("u1", "x"), (None, "x"), ("u1", None)
    ]  # fmt: skip
    parts = night(2, identities="anonymous_id,user_id\nd0,u2\n")
    assert parts.anonymous == ()
    assert {user for (user,) in ids(tmp_path, "user_id")} == {"u1", "u2"}


def test_an_id_that_turns_out_to_be_anonymous_gives_its_events_away(night, tmp_path):
    head = "user_id,event,timestamp"
    night(0, *(f"{'d' if n % 3 else 'u1'},a,2026-01-0{n}" for n in range(1, 8)), head=head)
    night(1, "d,a,2026-01-08", head=head)
    parts = night(2, identities="anonymous_id,user_id\nd,u1\n", head=head)
    assert sum(part.rows for part in (*parts.blocks, *parts.deltas)) == 8
    assert ids(tmp_path, "user_id") == [("u1",)] * 8
    after = night(3, "u2,a,2026-01-09", identities="anonymous_id,user_id\nd,u1\nx,u2\n", head=head)
    assert {block.file for block in after.blocks} == {block.file for block in parts.blocks}


def test_ids_that_turn_into_text_are_numbered_anew_and_their_events_stay(night, tmp_path):
    head = "user_id,event,timestamp,n"
    before = night(0, *(f"{n},a,2026-01-0{n},1" for n in range(1, 7)), head=head)
    after = night(1, "x,a,2026-01-08,2", head=head)
    assert after.blocks == before.blocks
    assert after.users[0] != before.users[0]
    assert ids(tmp_path, "user_id")[-2:] == [("6",), ("x",)]
    wider = night(2, "x,a,2026-01-09,2.5", head=head)
    assert wider.blocks != before.blocks
    assert ids(tmp_path, "n")[-3:] == [(1.0,), (2.0,), (2.5,)]


def test_the_ids_of_events_lie_apart(night, tmp_path):
    head = "user_id,event,timestamp,event_id"
    night(0, *(f"u{n},a,2026-01-0{n},{n}" for n in range(1, 7)), head=head)
    parts = night(1, "u1,a,2026-01-01,1", "u1,b,2026-01-01,1", "u1,a,2026-01-08,", head=head)
    assert [rows_of(tmp_path, file).height for file in parts.event_ids] == [6, 1]
    assert "event_id" not in rows_of(tmp_path, parts.blocks[0].file)
    assert open_dataset(data=tmp_path / "out").tables["events"].rows == 8


def test_users_without_an_event_have_a_number(night, tmp_path):
    night(0, "u1,,,a,2026-01-01")
    parts = night(1, users="user_id,signed_up_at\nu1,2026-01-01\nu2,2026-01-02\n")
    assert sum(rows_of(tmp_path, file).height for file in parts.users) == 2


def test_files_of_a_dataset_are_no_export(night, tmp_path):
    parts = night(0, "u1,,,a,2026-01-01")
    named = str(tmp_path / "out" / parts.blocks[0].file)
    for project in (
        with_sources(events=named),
        Project(exports={"events": Source(path=(named,), null_values=frozenset({"x"}))}),
    ):
        with pytest.raises(DataError, match="a file of events of a dataset, in which users are numbers"):
            open_dataset(project)
    with pytest.raises(DataError) as error:
        load(with_sources(events=str(tmp_path / "out" / "events")), tmp_path / "other")
    assert "with --data" in (error.value.hint or "")


@pytest.mark.parametrize("append", [True, False])
def test_a_dataset_of_an_earlier_layout_is_loaded_again_and_never_misread(exports, night, tmp_path, append):
    night(0, "u1,,,a,2026-01-01")
    manifest = tmp_path / "out" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "schema": "pqlkit/dataset/1"}))
    with pytest.raises(DataError, match="written by an earlier pqlkit") as error:
        open_dataset(data=tmp_path / "out")
    assert "load again" in (error.value.hint or "")
    again = with_sources(events=exports.write("again.csv", f"{HEAD}\nu7,,,a,2026-01-01\n"))
    if append:
        with pytest.raises(DataError, match="written by an earlier pqlkit"):
            load(again, tmp_path / "out", append=True)
    else:
        load(again, tmp_path / "out")
        assert ids(tmp_path, "user_id") == [("u7",)]


@pytest.mark.parametrize(
    "damage",
    [
        {"blocks": []},
        {"numbering": {"users": [], "accounts": []}},
        {"deltas": [{"file": "events/other.parquet", "rows": 1}]},
        {"anonymous": ["../other.parquet"]},
        {"blocks": [{"file": 1, "low": 0, "high": 1, "rows": 1}]},
    ],
)
def test_a_manifest_whose_parts_are_not_its_files_is_damaged(night, tmp_path, damage):
    night(0, "u1,,,a,2026-01-01")
    manifest = tmp_path / "out" / "manifest.json"
    data = json.loads(manifest.read_text())
    data["tables"]["events"] |= damage
    manifest.write_text(json.dumps(data))
    with pytest.raises(DataError, match="the manifest is damaged"):
        open_dataset(data=tmp_path / "out")


def test_the_view_of_the_docs_gives_the_rows_with_their_ids(night, tmp_path, monkeypatch):
    night(0, *(f"u{n},,,a,2026-01-0{n}" for n in range(1, 7)), ",d,,visit,2026-01-08")
    night(1, "u1,,x,b,2026-01-09", "u8,,,b,2026-01-10")
    page = (Path(__file__).parents[2] / "docs" / "files.md").read_text()
    (view,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    (tmp_path / "dataset").symlink_to(tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(view)
        told = connection.sql("SELECT user_id, account_id, event FROM events ORDER BY timestamp").fetchall()
    assert told == ids(tmp_path, "user_id", "account_id", "event")
