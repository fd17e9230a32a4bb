"""The choice: what names a search, when a rule is too good, and what a table counts."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Exposure, Settings
from pqlkit.proposal.fingerprint import search_hash
from pqlkit.proposal.holdout import _too_good, strongest_first
from pqlkit.statistics.contingency import Contingency
from tests.simulation.trial import trial
from tests.worlds.by_name import recipe


@pytest.fixture(scope="module")
def made():
    with trial(recipe(2_000, 95)) as found:
        yield found


def test_the_same_search_has_the_same_name_and_another_has_not(made):
    brief = made.brief
    name, cube = search_hash(brief), brief.cube
    assert search_hash(replace(brief)) == name
    others = [
        replace(brief, wishes=ProposeOptions(objective="f1")),
        replace(brief, wishes=ProposeOptions(seed=1)),
        replace(brief, exclusions=replace(brief.exclusions, events=frozenset({"x"}))),
        replace(brief, observed=replace(brief.observed, settings=Settings(exposure=Exposure.UNTIL_CONVERSION))),
        replace(brief, observed=replace(brief.observed, split=lambda: replace(cube, rows=np.roll(cube.rows, 1)))),
    ]
    assert len({name, *map(search_hash, others)}) == 1 + len(others)
    # How long it may take and how often it is shuffled change nothing of what is chosen.
    assert search_hash(replace(brief, wishes=ProposeOptions(permutations=99))) == name


def test_tables_count_one_part(made):
    brief = made.brief
    part = brief.parts.fit
    table = brief.observed.table(made.meets, part)
    assert table.a == int((made.meets & part & made.y).sum())
    assert table.total == int(part.sum())
    assert table.m1 == int((part & made.y).sum())


def test_the_strongest_literal_is_read_first(made):
    found = made.brief.search()
    literals = found.literals[:6]
    ordered = strongest_first(made.brief, literals)
    sizes: list[Any] = [made.brief.observed.table(made.held([one]), made.brief.parts.fit).phi for one in ordered]
    assert sizes == sorted(sizes, reverse=True)
    assert set(ordered) == set(literals)


class Fake:
    """A candidate of which only the fit table and a name are asked."""

    class definition:  # noqa: N801
        name = "x"

    def __init__(self, *cells: int) -> None:
        self.fit = Contingency(*cells)

    @property
    def chosen(self) -> Any:
        return SimpleNamespace(rate=self.fit.with_)


@pytest.mark.parametrize(
    ("cells", "warned"),
    [
        ((81, 19, 100, 1000), True),
        ((80, 20, 100, 1000), False),
        ((26, 4, 4, 966), True),
        ((85, 15, 500, 400), False),
        ((95, 5, 500, 400), True),
    ],
    ids=["above 80 %", "at 80 %", "lift 29", "where most convert 85 % is no wonder", "but 95 % is"],
)
def test_too_good_to_be_true(cells, warned):
    candidate: Any = Fake(*cells)
    assert bool(_too_good(candidate)) is warned
