from __future__ import annotations

import hashlib
import json
import random
import re
from pathlib import Path

import pytest

from pqlkit.errors import DataError, OutputError
from pqlkit.exports import loading, publishing
from pqlkit.exports.column_types import ColumnType
from pqlkit.exports.dataset import open_dataset, with_sources
from pqlkit.exports.loading import load
from pqlkit.exports.manifest import PLACE
from pqlkit.exports.mapping import Source
from pqlkit.exports.project import Project

HEADER = "user_id,event,timestamp\n"


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and PLACE not in path.parts
    }


def day(number: int, *, users: int = 3, ids: bool = False) -> str:
    lines = [f"u{n},login,2026-01-{number:02}T0{n}:00:00Z{f',{number}-{n}' if ids else ''}\n" for n in range(users)]
    return (HEADER.strip() + (",event_id" if ids else "") + "\n") + "".join(lines)


def test_a_load_is_read_back_as_it_was_written(exports, tmp_path, table_rows):
    events = exports.write("e.csv", day(1) + "u9,login,nonsense\n")
    users = exports.write("u.csv", "user_id,signed_up_at,plan\nu0,2026-01-01,pro\nghost,2026-01-01,free\n")
    conversions = exports.write("c.csv", "user_id,converted_at\nu0,2026-02-01\nnobody,2026-02-02\n")
    report = exports.load(events=events, users=users, conversions=conversions)
    assert report.matching.users == 2
    assert report.matching.users_with_events == 1
    assert report.matching.users_without_events == 1
    assert (report.matching.event_users, report.matching.event_users_unknown) == (3, 2)
    assert report.matching.events_of_unknown_users == 2
    assert (report.matching.conversions_matched, report.matching.conversions_unknown) == (1, 1)
    assert report.matching.conversions_unknown_ids == ("nobody",)
    assert report.quarantine == tmp_path / "out" / "quarantine.jsonl"
    assert json.loads(report.quarantine.read_text())["line"] == 5
    dataset = open_dataset(data=tmp_path / "out")
    assert dataset.tables["events"].rows == 3
    assert dataset.tables["events"].columns["timestamp"] is ColumnType.INSTANT
    assert table_rows(dataset, "users") == [
        ("ghost", "2026-01-01T00:00:00Z", "free"),
        ("u0", "2026-01-01T00:00:00Z", "pro"),
    ]


def test_the_report_as_json_adds_up(exports):
    report = exports.load(events=exports.write("e.csv", day(1) + "u9,login,nonsense\n")).to_json()
    json.dumps(report)
    assert report["schema"] == "pqlkit/intake/2"
    (table,) = report["tables"]
    assert table["read"] == table["kept"] + table["duplicate"] + table["quarantined"] == 4
    assert table["offenders"][0]["value"] == "nonsense"


def test_row_order_and_file_split_do_not_change_a_byte(exports, tmp_path, monkeypatch):
    monkeypatch.setattr("pqlkit.exports.writing.FILE_ROWS", 40)
    chance = random.Random(1)
    lines = [f"u{n % 9},e{n % 4},2026-01-{1 + n % 28:02}T00:00:0{n % 3}Z,{n % 150},{n}\n" for n in range(200)]
    header = "user_id,event,timestamp,event_id,p\n"
    kept = []
    for attempt in range(3):
        chance.shuffle(lines)
        folder = f"split{attempt}"
        for part in range(attempt + 1):
            exports.write(f"{folder}/{part}.csv", header + "".join(lines[part :: attempt + 1]))
        report = load(with_sources(events=f"{tmp_path}/{folder}"), tmp_path / f"out{attempt}")
        data = {name: digest for name, digest in tree(tmp_path / f"out{attempt}").items() if name.endswith(".parquet")}
        kept.append((data, report.tables["events"].kept, report.tables["events"].duplicate))
    assert kept[0] == kept[1] == kept[2]
    assert len(kept[0][0]) > 3


def test_loading_again_replaces_and_keeps_the_old_files_for_those_who_read_them(exports, tmp_path, monkeypatch):
    out = tmp_path / "out"
    exports.load(
        events=exports.write("e.csv", day(1) + "u,login,bad\n"), users=exports.write("u.csv", "user_id,signed_up_at\n")
    )
    old = open_dataset(data=out)
    exports.load(events=exports.write("e2.csv", day(2)))
    assert set(open_dataset(data=out).tables) == {"events"}
    assert not (out / "quarantine.jsonl").exists()
    assert sum(table.scan().collect().height for table in old.tables.values()) == 3
    monkeypatch.setattr(publishing, "GRACE", 0)
    exports.load(events=f"{tmp_path}/e2.csv")
    assert sorted(path.parent.name for path in out.rglob("*.parquet")) == [
        "events",
        "numbers",
        "numbers",
        "summaries",
        "summaries",
    ]
    assert not (out / "users").exists()
    assert sorted(path.name for path in (out / PLACE).iterdir()) == ["lock", "state.json"]


