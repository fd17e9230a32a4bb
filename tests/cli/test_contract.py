"""The commands, options and exit codes that were promised: their spelling is part of the contract."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest
import typer
from typer.core import TyperOption

from pqlkit.cli.app import run
from pqlkit.cli.commands import COMMANDS, loaded
from pqlkit.cli.exit import ExitCode
from pqlkit.cli.help import told
from pqlkit.cli.inputs import inputs
from pqlkit.cli.options import DataOptions, OutputOptions, SnapshotOptions
from pqlkit.errors import DefinitionError, UsageError
from pqlkit.exports.project_form import OPTIONS

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = "--project -p --events --users --accounts --conversions"
DATA = f"{SOURCES} --data --as-of --trust-current --engine"
OUTPUT = "--format --out --quiet --verbose"
SNAPSHOTS = (
    "--snapshots --windows --conversion-window --gap --active-within --events-from --measures --entity --exposure --exclude-event "
    "--keep-event --by --given --sample --top --compare --html"
)
PROMISED = {
    "demo": "--accounts --seed",
    "init": "--users --accounts --conversions --out --quiet",
    "load": f"{SOURCES} {OUTPUT} --append --max-bad --plausible --catalogue",
    "analyze": f"{DATA} {SNAPSHOTS} {OUTPUT}",
    "try": f"{DATA} {SNAPSHOTS} {OUTPUT} --save",
    "propose": (
        f"{DATA} {SNAPSHOTS} {OUTPUT} --max-criteria --objective --value --cost --capacity --min-share --min-recall "
        "--min-rate --holdout --holdout-from --against --use-traits --permutations --max-seconds --plan-experiment "
        "--out-dir --name --seed"
    ),
    "validate": f"{DATA} {OUTPUT} --strict --base --explain --describe --fix --catalogue",
    "score": (
        f"{DATA} {OUTPUT} -d --definition --ledger --previous --since --only-new --all --keep --columns --rename "
        "--suppress --control --max-new --min-new --max-age --summary --notify --preset"
    ),
    "report": f"{DATA} {OUTPUT} -d --definition --by --ledger --contacts --fail-under --fail-on-drift --html",
    "explain": f"{DATA} {OUTPUT} -d --definition --converters",
    "schema": "--out",
}
LATER = {"sql", "spark_remote", "spark_master"}
"""What belongs to engines that are not here yet."""


@functools.cache
def options(name: str) -> list[TyperOption]:
    command = loaded(name)
    context = typer.Context(command, info_name=name)
    return [one for one in command.get_params(context) if isinstance(one, TyperOption) and one.name != "help"]


def test_the_commands_are_those_promised() -> None:
    assert set(COMMANDS) == set(PROMISED)


@pytest.mark.parametrize("name", PROMISED)
def test_a_command_has_the_options_promised_and_no_other(name: str) -> None:
    assert {spelling for one in options(name) for spelling in one.opts} == set(PROMISED[name].split())


@pytest.mark.parametrize("name", PROMISED)
def test_every_option_says_what_it_is_for(name: str) -> None:
    for one in options(name):
        assert one.help, one.name
        assert one.help.endswith((".", "?")), (one.name, one.help)


@pytest.mark.parametrize("name", PROMISED)
def test_the_list_says_what_the_command_says_and_help_has_examples(name: str) -> None:
    documented = loaded(name).help or ""
    prose, examples = told(documented)
    assert prose[0] == COMMANDS[name].summary
    assert examples
    assert all(one.line.startswith(f"pqlkit {name}") for one in examples)
    assert documented.count("`pqlkit " + name) == len(examples), "an example that cannot be told apart from its note"


@pytest.mark.parametrize("name", PROMISED)
def test_every_option_can_stand_in_the_project_file(name: str) -> None:
    """All but the project file itself."""
    assert {one.name for one in options(name)} - {"project"} == set(OPTIONS[name]) - LATER


def test_what_comes_later_is_not_there_yet() -> None:
    assert not {"sql"} & set(COMMANDS)
    assert not {one.name for name in COMMANDS for one in options(name)} & LATER


def test_the_exit_codes() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "DONE": 0,
        "FINDINGS": 1,
        "COULD_NOT_RUN": 2,
        "INTERRUPTED": 130,
    }


def test_help_is_on_stdout_and_usage_errors_are_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert all(f"  {name} " in said.out for name in COMMANDS)
    assert run(["analyse"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "No such command 'analyse'. Did you mean analyze?" in said.err
    assert run(["analyze", "--windws", "3d"]) == 2
    assert "--windows" in capsys.readouterr().err


@pytest.mark.parametrize("name", PROMISED)
def test_help_of_a_command_fits_a_terminal(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    text = capsys.readouterr().out
    for line in text.splitlines():
        assert len(line) <= 80 or line.lstrip().startswith("pqlkit "), line
    assert "**" not in text


class TestTheProjectFile:
    """Options from the command's block."""

    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        return tmp_path

    def settled(self, block: str, command: str = "analyze") -> tuple[SnapshotOptions, OutputOptions, DataOptions]:
        from pathlib import Path

        Path("pqlkit.yml").write_text(f"pqlkit: 1\n{command}: {block}\n")
        found = inputs(command, DataOptions(), SnapshotOptions, OutputOptions)
        return found.settle(SnapshotOptions()), found.settle(OutputOptions()), found.data

    def test_one_of_each_type(self) -> None:
        snapshot, out, data = self.settled(
            '{windows: [3d, 7d], conversion_window: 14d, exclude_event: "$*", keep_event: [a, b], top: 7, given: d.yml, '
            "format: json, quiet: true, engine: duckdb, as_of: 2026-01-31}"
        )
        assert (snapshot.windows, snapshot.conversion_window, snapshot.top) == ("3d,7d", "14d", 7)
        assert (snapshot.exclude_event, snapshot.keep_event, str(snapshot.given)) == (["$*"], ["a", "b"], "d.yml")
        assert (out.format, out.quiet, data.engine, data.as_of) == ("json", True, "duckdb", "2026-01-31")

    def test_the_command_line_wins(self) -> None:
        from pathlib import Path

        Path("pqlkit.yml").write_text("pqlkit: 1\nanalyze: {conversion_window: 14d, exclude_event: [a]}\n")
        found = inputs("analyze", DataOptions(), SnapshotOptions)
        snapshot = found.settle(SnapshotOptions(conversion_window="7d", exclude_event=["b"]))
        assert (snapshot.conversion_window, snapshot.exclude_event) == ("7d", ["b"])

    @pytest.mark.parametrize(
        ("block", "message"),
        [
            ("{top: many}", "analyze.top: 'many' is not a whole number"),
            ("{top: true}", "analyze.top: True is not a whole number"),
            ("{top: 2.5}", "analyze.top: 2.5 is not a whole number"),
            ("{quiet: 1}", "analyze.quiet: 1 is not true or false"),
            ("{format: yaml}", "analyze.format: 'yaml' is not one of table, json, csv, markdown"),
            ("{given: [a, b]}", "analyze.given: ['a', 'b'] is not one path"),
        ],
    )
    def test_a_value_of_another_type_is_refused(self, block: str, message: str) -> None:
        with pytest.raises(UsageError) as raised:
            self.settled(block)
        assert raised.value.message == message
        assert raised.value.where == "pqlkit.yml"

    def test_an_unknown_option_is_told_with_its_place_and_the_nearest(self) -> None:
        with pytest.raises(DefinitionError) as raised:
            self.settled("{windws: 3d}")
        (fault,) = raised.value.diagnostics
        assert (fault.line, fault.column, fault.hint) == (2, 11, "did you mean windows?")

    def test_it_is_exit_code_2_with_line_and_column(self, capsys: pytest.CaptureFixture[str]) -> None:
        from pathlib import Path

        Path("pqlkit.yml").write_text("pqlkit: 1\nanalyze:\n  horizn: 3d\n")
        assert run(["analyze"]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert "pqlkit.yml:3:3: PQL101" in said.err
        assert "conversion_window" in said.err

    @pytest.mark.parametrize(
        ("command", "arguments"), [("schema", ["project"]), ("init", ["events.csv"]), ("demo", ["there"])]
    )
    def test_commands_without_data_obey_their_block_too(self, command: str, arguments: list[str]) -> None:
        from pathlib import Path

        Path("pqlkit.yml").write_text(
            "pqlkit: 1\nschema: {out: s.json}\ninit: {out: project.yml}\ndemo: {accounts: 1}\n"
        )
        Path("events.csv").write_text("user_id,event,timestamp\nu1,login,2026-01-01\n")
        code = run([command, *arguments])
        if command == "demo":
            assert code == 2
        else:
            assert code == 0
            assert Path("s.json" if command == "schema" else "project.yml").is_file()
