"""An option is spelled once: in its record."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from pathlib import Path

import pytest

from pqlkit.cli.commands import COMMANDS
from pqlkit.cli.help import ELSEWHERE
from pqlkit.definitions.old_words import OPTIONS
from pqlkit.options.commands import RECORDS, command_options
from pqlkit.options.option import options_of
from tests.architecture.trees import nodes

EVERY = {"--help", "--help-all", "--version", "--install-completion"}
"""What every command takes, and typer's own."""
COMING = {"--from", "--sql"}
"""What `init` takes once it can print statements that export tables."""
OTHERS = {"--profile"}
"""What another program takes: aws."""


def declared() -> dict[tuple[str, str], set[str]]:
    """Give each option, by its name and what it says, with the records that declare it."""
    found: dict[tuple[str, str], set[str]] = {}
    for record in {record for records in RECORDS.values() for record in records}:
        for option in options_of(record):
            owner = next(base for base in record.__mro__ if option.name in inspect.get_annotations(base))
            found.setdefault((option.name, option.help), set()).add(owner.__name__)
    return found


def test_no_option_is_spelled_in_two_places() -> None:
    assert len(declared()) > 70
    assert {option: owners for option, owners in declared().items() if len(owners) > 1} == {}


def test_the_command_line_declares_no_option_beside_the_records() -> None:
    """`--version` belongs to no command."""
    places = [
        str(path)
        for path, node in nodes()
        if isinstance(node, ast.Attribute) and node.attr == "Option" and getattr(node.value, "id", "") == "typer"
    ]
    assert places == ["cli/app.py", "cli/options.py"]


@pytest.mark.parametrize("command", RECORDS)
def test_no_two_records_of_a_command_name_the_same_option(command: str) -> None:
    names = [option.name for record in RECORDS[command] for option in options_of(record)]
    assert sorted(names) == sorted(command_options(command))


def test_every_command_has_its_line_of_records_and_the_error_names_the_place() -> None:
    assert set(COMMANDS) == set(RECORDS), (
        "a command of pqlkit/cli/commands.py has a line in RECORDS of pqlkit/options/commands.py"
    )
    with pytest.raises(LookupError, match=r"the command new has no line in RECORDS of pqlkit\.options\.commands"):
        command_options("new")


@pytest.mark.parametrize("command", RECORDS)
def test_every_field_is_an_option_and_its_default_passes_its_own_check(command: str) -> None:
    for record in RECORDS[command]:
        assert len(options_of(record)) == len(dataclasses.fields(record))
        made = record()
        for option in options_of(record):
            assert getattr(made, option.name) == option.default
            if option.reads is None and option.default not in (None, ()) and option.takes is not Path:
                option.check(list(option.default) if option.many else option.default, option.flag)


def test_every_option_that_a_message_names_exists() -> None:
    known = {option.flag for command in RECORDS for option in command_options(command).values()}
    known |= EVERY | COMING | OTHERS | set(OPTIONS) | set(ELSEWHERE)
    for path, node in nodes():
        if path.parent.name == "pages" or (path.name, path.parent.name) == ("earlier_version.py", "definitions"):
            continue  # style sheets have names of their own, and so has git
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            named = set(re.findall(r"(?<![\w<!-])--[a-z][a-z-]*[a-z]", node.value))
            assert named <= known, (str(path), named - known)