def test_the_same_nightly_file_twice_changes_nothing(exports, tmp_path):
    out = tmp_path / "out"
    first = with_sources(events=exports.write("1.csv", day(1)))
    load(first, out)
    before = tree(out)
    report = load(first, out, append=True)
    assert tree(out) == before
    assert report.tables["events"].skipped == (str(tmp_path / "1.csv"),)
    exports.write("same-content.csv", day(1))
    load(with_sources(events=f"{tmp_path}/same-content.csv"), out, append=True)
    assert tree(out) == before


def test_appending_adds_new_rows_and_real_repeats_survive(exports, tmp_path):
    out = tmp_path / "out"
    load(with_sources(events=exports.write("1.csv", day(1))), out)
    repeated = day(2) + day(2).removeprefix(HEADER)
    report = load(with_sources(events=exports.write("2.csv", repeated)), out, append=True)
    assert report.tables["events"].kept == 6
    dataset = open_dataset(data=out)
    assert dataset.tables["events"].rows == 9
    assert dataset.tables["events"].scan().collect().height == 9


def test_appending_an_overlapping_file_drops_what_has_the_same_event_id(exports, tmp_path):
    out = tmp_path / "out"
    load(with_sources(events=exports.write("1.csv", day(1, ids=True))), out)
    overlapping = day(1, users=4, ids=True) + day(2, ids=True).split("\n", 1)[1]
    report = load(with_sources(events=exports.write("2.csv", overlapping)), out, append=True)
    counted = report.tables["events"]
    assert (counted.read, counted.kept, counted.duplicate) == (7, 4, 3)
    assert open_dataset(data=out).tables["events"].rows == 7


def test_appending_brings_old_files_to_the_columns_of_all(exports, tmp_path, table_rows):
    out = tmp_path / "out"
    header = "user_id,event,timestamp,n,old\n"
    load(with_sources(events=exports.write("1.csv", header + "1,a,2026-01-01,1,x\n")), out)
    new = "user_id,event,timestamp,n,new\nu,a,2026-01-02,x,2.5\n"
    load(with_sources(events=exports.write("2.csv", new)), out, append=True)
    dataset = open_dataset(data=out)
    assert dict(dataset.tables["events"].columns) == {
        "user_id": ColumnType.TEXT,
        "event": ColumnType.TEXT,
        "timestamp": ColumnType.INSTANT,
        "n": ColumnType.TEXT,
        "old": ColumnType.TEXT,
        "new": ColumnType.NUMBER,
    }
    assert sorted(table_rows(dataset), key=str) == [
        ("1", "a", "2026-01-01T00:00:00Z", "1", "x", None),
        ("u", "a", "2026-01-02T00:00:00Z", "x", None, 2.5),
    ]


def test_a_column_without_a_value_in_the_new_rows_keeps_its_type(exports, tmp_path):
    head, old, new = "user_id,event,timestamp,seats,won", "u1,a,2026-01-01,5,true", "u2,a,2026-01-02,,"
    exports.load(events=exports.write("1.csv", f"{head}\n{old}\n"))
    before = open_dataset(data=tmp_path / "out").tables["events"].columns
    load(with_sources(events=exports.write("2.csv", f"{head},plan\n{new},\n")), tmp_path / "out", append=True)
    table = open_dataset(data=tmp_path / "out").tables["events"]
    assert before["seats"] is ColumnType.INTEGER
    assert before["won"] is ColumnType.BOOLEAN
    assert dict(table.columns) == {**before, "plan": ColumnType.TEXT}
    values = table.scan().collect().sort("user_id").select("seats", "won", "plan").rows()
    assert values == [(5, True, None), (None, None, None)]


def test_appending_a_full_dump_of_users_takes_the_newer_row(exports, tmp_path, table_rows):
    out = tmp_path / "out"
    head = "user_id,signed_up_at,plan\n"
    events = exports.write("1.csv", day(1))
    load(
        with_sources(events=events, users=exports.write("u1.csv", head + "a,2026-01-01,free\nb,2026-01-02,free\n")), out
    )
    users = exports.write("u2.csv", head + "a,2026-01-01,pro\nc,2026-01-03,free\n")
    report = load(with_sources(events=events, users=users), out, append=True)
    assert table_rows(open_dataset(data=out), "users", "user_id", "plan") == [
        ("a", "pro"),
        ("b", "free"),
        ("c", "free"),
    ]
    assert report.tables["events"].skipped
    assert report.tables["users"].kept == 2


