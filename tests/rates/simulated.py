"""Simulated worlds written and read as a user's exports are, once per test session."""

from __future__ import annotations

import contextlib
import io
import tempfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pqlkit.cli.app import run as command_line
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.project import read_project
from pqlkit.options.data import ExtentOptions
from pqlkit.population.population import population_of
from pqlkit.rates.report import report as count
from pqlkit.reporting.records import report as records
from tests.worlds import by_name as worlds

if TYPE_CHECKING:
    from pqlkit.definitions.model import Definition

# Tests read parts that may be None without asking first.
report: Any = count
record: Any = records.record

WORLDS: dict[str, Any] = {
    "recipe": lambda: worlds.recipe(3_000, seed=5),
    "effect": lambda: worlds.recipe(20_000, seed=3, drift="effect"),
    "volume": lambda: worlds.recipe(20_000, seed=3, drift="volume"),
    "steady": lambda: worlds.recipe(20_000, seed=3),
    "freemium": lambda: worlds.freemium(1_500, seed=2),
    "freemium large": lambda: worlds.freemium(4_000, seed=2),
}


@cache
def world(name: str) -> Any:
    made = WORLDS[name]()
    folder = Path(tempfile.mkdtemp(prefix="pqlkit-test-"))
    made.write(folder)
    project = read_project(folder / "pqlkit.yml")
    return made, project, open_dataset(project), folder


def people(name: str, definition: Definition | None = None, *, as_of: str | None = None) -> Any:
    made, project, data, _ = world(name)
    return population_of(data, project, ExtentOptions(as_of=as_of), definition=definition or made.truth.rule)


def rule(name: str) -> Any:
    return world(name)[0].truth.rule


def shell(folder: Path, *arguments: str) -> Any:
    """Run pqlkit as at a shell in a folder, in this process; give its code and what it wrote."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = command_line(list(arguments))
    return SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())
