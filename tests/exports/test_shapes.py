"""Texts as programs and people write them: encodings, line ends, titles, escapes, several objects on a line."""

from __future__ import annotations

import pytest

from pqlkit.errors import DataError
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.mapping import Column, Source
from pqlkit.exports.project import Project

CSV = "user_id,event,timestamp\nu1,Upgrade – Pro€,2026-01-01\nu2,naïve “quote”,2026-01-02\n"
JSON = '{"user_id": "u1", "event": "naïve – é", "timestamp": "2026-01-01"}\n'


def read(exports, text: str | bytes, name: str = "events.csv"):
    return open_dataset(events=exports.write(name, text))


def rejected(dataset) -> list[tuple[int, str]]:
    return [(offender.line, offender.reason) for offender in dataset.intake.tables["events"].offenders]


def test_what_is_not_utf8_is_read_as_windows_writes_it(exports, table_rows):
    found = table_rows(read(exports, CSV.encode("cp1252")), "events", "user_id", "event")
    assert found == [("u1", "Upgrade – Pro€"), ("u2", "naïve “quote”")]


def test_stated_latin_1_is_latin_1_and_cp1252_can_be_stated(exports, table_rows):
    path = exports.write("events.csv", CSV.encode("cp1252"))
    for encoding, dash in (("latin-1", "\x96"), ("cp1252", "–")):
        dataset = open_dataset(Project(exports={"events": Source(path=(path,), encoding=encoding)}))
        assert table_rows(dataset, "events", "event")[0][0].startswith(f"Upgrade {dash} Pro")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(("name", "text"), [("e.csv", CSV), ("e.jsonl", JSON)])
def test_utf_16_is_read_with_a_mark_and_without(exports, table_rows, encoding, name, text):
    dataset = read(exports, text.encode(encoding), name)
    assert table_rows(dataset, "events", "user_id")[0] == ("u1",)
    assert "–" in table_rows(dataset, "events", "event")[0][0]


@pytest.mark.parametrize(("name", "text", "rows"), [("e.csv", CSV, 2), ("e.jsonl", JSON * 3, 3)])
def test_line_ends_of_old_macs(exports, name, text, rows):
    dataset = read(exports, text.replace("\n", "\r").encode(), name)
    assert dataset.tables["events"].rows == rows


@pytest.mark.parametrize("first", ["sep=;\n", "SEP=;\r\n", '"sep=;"\n'])
def test_the_line_that_tells_spreadsheets_the_separator(exports, table_rows, first):
    dataset = read(exports, first + "user_id;event;timestamp\nu,a,b;2026-01-01\nu;a,b;2026-01-01\n")
    assert table_rows(dataset, "events", "user_id", "event") == [("u", "a,b")]
    assert rejected(dataset) == [(3, "2 fields where the header has 3")]


@pytest.mark.parametrize(
    "title",
    [
        "Report: users\n",
        "Report\nGenerated 2026-02-01\n",
        "Events of January, all teams\n\n",
        "Report,,\nby,,\n",
        '"Two\nlines"\n',
    ],
)
def test_titles_above_the_header_are_no_rows(exports, table_rows, title):
    if title.startswith("Events of"):
        title = title.replace(", all", " - all")
    dataset = read(exports, title + "user_id,event,timestamp\nu,a,2026-01-01\nv,b,\n")
    assert table_rows(dataset, "events", "user_id") == [("u",)]
    assert rejected(dataset) == [(title.count("\n") + 3, "timestamp is missing")]


def test_a_header_of_one_column_and_headers_with_holes_stay_headers(exports):
    with pytest.raises(DataError, match="no column 'event'"):
        read(exports, "user_id\nu1\nu2\n")
    dataset = read(exports, "user_id,event,timestamp,\nu,a,2026-01-01,\n")
    assert "column_4" in dataset.tables["events"].columns


