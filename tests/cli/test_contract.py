"""The commands, options and exit codes that were promised: their spelling is part of the contract."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

import pytest
import typer
from typer.core import TyperOption

from pqlkit.cli.app import run
from pqlkit.cli.commands import COMMANDS, loaded
from pqlkit.cli.exit import ExitCode
from pqlkit.cli.help import PANELS, told
from pqlkit.cli.inputs import Given
from pqlkit.definitions.yaml_source import parse
from pqlkit.errors import DefinitionError
from pqlkit.exports.project import check_project
from pqlkit.options.commands import command_options
from pqlkit.options.output import OutputOptions
from pqlkit.options.settings import RowsOption, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from pqlkit.options.data import DataOptions

SOURCES = "--project -p --events --users --accounts --conversions --identities --map"
DATA = f"{SOURCES} --data --as-of --events-from --require --trust-current --engine --spark-remote"
OUTPUT = "--format --out --quiet --verbose"
SNAPSHOTS = (
    "--snapshots --windows --conversion-window --gap --active-within --measures --entity --exposure --exclude-event "
    "--keep-event --given --sample --html --open"
)
PROMISED = {
    "demo": "--accounts --seed",
    "init": "--users --accounts --conversions --identities --map --connection --table --from --sql --out --quiet",
    "load": f"{SOURCES} {OUTPUT} --append --max-bad --plausible --catalogue",
    "analyze": f"{DATA} {SNAPSHOTS} {OUTPUT} --by --compare --top",
    "try": f"{DATA} {SNAPSHOTS} {OUTPUT} --save",
    "propose": (
        f"{DATA} {SNAPSHOTS} {OUTPUT} --max-criteria --objective --value --cost --capacity --min-share --min-recall "
        "--min-rate --holdout --holdout-from --learn-from --against --use-traits --permutations --max-rules --plan-experiment "
        "--out-dir --name --seed --top --details"
    ),
    "validate": f"{DATA} {OUTPUT} --strict --base --explain --describe --fix --catalogue",
    "score": (
        f"{DATA} {OUTPUT} -d --definition --ledger --previous --since --only-new --all --keep --columns --rename "
        "--allow-hypothesis --accept-change "
        "--suppress --control --max-new --min-new --max-age --summary --notify --preset --key --properties"
    ),
    "report": f"{DATA} {OUTPUT} -d --definition --by --ledger --contacts --fail-under --fail-on-drift --visitors --html --open",
    "explain": f"{DATA} {OUTPUT} -d --definition --converters",
    "sql": (
        "--project -p -d --definition --dialect --as-of --since --dbt --incremental --data --table --map --type --without --out --quiet --verbose"
    ),
    "schema": "--out",
}
LATER = {"spark_master"}
"""What belongs to ways to reach a cluster that are not here."""
DEFINITION = """\
pqlkit: 1
name: inviters
entity: user
qualify: {event: invite, at_least: 2, within: 7d}
outcome: {within: 14d}
"""


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
def test_the_project_file_takes_what_the_command_takes(name: str) -> None:
    """All but the project file itself; whatever else stands there is refused, by `validate` too."""
    known = {option.name for option in command_options(name).values() if option.in_project}
    assert {one.name for one in options(name)} - {"project"} == known
    for key in [*LATER, "project", "nonsense"]:
        project, faults = check_project(parse(f"pqlkit: 1\n{name}: {{{key}: x}}\n", "pqlkit.yml"))
        assert project is None
        assert [(fault.code, fault.line) for fault in faults] == [("PQL101", 2)], key


def test_what_comes_later_is_not_there_yet(capsys: pytest.CaptureFixture[str]) -> None:
    assert not {one.name for name in COMMANDS for one in options(name)} & LATER
    assert run(["analyze", "--engine", "flink"]) == 2
    assert "polars" in capsys.readouterr().err


def test_the_exit_codes() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "DONE": 0,
        "FINDINGS": 1,
        "COULD_NOT_RUN": 2,
        "INTERRUPTED": 130,
        "TERMINATED": 143,
    }


def test_the_version_and_help_have_the_usual_spellings(capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for arguments in (["-V"], ["--version"], ["help", "try"], ["try", "--help"], ["help"], ["--help"]):
        assert run(arguments) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert said[2] == said[3]
    assert said[4] == said[5]
    assert run(["help", "tri"]) == 2
    assert "Did you mean try?" in capsys.readouterr().err


@pytest.mark.parametrize("name", PROMISED)
def test_options_of_rare_use_are_shown_by_help_all(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    usual = capsys.readouterr().out
    assert run([name, "--help-all"]) == 0
    everything = capsys.readouterr().out
    rare = {option.flag for option in command_options(name).values() if option.rare}
    assert {flag for flag in PROMISED[name].split() if f"{flag} " in everything.replace(",", " ")} == set(PROMISED[name].split())  # fmt: skip
    assert not [flag for flag in rare if re.search(rf"^  {flag}\b", usual, re.M)]
    assert (f"{len(rare)} options of rare use: pqlkit {name} --help-all" in usual) == bool(rare)
    assert len(usual.splitlines()) <= 75
    panels = re.findall(r"^(\w[\w ]*):$", everything, re.M)
    assert [panel for panel in panels if panel in PANELS] == [panel for panel in PANELS if panel in panels]


@pytest.mark.parametrize("option", ["--by", "--compare", "--top"])
@pytest.mark.parametrize("name", ["try", "propose"])
def test_an_option_that_a_command_would_ignore_is_refused(
    name: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`propose --top` is its own: how many candidates."""
    if (name, option) != ("propose", "--top"):
        assert run([name, option, "3", *(["login >= 1"] if name == "try" else [])]) == 2
        assert f"No such option: {option}" in capsys.readouterr().err


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

    def settled(
        self, block: str, command: str = "analyze", **given: object
    ) -> tuple[Settings, OutputOptions, DataOptions, int | None]:
        from pathlib import Path

        Path("pqlkit.yml").write_text(f"pqlkit: 1\n{command}: {block}\n")
        inputs = Given(command=command, values=given).inputs()
        return inputs.settle(Settings), inputs.settle(OutputOptions), inputs.data, inputs.settle(RowsOption).top

    def test_one_of_each_type(self) -> None:
        from pathlib import Path

        Path("d.yml").write_text(DEFINITION)
        settings, out, data, top = self.settled(
            '{windows: [7d, 3d], conversion_window: 14d, exclude_event: "$*", keep_event: [a, b], top: 7, given: d.yml, '
            "format: json, quiet: true, engine: duckdb, as_of: 2026-01-31, measures: [count, sum(amount)]}"
        )
        assert ([str(window) for window in settings.windows or ()], str(settings.conversion_window), top) == (
            ["3d", "7d"],
            "14d",
            7,
        )
        assert (settings.exclude_event, settings.keep_event) == (("$*",), ("a", "b"))
        assert settings.given is not None
        assert settings.given.name == "inviters"
        assert [measure.property for measure in settings.measures] == [None, "amount"]
        assert (out.format, out.quiet, data.engine, data.as_of) == ("json", True, "duckdb", "2026-01-31")

    def test_the_command_line_wins(self) -> None:
        settings, *_ = self.settled(
            "{conversion_window: 14d, exclude_event: [a]}", conversion_window="7d", exclude_event=["b"]
        )
        assert (str(settings.conversion_window), settings.exclude_event) == ("7d", ("b",))

    @pytest.mark.parametrize(
        ("command", "block", "message"),
        [
            ("analyze", "{top: many}", "analyze.top: 'many' is not a whole number"),
            ("analyze", "{top: true}", "analyze.top: True is not a whole number"),
            ("analyze", "{top: 2.5}", "analyze.top: 2.5 is not a whole number"),
            ("analyze", "{top: 0}", "analyze.top: 0 is not between 1 and 100000"),
            ("analyze", "{quiet: 1}", "analyze.quiet: 1 is not true or false"),
            ("analyze", "{format: yaml}", "analyze.format: 'yaml' is not one of table, json, csv, markdown"),
            ("analyze", "{engine: flink}", "analyze.engine: 'flink' is not one of polars, duckdb, spark"),
            ("analyze", "{given: [a, b]}", "analyze.given: ['a', 'b'] is not one path"),
            ("analyze", "{snapshots: sometimes}", "'sometimes' is not a design of snapshots"),
            ("analyze", "{entity: team}", "analyze.entity: 'team' is not known"),
            ("analyze", "{conversion_window: 45}", "analyze.conversion_window: 45 has no unit"),
            ("analyze", "{sample: 5}", "analyze.sample: '5' is not a share"),
            ("analyze", "{as_of: yesterday}", "'yesterday' is neither a date nor an instant"),
            ("propose", "{holdout: 100%}", "propose.holdout: both parts need snapshots"),
            ("propose", "{capacity: 50}", "propose.capacity: '50' is not a number of leads a week"),
            ("propose", "{top: 6}", "propose.top: 6 is not between 1 and 5"),
            ("score", "{max_new: many}", "score.max_new: 'many' is not a number of leads"),
            ("score", "{preset: sugar}", "score.preset: 'sugar' is not known"),
            ("load", "{plausible: 2026}", "load.plausible: '2026' is not FROM..TO"),
        ],
    )
    def test_what_the_command_refuses_the_file_may_not_hold(self, command: str, block: str, message: str) -> None:
        """The command says it with the place, and so does `validate`."""
        with pytest.raises(DefinitionError) as raised:
            self.settled(block, command)
        (fault,) = raised.value.diagnostics
        assert fault.message.startswith(message)
        assert (fault.line, fault.code) == (2, "PQL114")
        assert run(["validate", "pqlkit.yml"]) == 1

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

    @pytest.mark.parametrize(("command", "arguments"), [("schema", ["project"]), ("init", ["events.csv"])])
    def test_commands_without_data_obey_their_section_too(self, command: str, arguments: list[str]) -> None:
        from pathlib import Path

        Path("pqlkit.yml").write_text("pqlkit: 1\nschema: {out: s.json}\ninit: {out: project.yml}\n")
        Path("events.csv").write_text("user_id,event,timestamp\nu1,login,2026-01-01\n")
        assert run([command, *arguments]) == 0
        assert Path("s.json" if command == "schema" else "project.yml").is_file()
