"""A table that is missing is said, with what it means; a required one stops the run."""

from __future__ import annotations

import json

import pytest

from pqlkit.cli.app import run

DEFINITION = "pqlkit: 1\nname: x\nentity: user\nqualify: {event: act, within: 14d}\noutcome: {within: 30d}\n"
TABLES = {
    # u2 first appears on the 28th day after the export begins, u1 a microsecond before, u0 on its first day.
    "events.csv": (
        "user_id,event,timestamp\nu0,act,2026-01-01T10:00:00Z\nu1,act,2026-01-28T23:59:59.999999Z\n"
        "u2,act,2026-01-29T00:00:00Z\n"
    ),
    "users.csv": "user_id,signed_up_at\nu0,2025-12-31\nu1,2026-01-28\nu2,2026-01-29\n",
    "conversions.csv": "user_id,converted_at\nu0,2026-01-05\n",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yml").write_text(DEFINITION)
    for name, text in TABLES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def commands(*tables: str) -> list[list[str]]:
    given = [word for name in ("events", *tables) for word in (f"--{name}", f"{name}.csv")]
    return [
        ["score", "-d", "x.yml", *given, "--all", "--format", "json"],
        ["report", "-d", "x.yml", *given, "--format", "json"],
        ["analyze", "--entity", "user", *given, "--format", "json"],
        ["try", "act >= 1 in 14d", "--entity", "user", *given, "--format", "json"],
    ]


@pytest.mark.parametrize("which", range(4), ids=["score", "report", "analyze", "try"])
def test_every_command_says_which_table_is_missing(which, capsys):
    assert run(commands()[which]) == 0
    said = capsys.readouterr().err
    assert "no conversions export is configured: who pays already is not known" in said
    assert "2 of 3 first appear within 28 days of the export's beginning" in said


@pytest.mark.parametrize("which", range(4), ids=["score", "report", "analyze", "try"])
def test_what_is_there_is_not_called_missing(which, capsys):
    assert run(commands("users", "conversions")[which]) == 0
    assert "export is configured" not in capsys.readouterr().err


def test_without_conversions_a_customer_is_a_lead_and_with_them_none(capsys):
    states = []
    for tables in (("users",), ("users", "conversions")):
        assert run(commands(*tables)[0]) == 0
        leads = json.loads(capsys.readouterr().out)["leads"]
        states.append({lead["user_id"]: lead["status"] for lead in leads})
    assert [state["u0"] for state in states] == ["pql", "customer"]


@pytest.mark.parametrize("which", range(4), ids=["score", "report", "analyze", "try"])
def test_a_required_table_that_is_missing_stops_every_command(which, capsys):
    assert run([*commands("users")[which], "--require", "users,conversions"]) == 2
    said = capsys.readouterr().err
    assert "no conversions export is configured, and --require asks for it" in said
    assert "name it with --conversions PATH" in said
    assert run([*commands("users", "conversions")[which], "--require", "users", "--require", "conversions"]) == 0


def test_the_project_file_can_require_tables_for_every_command(folder, capsys):
    (folder / "pqlkit.yml").write_text("pqlkit: 1\nrequire: [conversions]\nexports: {events: {path: events.csv}}\n")
    assert run(["score", "-d", "x.yml"]) == 2
    assert "no conversions export is configured" in capsys.readouterr().err


def test_an_unknown_table_is_told_the_nearest(capsys):
    assert run([*commands("users")[0], "--require", "conversion"]) == 2
    assert "did you mean conversions?" in capsys.readouterr().err


def test_an_outcome_of_events_and_a_clock_of_events_need_no_tables(folder, capsys):
    outcome = DEFINITION.replace("outcome: {within: 30d}", "anchor: first_event\noutcome: {event: paid, within: 30d}")
    (folder / "x.yml").write_text(outcome)
    (folder / "events.csv").write_text(TABLES["events.csv"] + "u1,paid,2026-02-03T00:00:00Z\n")
    assert run(["score", "-d", "x.yml", "--events", "events.csv", "--all"]) == 0
    assert "export is configured" not in capsys.readouterr().err
