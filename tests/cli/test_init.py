"""`pqlkit init` leaves a file whatever it sees, asks where it can, and `--map` names a column on every command."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pqlkit.cli.app import run
from tests.cli.sample import LINES, write_sample

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = "user_id,event,timestamp\nu1,login,2026-01-01T00:00:00Z\nu2,login,2026-01-02T00:00:00Z\n"
ODD = "Ref,Moment,Kunde\nx,2026-02-01,u1\ny,2026-02-02,u2\n"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "events.csv").write_text(EVENTS)
    (tmp_path / "odd.csv").write_text(ODD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_remains_to_be_done_is_said_and_the_exit_is_0(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", "events.csv", "--conversions", "odd.csv"]) == 0
    said = capsys.readouterr().err
    assert "wrote pqlkit.yml. Before pqlkit load --out dataset:" in said
    assert "- say which column is the time of the conversion" in said
    assert "# converted_at: Moment" in (place / "pqlkit.yml").read_text()


def test_a_person_at_a_terminal_is_asked(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pqlkit.cli.output import Output

    monkeypatch.setattr(Output, "interactive", property(lambda self: True))
    monkeypatch.setattr("sys.stdin", io.StringIO("1\nNobody\n9\nKunde\n"))
    assert run(["init", "events.csv", "--conversions", "odd.csv"]) == 0
    said = capsys.readouterr().err
    assert (
        "which of these is the time of the conversion (converted_at of the conversions)?\n  1  Moment   2026-02-01"
        in said
    )
    assert "'Nobody' is none of them" in said
    assert "'9' is none of them" in said
    assert "Before" not in said
    text = (place / "pqlkit.yml").read_text()
    assert "      converted_at: Moment\n      user_id: Kunde\n" in text


def test_a_person_at_a_terminal_is_asked_for_the_names_of_events(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pqlkit.cli.output import Output

    rows = "user_id,What happened,timestamp\nu1,Sign in,2026-01-01\nu2,Sign in,2026-01-02\nu3,Export,2026-01-03\n"
    (place / "named.csv").write_text(rows)
    monkeypatch.setattr(Output, "interactive", property(lambda self: True))
    monkeypatch.setattr("sys.stdin", io.StringIO("1\n"))
    assert run(["init", "named.csv"]) == 0
    asked = "the name of what was done (event of the events)?\n  1  What happened   Sign in · Export\n"
    assert asked in capsys.readouterr().err
    assert '      event: "What happened"\n' in (place / "pqlkit.yml").read_text()


def test_on_a_real_terminal_nothing_writes_over_the_question(place: Path) -> None:
    """A turning wheel would."""
    ours, theirs = os.openpty()
    line = [
        sys.executable,
        "-m",
        "pqlkit",
        "init",
        "events.csv",
        "--conversions",
        "odd.csv",
        "--users",
        "odd_users.csv",
    ]
    (place / "odd_users.csv").write_text("Kennung,signed_up_at\nu1,2026-01-01\nu2,2026-01-01\n")
    process = subprocess.Popen(line, cwd=place, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    os.write(ours, b"1\nMoment\n2\n")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"user_id from 'Kunde' finds 2 of 2" in said
    shown = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while part := os.read(ours, 65536):
            shown += part
    os.close(ours)
    text = shown.decode().replace("\r\n", "\n")
    assert (
        "which of these is the time of the conversion (converted_at of the conversions)?\n  1  Moment   2026-02-01"
        in text
    )
    assert "\x1b[2K" not in text


@pytest.mark.parametrize("command", LINES)
def test_every_command_that_reads_data_takes_a_stated_column(
    command: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sample(place)
    renamed = (place / "conversions.csv").read_text().replace("converted_at", "Close Date", 1)
    (place / "conversions.csv").write_text(renamed)
    assert run([*LINES[command], "--quiet"]) == 2
    assert "--map conversions.converted_at='Close Date'" in capsys.readouterr().err
    assert run([*LINES[command], "--quiet", "--map", "conversions.converted_at=Close Date"]) == 0


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ("converted_at=Moment", "--map: 'converted_at=Moment' names no column"),
        ("conversion.converted_at=Moment", "did you mean conversions?"),
        ("users.signed_up_at=Moment", "--map names a column of the users, but no export of them is given"),
        ("conversions.converted_at=Momnt", "did you mean 'Moment'?"),
    ],
)
def test_a_stated_column_that_cannot_be_is_refused(stated: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["load", "--events", "events.csv", "--conversions", "odd.csv", "--out", "data", "--map", stated]
    assert run(line) == 2
    assert said in capsys.readouterr().err


def test_a_column_of_a_loaded_dataset_cannot_be_stated(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["load", "--events", "events.csv", "--out", "data"]) == 0
    assert run(["analyze", "--data", "data", "--map", "events.event=x"]) == 2
    assert "--data has its columns already" in capsys.readouterr().err


def test_a_status_that_nothing_uses_is_named_by_load_and_analyze(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "c.csv").write_text("user_id,converted_at,status\nu1,2026-01-05,active\nu2,2026-01-06,trialing\n")
    given = ["--events", "events.csv", "--conversions", "c.csv"]
    for line in (["load", *given, "--out", "data"], ["analyze", *given]):
        assert run(line) == 0
        assert "a column that nothing uses, status: active 1, trialing 1" in capsys.readouterr().err


def test_rows_left_out_by_a_rule_are_in_the_report(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "c.csv").write_text("user_id,converted_at,status\nu1,2026-01-05,active\nu2,2026-01-06,trialing\n")
    (place / "pqlkit.yml").write_text(
        "pqlkit: 1\nexports:\n  events: {path: events.csv}\n"
        "  conversions: {path: c.csv, rows: [{column: status, in: [active], else: not paying}]}\n"
    )
    assert run(["load", "--out", "data", "--format", "json"]) == 0
    tables = {table["name"]: table for table in json.loads(capsys.readouterr().out)["tables"]}
    assert tables["conversions"]["left_out"] == {"not paying": 1}
    for form in ("table", "markdown"):
        assert run(["load", "--out", "data", "--format", form]) == 0
        assert "not paying" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("row", "vendor"),
    [
        ({"event_type": "a", "event_time": "2026-01-01", "amplitude_id": 1, "event_properties": {}}, "Amplitude"),
        ({"event_name": "a", "event_timestamp": "1767225600000000", "user_pseudo_id": "d"}, "Google Analytics 4"),
    ],
)
def test_a_vendors_raw_file_without_a_project_is_called_by_its_name(
    row: dict[str, object], vendor: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "raw.jsonl").write_text(json.dumps(row) + "\n")
    assert run(["analyze", "--events", "raw.jsonl"]) == 2
    said = capsys.readouterr().err
    assert f"this looks like {vendor}" in said
    assert "pqlkit init" in said


def test_the_likeliest_column_is_suggested_not_the_most_alike(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "e.jsonl").write_text('{"event_type": "a", "event_id": 1, "user_id": "u", "event_time": "2026-01-01"}\n')
    assert run(["load", "--events", "e.jsonl", "--out", "data"]) == 2
    assert "='event_type'" in capsys.readouterr().err
