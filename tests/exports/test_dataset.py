"""Reading exports into canonical tables: what is kept, what is counted, what stops."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pqlkit.errors import DataError, UsageError
from pqlkit.exports.column_types import ColumnType
from pqlkit.exports.dataset import open_dataset, with_sources
from pqlkit.exports.mapping import Column, Match, Source
from pqlkit.exports.project import Project, Traits, sources_of
from pqlkit.exports.tables import LONGEST_NAME

HEADER = "user_id,event,timestamp\n"
GOOD = "u1,login,2026-01-01T00:00:00Z\n"


def intake(dataset, table="events"):
    found = dataset.intake.tables[table]
    assert found.read == found.kept + found.duplicate + found.quarantined
    return found


def offenders(dataset, table="events"):
    return [(one.line, one.column, one.value, one.reason) for one in intake(dataset, table).offenders]


def quarantined(dataset):
    return [json.loads(line) for line in dataset.intake.quarantine.read_text().splitlines()]


# What is read


def test_canonical_csv(exports, table_rows):
    dataset = exports.read(
        "user_id,event,timestamp,plan,n\nu1,login,2026-01-01T00:00:00Z,pro,007\n,home,2026-01-02,,\n"
    )
    assert table_rows(dataset) == [
        ("u1", "login", "2026-01-01T00:00:00Z", "007", "pro"),
        (None, "home", "2026-01-02T00:00:00Z", None, None),
    ]
    events = dataset.tables["events"]
    assert list(events.columns) == ["user_id", "event", "timestamp", "n", "plan"]
    assert (events.rows, events.dates_only) == (2, False)
    assert events.first == 1767225600000000


@pytest.mark.parametrize("kind", ["gz", "zst", "plain", "named wrongly"])
def test_compression_is_told_from_the_bytes(exports, tmp_path, kind):
    content = (HEADER + GOOD).encode()
    if kind == "zst":
        plain = exports.write("plain.csv", content)
        path = str(tmp_path / "events.csv.zst")
        pl.read_csv(plain).lazy().sink_csv(path, compression="zstd")
    else:
        name = {"gz": "e.csv.gz", "plain": "e.csv", "named wrongly": "e.parquet"}[kind]
        path = exports.write(name, content if kind == "plain" else gzip.compress(content))
    assert open_dataset(events=path).tables["events"].rows == 1


def test_a_zip_of_gzip_files_is_read_whatever_it_is_called(exports):
    line = '{"event": "login", "user_id": "u%d", "timestamp": "2026-01-01T00:00:00Z"}\n'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in (1, 2):
            archive.writestr(f"a/{number}.json.gz", gzip.compress((line % number).encode()))
    assert open_dataset(events=exports.write("export.json.gz", buffer.getvalue())).tables["events"].rows == 2


def test_folders_globs_and_single_files(exports, tmp_path):
    for name in ("e/1.csv", "e/sub/2.csv", "e/.hidden.csv", "e/_SUCCESS", "e/readme.md"):
        exports.write(name, HEADER + GOOD.replace("u", name[2:]))
    assert open_dataset(events=f"{tmp_path}/e").tables["events"].rows == 2
    assert open_dataset(events=f"{tmp_path}/e/*.csv").tables["events"].rows == 1
    assert open_dataset(events=f"{tmp_path}/e/**/*.csv").tables["events"].rows == 2


def test_a_mapping_with_a_constant_a_format_and_alternatives(exports, table_rows):
    path = exports.write("e.csv", "uid,old,ts\n,o1,1767225600000\nu2,o2,1767225600001\n")
    source = Source(
        path=(path,),
        columns={
            "user_id": Column(names=("uid", "old")),
            "event": Column(constant="login"),
            "timestamp": Column(names=("ts",), format="epoch_ms"),
        },
    )
    dataset = open_dataset(Project(exports={"events": source}))
    assert table_rows(dataset) == [("o1", "login", "2026-01-01T00:00:00Z"), ("u2", "login", "2026-01-01T00:00:00.001Z")]


def test_dates_keep_their_precision_by_form_not_by_value(exports):
    assert exports.read(HEADER + "u,a,2026-01-01\n").tables["events"].dates_only
    assert not exports.read(HEADER + "u,a,2026-01-01T00:00:00Z\n").tables["events"].dates_only
    assert not exports.read(HEADER + "u,a,2026-01-01\nu,a,2026-01-01T00:00:00Z\n").tables["events"].dates_only


def test_dates_of_parquet_are_dates(tmp_path):
    path = tmp_path / "e.parquet"
    pl.DataFrame({"user_id": ["u"], "event": ["a"], "timestamp": [date(2026, 1, 1)]}).write_parquet(path)
    dataset = open_dataset(Project(timezone="Asia/Tokyo"), events=str(path))
    assert dataset.tables["events"].dates_only
    assert dataset.tables["events"].first == 1767225600000000 - 9 * 3600 * 10**6


def test_ids_are_integers_only_if_all_tables_agree(exports):
    users = "user_id,signed_up_at\n1,2026-01-01\n"
    numbers = exports.read(HEADER + "1,a,2026-01-01\n", users=users)
    assert [numbers.tables[name].columns["user_id"] for name in ("events", "users")] == [ColumnType.INTEGER] * 2
    mixed = exports.read(HEADER + "x1,a,2026-01-01\n", users=users)
    assert [mixed.tables[name].columns["user_id"] for name in ("events", "users")] == [ColumnType.TEXT] * 2
    zeros = exports.read(HEADER + "01,a,2026-01-01\n", users=users)
    assert zeros.tables["users"].columns["user_id"] is ColumnType.TEXT


def test_parquet_with_integer_ids_follows_text_ids_elsewhere(exports, tmp_path, table_rows):
    path = tmp_path / "e.parquet"
    stamp = pl.Series([datetime(2026, 1, 1, tzinfo=UTC)], dtype=pl.Datetime("us", "UTC"))
    pl.DataFrame({"user_id": [7], "event": ["a"], "timestamp": stamp}).write_parquet(path)
    users = exports.write("users.csv", "user_id,signed_up_at\n7,2026-01-01\nx,2026-01-01\n")
    dataset = open_dataset(events=str(path), users=users)
    assert table_rows(dataset, "events", "user_id") == [("7",)]
    assert table_rows(dataset, "users", "user_id") == [("7",), ("x",)]


def test_property_types_do_not_depend_on_order_or_split(exports, tmp_path):
    lines = [f"u,a,2026-01-{day:02},{value}\n" for day, value in enumerate(["1", "2.5", "", "3"], start=1)]
    header = "user_id,event,timestamp,n\n"
    exports.write("one/a.csv", header + "".join(lines))
    exports.write("two/a.csv", header + "".join(lines[:1]))
    exports.write("two/b.csv", header + "".join(lines[:0:-1]))
    frames = [
        pl.read_parquet(list(open_dataset(events=f"{tmp_path}/{name}").tables["events"].paths))
        for name in ("one", "two")
    ]
    assert frames[0].schema["n"] == pl.Float64
    assert frames[0].equals(frames[1])


def test_a_table_taken_from_the_events_files_is_counted_once_per_id(exports, table_rows):
    path = exports.write(
        "e.jsonl",
        "".join(
            json.dumps({"userId": user, "page": "p", "ts": 1767225600000, "registration": 1767139200000, "x": n}) + "\n"
            for n, user in enumerate(["u", "u", "", "v"])
        ),
    )
    named = {"user_id": "userId", "timestamp": Column(names=("ts",), format="epoch_ms"), "event": "page"}
    users = {"user_id": "userId", "signed_up_at": Column(names=("registration",), format="epoch_ms")}
    project = exports.project(events=exports.mapped(path, **named), users=exports.mapped(path, **users))
    dataset = open_dataset(project)
    assert table_rows(dataset, "users") == [("u", "2025-12-31T00:00:00Z"), ("v", "2025-12-31T00:00:00Z")]
    assert (intake(dataset, "users").read, intake(dataset, "users").duplicate) == (3, 1)
    assert table_rows(dataset, "events", "user_id") == [(None,), ("u",), ("u",), ("v",)]


def test_history_tables_come_with_the_project(exports, table_rows):
    events = Source(path=(exports.write("e.csv", HEADER + GOOD),))
    history = Source(path=(exports.write("h.csv", "user_id,valid_from,plan\nu1,2026-01-01,free\n"),))
    project = Project(exports={"events": events}, traits=Traits(history={"plan": history}))
    assert set(sources_of(project)) == {"events", "history.plan"}
    assert table_rows(open_dataset(project), "history.plan") == [("u1", "2026-01-01T00:00:00Z", "free")]


def test_naming_events_directly_replaces_all_of_the_projects_exports(exports):
    project = Project(exports={"events": Source(path=("x",)), "users": Source(path=("y",))})
    assert set(with_sources(project, events="e").exports) == {"events"}
    assert set(with_sources(project, conversions="c").exports) == {"events", "users", "conversions"}


def test_identities_give_anonymous_events_their_user(exports, table_rows):
    events = exports.write(
        "e.csv",
        "user_id,anonymous_id,event,timestamp\n,d1,visit,2026-01-01\nu1,d1,login,2026-01-02\n,d2,visit,2026-01-03\n",
    )
    identities = exports.write("i.csv", "anonymous_id,user_id\nd1,u1\n")
    project = Project(exports={"events": Source(path=(events,)), "identities": Source(path=(identities,))})
    dataset = open_dataset(project)
    assert table_rows(dataset, "events", "user_id", "event") == [("u1", "visit"), ("u1", "login"), (None, "visit")]
    assert intake(dataset).quarantined == 0


def test_conversions_find_their_user_by_email(exports, table_rows):
    project = Project(
        exports={
            "events": Source(path=(exports.write("e.csv", HEADER + GOOD),)),
            "users": Source(
                path=(
                    exports.write(
                        "u.csv",
                        "user_id,signed_up_at,email\nu2,2026-01-02,A@x.com\nu1,2026-01-01,a@x.com\nu3,2026-01-03,\n",
                    ),
                )
            ),
            "conversions": Source(
                path=(exports.write("c.csv", "email,converted_at\n a@X.com ,2026-02-01\nz@x.com,2026-02-02\n"),),
                match=Match.EMAIL,
            ),
        }
    )
    assert table_rows(open_dataset(project), "conversions", "user_id", "email") == [
        ("u1", "a@x.com"),
        (None, "z@x.com"),
    ]


def test_matching_by_email_needs_an_email(exports):
    sources = {
        "events": Source(path=(exports.write("e.csv", HEADER + GOOD),)),
        "users": Source(path=(exports.write("u.csv", "user_id,signed_up_at\nu1,2026-01-01\n"),)),
        "conversions": Source(path=(exports.write("c.csv", "email,converted_at\na,2026-02-01\n"),), match=Match.EMAIL),
    }
    with pytest.raises(DataError, match="the users have no column 'email'"):
        open_dataset(Project(exports=sources))


# Rows that cannot be used


def test_each_bad_row_is_quarantined_with_file_line_column_value_and_reason(exports):
    dataset = exports.read(
        HEADER
        + GOOD
        + "u,a,yesterday\nu,,2026-01-01\nu,a,\nundefined,a,2026-01-01\nu,a,1970-01-01\nu,a,2262-01-01\nu,a\n"
    )
    assert offenders(dataset) == [
        (3, "timestamp", "yesterday", "not a time"),
        (4, "event", None, "the event name is missing"),
        (5, "timestamp", None, "timestamp is missing"),
        (7, "timestamp", "1970-01-01T00:00:00.000000Z", "before the year 2000"),
        (8, "timestamp", "2262-01-01T00:00:00.000000Z", "more than a day after the load's clock"),
    ]
    assert intake(dataset).quarantined == 6
    assert intake(dataset).null_values == {"user_id": {"undefined": 1}}
    everything = quarantined(dataset)
    assert sorted(row["line"] for row in everything) == [3, 4, 5, 7, 8, 9]
    assert {row["file"] for row in everything} == {str(exports.folder / "events.csv")}
    late = next(row for row in everything if row["line"] == 8)
    assert late["reason"] == "more than a day after the load's clock"
    assert json.loads(late["row"])["user_id"] == "u"


def test_reasons_are_counted(exports):
    dataset = exports.read(HEADER + GOOD + "u,a,x\nu,a,y\nu,,2026-01-01\n")
    assert intake(dataset).reasons == {"not a time": 2, "the event name is missing": 1}


def test_one_clock_set_ahead_does_not_stretch_the_data(exports):
    lines = "".join(f"u{n},a,2026-01-{1 + n % 20:02}T00:00:00Z\n" for n in range(1100))
    dataset = exports.read(HEADER + lines + "u,a,2026-03-15T00:00:00Z\n")
    assert dataset.tables["events"].last == 1768867200000000
    assert [reason for *_, reason in offenders(dataset)] == ["beyond a gap of 30 days without rows"]


def test_the_same_id_and_event_is_a_duplicate_and_nothing_else_is(exports):
    header = "user_id,event,timestamp,event_id\n"
    lines = ["u,a,2026-01-01,1\n", "u,a,2026-01-01,1\n", "u,b,2026-01-01,1\n", "u,a,2026-01-01,\n", "u,a,2026-01-01,\n"]
    dataset = exports.read(header + "".join(lines) + "u,a,2026-03-01,1\n")
    assert (intake(dataset).kept, intake(dataset).duplicate) == (4, 2)
    assert intake(exports.read(HEADER + GOOD + GOOD)).duplicate == 0


def test_duplicates_in_different_files_of_the_dataset_are_found(exports, monkeypatch):
    monkeypatch.setattr("pqlkit.exports.writing.FILE_ROWS", 4)
    header = "user_id,event,timestamp,event_id\n"
    lines = [f"u,a,2026-01-{day:02},{day % 9}\n" for day in range(1, 21)]
    dataset = exports.read(header + "".join(lines))
    assert len(dataset.tables["events"].paths) > 2
    assert (dataset.tables["events"].rows, intake(dataset).duplicate) == (9, 11)


def test_users_twice_keep_the_earliest_signup(exports, table_rows):
    users = "user_id,signed_up_at,plan\nu,2026-01-02,a\nu,2026-01-01,z\nu,2026-01-01,b\nv,,x\n"
    dataset = exports.read(HEADER + GOOD, users=users)
    assert table_rows(dataset, "users") == [("u", "2026-01-01T00:00:00Z", "b"), ("v", None, "x")]
    assert intake(dataset, "users").duplicate == 2


def test_conversions_without_anybody_are_quarantined_and_repeats_are_kept(exports):
    conversions = "user_id,converted_at,amount\nu1,2026-02-01,5\nu1,2026-02-01,5\n,2026-02-01,5\nghost,2026-02-02,\n"
    dataset = exports.read(HEADER + GOOD, conversions=conversions)
    assert dataset.tables["conversions"].rows == 3
    assert offenders(dataset, "conversions") == [(4, "user_id", None, "no user or account")]


def test_no_conversions_at_all_is_a_table_without_rows(exports):
    dataset = exports.read(HEADER + GOOD, conversions="user_id,converted_at\n")
    assert dataset.tables["conversions"].rows == 0
    assert dataset.tables["conversions"].columns["converted_at"] is ColumnType.INSTANT


def test_hostile_names_are_normal_input(exports, table_rows):
    names = ['<script>"x"', "=cmd|' /C calc'!A0", "\u202egnp", "a\u2028b", "é" * 5000, "a\nb"]
    lines = "".join(
        json.dumps({"user_id": "u", "event": name, "timestamp": "2026-01-01", name: 1}) + "\n" for name in names
    )
    dataset = exports.read(lines, name="e.jsonl")
    assert {name for (name,) in table_rows(dataset, "events", "event")} == set(names)
    assert set(names) <= set(dataset.tables["events"].columns)


def test_a_name_of_the_longest_length_is_kept_and_one_byte_more_is_not(exports):
    names = ["x" * LONGEST_NAME, "x" * (LONGEST_NAME + 1)]
    dataset = exports.read("user_id,event,timestamp\n" + "".join(f"u,{name},2026-01-01\n" for name in names))
    assert dataset.tables["events"].rows == 1
    assert [one.reason for one in intake(dataset).offenders] == ["longer than 64 KB"]


def test_an_id_of_megabytes_is_quarantined_and_a_property_kept(exports):
    big = "x" * 10_000_000
    dataset = exports.read(f"user_id,event,timestamp,p\n{big},a,2026-01-01,\nu,a,2026-01-01,{big}\n")
    assert dataset.tables["events"].rows == 1
    assert intake(dataset).offenders[0].reason == "longer than 64 KB"
    assert len(intake(dataset).offenders[0].value or "") <= 1000
    assert dataset.intake.quarantine is not None
    assert dataset.intake.quarantine.stat().st_size < 100_000


def test_half_a_json_line(exports):
    good = '{"user_id": "u", "event": "a", "timestamp": "2026-01-01"}\n'
    dataset = exports.read(good + '{"user_id": "u", "ev\n' + good, name="e.jsonl")
    assert [(line, column) for line, column, *_ in offenders(dataset)] == [(2, None)]
    assert dataset.tables["events"].rows == 2


# Exports that stop the reading


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        (HEADER, "the events have no rows"),
        ("user_id;event\nu;a\n", "there is no column 'timestamp': events need it"),
        ("user_id,event,timestmp\nu,a,2026-01-01\n", "did you mean 'timestmp'"),
        (
            "user_id,event,timestamp,event\nu,a,2026-01-01,b\n",
            "the column 'event' stands 2 times in the header: (column 2), (column 4)",
        ),
        ("event,timestamp\na,2026-01-01\n", "events need one of user_id, account_id, anonymous_id"),
        (
            "user_id^event^timestamp\nu^a^2026\n",
            "its only column is 'user_id^event^timestamp': is the separator another",
        ),
        (HEADER + "u,a,1767225600\n", '{column: timestamp, format: "epoch_s"}'),
        (
            HEADER + "u,a,soon\nv,a,late\n",
            "none of the 2 rows of events can be used; the first: timestamp 'soon': not a time",
        ),
        ("[\n{}\n]", "this is one JSON array"),
        ('{\n "a": 1\n}', "this JSON is indented"),
        (b"\x1f\x8b\x08\x00", "truncated"),
        (gzip.compress((HEADER + GOOD).encode() * 100, mtime=0)[:60], "truncated"),
        (gzip.compress((HEADER + GOOD).encode(), mtime=0)[:-6] + b"xxxxxx", "damaged"),
        (b"\x28\xb5\x2f\xfd\x00", "the file ends in the middle"),
        (b"PAR1 not really", "the Parquet file is damaged"),
        (b"PK\x03\x04 not really", "the ZIP archive is damaged"),
        (b"BZh91AY", "this is a bzip2 file"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_and_where(exports, content, message):
    with pytest.raises(DataError) as caught:
        exports.read(content)
    assert message in str(caught.value)
    assert "events" in str(caught.value)


def test_a_missing_file_suggests_the_nearest(exports, tmp_path):
    exports.write("events.csv", HEADER)
    with pytest.raises(DataError, match=r"no file at .*event\.csv\n  did you mean .*events\.csv\?"):
        open_dataset(events=f"{tmp_path}/event.csv")
    with pytest.raises(DataError, match="does not exist"):
        open_dataset(events=f"{tmp_path}/nowhere/event.csv")


def test_an_empty_folder(tmp_path):
    with pytest.raises(DataError, match="holds no export"):
        open_dataset(events=str(tmp_path))


def test_nothing_named_or_named_twice(tmp_path):
    with pytest.raises(DataError, match="no events given"):
        open_dataset()
    with pytest.raises(UsageError, match="name the events twice"):
        open_dataset(data=tmp_path, events="e.csv")
    with pytest.raises(UsageError, match="--data and --conversions"):
        open_dataset(data=tmp_path, conversions="c.csv")
    with pytest.raises(DataError, match="is not a dataset"):
        open_dataset(data=tmp_path)


def test_a_mapping_that_names_a_missing_column(exports):
    path = exports.write("e.csv", "userId,event,ts\nu,a,2026-01-01\n")
    project = exports.project(events=exports.mapped(path, user_id="userID", timestamp="ts"))
    with pytest.raises(DataError, match="there is no column 'userID': the mapping of user_id names it"):
        open_dataset(project)


def test_a_format_that_does_not_fit(exports):
    path = exports.write("e.csv", HEADER + GOOD)
    with pytest.raises(DataError, match="the file does not look like Mixpanel"):
        open_dataset(Project(exports={"events": Source(path=(path,), format="mixpanel")}))


# Parquet in place


def canonical(**columns):
    stamp = pl.Series(
        [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)], dtype=pl.Datetime("us", "UTC")
    )
    return pl.DataFrame({"user_id": ["u", None], "event": ["a", "b"], "timestamp": stamp, **columns})


def test_canonical_parquet_is_used_where_it_lies(tmp_path):
    path = tmp_path / "events.parquet"
    canonical(p=[1.5, None]).write_parquet(path)
    dataset = open_dataset(events=str(path))
    events = dataset.tables["events"]
    assert events.paths == (str(path),)
    assert (events.rows, events.first, events.last) == (2, 1767225600000000, 1767398400000000)
    assert dict(events.columns) == {
        "user_id": ColumnType.TEXT,
        "event": ColumnType.TEXT,
        "timestamp": ColumnType.INSTANT,
        "p": ColumnType.NUMBER,
    }
    assert [(gap.first, gap.days) for gap in dataset.intake.gaps] == [("2026-01-02", 1)]


@pytest.mark.parametrize(
    ("frame", "bad", "duplicate"),
    [
        (canonical().with_columns(event=pl.Series(["a", None])), 1, 0),
        (canonical().with_columns(event=pl.Series(["a", ""])), 1, 0),
        (canonical().with_columns(user_id=pl.Series(["u", "null"])), 0, 0),
        (
            canonical().with_columns(
                timestamp=pl.Series([datetime(2026, 1, 1, tzinfo=UTC), None], dtype=pl.Datetime("us", "UTC"))
            ),
            1,
            0,
        ),
        (canonical().with_columns(pl.col("timestamp") + timedelta(days=40_000) * pl.int_range(2)), 1, 0),
        (canonical(event_id=["1", "1"]).with_columns(event=pl.lit("a")), 0, 1),
        (canonical().with_columns(pl.col("timestamp").dt.date()), 0, 0),
        (canonical(p=[{"q": 1}, {"q": 2}]), 0, 0),
        (canonical().with_columns(user_id=pl.Series(["u", ""])), 0, 0),
    ],
    ids=["no event", "empty event", "placeholder", "no time", "late", "duplicate", "dates", "nested", "empty id"],
)
def test_parquet_with_anything_to_change_is_copied(tmp_path, frame, bad, duplicate):
    path = tmp_path / "events.parquet"
    frame.write_parquet(path)
    dataset = open_dataset(events=str(path))
    events = dataset.tables["events"]
    assert events.paths != (str(path),)
    assert (intake(dataset).quarantined, intake(dataset).duplicate) == (bad, duplicate)
    assert events.rows == 2 - bad - duplicate
    again = open_dataset(events=events.paths[0])
    assert again.tables["events"].paths == events.paths


def test_parquet_line_numbers_are_rows(tmp_path):
    path = tmp_path / "events.parquet"
    canonical().with_columns(event=pl.Series(["a", None])).write_parquet(path)
    assert offenders(open_dataset(events=str(path))) == [(2, "event", None, "the event name is missing")]


def test_the_same_rows_as_csv_jsonl_and_parquet_give_the_same_bytes(exports, tmp_path):
    frame = pl.DataFrame(
        {
            "user_id": [f"u{n % 7}" for n in range(200)],
            "event": [["a", "b", "c"][n % 3] for n in range(200)],
            "timestamp": [f"2026-01-{1 + n % 28:02}T00:00:{n % 60:02}Z" for n in range(200)],
            "n": [float(n) + 0.5 for n in range(200)],
        }
    )
    frame.write_csv(tmp_path / "e.csv")
    frame.sample(fraction=1, shuffle=True, seed=1).write_ndjson(tmp_path / "e.jsonl")
    frame.reverse().write_parquet(tmp_path / "e.parquet")
    contents = set()
    for name in ("e.csv", "e.jsonl", "e.parquet"):
        (path,) = open_dataset(events=str(tmp_path / name)).tables["events"].paths
        contents.add(Path(path).read_bytes())
    assert len(contents) == 1


def test_the_temporary_folder_is_gone_after_the_run(exports, tmp_path):
    path = exports.write("e.csv", HEADER + GOOD)
    code = f"from pqlkit.exports.dataset import open_dataset; print(open_dataset(events={path!r}).folder)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not (tmp_path / done.stdout.strip()).exists()
    assert done.stdout.strip()


def test_conversions_with_an_address_alone_name_the_way_out(exports, tmp_path):
    conversions = exports.write("c.csv", "email,converted_at\na@x,2026-02-01\n")
    events = exports.write("e.csv", HEADER + GOOD)
    with pytest.raises(DataError, match="match: email finds users by their address"):
        open_dataset(events=events, conversions=conversions)
    path = tmp_path / "c.parquet"
    stamp = pl.Series([datetime(2026, 2, 1, tzinfo=UTC)], dtype=pl.Datetime("us", "UTC"))
    pl.DataFrame({"email": ["a@x"], "converted_at": stamp}).write_parquet(path)
    with pytest.raises(DataError, match="match: email finds users by their address"):
        open_dataset(events=events, conversions=str(path))


def test_accounts_can_be_taken_from_the_users_file(exports, table_rows):
    users = exports.write(
        "u.csv", "user_id,signed_up_at,account_id,plan\nu1,2026-01-02,a,x\nu2,2026-01-01,a,y\nu3,2026-01-01,,z\n"
    )
    project = Project(
        exports={
            "events": Source(path=(exports.write("e.csv", HEADER + GOOD),)),
            "users": Source(path=(users,)),
            "accounts": exports.mapped(users, account_id="account_id", signed_up_at="signed_up_at"),
        }
    )
    dataset = open_dataset(project)
    assert table_rows(dataset, "accounts") == [("a", "2026-01-01T00:00:00Z")]
    assert (intake(dataset, "accounts").read, intake(dataset, "accounts").duplicate) == (2, 1)


def test_a_folder_may_hold_several_shapes_of_one_vendor(exports, tmp_path, table_rows):
    tail = "user_id,anonymous_id,received_at,timestamp"
    exports.write("s/tracks.csv", f"id,{tail},event\n1,u1,d,2026-01-01,2026-01-01T00:00:00Z,login\n")
    exports.write("s/pages.csv", f"id,{tail},path\n2,u1,d,2026-01-02,2026-01-02T00:00:00Z,/a\n")
    dataset = open_dataset(Project(exports={"events": Source(path=(f"{tmp_path}/s",), format="segment")}))
    assert table_rows(dataset, "events", "event", "path") == [("login", None), ("page", "/a")]


@pytest.mark.parametrize("column", ["user_id", "entity", "who"])
def test_contacts_name_their_entity_by_its_id(exports, table_rows, column):
    contacts = exports.write("c.csv", f"{column},at,by\n1,2026-02-01,dana\nacme,2026-02-02,\n,2026-02-03,eve\n")
    mapping = {"entity": "who"} if column == "who" else {}
    events = exports.write("e.csv", HEADER + "1,a,2026-01-01\n")
    project = exports.project(events=Source(path=(events,)), contacts=exports.mapped(contacts, **mapping))
    dataset = open_dataset(project)
    assert dataset.tables["events"].columns["user_id"] is ColumnType.INTEGER
    assert table_rows(dataset, "contacts", "user_id", "by") == [(1, "dana"), (None, None)]
    if column != "user_id":
        assert table_rows(dataset, "contacts", "account_id") == [("1",), ("acme",)]
    assert offenders(dataset, "contacts") == [(4, column, None, "no user or account")]


@pytest.mark.parametrize("table", ["events", "conversions"])
def test_in_place_rows_beyond_a_silence_are_left_out_too(exports, tmp_path, table):
    start = datetime(2025, 1, 1, tzinfo=UTC)
    stamps = [start + timedelta(minutes=n) for n in range(1100)] + [start + timedelta(days=90)]
    time = pl.Series(stamps, dtype=pl.Datetime("us", "UTC"))
    users = ["u"] * len(stamps)
    frames = {
        "events": pl.DataFrame({"user_id": users, "event": users, "timestamp": time}),
        "conversions": pl.DataFrame({"user_id": users, "converted_at": time}),
    }
    paths = {"events": exports.write("e.csv", HEADER + GOOD)}
    paths[table] = str(tmp_path / "t.parquet")
    frames[table].write_parquet(paths[table])
    dataset = open_dataset(with_sources(**paths))
    assert dataset.tables[table].rows == 1100
    assert intake(dataset, table).reasons == {"beyond a gap of 30 days without rows": 1}


def test_tables_without_times_and_repeated_ids_in_parquet(exports, tmp_path, table_rows):
    def parquet(name, **columns):
        pl.DataFrame(columns).write_parquet(tmp_path / f"{name}.parquet")
        return Source(path=(str(tmp_path / f"{name}.parquet"),))

    events = Source(path=(exports.write("e.csv", "user_id,anonymous_id,event,timestamp\n,d,login,2026-01-01\n"),))
    once = parquet("accounts", account_id=["a", "b"], plan=["x", "y"])
    identities = parquet("identities", anonymous_id=["d"], user_id=["u"])
    dataset = open_dataset(Project(exports={"events": events, "accounts": once, "identities": identities}))
    assert dataset.tables["accounts"].paths == once.path
    assert dataset.tables["identities"].paths == identities.path
    assert table_rows(dataset, "events", "user_id") == [("u",)]
    twice = parquet("twice", account_id=["a", "b", "a"], plan=["x", "y", "w"])
    dataset = open_dataset(Project(exports={"events": events, "accounts": twice}))
    assert table_rows(dataset, "accounts") == [("a", "w"), ("b", "y")]
    assert intake(dataset, "accounts").duplicate == 1


def test_parquet_without_rows(tmp_path):
    stamp = pl.Series([], dtype=pl.Datetime("us", "UTC"))
    text = pl.Series([], dtype=pl.String)
    pl.DataFrame({"user_id": text, "event": text, "timestamp": stamp}).write_parquet(tmp_path / "e.parquet")
    with pytest.raises(DataError, match="the events have no rows"):
        open_dataset(events=str(tmp_path / "e.parquet"))
