"""The search finds what counting every rule finds, and says when it could not."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqlkit.definitions.model import Condition, Operator
from pqlkit.errors import UsageError
from pqlkit.proposal import search as search_module
from pqlkit.proposal.bits import pack
from pqlkit.proposal.literals import Floors, Trait, literals
from pqlkit.proposal.objective import Constraints, Goal, Objective, ObjectiveKind, parse_objective
from pqlkit.proposal.rule import holds
from pqlkit.proposal.search import Effort, searched
from tests.proposal.brute import best_of_size
from tests.proposal.found import search
from tests.proposal.worlds import behaviour, cube_of, world

LOOSE = Floors(entities=1, converters=0, reach=1.0, apart=0.0)
OBJECTIVES = ("kappa", "f1", "f0.5", "f2", "youden", "nb:1.5x", "capacity")


def small(seed: int, snapshots: int, events: int, lift: float) -> tuple[Any, Any, Any, list[Trait]]:
    """Draw a small world in which the counts of a few events go with the outcome, and a trait."""
    random = np.random.default_rng(seed)
    mood = random.normal(size=snapshots)
    columns = {}
    for event in range(events):
        counts = random.poisson(np.exp(0.5 * mood + random.normal(0, 0.7)))
        columns[behaviour(f"e{event}", 7)] = random.binomial(counts, 0.6)
        columns[behaviour(f"e{event}", 14)] = counts
    columns[behaviour(None, 14)] = random.poisson(3, snapshots)
    y = random.random(snapshots) < 1 / (1 + np.exp(1.5 - lift * mood))
    fit = random.random(snapshots) < 0.8
    trait = Trait(
        condition=Condition(name="plan", operator=Operator.EQUALS, values=("free",)),
        holds=random.random(snapshots) < 0.6,
    )
    return cube_of(dict(sorted(columns.items(), key=str))), y, fit, [trait]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    snapshots=st.integers(5, 300),
    events=st.integers(1, 4),
    lift=st.floats(0, 2),
    text=st.sampled_from(OBJECTIVES),
    min_share=st.sampled_from([None, 0.05, 0.2]),
    max_share=st.sampled_from([None, 0.1, 0.3]),
    min_recall=st.sampled_from([None, 0.2]),
    min_rate=st.sampled_from([None, 0.3]),
    risk=st.sampled_from([0.0, 1.0, 1.5]),
    converters=st.sampled_from([0, 1, 5]),
    use_traits=st.booleans(),
)
def test_it_finds_what_counting_every_rule_finds(
    seed, snapshots, events, lift, text, min_share, max_share, min_recall, min_rate, risk, converters, use_traits
):
    cube, y, fit, traits = small(seed, snapshots, events, lift)
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
        min_recall=min_recall,
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


def test_bounds_leave_out_most_triples_and_never_the_best():
    made = world(4_000, 3, kind="thin", base_rate=0.1)
    fit = np.arange(4_000) < 3_000
    wanted = {f"event_{event:02d}" for event in range(0, 60, 10)} | made.events
    columns = literals(made.cube, made.y, fit, only=wanted)
    constraints = Constraints.of(int((fit & made.y).sum()))
    for kind in (ObjectiveKind.KAPPA, ObjectiveKind.F05):
        objective = Objective(kind=kind)
        found = search(made.cube, made.y, fit, columns, objective=objective, constraints=constraints)
        expected = best_of_size(made.cube, made.y, fit, columns, objective=objective, constraints=constraints)
        assert found.best_of_size == expected
        assert found.considered > 5_000
        assert found.counted < found.considered / 3


@pytest.mark.parametrize("seed", range(4))
def test_no_rule_is_told_twice(seed):
    """The best triple is met among the extensions of pairs, and again by the scan that proves it."""
    cube, y, fit, _ = small(seed, 600, 6, 1.5)
    listed = literals(cube, y, fit, floors=LOOSE)
    found = search(
        cube, y, fit, listed, objective=Objective(), constraints=Constraints(relative_risk=1.0, converters=5)
    )
    assert any(len(rule.literals) == 3 for rule in found.rules)
    assert len({rule.literals for rule in found.rules}) == len(found.rules)


def test_a_planted_rule_is_found_exactly():
    made = world(20_000, 2, kind="easy")
    fit = np.arange(20_000) < 15_000
    columns = literals(made.cube, made.y, fit)
    found = search(made.cube, made.y, fit, columns, objective=Objective(), constraints=Constraints.of(500))
    assert found.complete
    assert found.best is not None
    named = [
        (x.behaviour.event, round(x.behaviour.window.length.days), x.threshold)
        for x in found.best.literals
        if x.behaviour is not None and x.behaviour.window.length is not None
    ]
    assert sorted(named) == sorted(made.truth)


def test_counts_are_those_of_the_snapshots():
    made = world(3_000, 5)
    fit = np.arange(3_000) % 3 > 0
    columns = literals(made.cube, made.y, fit)
    found = search(made.cube, made.y, fit, columns, objective=Objective(), constraints=Constraints(converters=5))
    assert len(found.rules) == 500
    for rule in [*found.rules[:20], *found.front]:
        met = holds(made.cube, rule.literals) & fit
        assert (rule.qualified, rule.converted) == (met.sum(), (met & made.y).sum())
        assert rule.rate == rule.converted / rule.qualified


def test_rules_found_on_a_sample_are_counted_on_all_snapshots(monkeypatch):
    made = world(20_000, 2)
    fit = np.ones(20_000, dtype=bool)
    columns = literals(made.cube, made.y, fit)
    monkeypatch.setattr(search_module, "pack", partial(pack, most_controls=8_000))
    found = search(made.cube, made.y, fit, columns, objective=Objective(), constraints=Constraints.of(800))
    assert found.bits.controls == 8_000
    assert found.snapshots == 20_000
    assert found.best is not None
    assert {literal.name for literal in found.best.literals} == made.events
    for rule in found.rules[:10]:
        met = holds(made.cube, rule.literals)
        assert (rule.qualified, rule.converted) == (met.sum(), (met & made.y).sum())
    assert [rule.score for rule in found.rules] == sorted((rule.score for rule in found.rules), reverse=True)


def test_the_seed_and_the_order_of_snapshots_change_nothing():
    made = world(2_000, 7)
    fit = np.arange(2_000) < 1_500
    columns = literals(made.cube, made.y, fit)
    kept = Constraints(converters=10)
    first = search(made.cube, made.y, fit, columns, objective=Objective(), constraints=kept, seed=1)
    again = search(made.cube, made.y, fit, columns, objective=Objective(), constraints=kept, seed=2)
    assert first.rules == again.rules
    assert first.front == again.front
    assert first.counted == again.counted


def test_stopped_at_the_rules_it_may_judge_it_says_so_and_gives_the_best_so_far():
    made = world(4_000, 1, kind="none")
    fit = np.ones(4_000, dtype=bool)
    columns = literals(made.cube, made.y, fit)
    constraints = Constraints(converters=5, relative_risk=1.0)
    found = search(made.cube, made.y, fit, columns, objective=Objective(), constraints=constraints, max_rules=0)
    assert not found.complete
    assert found.best is not None


def test_pairs_that_would_be_too_much_work_are_those_of_the_least_plain_literals():
    made = world(2_000, 1)
    fit = np.ones(2_000, dtype=bool)
    columns = literals(made.cube, made.y, fit)
    asked: dict[str, Any] = {"objective": Objective(), "constraints": Constraints(converters=5)}
    bits = pack(made.cube, columns, made.y, fit)
    all_, some = (
        searched(bits, columns, Goal(max_criteria=2, **asked), Effort(keep=10_000, rules=rules))
        for rules in (np.inf, 200_000.0 / 15)
    )
    assert (all_.complete, all_.left_out) == (True, 0)
    assert not some.complete
    assert 0 < some.left_out < len(columns)
    assert some.best_of_size[1] == all_.best_of_size[1]  # alone they are all counted
    paired = {literal.plainness for rule in some.rules if len(rule.literals) == 2 for literal in rule.literals}
    missed = {literal.plainness for rule in all_.rules if len(rule.literals) == 2 for literal in rule.literals} - paired
    assert max(paired) < max(missed)
    alone = search(made.cube, made.y, fit, columns, max_criteria=1, max_rules=1, **asked)
    assert alone.complete


def test_more_literals_than_can_be_tabled_are_left_out(monkeypatch):
    made = world(2_000, 1)
    fit = np.ones(2_000, dtype=bool)
    columns = literals(made.cube, made.y, fit)
    monkeypatch.setattr("pqlkit.proposal.search._MOST_LITERALS", 50)
    found = search(made.cube, made.y, fit, columns, objective=Objective(), constraints=Constraints(converters=5))
    assert (len(found.literals), found.left_out) == (50, len(columns) - 50)
    assert not found.complete


@pytest.mark.parametrize("converted", [True, False])
def test_with_one_outcome_nothing_is_found(converted):
    made = world(300, 1)
    fit = np.ones(300, dtype=bool)
    columns = literals(made.cube, made.y, fit, floors=LOOSE)[:40]
    y = np.full(300, converted)
    found = search(made.cube, y, fit, columns, objective=Objective(), constraints=Constraints(converters=0))
    assert found.rules == ()
    assert found.best is None


def test_without_literals_nothing_is_found():
    made = world(300, 1)
    found = search(
        made.cube, made.y, np.ones(300, dtype=bool), (), objective=Objective(), constraints=Constraints(converters=0)
    )
    assert (found.rules, found.front, found.considered, found.complete) == ((), (), 0, True)


def test_the_front_is_not_beaten_by_any_rule():
    made = world(3_000, 9)
    fit = np.ones(3_000, dtype=bool)
    columns = literals(made.cube, made.y, fit)
    found = search(made.cube, made.y, fit, columns, objective=Objective(), constraints=Constraints(converters=5))
    for rule in found.rules:
        assert any(other.rate >= rule.rate and other.converted >= rule.converted for other in found.front)
    rates = [rule.rate for rule in found.front]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("size", [0, 4])
def test_other_sizes_are_refused(size):
    made = world(300, 1)
    fit = np.ones(300, dtype=bool)
    with pytest.raises(UsageError, match=f"a rule of {size} criteria"):
        search(made.cube, made.y, fit, (), objective=Objective(), constraints=Constraints(), max_criteria=size)


def test_fewer_criteria_win_a_tie():
    always = np.arange(400) % 10 < 8
    columns = {
        behaviour("a", 14): np.where(np.arange(400) % 20 == 0, 3, 0),
        behaviour("b", 14): np.where(always, 1, 0),
    }
    cube, y = cube_of(columns), np.arange(400) % 20 == 0
    fit = np.ones(400, dtype=bool)
    found = search(
        cube, y, fit, literals(cube, y, fit, floors=LOOSE), objective=Objective(), constraints=Constraints(converters=1)
    )
    assert found.best is not None
    assert [(literal.name, literal.threshold) for literal in found.best.literals] == [("a", 1)]
    assert found.best_of_size[2].score == found.best.score


def test_a_rule_is_a_plain_value():
    made = world(300, 1)
    fit = np.ones(300, dtype=bool)
    first, *_ = literals(made.cube, made.y, fit, floors=LOOSE)
    assert replace(first) == first
    assert len({first, replace(first)}) == 1
