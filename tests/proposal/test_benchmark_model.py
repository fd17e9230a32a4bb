"""The benchmark model reads a model where it was not fitted, at the rule's own share."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from pqlkit.proposal.benchmark_model import BenchmarkModel, benchmark_model_begun
from pqlkit.proposal.rule import holds
from tests.proposal.found import parts, searched
from tests.proposal.worlds import world


def benchmark_model(*snapshots, **options) -> BenchmarkModel:
    with benchmark_model_begun(*snapshots, **options) as finished:
        return finished()


def of(scores, y) -> BenchmarkModel:
    y = np.array(y, dtype=bool)
    return BenchmarkModel(
        model="",
        auc=None,
        average_precision=None,
        f1=None,
        snapshots=len(y),
        converters=int(y.sum()),
        read=np.ones(len(y), dtype=bool),
        scores=np.array(scores, dtype=float),
        y=y,
    )


def test_the_rate_at_a_share_takes_the_highest_and_shares_ties():
    model = of([4, 3, 2, 2, 1, 0, 0, 0, 0, 0], [1, 0, 1, 0, 1, 0, 0, 0, 0, 0])
    assert model.rate_at(0.1) == 1.0
    assert model.rate_at(0.2) == 0.5
    assert model.rate_at(0.3) == pytest.approx((1 + 0.5) / 3)
    assert model.rate_at(1.0) == pytest.approx(0.3)
    assert model.rate_at(0.0) is None


def test_what_the_rule_captures():
    model = of([4, 3, 2, 1, 0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    half = np.array([1, 0, 1, 0, 0, 0, 0, 0, 0, 0], dtype=bool)
    assert model.captured(half) == pytest.approx((0.5 - 0.2) / (1.0 - 0.2))
    assert model.captured(np.zeros(10, dtype=bool)) is None
    assert of([0] * 10, [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]).captured(half) is None


def test_a_world_of_rules_is_captured_by_its_rule():
    made, found = searched(20_000, 2)
    fit, later = parts(made)
    model = benchmark_model(made.cube, made.y, fit, later)
    assert found.best is not None
    captured = model.captured(holds(made.cube, found.best.literals))
    assert captured is not None
    assert captured > 0.8
    assert model.auc == pytest.approx(roc_auc_score(made.y[later], model.scores))
    assert model.average_precision == pytest.approx(average_precision_score(made.y[later], model.scores))
    assert (model.snapshots, model.converters) == (later.sum(), made.y[later].sum())
    assert model.f1 is not None
    assert 0.1 < model.f1 < 0.5


def test_nobody_is_fitted_and_read():
    made = world(3_000, 1, base_rate=0.1)
    entities = np.arange(3_000) % 700
    fit, later = parts(made)
    model = benchmark_model(made.cube, made.y, fit, later, entities=entities)
    assert not model.read[fit].any()
    read = set(entities[model.read].tolist())
    assert 0.2 < len(read) / 700 < 0.4
    assert (model.read == (later & np.isin(entities, list(read)))).all()


def test_columns_left_out_are_not_used():
    made = world(3_000, 1, base_rate=0.1)
    fit, later = parts(made)
    names = [behaviour.event for behaviour in made.cube.behaviours]
    columns = np.flatnonzero([name == "common" for name in names])
    model = benchmark_model(made.cube, made.y, fit, later, columns=columns)
    assert model.auc is not None
    assert abs(model.auc - 0.5) < 0.08


def test_too_little_is_no_benchmark_model():
    made = world(3_000, 1)
    fit, later = parts(made)
    nobody = np.zeros(3_000, dtype=bool)
    none = np.array([], dtype=np.intp)
    for model in (
        benchmark_model(made.cube, nobody, fit, later),
        benchmark_model(made.cube, made.y, fit, nobody),
        benchmark_model(made.cube, made.y, fit, later, columns=none),
    ):
        assert (model.auc, model.average_precision, model.f1) == (None, None, None)
        assert model.captured(later) is None
        assert len(model.scores) == model.read.sum() == model.snapshots


def test_sampled_snapshots_change_little():
    made = world(8_000, 2, base_rate=0.1)
    fit, later = parts(made)
    full = benchmark_model(made.cube, made.y, fit, later)
    assert full.auc is not None
    for most in (3_000, 400):
        some = benchmark_model(made.cube, made.y, fit, later, most=most)
        assert some.auc == pytest.approx(full.auc, abs=0.04)
        assert some.f1 == pytest.approx(full.f1, abs=0.06)
