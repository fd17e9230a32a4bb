"""Samples: drawn before anything is counted, so that every count still adds up; and snapshots narrowed by a definition."""

from __future__ import annotations

import zlib
from dataclasses import asdict

import pytest

from pqlkit.analysis.observation import observe
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.project import read_project
from pqlkit.options.settings import Settings
from pqlkit.population.population import population_of
from pqlkit.snapshots.snapshots import snapshots_of
from tests.worlds import by_name as worlds

PARTS = ("used", "before_history", "before_first_snapshot", "gap", "not_retained", "dormant", "later", "in_progress", "ineligible",
         "customer_already", "invalid", "deleted")  # fmt: skip
CLASSES = ("invalid", "ineligible", "unobserved", "customer_already", "early", "deleted", "in_progress", "dormant", "converted",
           "not_converted")  # fmt: skip
WORLDS = {
    "recipe": lambda: worlds.recipe(2_000, seed=5),
    "accounts": lambda: worlds.recipe(700, seed=5, accounts=True),
    "freemium": lambda: worlds.freemium(1_000, seed=2),
}


@pytest.fixture(scope="module", params=list(WORLDS))
def exports(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    made = WORLDS[request.param]()
    made.write(folder)
    project = read_project(folder / "pqlkit.yml")
    return made, open_dataset(project), project


def test_a_sample_conserves_entities_and_conversions(exports):
    made, data, project = exports
    whole, part = (population_of(data, project, sample=share) for share in (None, 0.4))
    wanted = [key for key in whole.entities["id"] if zlib.crc32(f"pqlkit-sample{key}".encode()) % 10_000 < 4_000]
    assert part.entities["id"].to_list() == wanted
    assert 0.3 < len(wanted) / whole.entities.height < 0.5
    seen = snapshots_of(part, made.truth.snapshots)
    classes, places = asdict(seen.classes), asdict(seen.places)
    assert classes["entities"] == len(wanted) == sum(classes[name] for name in CLASSES)
    assert places["first"] == sum(places[name] for name in PARTS)
    assert places["rows"] == places["first"] + places["repeats"] + places["filtered"] + places["unknown_entity"]
    assert places["unknown_entity"] == asdict(snapshots_of(whole, made.truth.snapshots).places)["unknown_entity"]
    assert places["used"] == int(seen.frame["y"].sum()) > 0


def test_the_sampled_snapshot_as_they_do_among_everybody(exports):
    made, data, project = exports
    whole, part = (population_of(data, project, sample=share) for share in (None, 0.4))
    if whole.as_of != part.as_of:
        pytest.fail("who is drawn must not move the end of the data")

    def rows(people):
        seen = snapshots_of(people, made.truth.snapshots)
        named = seen.frame.join(people.entities.select("entity", "id"), on="entity")
        return set(named.select("id", "cutoff", "y").iter_rows())

    kept = set(part.entities["id"].to_list())
    assert rows(part) == {row for row in rows(whole) if row[0] in kept}


def test_a_larger_sample_keeps_the_smaller(exports):
    _, data, project = exports
    small, large = (set(population_of(data, project, sample=share).entities["id"]) for share in (0.1, 0.5))
    assert small < large
    assert population_of(data, project, sample=1.0).entities.height == population_of(data, project).entities.height


def test_given_says_whose_tables_these_are(exports):
    made, data, project = exports
    people = population_of(data, project, definition=made.truth.rule)
    settings = Settings(snapshots=made.truth.snapshots)
    whole = observe(people, settings)
    part = observe(people, Settings(snapshots=made.truth.snapshots, given=made.truth.rule))
    assert 0 < len(part.y) < len(whole.y)
    assert part.snapshots.classes == whole.snapshots.classes
    assert part.snapshots.frame["snapshot"].to_list() == list(range(len(part.y)))
    assert part.base.rate is not None
    assert whole.base.rate is not None
    assert part.base.rate > whole.base.rate
