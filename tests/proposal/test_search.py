"""The search finds what counting every rule finds, and says when it could not."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pqlkit.definitions.model import Condition, Operator
from pqlkit.proposal.literals import Floors, Trait, literals
from pqlkit.proposal.objective import Constraints, parse_objective
from pqlkit.proposal.search import search
from tests.proposal.brute import best_of_size
from tests.proposal.worlds import behaviour, cube_of

LOOSE = Floors(entities=1, converters=0, reach=1.0, apart=0.0)
OBJECTIVES = ("kappa", "f1", "f0.5", "f2", "youden", "nb:1.5x", "capacity")


def small(seed: int, looks: int, events: int, lift: float) -> tuple[Any, Any, Any, list[Trait]]:
    """Draw a small world in which the counts of a few events go with the outcome, and a trait."""
    random = np.random.default_rng(seed)
    mood = random.normal(size=looks)
    columns = {}
    for event in range(events):
        counts = random.poisson(np.exp(0.5 * mood + random.normal(0, 0.7)))
        columns[behaviour(f"e{event}", 7)] = random.binomial(counts, 0.6)
        columns[behaviour(f"e{event}", 14)] = counts
    columns[behaviour(None, 14)] = random.poisson(3, looks)
    y = random.random(looks) < 1 / (1 + np.exp(1.5 - lift * mood))
    fit = random.random(looks) < 0.8
    trait = Trait(
        condition=Condition(name="plan", operator=Operator.EQUALS, values=("free",)), holds=random.random(looks) < 0.6
    )
    return cube_of(dict(sorted(columns.items(), key=str))), y, fit, [trait]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    looks=st.integers(5, 300),
    events=st.integers(1, 4),
    lift=st.floats(0, 2),
    text=st.sampled_from(OBJECTIVES),
    min_share=st.sampled_from([None, 0.05, 0.2]),
    max_share=st.sampled_from([None, 0.1, 0.3]),
    min_coverage=st.sampled_from([None, 0.2]),
    min_rate=st.sampled_from([None, 0.3]),
    risk=st.sampled_from([0.0, 1.0, 1.5]),
    converters=st.sampled_from([0, 1, 5]),
    use_traits=st.booleans(),
)
def test_it_finds_what_counting_every_rule_finds(
    seed, looks, events, lift, text, min_share, max_share, min_coverage, min_rate, risk, converters, use_traits
):
    cube, y, fit, traits = small(seed, looks, events, lift)
    if not (fit & y).any() or (fit & ~y).sum() == 0:
        return
    traits = traits if use_traits else []
    columns = literals(cube, y, fit, floors=LOOSE, traits=traits)
    objective = parse_objective(
        "kappa" if text == "capacity" else text,
        base_rate=min(0.6, float(y[fit].mean())),
        capacity=text == "capacity",
    )
    constraints = Constraints(
        min_share=min_share,
        max_share=max_share,
        min_coverage=min_coverage,
        min_rate=min_rate,
        relative_risk=risk,
        converters=converters,
    )
    found = search(cube, y, fit, columns, objective=objective, constraints=constraints, traits=traits, seed=seed)
    expected = best_of_size(cube, y, fit, columns, objective=objective, constraints=constraints, traits=traits)
    assert found.complete
    assert found.best_of_size == expected
    best = min(expected.values(), key=lambda rule: (-rule.score, rule.plainness), default=None)
    assert found.best == best
