from __future__ import annotations

import json

import polars as pl
import pytest

from pqlkit.errors import DataError
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.guessing import guess_columns, guess_format
from pqlkit.exports.mapping import Column, Match
from pqlkit.exports.project import EventNote, read_project
from pqlkit.exports.project_draft import project_text, quoted
from pqlkit.exports.sniffing import sniff


def drafted(sniffed, folder):
    path = folder / "pqlkit.yml"
    path.write_text(project_text(sniffed, folder))
    return read_project(path)


def test_a_draft_reads_back_as_what_was_sniffed(exports, tmp_path):
    events = exports.write(
        "e.csv",
        "userId;action;ts\nu1;limit_reached;1767225600000\nu2;email_delivered;1767225600001\nu2;it's: #1;1767225600002\n",
    )
    users = exports.write(
        "u.csv",
        "id,email,created,plan,signup_plan\nu1,a@x,22-04-2025 03:53,pro,free\nu3,b@x,23-04-2025 03:53,pro,free\n",
    )
    conversions = exports.write("c.csv", "email,upgraded_at,mrr\na@x,2026-02-01,20\nz@x,2026-02-02,20\n")
    sniffed = sniff(events, users=users, conversions=conversions)
    assert sniffed.vendor is None
    assert sniffed.sources["events"].columns == {
        "user_id": Column(names=("userId",)),
        "event": Column(names=("action",)),
        "timestamp": Column(names=("ts",), format="epoch_ms"),
    }
    assert sniffed.sources["users"].columns["signed_up_at"] == Column(names=("created",), format="%d-%m-%Y %H:%M")
    assert sniffed.sources["conversions"].match is Match.EMAIL
    assert sniffed.sources["conversions"].columns["amount"] == Column(names=("mrr",))
    assert sniffed.events == {"email_delivered": EventNote(automatic=True), "limit_reached": EventNote(mechanical=True)}
    assert (sniffed.matching.users_with_events, sniffed.matching.event_users_unknown) == (1, 1)
    assert (sniffed.matching.conversions_matched, sniffed.matching.conversions_unknown) == (1, 1)

    project = drafted(sniffed, tmp_path)
    assert project.events == sniffed.events
    assert {name: source.columns for name, source in project.exports.items()} == {
        name: source.columns for name, source in sniffed.sources.items()
    }
    assert project.traits.fixed == ("email", "signup_plan")
    dataset = open_dataset(project)
    assert {name: table.rows for name, table in dataset.tables.items()} == {"events": 3, "users": 2, "conversions": 2}
    assert "1 of 2 conversions match" in project_text(sniffed, tmp_path)


def test_a_vendors_format_is_recognised(exports, tmp_path):
    content = json.dumps({"event": "a", "properties": {"time": 1767225600, "distinct_id": "u"}})
    sniffed = sniff(exports.write("e.ndjson", content))
    assert sniffed.vendor == "mixpanel"
    assert drafted(sniffed, tmp_path).exports["events"].format == "mixpanel"


def test_an_export_without_event_names_gets_one(exports, tmp_path):
    sniffed = sniff(exports.write("e.csv", "time_stamp,user_id,visited\n2014-04-22,1,1\n"))
    assert sniffed.sources["events"].columns["event"] == Column(constant="active")
    assert open_dataset(drafted(sniffed, tmp_path)).tables["events"].dates_only


def test_users_are_taken_from_events_that_tell_the_signup(exports, tmp_path):
    row = {"userId": "u", "page": "p", "ts": 1767225600000, "registration": 1767139200000}
    sniffed = sniff(exports.write("e.jsonl", json.dumps(row)))
    assert open_dataset(drafted(sniffed, tmp_path)).tables["users"].rows == 1


def test_canonical_exports_need_no_mapping(exports):
    sniffed = sniff(exports.write("e.csv", "user_id,event,timestamp\nu,a,2026-01-01\n"))
    assert sniffed.sources["events"].columns == {}


def test_hostile_names_make_a_draft_that_still_reads(exports, tmp_path):
    names = [
        "email_sent\n- x: 1",
        "limit_reached: {",
        "\u202e limit_reached",
        "😀 limit_reached",
        "limit_reached" + "x" * 3000,
    ]
    rows = "".join(json.dumps({"user_id": "u", "event": name, "timestamp": "2026-01-01"}) + "\n" for name in names)
    sniffed = sniff(exports.write("e.jsonl", rows))
    text = project_text(sniffed, tmp_path)
    assert "\u202e" not in text
    project = drafted(sniffed, tmp_path)
    assert set(project.events) == {name for name in names if name in sniffed.events}
    assert len(project.events) == 5


def test_no_column_that_could_be_the_user(exports):
    with pytest.raises(DataError, match="no column looks like user_id of the events"):
        sniff(exports.write("e.csv", "colour,event,timestamp\nred,a,2026-01-01\n"))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2026-01-01T00:00:00Z"], None),
        (["2026-01-01"], None),
        ([1767225600], "epoch_s"),
        (["1767225600000"], "epoch_ms"),
        ([1767225600000000], "epoch_us"),
        (["22-04-2014 03:53"], "%d-%m-%Y %H:%M"),
        (["4/22/2014", "4/1/2014"], "%m/%d/%Y"),
        (["22.04.2014"], "%d.%m.%Y"),
        ([None], None),
    ],
)
def test_formats_of_times(values, expected):
    assert guess_format(pl.Series(values, dtype=pl.String if values == [None] else None))[0] == expected


def test_days_and_months_that_could_be_swapped_are_a_doubt():
    form, doubt = guess_format(pl.Series(["01/02/2026", "03/04/2026"]))
    assert form == "%m/%d/%Y"
    assert doubt is not None
    assert "%d/%m/%Y" in doubt


def test_one_column_is_never_used_twice():
    assert guess_columns("users", ["id"]) == {"user_id": "id"}
    found = guess_columns("conversions", ["user_id", "plan", "previous_plan", "date"])
    assert found == {"user_id": "user_id", "converted_at": "date", "plan": "plan", "from_plan": "previous_plan"}


@pytest.mark.parametrize("text", ["no", "1e3", "12:30", "0x1F", "a: b", "# c", "~", "", "é", "a\tb", "- x", "😀", '"'])
def test_quoted_text_reads_back_as_text(text):
    from pqlkit.definitions.yaml_source import Surprise, parse

    document = parse(f"k: {quoted(text)}\n{quoted(text)}: 1\n", "x.yml")
    assert document.diagnostics == ()
    assert document.data == {"k": text, text: 1}
    assert isinstance(document.data, dict)
    assert not isinstance(document.data["k"], Surprise)
