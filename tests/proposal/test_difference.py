"""The difference of two rules on the same snapshots: its value by counting, its error by resampling the snapshots themselves."""

from __future__ import annotations

import numpy as np
import pytest

from pqlkit.proposal.difference import difference, meets, of_snapshots
from pqlkit.proposal.objective import Objective
from pqlkit.proposal.rule import holds
from tests.proposal.found import parts, searched


def score(met, y) -> float:
    hits, misses = np.array([float((met & y).sum())]), np.array([float((met & ~y).sum())])
    return float(Objective().score(hits, misses, converters=float(y.sum()), snapshots=float(y.size))[0])


@pytest.fixture(scope="module")
def two():
    made, found = searched(20_000, 31)
    fit, _ = parts(made)
    rules = [found.rules[0].literals, found.best_of_size[1].literals]
    return found, rules, [holds(made.cube, rule)[fit] for rule in rules], made.y[fit]


def test_the_value_is_the_difference_of_the_scores(two):
    found, rules, met, y = two
    assert difference(found, *rules).value == pytest.approx(score(met[0], y) - score(met[1], y), rel=1e-9)


def test_the_error_is_that_of_snapshots_drawn_again(two):
    found, rules, met, y = two
    random = np.random.default_rng(7)
    drawn = []
    for _ in range(300):
        rows = random.integers(0, y.size, y.size)
        drawn.append(score(met[0][rows], y[rows]) - score(met[1][rows], y[rows]))
    assert difference(found, *rules, replicates=1_000).error == pytest.approx(np.std(drawn), rel=0.15)


def test_a_rule_does_not_differ_from_itself(two):
    found, rules, _, _ = two
    assert (difference(found, rules[0], rules[0]).value, difference(found, rules[0], rules[0]).error) == (0.0, 0.0)


def test_turned_round_it_changes_its_sign(two):
    found, rules, _, _ = two
    one, other = (meets(found, rule) for rule in rules)
    assert of_snapshots(found, one, other).value == -of_snapshots(found, other, one).value
