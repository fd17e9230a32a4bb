"""Simulated worlds written and read as a user's exports are, once per test session."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pqlkit.analysis.population import population
from pqlkit.demo import worlds
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.project import read_project

if TYPE_CHECKING:
    from pqlkit.analysis.population import Population
    from pqlkit.definitions.model import Definition
    from pqlkit.demo.simulated import SimulatedWorld
    from pqlkit.exports.dataset import Dataset
    from pqlkit.exports.project import Project

WORLDS: dict[str, Any] = {
    "recipe": lambda: worlds.recipe(3_000, seed=5),
    "effect": lambda: worlds.recipe(20_000, seed=3, drift="effect"),
    "volume": lambda: worlds.recipe(20_000, seed=3, drift="volume"),
    "steady": lambda: worlds.recipe(20_000, seed=3),
    "freemium": lambda: worlds.freemium(1_500, seed=2),
    "little": worlds.little,
}


@cache
def world(name: str) -> tuple[SimulatedWorld, Project, Dataset, Path]:
    made = WORLDS[name]()
    folder = Path(tempfile.mkdtemp(prefix="pqlkit-test-"))
    made.write(folder)
    project = read_project(folder / "pqlkit.yml")
    return made, project, open_dataset(project), folder


def people(name: str, definition: Definition | None = None, **options: Any) -> Population:
    made, project, data, _ = world(name)
    return population(data, project, definition=definition or made.truth.rule, **options)


def rule(name: str) -> Definition:
    found = world(name)[0].truth.rule
    assert found is not None
    return found
