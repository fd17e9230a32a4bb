"""Results on stdout or in a file, in every format; messages on stderr, or none."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from pqlkit.cli.app import run
from tests.cli.sample import LINES, write_sample

FORMATS = ("table", "json", "csv", "markdown")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    return folder


@pytest.fixture(autouse=True)
def place(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sample)


def line(command: str, form: str) -> list[str]:
    words = [word for word in LINES[command] if word not in {"--format", "json"}]
    return [*words, "--format", form]


def checked(text: str, form: str) -> None:
    assert text.endswith("\n")
    assert "\x1b" not in text
    if form == "json":
        assert json.loads(text)["schema"].startswith("pqlkit/")
    if form == "csv":
        widths = {len(row) for row in csv.reader(io.StringIO(text))}
        assert len(widths) == 1
    if form == "table":
        assert max(len(row) for row in text.splitlines()) <= 80


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("command", ["load", "analyze", "try", "propose", "score", "report"])
def test_quiet_says_errors_alone(command: str, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*line(command, form), "--quiet"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    checked(said.out, form)


@pytest.mark.parametrize(
    ("command", "form"), [("analyze", "table"), ("analyze", "csv"), ("report", "json"), ("report", "markdown")]
)
def test_a_file_takes_what_stdout_would(command: str, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line(command, form)) == 0
    expected = capsys.readouterr().out
    assert run([*line(command, form), "--out", f"result-{command}-{form}"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert f"wrote result-{command}-{form}\n" in said.err
    assert Path(f"result-{command}-{form}").read_text(encoding="utf-8") == expected


@pytest.mark.parametrize("command", ["try", "propose"])
def test_the_same_input_gives_the_same_bytes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    outs = []
    for _ in range(2):
        assert run([*line(command, "markdown"), "--quiet"]) == 0
        outs.append(capsys.readouterr().out)
    # How often the later snapshots were opened is counted, and told.
    assert outs[0].replace("read once", "") == outs[1].replace("read once", "")


@pytest.mark.parametrize("start", [["try"], ["analyze", "--by"]], ids=["try", "by"])
def test_a_fault_in_an_expression_is_pointed_at(start: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    exports = line("analyze", "table")[1:]
    assert run([*start, "login  >= 3 in 7d and x > 4", *exports]) == 2
    lines = capsys.readouterr().err.splitlines()
    at = next(index for index, text in enumerate(lines) if text.strip() == "^")
    assert lines[at - 1][lines[at].index("^")] == ">"
    assert lines[at - 1].strip() == "login >= 3 in 7d and x > 4"


@pytest.mark.parametrize(
    ("command", "suffix", "form"),
    [("try", "json", "json"), ("report", "csv", "csv"), ("explain", "md", "markdown"), ("score", "MD", "markdown")],
)
def test_the_name_of_the_file_says_how_it_is_written(
    command: str, suffix: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word for word in LINES.get(command, LINES["score"]) if word not in {"--format", "json"}]
    words = ["explain", "u001", *words[1:]] if command == "explain" else words
    assert run([*words, "--format", form]) == 0
    expected = capsys.readouterr().out
    assert run([*words, "--out", str(tmp_path / f"result.{suffix}")]) == 0
    assert (tmp_path / f"result.{suffix}").read_text() == expected


def test_a_page_may_be_the_result_and_is_shown_if_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    words = [word for word in LINES["try"] if word not in {"--format", "json"}]
    page = tmp_path / "trial.html"
    assert run([*words, "--out", str(page), "--open"]) == 0
    said = capsys.readouterr()
    assert page.read_text().startswith("<!doctype html>")
    assert said.out
    assert shown == [page.as_uri()]
    assert run([*words, "--open"]) == 2
    assert "--open shows a page, and none is written" in capsys.readouterr().err
    explained = ["explain", "u001", "-d", "inviters.yml", *words[2:8], "--out", str(tmp_path / "story.html")]
    assert run(explained) == 2
    assert "explain has no page" in capsys.readouterr().err


@pytest.mark.parametrize(("suffix", "begins"), [("json", "{"), ("sarif", "{"), ("xml", "<?xml"), ("txt", "1 file")])
def test_the_file_of_a_check_is_written_as_its_name_says(suffix: str, begins: str, tmp_path: Path) -> None:
    assert run(["validate", "inviters.yml", "--out", str(tmp_path / f"faults.{suffix}")]) == 0
    assert (tmp_path / f"faults.{suffix}").read_text().startswith(begins)