def test_a_row_of_totals_is_nobody(exports):
    people = "user_id,signed_up_at,seats\nu1,2026-01-01,3\nTotal,,3\nGrand Total:,,3\n"
    events = "user_id,event,timestamp\nu1,a,2026-01-01\n"
    dataset = exports.read(events, users=people)
    assert dataset.tables["users"].rows == 1
    assert dataset.intake.tables["users"].reasons == {"a row of totals": 2}


def test_a_user_called_total_who_signed_up_is_one(exports):
    dataset = exports.read(
        "user_id,event,timestamp\nu1,a,2026-01-01\n", users="user_id,signed_up_at\ntotal,2026-01-01\n"
    )
    assert dataset.tables["users"].rows == 1


def test_quotes_that_a_backslash_escapes(exports, table_rows):
    text = 'user_id,event,timestamp,say,path\n"u","a","2026-01-01","he said \\"hi, you\\"","C:\\\\"\n"v","b","2026-01-02","\\"x\\"\ny","p"\n'
    dataset = read(exports, text)
    assert table_rows(dataset, "events", "user_id", "say", "path") == [
        ("u", 'he said "hi, you"', "C:\\"),
        ("v", '"x"\ny', "p"),
    ]


def test_quotes_that_a_backslash_escapes_beside_a_stray_one(exports, table_rows):
    text = (
        'user_id,event,timestamp,say\nu,a,2026-01-01,"a \\"b\\" c"\nv,b,2026-01-02,5" wide\nw,c,2026-01-03,"\\"d\\""\n'
    )
    dataset = read(exports, text)
    assert table_rows(dataset, "events", "user_id", "say") == [("u", 'a "b" c'), ("v", '5" wide'), ("w", '"d"')]


def test_backslashes_in_doubled_quotes_are_only_backslashes(exports, table_rows):
    text = 'user_id,event,timestamp,p\nu,a,2026-01-01,"{""k"": ""x\\""y""}"\nu,b,2026-01-02,"C:\\"\n'
    assert table_rows(read(exports, text), "events", "p") == [('{"k": "x\\"y"}',), ("C:\\",)]


@pytest.mark.parametrize("between", ["", " ", "\t", "\n"])
def test_several_objects_on_one_line(exports, table_rows, between):
    rows = [f'{{"user_id": {n}, "event": "a}} {{b", "timestamp": "2026-01-0{n}"}}' for n in range(1, 6)]
    dataset = read(exports, between.join(rows), "e.json")
    assert [user for (user,) in table_rows(dataset, "events", "user_id")] == [1, 2, 3, 4, 5]


def test_several_objects_on_some_lines_lose_none(exports):
    row = '{"user_id": 1, "event": "a", "timestamp": "2026-01-01"}'
    dataset = read(exports, f"{row}{row}\n{row}\n{row}{{broken\n{row}\n{row} 5\n", "e.json")
    assert dataset.tables["events"].rows == 6
    assert [line for line, _ in rejected(dataset)] == [3, 5]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_json_text_in_a_cell_is_opened_by_path(exports, kind, table_rows):
    cells = ['{"company": {"id": 7}, "plan": "pro"}', '{"plan": "free"}', "no json", ""]
    path = exports.written(
        kind, "events", user_id=list("abcd"), event=["x"] * 4, timestamp=["2026-01-01"] * 4, props=cells
    )
    columns = {"account_id": Column(names=("props.company.id",)), "plan": Column(names=("props.plan",))}
    dataset = open_dataset(Project(exports={"events": Source(path=(path,), columns=columns)}))
    found = table_rows(dataset, "events", "user_id", "account_id", "plan")
    assert [(user, None if account is None else int(account), plan) for user, account, plan in found] == [
        ("a", 7, "pro"),
        ("b", None, "free"),
        ("c", None, None),
        ("d", None, None),
    ]


def test_a_path_into_a_column_that_is_not_there_is_refused(exports):
    path = exports.write("events.csv", CSV)
    columns = {"account_id": Column(names=("props.company",))}
    with pytest.raises(DataError, match=r"no column 'props\.company'"):
        open_dataset(Project(exports={"events": Source(path=(path,), columns=columns)}))
