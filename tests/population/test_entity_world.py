"""Simulated worlds whose classes and places are known to the unit, read from their files."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from pqlkit.analysis.window_advice import early_warning
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.project import read_project
from pqlkit.population.population import population_of
from pqlkit.snapshots.snapshots import snapshots_of
from pqlkit.snapshots.spike import spike
from tests.worlds.by_name import age_trial, card_trial, freemium, little, recipe

WORLDS = {
    "recipe": lambda: recipe(2000, 3),
    "accounts": lambda: recipe(2000, 3, accounts=True),
    "age": lambda: age_trial(3000, 3),
    "card": lambda: card_trial(3000, 3),
    "little": lambda: little(3),
    "freemium": lambda: freemium(1500, 3),
}


@pytest.fixture(scope="module", params=WORLDS)
def world(request, tmp_path_factory):
    made = WORLDS[request.param]()
    project = read_project(made.write(tmp_path_factory.mktemp(request.param)) / "pqlkit.yml")
    return request.param, made.truth, population_of(open_dataset(project), project)


def test_classes_and_places_are_those_that_were_planted(world):
    _, truth, found = world
    seen = snapshots_of(found, truth.snapshots)
    assert found.as_of == truth.as_of
    classes, places = asdict(seen.classes), asdict(seen.places)
    assert {name: classes[name] for name in truth.classes} == dict(truth.classes)
    assert {name: places[name] for name in truth.places} == dict(truth.places)


def test_auto_takes_the_design_that_the_world_is_made_for(world):
    name, truth, found = world
    chosen = snapshots_of(found)
    assert chosen.text == truth.snapshots, chosen.reason
    if name == "age":
        warning = early_warning(found, snapshots_of(found, "once:14d").design)
        assert warning is not None
        assert "try --snapshots" in warning
    assert (spike(found) is not None) is (name == "card")
