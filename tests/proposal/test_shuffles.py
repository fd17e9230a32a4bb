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
    assert (judged.permutations, judged.as_good, judged.p_value, judged.complete) == (19, 0, 0.05, True)
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
        Problem(cube=cube, y=y), fit, strata, goal=Goal(constraints=constraints), floors=floors, permutations=9
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
    assert judged.p_value == (1 + judged.as_good) / 10


def test_under_chance_the_p_value_is_uniform():
    p_values = []
    for seed in range(60):
        cube, y, fit = tiny(seed)
        judged = permutation_test(
            Problem(cube=cube, y=y, seed=seed),
            fit,
            np.zeros(400, dtype=np.int64),
            goal=Goal(constraints=Constraints(converters=5, relative_risk=1.0)),
            floors=Floors(entities=10, converters=0),
            permutations=9,
        )
        assert judged.p_value is not None
        p_values.append(judged.p_value)
    assert abs(np.mean(p_values) - 0.55) < 0.12
    assert np.mean(np.array(p_values) <= 0.2) <= 0.35


def test_very_many_snapshots_are_sampled():
    made, found = searched(20_000, 2)
    fit, _ = parts(made)
    judged = permutation_test(
        Problem(cube=made.cube, y=made.y),
        fit,
        np.zeros(20_000, dtype=np.int64),
        goal=found.goal,
        permutations=3,
        most_snapshots=6_000,
    )
    assert judged.snapshots == 6_000
    assert judged.p_value == 0.25


def test_without_time_or_permutations_there_is_no_p_value():
    cube, y, fit = tiny(1)
    problem, goal = Problem(cube=cube, y=y), Goal(constraints=Constraints(converters=5, relative_risk=1.0))
    strata = np.zeros(400, dtype=np.int64)
    assert permutation_test(problem, fit, strata, goal=goal, permutations=0).p_value is None
    stopped = permutation_test(problem, fit, strata, goal=goal, max_seconds=-1.0)
    assert (stopped.permutations, stopped.p_value) == (0, None)


def test_nothing_searched_is_nothing_judged():
    cube, y, fit = tiny(1)
    judged = permutation_test(
        Problem(cube=cube, y=y, excluded={f"e{i}" for i in range(5)}), fit, np.zeros(400, dtype=np.int64), goal=Goal()
    )
    assert (judged.permutations, judged.score, judged.p_value) == (0, None, None)
