"""A simpler rule is offered when it cannot be told apart, and only then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pqlkit.proposal.literals import Floors, literals
from pqlkit.proposal.objective import Constraints, Objective
from pqlkit.proposal.rule import plainness
from pqlkit.proposal.simplification import simpler, threshold_ranges
from tests.proposal.found import search, searched, standings, standings_in
from tests.proposal.worlds import behaviour, cube_of

if TYPE_CHECKING:
    from pqlkit.proposal.standings import Standings


def found_in(columns, y) -> Standings:
    cube, fit = cube_of(columns), np.ones(len(y), dtype=bool)
    floors = Floors(entities=20, converters=5, apart=0.0)
    found = search(
        cube,
        y,
        fit,
        literals(cube, y, fit, floors=floors),
        objective=Objective(),
        constraints=Constraints.of(int(y.sum())),
    )
    return standings_in(cube, y, fit, found)


def test_a_second_criterion_that_hardly_matters_is_dropped():
    random = np.random.default_rng(4)
    a, b = random.random(3_000) < 0.2, random.random(3_000) < 0.88
    y = random.random(3_000) < np.where(a, np.where(b, 0.4, 0.38), 0.03)
    found = found_in({behaviour("a"): a * 1, behaviour("b"): b * 1}, y)
    pair = next(rule for rule in found.best(100) if len(rule) == 2)
    other = simpler(found, pair)
    assert other is not None
    assert [found.literals[place].name for place in other] == ["a"]


def test_a_criterion_that_matters_stays():
    found = standings(*searched(20_000, 2))
    first = found.first()
    assert first is not None
    assert len(first) == 3
    assert simpler(found, first) is None


def test_the_plainest_rule_has_no_simpler_one():
    found = standings(*searched(20_000, 2))
    single = min(found.best(400), key=lambda rule: plainness([found.literals[place] for place in rule]))
    assert simpler(found, single) is None


def test_thresholds_that_cannot_be_told_apart_surround_the_chosen_one():
    random = np.random.default_rng(2)
    counts = random.poisson(4, 6_000)
    y = random.random(6_000) < np.where(counts >= 5, 0.2, 0.03)
    found = found_in({behaviour("a"): counts}, y)
    first = found.first()
    assert first is not None
    (place,) = first
    low, high = threshold_ranges(found, first)[place]
    threshold = found.literals[place].threshold
    assert threshold is not None
    assert low <= threshold <= high
    assert low >= 4
    assert high <= 6


def test_a_sharp_threshold_stands_alone():
    random = np.random.default_rng(3)
    counts = random.poisson(4, 20_000)
    y = random.random(20_000) < np.where(counts >= 5, 0.5, 0.01)
    found = found_in({behaviour("a"): counts}, y)
    first = found.first()
    assert first is not None
    assert list(threshold_ranges(found, first).values()) == [(5, 5)]
