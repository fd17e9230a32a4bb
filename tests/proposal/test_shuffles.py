"""The test of the whole search: small where something is there, uniform where nothing is."""

from __future__ import annotations

import numpy as np
import pytest

from pqlkit.proposal.bits import pack
from pqlkit.proposal.literals import Floors, literals
from pqlkit.proposal.objective import Constraints, Goal, Objective
from pqlkit.proposal.problem import Problem
from pqlkit.proposal.shuffles import permutation_test
from pqlkit.statistics.permutation import shuffled
from tests.proposal.found import parts, search, searched
from tests.proposal.worlds import behaviour, cube_of


def test_a_planted_rule_is_not_chance():
    made, found = searched(20_000, 2)
    fit, _ = parts(made)
    judged = permutation_test(Problem(cube=made.cube, y=made.y), fit, made.cutoff // 10**13, goal=found.goal)
    assert found.best is not None
    assert (judged.permutations, judged.as_good, judged.by_chance, judged.complete) == (29, 0, False, True)
    assert judged.score == found.best.score
    best = found.best
    rest = (found.converters - best.converted) / (found.snapshots - best.qualified)
    assert judged.relative_risk == pytest.approx(best.rate / rest)
    assert judged.best_score is not None
    assert judged.best_score < best.score / 2


def tiny(seed: int):
    random = np.random.default_rng(seed)
    cube = cube_of({behaviour(f"e{i}"): random.poisson(0.7, 400) for i in range(5)})
    return cube, random.random(400) < 0.15, np.ones(400, dtype=bool)


def test_a_permutation_is_the_search_with_another_outcome():
    cube, y, fit = tiny(1)
    strata = np.arange(400) // 100
    constraints = Constraints(converters=5, relative_risk=1.0)
    floors = Floors(entities=10, converters=0)
    judged = permutation_test(
        Problem(cube=cube, y=y), fit, strata, goal=Goal(constraints=constraints), floors=floors, first=9, most=9
    )
    columns = literals(cube, y, fit, floors=floors)

    def best(outcome):
        found = search(cube, outcome, fit, columns, objective=Objective(), constraints=constraints)
        return found.best.score if found.best else -np.inf

    real = best(y)
    assert judged.score == real
    # The same shuffles: the snapshots are packed in a random order drawn from the same seed.
    snapshots = pack(cube, columns, np.zeros(400, dtype=bool), fit, most_controls=None).snapshots
    random = np.random.default_rng(0)
    scores = []
    for _ in range(9):
        chance = np.zeros(400, dtype=bool)
        chance[snapshots] = shuffled(y[snapshots], strata[snapshots], generator=random)
        assert (np.bincount(strata[chance], minlength=4) == np.bincount(strata[y], minlength=4)).all()
        scores.append(best(chance))
    assert judged.as_good == sum(score >= real for score in scores)


def test_under_chance_shuffled_searches_come_to_as_much_as_often_as_not():
    shares, refused = [], []
    for seed in range(60):
        cube, y, fit = tiny(seed)
        judged = permutation_test(
            Problem(cube=cube, y=y, seed=seed),
            fit,
            np.zeros(400, dtype=np.int64),
            goal=Goal(constraints=Constraints(converters=5, relative_risk=1.0)),
            floors=Floors(entities=10, converters=0),
            first=9,
            most=9,
        )
        shares.append(judged.as_good / judged.permutations)
        refused.append(judged.by_chance)
    assert abs(np.mean(shares) - 0.5) < 0.12
    assert np.mean(refused) >= 0.8


def _lucky(seed):
    cube, y, fit = tiny(seed)
    goal, floors = Goal(constraints=Constraints(converters=5, relative_risk=1.0)), Floors(entities=10, converters=0)
    nothing = np.zeros(400, dtype=np.int64)
    return (
        permutation_test(Problem(cube=cube, y=y), fit, nothing, goal=goal, floors=floors, first=4, most=4).as_good >= 3
    )


def test_one_that_comes_to_as_much_is_looked_at_more_closely():
    cube, y, fit = tiny(next(seed for seed in range(60) if _lucky(seed)))
    problem, goal = Problem(cube=cube, y=y), Goal(constraints=Constraints(converters=5, relative_risk=1.0))
    strata, floors = np.zeros(400, dtype=np.int64), Floors(entities=10, converters=0)
    short = permutation_test(problem, fit, strata, goal=goal, floors=floors, first=4, most=4)
    assert short.as_good
    longer = permutation_test(problem, fit, strata, goal=goal, floors=floors, first=4, most=20)
    assert (longer.permutations, longer.by_chance) == (20, True)


def test_very_many_snapshots_are_sampled():
    made, found = searched(20_000, 2)
    fit, _ = parts(made)
    judged = permutation_test(
        Problem(cube=made.cube, y=made.y),
        fit,
        np.zeros(20_000, dtype=np.int64),
        goal=found.goal,
        first=3,
        most=3,
        most_snapshots=6_000,
    )
    assert judged.snapshots == 6_000
    assert judged.permutations == 3


def test_without_permutations_nothing_is_tested():
    cube, y, fit = tiny(1)
    problem, goal = Problem(cube=cube, y=y), Goal(constraints=Constraints(converters=5, relative_risk=1.0))
    judged = permutation_test(problem, fit, np.zeros(400, dtype=np.int64), goal=goal, first=0)
    assert (judged.permutations, judged.by_chance) == (0, False)


def test_nothing_searched_is_nothing_judged():
    cube, y, fit = tiny(1)
    judged = permutation_test(
        Problem(cube=cube, y=y, excluded={f"e{i}" for i in range(5)}), fit, np.zeros(400, dtype=np.int64), goal=Goal()
    )
    assert (judged.permutations, judged.score, judged.by_chance) == (0, None, False)
