"""The objectives are monotone, agree with witnesses, and the constraints mean what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.errors import UsageError
from pqlkit.proposal.objective import Constraints, Objective, ObjectiveKind, parse_objective

ALL = [parse_objective(text, base_rate=0.1) for text in ("kappa", "f1", "f0.5", "f2", "youden", "nb:2x", "nb:0.5x")] + [
    parse_objective(base_rate=0.1, capacity=True)
]


def table(tp: int, fp: int, converters: int, snapshots: int) -> tuple[np.ndarray, np.ndarray]:
    y = np.arange(snapshots) < converters
    met = np.zeros(snapshots, dtype=bool)
    met[:tp] = True
    met[converters : converters + fp] = True
    return y, met


def score(objective: Objective, tp: float, fp: float, converters: int, snapshots: int) -> float:
    return float(objective.score(np.array([tp]), np.array([fp]), converters=converters, snapshots=snapshots)[0])


@pytest.mark.parametrize(("tp", "fp", "converters", "snapshots"), [(20, 30, 40, 500), (1, 0, 1, 9), (5, 45, 50, 100)])
def test_scores_agree_with_scikit_learn(tp, fp, converters, snapshots):
    from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, fbeta_score

    y, met = table(tp, fp, converters, snapshots)
    expected = {
        "kappa": cohen_kappa_score(y, met),
        "f1": fbeta_score(y, met, beta=1),
        "f0.5": fbeta_score(y, met, beta=0.5),
        "f2": fbeta_score(y, met, beta=2),
        "youden": 2 * balanced_accuracy_score(y, met) - 1,
    }
    for text, value in expected.items():
        assert score(Objective(kind=ObjectiveKind(text)), tp, fp, converters, snapshots) == pytest.approx(
            value, abs=1e-12
        )


def test_net_benefit_weighs_misses_by_the_odds_of_breaking_even():
    # Vickers, van Calster & Steyerberg 2019: (TP - FP x p / (1 - p)) / n.
    objective = parse_objective(base_rate=0.1, value=100, cost=20)
    assert objective.threshold == 0.2
    assert score(objective, 30, 40, 50, 1000) == pytest.approx((30 - 40 * 0.25) / 1000)


@given(
    objective=st.sampled_from(ALL),
    converters=st.integers(1, 60),
    others=st.integers(1, 200),
    data=st.data(),
)
def test_more_hits_never_lower_a_score_and_more_misses_never_raise_it(objective, converters, others, data):
    tp = data.draw(st.integers(0, converters - 1))
    fp = data.draw(st.integers(0, others - 1))
    snapshots = converters + others
    here = score(objective, tp, fp, converters, snapshots)
    assert score(objective, tp + 1, fp, converters, snapshots) >= here - 1e-12
    assert score(objective, tp, fp + 1, converters, snapshots) <= here + 1e-12


@given(converters=st.integers(1, 60), others=st.integers(1, 200), risk=st.sampled_from([1.0, 1.5, 3]), data=st.data())
def test_a_bound_that_fails_rules_out_every_rule_below_it(converters, others, risk, data):
    tp, fp = data.draw(st.integers(0, converters)), data.draw(st.integers(0, others))
    fewer, more = data.draw(st.integers(0, tp)), data.draw(st.integers(fp, others))
    kept = Constraints(
        relative_risk=risk,
        converters=data.draw(st.integers(0, 5)),
        min_rate=data.draw(st.sampled_from([None, 0.3])),
        min_recall=data.draw(st.sampled_from([None, 0.5])),
    )
    totals = {"converters": float(converters), "snapshots": float(converters + others)}
    real = kept.keep(np.array([float(fewer)]), np.array([float(more)]), **totals)[0]
    bound = kept.keep(np.array([float(tp)]), np.array([float(fp)]), **totals)[0]
    assert bound or not real or tp + fp == 0 or tp + fp == converters + others


def test_capacity_prefers_conversions_then_fewer_leads():
    objective = parse_objective(base_rate=0.1, capacity=True)
    assert score(objective, 10, 90, 50, 1000) > score(objective, 9, 0, 50, 1000)
    assert score(objective, 10, 80, 50, 1000) > score(objective, 10, 81, 50, 1000)


def kept(constraints: Constraints, tp: int, fp: int, converters: int = 40, snapshots: int = 1000) -> bool:
    return bool(
        constraints.keep(np.array([float(tp)]), np.array([float(fp)]), converters=converters, snapshots=snapshots)[0]
    )


@pytest.mark.parametrize(
    ("bound", "inside", "outside"),
    [
        ({"min_share": 0.1}, (20, 80), (20, 79)),
        ({"max_share": 0.1}, (20, 80), (20, 81)),
        ({"min_recall": 0.5}, (20, 30), (19, 30)),
        ({"min_rate": 0.2}, (20, 80), (20, 81)),
        ({"converters": 12}, (12, 5), (11, 5)),
        ({"relative_risk": 1.5, "converters": 0}, (6, 94), (5, 95)),
    ],
)
def test_each_bound_holds_at_its_edge(bound, inside, outside):
    constraints = Constraints(**{"relative_risk": 0.0, "converters": 0} | bound)
    assert kept(constraints, *inside)
    assert not kept(constraints, *outside)


def test_everybody_and_nobody_is_no_rule():
    loose = Constraints(relative_risk=0.0, converters=0)
    assert not kept(loose, 40, 960)
    assert not kept(loose, 0, 0)


def test_at_high_base_rates_sparing_non_converters_counts():
    # 80 and 75 % with, 70 % without: neither is 1.5 times as often, but of those with the first a third fewer do not convert.
    constraints = Constraints(converters=0)
    assert kept(constraints, 160, 40, converters=160 + 560, snapshots=200 + 800)
    assert not kept(constraints, 150, 50, converters=150 + 560, snapshots=200 + 800)


@pytest.mark.parametrize(
    ("text", "message"),
    [("kapa", "'kapa' is no objective.*\n.*kappa"), ("nb:2", "no objective"), ("nb:30x", "break-even rate of 3")],
)
def test_unreadable_objectives(text, message):
    with pytest.raises(UsageError) as caught:
        parse_objective(text, base_rate=0.1)
    assert caught.match(message)


@pytest.mark.parametrize(("value", "cost"), [(10, None), (None, 3), (3, 10), (float("nan"), 1), (10, 0)])
def test_value_and_cost_must_make_sense(value, cost):
    with pytest.raises(UsageError):
        parse_objective(base_rate=0.1, value=value, cost=cost)
