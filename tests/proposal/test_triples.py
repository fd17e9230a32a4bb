"""The bounds from the pair tables never rule out a triple that is as good as the bar."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from pqlkit.proposal.bits import pack
from pqlkit.proposal.literals import Floors, literals
from pqlkit.proposal.objective import Constraints, Goal
from pqlkit.proposal.pair_tables import tables
from pqlkit.proposal.rule import holds
from pqlkit.proposal.triples import Triples, _least
from tests.proposal.worlds import behaviour, cube_of


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("bound", [{}, {"min_share": 0.1}, {"max_share": 0.2}, {"min_rate": 0.25}])
def test_every_triple_as_good_as_the_bar_is_promising(seed, bound):
    random = np.random.default_rng(seed)
    mood = random.normal(size=400)
    cube = cube_of({behaviour(f"e{i}"): random.poisson(np.exp(0.6 * mood)) for i in range(5)})
    y = random.random(400) < 1 / (1 + np.exp(1.5 - mood))
    fit = np.ones(400, dtype=bool)
    columns = literals(cube, y, fit, floors=Floors(entities=20, converters=0, apart=0.0))
    kept = Constraints(relative_risk=1.0, converters=3, **bound)
    counts = tables(pack(cube, columns, y, fit), columns, goal=Goal(constraints=kept))
    triples = [
        parts for parts in combinations(range(len(columns)), 3) if len({columns[index].group for index in parts}) == 3
    ]
    met = np.array([holds(cube, [columns[index] for index in parts]) for parts in triples])
    hits, misses = (met & y).sum(axis=1).astype(float), (met & ~y).sum(axis=1).astype(float)
    parts = np.array(triples)
    assert (_least(counts.misses, parts[:, 0], parts[:, 1], parts[:, 2]) <= misses).all() or not counts.allowed.all()
    scores = np.where(counts.keep(hits, misses), counts.score(hits, misses), -np.inf)
    state = Triples(tables=counts, floor=-np.inf, most=np.inf, keep=10)
    state.bar = float(np.quantile(scores[np.isfinite(scores)], 0.9))
    good = {
        triple for triple, score in zip(triples, scores, strict=True) if score >= max(state.bar, scores.max() * 0.9)
    }
    promising: set[tuple[int, ...]] = set()
    usable, room = state._room()
    for literal in range(len(columns)):
        partners = np.flatnonzero(usable[literal])
        partners = partners[partners > literal]
        if len(partners) > 1:
            found = state._promising(literal, partners, room)
            promising |= {tuple(sorted(row)) for row in found.tolist()}
    assert good
    assert good <= promising
    assert len(promising) < len(triples)
