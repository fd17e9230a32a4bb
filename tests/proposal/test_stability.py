"""Halves agree on what is there, and not on what is not."""

from __future__ import annotations

import numpy as np

from pqlkit.proposal.literals import literals
from pqlkit.proposal.objective import Constraints, Objective
from pqlkit.proposal.stability import _drawn, _narrowest, stability
from tests.proposal.found import search, searched, standings, standings_in
from tests.proposal.worlds import behaviour, cube_of


def test_a_strong_rule_is_chosen_again():
    found = standings(*searched(20_000, 2))
    first = found.first()
    assert first is not None
    judged = stability(found, first)
    assert judged.halves == 30
    assert judged.share >= 0.8
    for chosen, literal in zip(judged.criteria, (found.literals[place] for place in first), strict=True):
        assert chosen.literal == literal
        assert chosen.share >= 0.9
        assert chosen.thresholds is not None
        assert chosen.thresholds[0] <= (literal.threshold or 0) <= chosen.thresholds[1]


def test_twins_are_unstable_and_name_each_other():
    random = np.random.default_rng(5)
    latent = random.random(6_000) < 0.2
    one, two = (latent ^ (random.random(6_000) < 0.03) for _ in range(2))
    y = random.random(6_000) < np.where(latent, 0.3, 0.03)
    cube, fit = cube_of({behaviour("one"): one * 1, behaviour("two"): two * 1}), np.ones(6_000, dtype=bool)
    found = search(
        cube,
        y,
        fit,
        literals(cube, y, fit),
        objective=Objective(),
        constraints=Constraints.of(int(y.sum())),
        max_criteria=1,
    )
    read = standings_in(cube, y, fit, found)
    first = read.first()
    assert first is not None
    (chosen,) = stability(read, first).criteria
    assert stability(read, first).share == stability(read, first).share
    assert chosen.share < 1
    assert {chosen.literal.name, chosen.rival} == {"one", "two"}


def test_a_half_holds_half_the_snapshots():
    words = np.full((2, 16), 2**64 - 1, dtype=np.uint64)
    words[:, 10:] = 0
    words[:, 9] = 7
    for seed in range(20):
        drawn, count = _drawn(words, 64 * 9 + 3, np.random.default_rng(seed))
        assert int(np.bitwise_count(drawn[0]).sum()) == count
        assert drawn.shape == (2, 8)
        assert count in {320, 64 * 4 + 3}


def test_the_narrowest_interval_of_four_fifths():
    assert _narrowest([3, 3, 4, 4, 4, 5, 5, 5, 8, 30]) == (3, 5)
    assert _narrowest([2]) == (2, 2)
    assert _narrowest([]) is None
