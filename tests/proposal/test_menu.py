"""The menu holds rules that differ, and names those that do not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pqlkit.proposal.literals import Floors, literals
from pqlkit.proposal.menu import front, ladder, menu
from pqlkit.proposal.objective import Constraints, Objective
from pqlkit.proposal.rule import holds
from tests.proposal.found import parts, search, searched, standings, standings_in
from tests.proposal.worlds import behaviour, cube_of


def test_chosen_rules_differ_and_equivalents_do_not():
    found = standings(*searched(20_000, 2))
    dishes = menu(found)
    assert len(dishes) == 5
    assert dishes[0].places == found.first()
    for index, dish in enumerate(dishes):
        assert all(found.similar(dish.places, other.places) <= 0.8 for other in dishes[:index])
        assert len(dish.equivalents) <= 20
        for other in dish.equivalents:
            assert found.similar(found.placed(other.literals), dish.places) > 0.8
        assert dish.read.n == dish.rule.qualified
        assert dish.read.converted == dish.rule.converted


def test_rules_are_similar_as_far_as_they_have_the_same_leads():
    made, search_ = searched(20_000, 2)
    found = standings(made, search_)
    fit, _ = parts(made)
    one, two = search_.rules[0], search_.rules[7]
    first, second = (holds(made.cube, rule.literals) & fit for rule in (one, two))
    expected = (first & second).sum() / (first | second).sum()
    assert found.similar(found.placed(one.literals), found.placed(two.literals)) == pytest.approx(expected)


@pytest.mark.parametrize("done", [0.95, 1.0])
def test_nearly_or_wholly_the_same_behaviour_is_an_equivalent(done):
    random = np.random.default_rng(1)
    dialog = random.random(4_000) < 0.2
    invited = dialog & (random.random(4_000) < done)
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
    first = menu(standings_in(cube, y, fit, found), most=1)[0]
    chosen = [literal.name for literal in first.rule.literals]
    assert chosen == (["invited"] if done < 1 else ["dialog"])
    assert [name for name in ("dialog", "invited") if [name] != chosen] in [
        [literal.name for literal in literals] for literals in first.alike
    ]


def test_the_front_is_thinned_evenly_and_keeps_its_ends():
    found = standings(*searched(20_000, 2))
    whole = found.front()
    assert len(whole) > 4
    short = front(found, most=4)
    assert len(short) <= 4
    assert (short[0], short[-1]) == (whole[0], whole[-1])
    covered = [found.counted(rule).converted for rule in short]
    assert covered == sorted(covered)
    assert list(front(found, most=1_000_000)) == whole


def test_each_further_criterion_shows_its_gain():
    steps = ladder(standings(*searched(20_000, 2)))
    assert [step.size for step in steps] == [1, 2, 3]
    assert steps[0].gain is None
    for before, step in pairwise(steps):
        assert step.gain == pytest.approx(step.score - before.score)
        assert len(step.rule.literals) == step.size


def test_nothing_found_is_an_empty_menu():
    cube = cube_of({behaviour("a"): np.arange(100) % 2})
    fit = np.ones(100, dtype=bool)
    columns = literals(cube, ~fit, fit, floors=Floors(entities=1, converters=0))
    found = search(cube, ~fit, fit, columns, objective=Objective(), constraints=Constraints())
    empty = standings_in(cube, ~fit, fit, found)
    assert (menu(empty), front(empty), ladder(empty)) == ((), (), ())
