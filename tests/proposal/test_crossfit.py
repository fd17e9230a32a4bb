"""Cross-fitting counts every choice only where it was not made."""

from __future__ import annotations

import numpy as np

from pqlkit.proposal.crossfit import cross_fit
from pqlkit.proposal.problem import Problem
from tests.proposal.worlds import behaviour, cube_of


def drawn(seed: int, lift: float):
    random = np.random.default_rng(seed)
    columns = {behaviour(f"e{i}"): random.poisson(0.5, 1_500) for i in range(12)}
    met = (columns[behaviour("e3")] >= 1) & (columns[behaviour("e7")] >= 1)
    y = random.random(1_500) < np.where(met, min(0.9, 0.06 * lift), 0.06)
    return cube_of(columns), y, met


def test_what_is_there_is_found_without_the_fold():
    cube, y, met = drawn(1, 8)
    judged = cross_fit(Problem(cube=cube, y=y, max_criteria=2), np.arange(1_500) % 5)
    assert (judged.folds, judged.without) == (5, 0)
    assert (judged.snapshots, judged.converters) == (1_500, y.sum())
    assert (judged.qualified, judged.converted) == (met.sum(), (met & y).sum())


def test_what_is_not_there_does_not_look_like_it():
    rates = []
    for seed in range(12):
        cube, y, _ = drawn(seed, 1)
        judged = cross_fit(Problem(cube=cube, y=y, max_criteria=2), np.arange(1_500) % 3)
        if judged.qualified:
            rates.append(judged.converted / judged.qualified / (judged.converters / judged.snapshots))
    assert rates
    assert np.mean(rates) < 1.3


def test_a_fold_with_every_conversion_leaves_nothing_to_find():
    cube, y, _ = drawn(1, 8)
    judged = cross_fit(Problem(cube=cube, y=y, max_criteria=2), np.where(y, 0, 1))
    assert judged.without == 2
    assert judged.qualified == 0