def test_appending_a_full_dump_of_conversions_adds_the_new_ones(exports, tmp_path):
    out = tmp_path / "out"
    head = "user_id,converted_at\n"
    events = exports.write("1.csv", day(1))
    load(with_sources(events=events, conversions=exports.write("c1.csv", head + "u0,2026-02-01\n")), out)
    dump = exports.write("c2.csv", head + "u0,2026-02-01\nu1,2026-02-02\n")
    report = load(with_sources(events=events, conversions=dump), out, append=True)
    counted = report.tables["conversions"]
    assert (counted.read, counted.kept, counted.duplicate) == (2, 1, 1)
    assert open_dataset(data=out).tables["conversions"].rows == 2


def test_appending_to_nothing_is_a_load(exports, tmp_path):
    load(with_sources(events=exports.write("1.csv", day(1))), tmp_path / "out", append=True)
    assert open_dataset(data=tmp_path / "out").tables["events"].rows == 3


def test_too_many_bad_rows_stop_the_load_and_replace_nothing(exports, tmp_path):
    out = tmp_path / "out"
    load(with_sources(events=exports.write("1.csv", day(1))), out)
    before = tree(out)
    worse = exports.write("2.csv", day(2) + "u,login,x\n")
    with pytest.raises(DataError, match=r"2\.csv:5: 1 of 4 rows of events are bad, more than 1\.0000% \(--max-bad\)"):
        load(with_sources(events=worse), out, max_bad=0.01)
    assert tree(out) == before
    load(with_sources(events=worse), out, max_bad=0.25)


def test_stated_dates_replace_the_rule_about_clocks(exports, tmp_path):
    events = exports.write(
        "e.csv", HEADER + "u,a,1999-12-31\nu,a,2000-01-01\nu,a,2000-01-02T23:59:59.999999Z\nu,a,2000-01-03\n"
    )
    report = load(with_sources(events=events), tmp_path / "out", plausible=("1999-12-31", "2000-01-02"))
    assert report.tables["events"].kept == 3
    assert report.tables["events"].reasons == {"after 2000-01-02 (--plausible)": 1}


def test_what_fails_once_the_dataset_stands_says_that_it_does(exports, tmp_path, monkeypatch):
    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(loading, "TableMatch", broken)
    with pytest.raises(OutputError, match="out is the new dataset, whole: that failed afterwards"):
        load(with_sources(events=exports.write("1.csv", day(1))), tmp_path / "out")
    assert open_dataset(data=tmp_path / "out").tables["events"].rows == 3


def test_a_crash_before_the_manifest_leaves_the_old_dataset(exports, tmp_path, monkeypatch):
    out = tmp_path / "out"
    load(with_sources(events=exports.write("1.csv", day(1))), out)
    before = open_dataset(data=out).tables["events"]

    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(loading, "manifest_text", crash)
    with pytest.raises(KeyboardInterrupt):
        load(with_sources(events=exports.write("2.csv", day(2))), out)
    after = open_dataset(data=out).tables["events"]
    assert after == before
    assert after.scan().collect().height == 3
    assert len(list(out.rglob("events/*.parquet"))) == 1
    monkeypatch.undo()
    load(with_sources(events=f"{tmp_path}/2.csv"), out)
    assert open_dataset(data=out).tables["events"] != before


@pytest.mark.parametrize("make", ["file", "below a file", "other files"])
def test_folders_that_cannot_take_a_dataset(exports, tmp_path, make):
    events = exports.write("e.csv", day(1))
    out = tmp_path / "out"
    if make == "other files":
        exports.write("out/thesis.txt", "do not lose me")
    else:
        exports.write("out", "a file")
        out = out / "sub" if make == "below a file" else out
    with pytest.raises(OutputError, match="out"):
        load(with_sources(events=events), out)
    assert open_dataset(events=events).tables["events"].rows == 3


def test_a_damaged_or_incomplete_dataset_says_so(exports, tmp_path):
    out = tmp_path / "out"
    load(with_sources(events=exports.write("1.csv", day(1))), out)
    manifest = (out / "manifest.json").read_text()
    next(out.rglob("*.parquet")).unlink()
    with pytest.raises(DataError, match="is gone"):
        open_dataset(data=out)
    (out / "manifest.json").write_text('{"schema": "pqlkit/dataset/2", "tab')
    with pytest.raises(DataError, match="the manifest is damaged"):
        open_dataset(data=out)
    (out / "manifest.json").write_text(re.sub(r'"files": \[[^]]*\]', '"files": []', manifest))
    with pytest.raises(DataError, match="the manifest is damaged"):
        open_dataset(data=out)
    (out / "manifest.json").write_text('{"schema": "pqlkit/dataset/99"}')
    with pytest.raises(DataError, match="pqlkit/dataset/99"):
        open_dataset(data=out)


