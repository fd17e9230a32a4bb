from __future__ import annotations

import json

import pytest

from pqlkit.definitions.catalogue_facts import read_catalogue
from pqlkit.definitions.facts import ValueKind
from pqlkit.errors import OutputError
from pqlkit.exports.catalogue import catalogue, write_catalogue

EVENTS = (
    "user_id,event,timestamp,plan,n,empty\n"
    "u1,login,2026-01-01T00:00:00Z,,1,\nu1,login,2026-01-03T00:00:00.5Z,,2,\nu1,upgrade: now,2026-01-02,pro,,\n"
)
USERS = "user_id,signed_up_at,country,seats\nu1,2026-01-01,SE,3\n"


def test_names_types_and_times_sorted(exports):
    found = catalogue(exports.read(EVENTS, users=USERS))
    assert found == {
        "pqlkit_catalogue": 1,
        "events": {
            "login": {
                "count": 2,
                "first": "2026-01-01T00:00:00Z",
                "last": "2026-01-03T00:00:00.500Z",
                "properties": {"n": "integer"},
            },
            "upgrade: now": {
                "count": 1,
                "first": "2026-01-02T00:00:00Z",
                "last": "2026-01-02T00:00:00Z",
                "properties": {"plan": "text"},
            },
        },
        "traits": {"users": {"country": "text", "seats": "integer"}},
    }


@pytest.mark.parametrize("name", ["catalogue.yml", "catalogue.json"])
def test_what_is_written_is_what_validate_reads(exports, tmp_path, name):
    dataset = exports.read(EVENTS, users=USERS)
    write_catalogue(dataset, tmp_path / name)
    names = read_catalogue(tmp_path / name).names
    assert names.events["login"].rows == 2
    properties = names.events["upgrade: now"].properties or {}
    assert properties["plan"].kind is ValueKind.TEXT
    assert names.traits["user"]["seats"].kind is ValueKind.INTEGER


def test_row_order_does_not_change_a_byte(exports, tmp_path):
    head, *lines = EVENTS.splitlines(keepends=True)
    write_catalogue(exports.read(EVENTS), tmp_path / "a.yml")
    write_catalogue(exports.read(head + "".join(lines[::-1])), tmp_path / "b.yml")
    assert (tmp_path / "a.yml").read_bytes() == (tmp_path / "b.yml").read_bytes()


def test_hostile_names_survive(exports, tmp_path):
    name = "\u202ee\n'\"{}: #" + "x" * 2000
    content = json.dumps({"user_id": "u", "event": name, "timestamp": "2026-01-01", "p.q": 1})
    write_catalogue(exports.read(content, name="e.jsonl"), tmp_path / "c.yml")
    assert set(read_catalogue(tmp_path / "c.yml").names.events) == {name}


def test_an_unwritable_place(exports, tmp_path):
    exports.write("file", "x")
    with pytest.raises(OutputError, match="cannot write"):
        write_catalogue(exports.read(EVENTS), tmp_path / "file" / "c.yml")
