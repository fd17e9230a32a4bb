"""What tables and columns are called, and what `pqlkit sql` refuses: one line that says what, where and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlglot import exp, parse_one

from pqlkit.cli.app import run
from pqlkit.exports.project import Project
from pqlkit.options.warehouse import SqlDialect, SqlOptions
from pqlkit.warehouse.naming import Naming

if TYPE_CHECKING:
    from pathlib import Path

DEFINITION = """\
pqlkit: 1
name: inviters
entity: user
qualify: {event: invite, where: {kind: "3"}, at_least: 2, trailing: 7d}
outcome: {within: 14d}
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inviters.yml").write_text(DEFINITION)
    return tmp_path


def test_tables_and_columns_are_called_as_options_or_the_project_file_say(place, capsys):
    (place / "pqlkit.yml").write_text(
        'pqlkit: 1\nsql: {dialect: postgres, table: ["events=raw.product_events"], map: ["events.timestamp=Occurred At"]}\n'
    )
    assert run(["sql", "-d", "inviters.yml", "--type", "kind=text", "--since", "7d"]) == 0
    text = capsys.readouterr().out
    assert 'e."Occurred At"' in text
    assert "FROM raw.product_events AS e" in text
    assert text.startswith("-- inviters (inviters, version 1)\n-- A user who")
    assert len(list(parse_one(text, dialect="postgres").find_all(exp.CTE))) > 10


def test_the_place_that_a_scheduler_fills_is_left_where_nothing_says_since_when(place, capsys):
    assert run(["sql", "inviters.yml", "--type", "kind=text"]) == 0
    assert "'{{since}}'" in capsys.readouterr().out


def test_ids_that_the_project_joins_are_not_read_as_they_stand(place, capsys):
    (place / "pqlkit.yml").write_text(
        "pqlkit: 1\nexports: {events: {path: e.csv}, identities: {path: i.csv}}\nsql: {type: [kind=text]}\n"
    )
    assert run(["sql", "-d", "inviters.yml"]) == 2
    told = capsys.readouterr().err
    assert "exports.identities" in told
    assert "--without identities" in told
    assert run(["sql", "-d", "inviters.yml", "--without", "identities"]) == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "criterion invite: kind compared with 3 without saying what it holds is not covered by pqlkit sql\n  "
         "Fix: add --type kind=text, number or boolean"),
        (["--type", "kind=number", "--table", "event=x"], "--table: there is no table 'event'\n  did you mean events?"),
        (["--type", "kind=figure"], "--type: kind holds no 'figure'\n  Fix: write one of number, text, boolean"),
        (["--type", "kind=text", "--table", "events=\"x"],
         "--table: '\"x' is not the name of a table in duckdb\n  Fix: write --table events=schema.table"),
        (["--type", "kind=text", "--without", "invoices"], "--without: there is no table 'invoices'"),
        (["--type", "kind=text", "--table", "events"], "--table: 'events' is not a name, = and a value\n  Fix: write --table events="),
        (["--dialect", "oracle"], "oracle"),
        (["-d", "inviters.yml"], "sql writes one definition at a time"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_one_line_with_what_to_do(place, capsys, options, says):
    assert run(["sql", "inviters.yml", *options]) == 2
    error = capsys.readouterr().err
    assert says in error.replace("error: ", "")
    assert "Traceback" not in error


def test_without_a_definition_there_is_nothing_to_write(place, capsys):
    assert run(["sql"]) == 2
    assert "sql needs a definition" in capsys.readouterr().err


def test_the_tables_are_those_that_the_project_file_exports():
    from dataclasses import replace

    project = replace(Project(), exports={"events": Project().direct("events.csv")})
    naming = Naming.of(SqlOptions(dialect=SqlDialect.DUCKDB, table=("users=people",)), project)
    assert [name for name in ("events", "users", "accounts", "conversions") if naming.has(name)] == ["events", "users"]
    assert naming.table("users").sql() == "people"


def test_a_hostile_table_is_one_name():
    naming = Naming(dialect=SqlDialect.POSTGRES, tables={"events": "raw.a; drop table b"})
    assert naming.table("events").sql(dialect="postgres") == 'raw."a; drop table b"'