def test_dates_loaded_as_days_of_one_zone_are_not_read_as_days_of_another(exports, tmp_path):
    source = Source(path=(exports.write("e.csv", HEADER + "u,a,2026-01-01\n"),))
    out = tmp_path / "out"
    load(Project(timezone="Europe/Berlin", exports={"events": source}), out)
    assert open_dataset(data=out).zone == "Europe/Berlin"
    with pytest.raises(DataError, match="were loaded as days of Europe/Berlin, not of UTC"):
        open_dataset(Project(path=Path("pqlkit.yml")), data=out)
    with pytest.raises(DataError, match="counts dates in Europe/Berlin"):
        load(Project(exports={"events": source}), out, append=True)


def test_a_later_identity_stitches_events_that_were_loaded_before(exports, tmp_path, table_rows):
    out = tmp_path / "out"
    head = "user_id,anonymous_id,event,timestamp\n"
    first = exports.write("1.csv", head + ",d1,visit,2026-01-01\n,d2,visit,2026-01-02\n")
    load(with_sources(events=first), out)
    sources = {
        "events": Source(path=(exports.write("2.csv", head + "u1,d1,login,2026-01-03\n"),)),
        "identities": Source(path=(exports.write("i.csv", "anonymous_id,user_id\nd1,u1\n"),)),
    }
    load(Project(exports=sources), out, append=True)
    expected = [("u1", "2026-01-01T00:00:00Z"), (None, "2026-01-02T00:00:00Z"), ("u1", "2026-01-03T00:00:00Z")]
    assert table_rows(open_dataset(data=out), "events", "user_id", "timestamp") == expected
    later = exports.write("3.csv", head + ",d1,visit,2026-01-04\n")
    load(with_sources(events=later), out, append=True)
    assert table_rows(open_dataset(data=out), "events", "user_id")[-1] == ("u1",)


def test_identities_of_a_preset_last_over_nights(exports, tmp_path, table_rows):
    out = tmp_path / "out"

    def night(name, *rows):
        lines = [
            json.dumps({"uuid": f"{name}{n}", "properties": {"$device_id": "d"}, **row}) for n, row in enumerate(rows)
        ]
        source = Source(path=(exports.write(f"{name}.jsonl", "\n".join(lines)),), format="posthog")
        load(Project(exports={"events": source}), out, append=True)

    visit = {"event": "visit", "distinct_id": "d", "timestamp": "2026-01-01T00:00:00Z"}
    identify = {"event": "$identify", "distinct_id": "u", "timestamp": "2026-01-02T00:00:00Z"}
    night("a", visit)
    night("b", {**identify, "properties": {"$device_id": "d", "$anon_distinct_id": "d"}})
    night("c", {**visit, "timestamp": "2026-01-03T00:00:00Z"})
    assert table_rows(open_dataset(data=out), "events", "user_id") == [("u",)] * 3
    assert table_rows(open_dataset(data=out), "identities") == [("d", "u")]


def test_three_ids_that_match_nobody_are_named(exports):
    events = exports.write("e.csv", day(1))
    rows = "".join(f"x{n},2026-02-01\n" for n in (4, 3, 2, 1, 1)) + "u0,2026-02-01\n"
    matching = exports.load(events=events, conversions=exports.write("c.csv", "user_id,converted_at\n" + rows)).matching
    assert (matching.conversions_matched, matching.conversions_unknown) == (1, matching.conversions - 1)
    assert matching.without_owner == "nobody has the id 'x1', 'x2', 'x3'"


def test_gaps_are_of_the_whole_dataset(exports, tmp_path):
    out = tmp_path / "out"
    load(with_sources(events=exports.write("1.csv", day(1))), out)
    report = load(with_sources(events=exports.write("4.csv", day(4))), out, append=True)
    assert [(gap.first, gap.last, gap.days) for gap in report.gaps] == [("2026-01-02", "2026-01-03", 2)]


def test_events_without_a_user_are_their_accounts_and_those_without_either_are_nobodys(exports):
    events = (
        "user_id,account_id,anonymous_id,event,timestamp\n"
        "u1,a1,,login,2026-01-01\n,a1,,login,2026-01-02\n,a2,,login,2026-01-03\n,,d1,login,2026-01-04\n"
    )
    found = exports.load(events=exports.write("events.csv", events)).matching
    assert (found.event_users, found.events_of_accounts, found.event_accounts, found.events_anonymous) == (1, 2, 2, 1)
    alone = exports.write("alone.csv", "account_id,event,timestamp\na1,login,2026-01-01\na2,login,2026-01-02\n")
    found = exports.load("other", events=alone).matching
    assert (found.event_users, found.events_of_accounts, found.event_accounts, found.events_anonymous) == (0, 2, 2, 0)
