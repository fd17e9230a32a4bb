from __future__ import annotations

from dataclasses import replace

import pytest

from pqlkit.exports.dataset import open_dataset, with_sources
from pqlkit.exports.mapping import Source
from pqlkit.exports.nulls import NULL_VALUES
from pqlkit.exports.project import Project, read_project

DAY = "2026-01-01"
SPELLINGS = ["NULL", "Null", "none", "NIL", r"\N", "-", "N/A", "<NA>", "(not set)", "nan", "undefined"]
ZERO = "00000000-0000-0000-0000-000000000000"


def test_a_null_value_is_no_account_and_no_user(exports, kind, table_rows):
    texts = ["a1", *SPELLINGS, ZERO]
    users = [f"u{place}" for place in range(len(texts))]
    events = exports.written(kind, "events", user_id=[*users, "NULL"], event=["a"] * 14, timestamp=[DAY] * 14)
    people = exports.written(kind, "users", user_id=users, signed_up_at=[DAY] * 13, account_id=texts)
    dataset = open_dataset(events=events, users=people)
    accounts = [account for (account,) in table_rows(dataset, "users", "account_id")]

    assert sorted(filter(None, accounts)) == ["a1"]
    assert accounts.count(None) == 12
    assert (None,) in table_rows(dataset, "events", "user_id")
    counted = dataset.intake.tables["users"].null_values
    assert sum(counted["account_id"].values()) == 12
    assert counted["account_id"][r"\N"] == 1
    assert dataset.intake.tables["events"].null_values == {"user_id": {"NULL": 1}}


def test_a_null_value_is_no_event_id(exports, kind):
    ids = ["null", "NULL", "None", "nan", ZERO, "", "n/a", "1", "1"]
    events = exports.written(kind, "events", user_id=["u"] * 9, event=["a"] * 9, timestamp=[DAY] * 9, event_id=ids)
    intake = open_dataset(events=events).intake.tables["events"]
    assert (intake.kept, intake.duplicate) == (8, 1)


def test_an_optional_time_that_is_null_costs_no_row(exports, kind, table_rows):
    events = exports.written(kind, "events", user_id=["u"], event=["a"], timestamp=[DAY])
    sold = exports.written(
        kind,
        "conversions",
        user_id=["1", "2", "3", "4"],
        converted_at=[DAY] * 4,
        ended_at=["NULL", "", r"\N", "whenever"],
    )
    dataset = open_dataset(events=events, conversions=sold)
    intake = dataset.intake.tables["conversions"]
    assert (intake.kept, intake.reasons) == (3, {"not a time": 1})
    assert table_rows(dataset, "conversions", "ended_at") == [(None,)] * 3
    assert intake.null_values == {"ended_at": {"NULL": 1, r"\N": 1}}


def test_a_time_that_must_be_there_is_missing(exports, kind):
    events = exports.written(kind, "events", user_id=["u", "u"], event=["a", "a"], timestamp=[DAY, "NULL"])
    assert open_dataset(events=events).intake.tables["events"].reasons == {"timestamp is missing": 1}


def test_null_values_among_numbers_do_not_make_them_text(exports, table_rows):
    dataset = exports.read(users="user_id,signed_up_at,seats,plan\n1,2026-01-01,12,none\n2,2026-01-01,n/a,pro\n")
    assert table_rows(dataset, "users", "seats", "plan") == [(12, "none"), (None, "pro")]
    assert dataset.intake.tables["users"].null_values == {"seats": {"n/a": 1}}


def test_null_values_among_truths_are_not_false(exports, table_rows):
    dataset = exports.read(users="user_id,signed_up_at,vip\n1,2026-01-01,true\n2,2026-01-01,NULL\n3,2026-01-01,False\n")
    assert table_rows(dataset, "users", "vip") == [(True,), (None,), (False,)]


def test_null_addresses_match_nobody(exports, table_rows):
    events = exports.written("csv", "events", user_id=["u"], event=["a"], timestamp=[DAY])
    people = exports.written("csv", "users", user_id=["1", "2"], signed_up_at=[DAY] * 2, email=["NULL", "b@x.com"])
    sold = exports.written("csv", "conversions", email=["NULL", "b@x.com"], converted_at=[DAY] * 2)
    from pqlkit.exports.mapping import Match

    project = with_sources(events=events, users=people, conversions=sold)
    by_mail = replace(project.exports["conversions"], match=Match.EMAIL)
    dataset = open_dataset(replace(project, exports={**project.exports, "conversions": by_mail}))
    assert dataset.intake.tables["conversions"].reasons == {"no user or account": 1}
    assert table_rows(dataset, "conversions", "user_id") == [("2",)]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_project_states_its_own_null_values(exports, kind, table_rows):
    events = exports.written(kind, "events", user_id=["none", "gone", "u"], event=["a"] * 3, timestamp=[DAY] * 3)
    source = Source(path=(events,), null_values=frozenset({"gone"}))
    dataset = open_dataset(Project(exports={"events": source}))
    assert table_rows(dataset, "events", "user_id") == [(None,), ("none",), ("u",)]


def test_the_project_file_has_one_rule_and_an_export_may_have_its_own(exports):
    path = exports.write(
        "pqlkit.yml",
        "pqlkit: 1\nnull_values: [gone]\nexports:\n  events: {path: e.csv}\n  users: {path: u.csv, null_values: []}\n",
    )
    project = read_project(path)
    assert project.exports["events"].null_values == project.null_values == {"gone"}
    assert project.exports["users"].null_values == frozenset()
    assert with_sources(project, events="x.csv").exports["events"].null_values == {"gone"}
    assert "NULL" in NULL_VALUES
    assert Project().null_values is NULL_VALUES
