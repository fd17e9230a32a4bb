"""The example on Spark: its lines are commands with options that exist, and its project file is one."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pqlkit.definitions.yaml_source import parse
from pqlkit.exports.project import check_project
from pqlkit.options.commands import command_options

HERE = Path(__file__).parents[2] / "examples" / "spark"
LINES = re.findall(r"^pqlkit (?!demo).*$", (HERE / "README.md").read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("line", LINES)
def test_every_line_names_options_of_its_command(line):
    _, command, *words = shlex.split(line)
    known = {option.flag for option in command_options(command).values()} | {"--engine"}
    shorts = {option.short for option in command_options(command).values()}
    assert {word for word in words if word.startswith("--")} <= known
    assert {word for word in words if re.fullmatch(r"-\w", word)} <= shorts
    assert "spark" in words


def test_the_project_file_has_no_faults():
    project, faults = check_project(parse((HERE / "lake.yml").read_text(encoding="utf-8"), "lake.yml"))
    assert faults == []
    assert project is not None
    assert project.exports["events"].table == "lake.product.events"
