"""The card adds up to 100 and ranks as the truth does."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from pqlkit.proposal.points import _Cells, _climbed, _Sample, _whole, points_card
from tests.proposal.found import parts, searched, total


def test_an_additive_world_is_ranked_as_well_as_by_the_truth():
    made, found = searched(20_000, 1, "additive")
    _, later = parts(made)
    card = points_card(found)
    assert card is not None
    assert sum(card.points) == 100
    assert len(card.literals) == len({literal.group for literal in card.literals}) <= 6
    assert list(card.points) == sorted(card.points, reverse=True)
    sums = total(made.cube, card)
    truth = roc_auc_score(made.y[later], made.chance[later])
    assert roc_auc_score(made.y[later], sums[later]) >= 0.98 * truth


def test_a_world_of_rules_has_its_events_on_the_card():
    made, found = searched(20_000, 2)
    card = points_card(found)
    assert card is not None
    assert made.events <= {literal.name for literal in card.literals}


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=6))
def test_points_are_whole_positive_and_add_up(slopes):
    points = _whole(np.array(slopes))
    assert sum(points) == 100
    assert min(points) >= 1
    order = np.argsort(slopes, kind="stable")
    assert (np.diff(np.array(points)[order]) >= -5).all()


def test_the_model_of_the_cells_is_logistic_regression():
    random = np.random.default_rng(1)
    x = random.random((3_000, 3)) < 0.4
    y = random.random(3_000) < 1 / (1 + np.exp(2 - x @ np.array([1.0, 0.5, 0.0])))
    code = x @ np.array([1, 2, 4])
    hits = np.bincount(code, weights=y, minlength=8).astype(float)
    counts = np.bincount(code, minlength=8).astype(float)
    design = np.column_stack([np.ones(8), (np.arange(8)[:, None] >> np.arange(3)) & 1]).astype(float)
    beta = _climbed(_Cells(code=code, hits=hits, counts=counts, design=design))
    witness = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1_000).fit(x, y).coef_[0]
    assert beta[1:] == pytest.approx(witness, abs=1e-3)


def test_nothing_to_go_by_is_no_card():
    _, found = searched(20_000, 2)
    assert points_card(replace(found, literals=())) is None
    assert points_card(replace(found, converters=0)) is None


def sample(y, met, weight):
    literals = [SimpleNamespace(group=("event", f"e{row}")) for row in range(len(met))]
    return _Sample(literals, range(len(met)), met, y, weight)  # type: ignore[arg-type]


def test_the_score_test_is_raos():
    random = np.random.default_rng(3)
    met = random.random((6, 2_000)) < 0.3
    met[2] |= met[0] & (random.random(2_000) < 0.5)
    y = random.random(2_000) < 1 / (1 + np.exp(2 - met[0] - 0.7 * met[2]))
    found = sample(y, met, np.ones(2_000))._score_tests(met.astype(np.float32), [0, 1])
    model = sm.GLM(y.astype(float), sm.add_constant(met[[0, 1]].T.astype(float)), family=sm.families.Binomial()).fit()
    for row in range(2, 6):
        witness = model.score_test(exog_extra=met[row][:, None].astype(float))[0]
        assert found[row] ** 2 == pytest.approx(witness, rel=1e-3)


def test_snapshots_that_stand_for_others_make_the_score_test_no_bolder():
    random = np.random.default_rng(4)
    weight = np.where(np.arange(4_000) < 2_000, 1.0, 12.0)
    met = random.random((800, 4_000)) < 0.3  # none of them goes with anything
    met[0] = random.random(4_000) < np.where(weight == 1.0, 0.5, 0.2)
    tests = sample(weight == 1.0, met, weight)._score_tests(met.astype(np.float32), [0])[1:]
    # With the information for the variance, as if all snapshots were there, they spread by 1.5.
    assert np.std(tests) == pytest.approx(1.0, abs=0.08)
