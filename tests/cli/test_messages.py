"""Messages: what stands in names of files and options is shown, never obeyed, and an error names its place."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import pytest

from pqlkit.definitions.diagnostics import Diagnostic, Severity
from pqlkit.definitions.renderers.github import render_github
from pqlkit.definitions.validation import Report
from pqlkit.scoring.delivery import hook
from tests.cli.sample import LINES, SOURCES, write_sample
from tests.scoring.nights import pqlkit

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "a\x1b[31mred\x07\u202egnp.\u2066"


def acts(text: str) -> set[str]:
    """The characters that a terminal would obey."""
    return {c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}}


@pytest.mark.parametrize(
    "line",
    [
        ["schema", "--out", HOSTILE],
        ["schema", HOSTILE],
        ["schema", f"--{HOSTILE}"],
        [f"--{HOSTILE}"],
        [HOSTILE],
        ["analyze", "--engine", HOSTILE],
        ["analyze", "--events", HOSTILE],
        ["analyze", "--data", HOSTILE],
        ["analyze", *SOURCES, "--windows", HOSTILE],
        ["validate", HOSTILE],
        ["validate", "--out", HOSTILE, "inviters.yml"],
        ["load", *SOURCES, "--out", HOSTILE],
        ["load", *SOURCES, "--out", "ds", "--catalogue", HOSTILE],
        ["score", "-d", HOSTILE, *SOURCES],
        ["score", "-d", "inviters.yml", *SOURCES, "--ledger", HOSTILE, "--out", f"{HOSTILE}.csv"],
        ["score", "-d", "inviters.yml", *SOURCES, "--previous", HOSTILE],
        ["score", "-d", "inviters.yml", *SOURCES, "--out", HOSTILE],
    ],
)
def test_no_name_acts_on_a_terminal(line: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sample(tmp_path, users=40)
    monkeypatch.chdir(tmp_path)
    done = pqlkit(*line)
    assert done.err + done.out
    assert acts(done.err + done.out) == set(), done
    if done.code == 2:
        assert done.out == ""


def test_an_annotation_names_its_file_harmlessly() -> None:
    diagnostic = Diagnostic(
        path=f"{HOSTILE}.yml",
        line=1,
        column=1,
        end_line=1,
        end_column=2,
        code="PQL101",
        name="unknown-key",
        severity=Severity.ERROR,
        message="unknown key",
    )
    rendered = render_github(Report(files=(diagnostic.path,), diagnostics=(diagnostic,)))
    assert rendered.startswith("::error file=a\ufffd[31mred\ufffd\ufffdgnp.\ufffd.yml,line=1")
    assert acts(rendered) == set()


def test_an_ipv6_host_stands_in_brackets() -> None:
    assert hook("http://[::1]:8080/secret", {}).name == "http://[::1]:8080"
    assert hook("https://[2001:db8::7]/secret", {}).name == "https://[2001:db8::7]"


def test_an_error_about_a_whole_table_names_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"user_id,event,timestamp,{name}\n")
    done = pqlkit("analyze", "--events", "*.csv")
    assert done.err.startswith("error: a.csv, b.csv: the events have no rows"), done.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["score", "--output", "x.csv"], "No such option: --output. Write --out FILE."),
        (["report", "-o", "x"], "No such option: -o. Write --out FILE."),
        (["score", "--csv"], "No such option: --csv. Write --format csv."),
        (["analyze", "--json"], "No such option: --json. Write --format json."),
        (["demo", "--json"], "No such option: --json"),  # it has no --format
    ],
)
def test_what_another_tool_calls_an_option_is_answered_with_ours(line: list[str], said: str) -> None:
    done = pqlkit(*line)
    assert done.code == 2
    assert said in done.err
    assert ("Write" in done.err) == ("Write" in said)


@pytest.mark.parametrize("command", ["score", "report"])
def test_a_definition_can_stand_alone_on_the_command_line(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sample(tmp_path, users=40)
    monkeypatch.chdir(tmp_path)
    named = pqlkit(command, "-d", "inviters.yml", *SOURCES, "--format", "csv")
    assert named.code == 0
    assert pqlkit(command, "inviters.yml", *SOURCES, "--format", "csv").out == named.out
    # A file of the command line wins over the project file's, and both ways of naming add up.
    (tmp_path / "pqlkit.yml").write_text(f"pqlkit: 1\n{command}: {{definition: nosuch.yml}}\n")
    assert pqlkit(command, "inviters.yml", *SOURCES, "--format", "csv").out == named.out
    (tmp_path / "other.yml").write_text((tmp_path / "inviters.yml").read_text().replace("inviters", "other"))
    both = pqlkit(command, "inviters.yml", "-d", "other.yml", *SOURCES, "--format", "json", "--out", "lists")
    assert both.code == 0, both.err
    # It is a file that is read: no result replaces it.
    assert "would be lost" in pqlkit(command, "inviters.yml", *SOURCES, "--out", "inviters.yml").err


TYPED = """\
pqlkit: 1
name: accounts
entity: account
qualify: {event: invite, at_least: 2, within: 7d}
outcome: {within: 14d}
"""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["analyze"], "error: no events given, no pqlkit.yml here\n  Fix: add --data DIR, or "),
        (
            ["analyze", "--data", "nosuch"],
            "error: --data: the folder nosuch does not exist\n  Fix: pqlkit load --out nosuch\n",
        ),
        (
            ["analyze", *SOURCES, "--conversion-window", "45"],
            "error: --conversion-window: 45 has no unit\n  Fix: write 45d\n",
        ),
        (
            ["analyze", *SOURCES, "--snapshots", "every:28d", "--conversion-window", "30d"],
            "error: --conversion-window 30d must equal --snapshots every:28d\n  Fix: leave --conversion-window out, or ",
        ),
        (
            ["try", "signin >= 3 in 14d", *SOURCES],
            "error: no event is called signin (character 1). The data has: export, invite, login\n  signin >= 3 in 14d\n  ^\n",
        ),
        (
            ["try", "invite > 3 in 14d", *SOURCES],
            "error: > is not supported (character 8)\n  invite > 3 in 14d\n         ^\n  Fix: write invite >= 4 in 14d\n",
        ),
        (
            ["analyze", *SOURCES[:4], "--conversions", "teams.csv", "--entity", "user"],
            "error: --entity user, but conversions are of accounts\n  Fix: write --entity account\n",
        ),
        (
            ["score", "inviters.yml", *SOURCES, "--only-new"],
            "error: --only-new needs earlier leads\n  Fix: add --ledger leads.ledger, or --previous LEADS\n",
        ),
        (
            ["score", "definitions/nosuch.yml", *SOURCES],
            "error: definitions/nosuch.yml does not exist. There: first.yml\n",
        ),
        (
            ["report", "inviters.yml", *SOURCES, "--fail-under", "99%"],
            "failed: inviters: .. of new PQLs became customers (..) .., below --fail-under ..",
        ),
        (
            ["propose", *SOURCES, "--conversion-window", "14d", "--permutations", "0", "--min-rate", "99%"],
            "NO DEFINITION PROPOSED Why no rule of up to two criteria stands out",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_value_and_what_to_write(
    line: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sample(tmp_path)
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "first.yml").write_text(TYPED)
    (tmp_path / "teams.csv").write_text("account_id,converted_at\na1,2026-02-01T00:00:00Z\n")
    monkeypatch.chdir(tmp_path)
    done = pqlkit(*line)
    assert " ".join(said.split()) in re.sub(
        r"[\d.]+%|\d+ of \d+|\[[^]]*\]", "..", " ".join((done.err + done.out).split())
    )


@pytest.mark.parametrize("command", LINES)
def test_nothing_is_said_twice(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample's conversions end long before its events do: a warning, once."""
    write_sample(tmp_path)
    late = "".join(f"u000,login,2026-{month:02}-03T00:00:00Z\n" for month in range(4, 13))
    with (tmp_path / "events.csv").open("a") as events:
        events.write(late)
    monkeypatch.chdir(tmp_path)
    for form in ("table", "json"):
        if command == "load" and form == "json":
            continue
        done = pqlkit(*[word for word in LINES[command] if word not in {"--format", "json"}], "--format", form)
        assert done.code == 0, done.err
        lines = [
            text.strip() for text in (done.err + done.out * (form == "table")).splitlines() if len(text.split()) > 4
        ]
        assert len(lines) == len(set(lines)), sorted({text for text in lines if lines.count(text) > 1})
        if command != "load":
            whole = " ".join((done.err + done.out * (form == "table")).split())
            assert whole.count("conversions.complete_through") == 1, whole
