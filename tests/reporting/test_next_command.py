"""Commands that a result prints repeat the options that were given, and run as printed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pqlkit.cli.app import run
from pqlkit.definitions.expression import read_expression
from pqlkit.engines.factory import EngineName
from pqlkit.reporting.next_command import Invocation, broken
from tests.cli.sample import LINES, write_sample

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_what_is_given_of_the_data_and_of_the_snapshots_is_repeated_and_nothing_else() -> None:
    given = {
        "project": Path("p.yml"),
        "events": "ex ports/*.csv",
        "trust_current": ["plan"],
        "engine": EngineName.DUCKDB,
        "snapshots": "every:28d",
        "top": 20,
        "html": Path("page.html"),
        "quiet": True,
    }
    data = "--project p.yml --events 'ex ports/*.csv' --trust-current plan --engine duckdb"
    call = Invocation(given=given)
    assert call.next("propose") == f"pqlkit propose {data} --snapshots every:28d"
    assert call.next("score", "-d", "definitions/a b.yml") == f"pqlkit score {data} -d 'definitions/a b.yml'"
    assert call.next("analyze", "--snapshots", "once:7d") == f"pqlkit analyze {data} --snapshots once:7d"
    assert Invocation().next("explain", "--converters") == "pqlkit explain --converters"


def test_a_command_that_is_printed_again_keeps_its_search() -> None:
    call = Invocation(command="propose", given={"data": "d", "min_rate": "60%", "name": "first", "html": "p.html"})
    assert call.next("propose", "--details") == "pqlkit propose --data d --min-rate 60% --name first --details"
    assert call.next("propose", "--min-rate", "30%") == "pqlkit propose --data d --name first --min-rate 30%"
    assert call.next("propose", without=frozenset({"name"})) == "pqlkit propose --data d --min-rate 60%"
    assert call.next("analyze") == "pqlkit analyze --data d"


@pytest.mark.parametrize("width", [30, 60, 79, 200])
def test_a_broken_line_is_the_same_command(width: int) -> None:
    line = "pqlkit try --data 'my data' --save definitions/NAME.yml 'login >= 10 in 14d and \"Deal Created\" >= 2'"
    lines = broken(line, "  ", width)
    words = shlex.split("\n".join(lines).replace("\\\n", ""))
    assert [" ".join(word.split()) for word in words] == shlex.split(line)
    assert width < 60 or all(text.endswith(" \\") for text in lines[:-1])
    assert (len(lines) == 1) == (len(line) + 2 <= width)


def test_a_long_hypothesis_goes_on_in_the_next_line_and_means_the_same() -> None:
    said = (
        'login >= 10 in 14d and "Deal Created, and more" >= 2 rolling 7d or sum(contacts_imported.contacts) >= 50 ever'
    )
    lines = broken(Invocation().next("try", said), "  ")
    assert len(lines) > 2
    assert max(map(len, lines)) <= 79
    again = shlex.split("\n".join(lines).replace("\\\n", ""))[-1]
    assert again != said
    assert read_expression(again).tree == read_expression(said).tree


def printed(text: str) -> Iterator[list[str]]:
    """Give the commands of a screen."""
    for match in re.finditer(r"pqlkit (?=[a-z])", text):
        for end in re.finditer(r"\n|\Z", text[match.end() :].replace("\\\n", "")):
            line = text[match.end() :].replace("\\\n", "")[: end.start()]
            if line.count("'") % 2 == 0:
                yield shlex.split(line)
                break


STEPS = [
    "init events.csv --users users.csv --conversions conversions.csv",
    "load --out data",
    "analyze --data data --conversion-window 14d --top 1",
    "try 'invite >= 2 in 7d' --data data --conversion-window 14d",
    "propose --data data --conversion-window 14d --permutations 0 --name first",
    "propose --data data --conversion-window 14d --permutations 0 --min-rate 99%",
    "validate definitions",
    "score -d definitions/first.yml --data data",
    "report -d definitions/first.yml --data data",
    "explain u001 -d definitions/first.yml --data data",
    "explain --converters --data data",
]
"""A newcomer's way, one step after the other."""


def test_every_command_that_any_screen_prints_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sample(tmp_path)
    monkeypatch.chdir(tmp_path)
    done: set[str] = set()
    for step in STEPS:
        words = shlex.split(step)
        assert run(words) == 0, step
        said = capsys.readouterr()
        commands = [shlex.join(arguments) for arguments in printed(said.out + said.err)]
        assert commands or words[0] == "validate", step
        for line in dict.fromkeys(commands):
            arguments = shlex.split(line)
            if "data" in words and "NAME" not in line:
                assert "data" in arguments, "the data is named again"
            if line not in done:
                done.add(line)
                assert run([*arguments, *(["--permutations", "0"] if arguments[0] == "propose" else [])]) == 0, line
                capsys.readouterr()
    assert {shlex.split(line)[0] for line in done} >= {"load", "analyze", "propose", "score", "report", "explain"}


@pytest.mark.parametrize("command", ["analyze", "try", "score"])
def test_exports_that_were_named_are_named_again(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sample(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run([word for word in LINES[command] if word not in {"--format", "json"}]) == 0
    commands = list(printed(capsys.readouterr().out))
    assert commands
    for arguments in commands:
        assert "NAME" in " ".join(arguments) or "--events" in arguments, arguments
