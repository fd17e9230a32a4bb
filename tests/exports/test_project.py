from __future__ import annotations

import json
import subprocess
import sys

import jsonschema
import pytest
import yaml

from pqlkit.definitions.model import Operator
from pqlkit.definitions.yaml_source import parse
from pqlkit.errors import DefinitionError
from pqlkit.exports.mapping import Column, Match
from pqlkit.exports.project import EventNote, check_project, project_schema, read_project

FULL = """\
pqlkit: 1
timezone: Europe/Berlin
entity: auto
exports:
  events:
    path: exports/events/*.jsonl.gz
    format: mixpanel
    columns: {user_id: userId, event: page, timestamp: {column: ts, format: epoch_ms}, account_id: orgId}
    timezone: UTC
    complete_through: null
  users: {path: exports/users.csv, columns: {signed_up_at: {column: creation_time, format: "%d-%m-%Y %H:%M"}}}
  accounts: {path: /abs/accounts.csv}
  conversions: {path: [a.csv, b.csv], match: email, complete_through: 2026-06-30}
  contacts: {path: exports/contacts.csv}
traits: {fixed: [country, channel], current: [plan, seats], history: {plan: exports/plan_history.csv}}
events:
  email_delivered: {automatic: true}
  limit_warning: {mechanical: true}
population: [{trait: email, not_matching: "@ourcompany\\\\.com$"}]
signup: {event: null}
outcome: {within: 30d, where: {amount: {at_least: 2}}}
definitions: definitions/
analyze: {exclude_event: ["$*"], conversion_window: 30d, top: 20}
score: {ledger: leads.sqlite}
"""


@pytest.fixture
def project(tmp_path):
    path = tmp_path / "pqlkit.yml"
    path.write_text(FULL)
    return read_project(path)


def test_every_key_of_the_contract_is_read(project, tmp_path):
    events, users = project.exports["events"], project.exports["users"]
    assert (project.timezone, project.entity) == ("Europe/Berlin", "auto")
    assert events.path == (f"{tmp_path}/exports/events/*.jsonl.gz",)
    assert (events.format, events.timezone, events.complete_through) == ("mixpanel", "UTC", None)
    assert events.columns["timestamp"] == Column(names=("ts",), format="epoch_ms")
    assert users.columns == {"signed_up_at": Column(names=("creation_time",), format="%d-%m-%Y %H:%M")}
    assert users.timezone == "Europe/Berlin"
    assert project.exports["accounts"].path == ("/abs/accounts.csv",)
    assert project.exports["conversions"].match is Match.EMAIL
    assert project.exports["conversions"].path == (f"{tmp_path}/a.csv", f"{tmp_path}/b.csv")
    assert project.traits.fixed == ("country", "channel")
    assert project.traits.history["plan"].path == (f"{tmp_path}/exports/plan_history.csv",)
    assert project.events["limit_warning"] == EventNote(mechanical=True)
    assert project.population[0].operator is Operator.NOT_MATCHING
    assert project.signup_event is None
    assert project.outcome == {"within": "30d", "where": {"amount": {"at_least": 2}}}
    assert project.definitions == tmp_path / "definitions"
    assert project.options == {
        "analyze": {"exclude_event": ["$*"], "conversion_window": "30d", "top": 20},
        "score": {"ledger": "leads.sqlite"},
    }


def test_complete_through_a_date_is_its_last_microsecond_in_the_projects_zone(project):
    assert project.exports["conversions"].complete_through == 1_782_856_799_999_999  # 2026-06-30T21:59:59.999999Z


def test_the_schema_accepts_what_reading_accepts():
    schema = project_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    data = json.loads(json.dumps(yaml.safe_load(FULL), default=str))
    jsonschema.validate(data, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"pqlkit": 1, "exprts": {}}, schema)


@pytest.mark.parametrize(
    ("text", "place", "code", "words"),
    [
        ("exprts: {}", (2, 1), "PQL101", "did you mean exports?"),
        ("exports: {evnts: {path: a}}", (2, 11), "PQL101", "did you mean events?"),
        ("exports: {events: {}}", (2, 19), "PQL114", "path"),
        ("exports: {events: {path: a, format: mixpannel}}", (2, 37), "PQL114", "did you mean mixpanel?"),
        ("exports: {events: {path: a, columns: {user_id: {colum: b}}}}", (2, 49), "PQL101", "did you mean column?"),
        ("exports: {events: {path: a, match: mail}}", (2, 36), "PQL114", "did you mean email?"),
        ("exports: {events: {path: a, complete_through: soon}}", (2, 47), "PQL103", "2026-10-31"),
        ("exports: {events: {path: a, separator: ab}}", (2, 40), "PQL114", "one character"),
        ("timezone: Europe/Berln", (2, 11), "PQL114", "did you mean Europe/Berlin?"),
        ("entity: acount", (2, 9), "PQL114", "did you mean account?"),
        ("analyze: {windws: 3d}", (2, 11), "PQL101", "did you mean windows?"),
        ("analyze: {conversion_window: {a: 1}}", (2, 30), "PQL103", "a mapping"),
        ("events: {a: {automatic: yes}}", (2, 25), "PQL110", "true"),
        ("population: [{trait: email}]", (2, 15), "PQL105", "tests nothing"),
        ("outcome: {within: 30}", (2, 19), "PQL104", "30d"),
        ("outcome: {withn: 30d}", (2, 11), "PQL101", "did you mean within?"),
    ],
)
def test_each_fault_has_its_place_and_a_way_out(text, place, code, words):
    project, found = check_project(parse(f"pqlkit: 1\n{text}\n", "pqlkit.yml"))
    assert project is None
    assert [(one.line, one.column, one.code) for one in found] == [(*place, code)]
    assert words in f"{found[0].message} {found[0].hint}"


@pytest.mark.parametrize("text", ["", "[]", "pqlkit: 2", "a: b: c", "exports: {}", "pqlkit: 1\npqlkit: 1"])
def test_files_that_are_no_project_are_refused_with_diagnostics(tmp_path, text):
    path = tmp_path / "pqlkit.yml"
    path.write_text(text)
    with pytest.raises(DefinitionError) as caught:
        read_project(path)
    assert caught.value.diagnostics
    assert str(caught.value).startswith(f"{path}:")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DefinitionError, match=r"nowhere\.yml does not exist"):
        read_project(tmp_path / "nowhere.yml")


def test_reading_a_project_loads_no_polars(tmp_path):
    path = tmp_path / "pqlkit.yml"
    path.write_text(FULL)
    code = (
        "import sys; from pqlkit.exports.project import read_project, project_schema;"
        f"read_project({str(path)!r}); project_schema(); assert not {{'polars', 'scipy', 'numpy'}} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
