"""The menu holds rules that differ, and names those that do not."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from pqlkit.proposal.difference import meets
from pqlkit.proposal.literals import Floors, literals
from pqlkit.proposal.menu import front, jaccard, ladder, menu
from pqlkit.proposal.objective import Constraints, Objective
from pqlkit.proposal.rule import holds
from tests.proposal.found import parts, search, searched
from tests.proposal.worlds import behaviour, cube_of


def test_the_jaccard_index_is_that_of_the_snapshots():
    made, found = searched(20_000, 2)
    fit, _ = parts(made)
    one, two = found.rules[0], found.rules[7]
    first, second = (holds(made.cube, rule.literals) & fit for rule in (one, two))
    expected = (first & second).sum() / (first | second).sum()
    assert jaccard(found, meets(found, one.literals), meets(found, two.literals)) == pytest.approx(expected)


def test_chosen_rules_differ_and_equivalents_do_not():
    _, found = searched(20_000, 2)
    dishes = menu(found)
    assert len(dishes) == 5
    assert dishes[0].rule == found.best
    words = [meets(found, dish.rule.literals) for dish in dishes]
    for index, dish in enumerate(dishes):
        assert all(jaccard(found, words[index], other) <= 0.8 for other in words[:index])
        for other in dish.equivalents:
            assert jaccard(found, meets(found, other.literals), words[index]) > 0.8
            assert other.score <= dish.rule.score
    scores = [dish.rule.score for dish in dishes]
    assert scores == sorted(scores, reverse=True)


def test_nearly_the_same_behaviour_is_an_equivalent():
    random = np.random.default_rng(1)
    dialog = random.random(4_000) < 0.2
    invited = dialog & (random.random(4_000) < 0.95)
    y = random.random(4_000) < np.where(invited, 0.4, 0.02)
    cube = cube_of(
        {
            behaviour("dialog"): dialog.astype(int),
            behaviour("invited"): invited.astype(int),
            behaviour("tour"): (random.random(4_000) < 0.5).astype(int),
        }
    )
    fit = np.ones(4_000, dtype=bool)
    found = search(
        cube, y, fit, literals(cube, y, fit), objective=Objective(), constraints=Constraints.of(int(y.sum()))
    )
    first = menu(found, most=1)[0]
    assert [literal.name for literal in first.rule.literals] == ["invited"]
    assert ["dialog"] in [[literal.name for literal in other.literals] for other in first.equivalents]


def test_the_front_is_thinned_evenly_and_keeps_its_ends():
    _, found = searched(20_000, 2)
    long = replace(found, front=tuple(rule for rule in found.front))
    assert len(long.front) > 4
    short = front(found, most=4)
    assert len(short) <= 4
    assert (short[0], short[-1]) == (found.front[0], found.front[-1])
    covered = [rule.converted for rule in short]
    assert covered == sorted(covered)
    assert front(found, most=1_000) == found.front


def test_each_further_criterion_shows_its_gain():
    _, found = searched(20_000, 2)
    steps = ladder(found)
    assert [step.size for step in steps] == [1, 2, 3]
    assert steps[0].gain is None
    for before, step in pairwise(steps):
        assert step.gain == pytest.approx(step.rule.score - before.rule.score)
        assert len(step.rule.literals) == step.size


def test_nothing_found_is_an_empty_menu():
    cube = cube_of({behaviour("a"): np.arange(100) % 2})
    fit = np.ones(100, dtype=bool)
    columns = literals(cube, ~fit, fit, floors=Floors(entities=1, converters=0))
    found = search(cube, ~fit, fit, columns, objective=Objective(), constraints=Constraints())
    assert (menu(found), front(found), ladder(found)) == ((), (), ())
