from __future__ import annotations

import polars as pl
import pytest

from pqlkit.errors import DataError
from pqlkit.exports.dataset import open_dataset

DAY = "2026-01-01"
LARGE = (1234567890123456789, 1234567890123456790)


def jsonl(*users: object) -> str:
    return "".join(f'{{"user_id": {user}, "event": "a", "timestamp": "{DAY}"}}\n' for user in users)


def users(table_rows, dataset):
    return sorted({user for (user,) in table_rows(dataset, "events", "user_id")}, key=str)


@pytest.mark.parametrize("other", ["7.0", "1.5e3"])
def test_large_whole_numbers_beside_a_decimal_one_stay_apart(exports, table_rows, other):
    dataset = exports.read(jsonl(*LARGE, other), "e.jsonl")
    assert [user for user in users(table_rows, dataset) if len(str(user)) > 10] == [str(user) for user in LARGE]
    assert len(users(table_rows, dataset)) == 3


def test_large_whole_numbers_alone_stay_numbers(exports, table_rows):
    small = 123456789012345678
    assert users(table_rows, exports.read(jsonl(small, small + 1), "e.jsonl")) == [small, small + 1]


def test_ids_that_went_through_a_float_are_refused(exports):
    path = exports.folder / "events.parquet"
    ids = pl.Series([float(LARGE[0]), float(LARGE[1]), 7.0, None], dtype=pl.Float64)
    pl.DataFrame({"user_id": ids, "event": ["a"] * 4, "timestamp": [DAY] * 4}).write_parquet(path)
    intake = open_dataset(events=str(path)).intake.tables["events"]
    assert (intake.kept, intake.quarantined) == (2, 2)
    assert "lost its last digits" in intake.offenders[0].reason


def test_floats_in_text_beyond_what_a_float_tells_apart_are_refused(exports):
    with pytest.raises(DataError, match="lost its last digits"):
        exports.read(f"user_id,event,timestamp\n1.2345678901234568e+18,a,{DAY}\n")


def test_one_id_in_several_spellings_is_one(exports, table_rows):
    text = "".join(f"{user},a,{DAY}\n" for user in ("1", "1.0", " 1 ", "\t1", "1.00"))
    assert users(table_rows, exports.read("user_id,event,timestamp\n" + text)) == [1]


def test_floats_and_texts_of_two_tables_match(exports, kind, table_rows):
    events = exports.written(kind, "events", user_id=["1", "2"], event=["a"] * 2, timestamp=[DAY] * 2)
    sold = exports.written(kind, "conversions", user_id=[1.0, 2.0, None], converted_at=[DAY] * 3)
    dataset = open_dataset(events=events, conversions=sold)
    assert {str(user) for (user,) in table_rows(dataset, "conversions", "user_id")} == {"1", "2"}


def test_leading_zeros_are_part_of_an_id_and_a_mismatch_is_said(exports, table_rows):
    events = exports.write("e.csv", f"user_id,event,timestamp\n001,a,{DAY}\n002,a,{DAY}\n")
    people = exports.write("u.csv", f"user_id,signed_up_at\n1,{DAY}\n2,{DAY}\n")
    intake = exports.load(events=events, users=people)
    assert any("users has '1', events has '001'" in warning for warning in intake.warnings)
    assert users(table_rows, open_dataset(events=events)) == ["001", "002"]


def test_ids_in_capitals_that_do_not_match_are_said(exports):
    events = exports.write("e.csv", f"user_id,event,timestamp\nab,a,{DAY}\n")
    sold = exports.write("c.csv", f"user_id,converted_at\nAB,{DAY}\n")
    people = exports.write("u.csv", f"user_id,signed_up_at\nab,{DAY}\n")
    warnings = exports.load(events=events, users=people, conversions=sold).warnings
    assert [warning for warning in warnings if "another way" in warning] == [
        "ids of conversions that match none of users because they are spelled in another way: 1;"
        " users has 'ab', conversions has 'AB'"
    ]


@pytest.mark.parametrize("table", ["users", "conversions"])
def test_shortened_ids_of_other_tables_are_said(exports, table):
    events = exports.write("e.csv", f"user_id,event,timestamp\nu,a,{DAY}\n")
    time = "signed_up_at" if table == "users" else "converted_at"
    other = {table: exports.write("o.csv", f"user_id,{time}\n9.9E+10,{DAY}\n1.20E+15,{DAY}\n")}
    (said,) = [text for text in exports.load(events=events, **other).warnings if "shortened" in text]
    assert said.startswith(f"user_id of {table} holds 1.20E+15: ")


def test_ids_that_a_spreadsheet_has_shortened_are_said(exports):
    events = exports.write("e.csv", f"user_id,event,timestamp\n1.20E+15,a,{DAY}\nu,a,{DAY}\n")
    assert any("a spreadsheet has shortened ids" in warning for warning in exports.load(events=events).warnings)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_list_of_one_id_is_that_id_and_a_list_of_several_is_nobodys(exports, kind, table_rows):
    cells = ['["acme"]', "[7]", '["a","b"]', "[]"]
    events = exports.written(kind, "events", user_id=["u"] * 4, account_id=cells, event=["a"] * 4, timestamp=[DAY] * 4)
    dataset = open_dataset(events=events)
    assert {account for (account,) in table_rows(dataset, "events", "account_id")} == {"acme", "7", None}
    assert dataset.intake.tables["events"].reasons == {"several ids in one cell": 1}


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_lists_of_ids_are_read_as_their_text(exports, kind, table_rows):
    events = exports.written(
        kind, "events", user_id=["u"] * 2, account_id=[["acme"], ["a", "b"]], event=["a"] * 2, timestamp=[DAY] * 2
    )
    dataset = open_dataset(events=events)
    assert table_rows(dataset, "events", "account_id") == [("acme",)]
