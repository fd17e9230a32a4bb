"""Every formula against another program, exact fractions or a printed table: `witnesses.jsonl` and `published.jsonl`."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pqlkit.statistics import (
    adjusted,
    agreement,
    change,
    comparison,
    design_effect,
    evalue,
    exact,
    multiplicity,
    power,
    ranks,
    rate,
    survival,
)
from tests.statistics.life_tables import from_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from pqlkit.statistics.survival import Curve

HERE = Path(__file__).parent


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (HERE / name).read_text().splitlines()]


def three(formula: Callable[..., Any]) -> Callable[..., Any]:
    """Value, low and high of a formula that also says whether it was corrected."""
    return lambda *cells: formula(*cells)[:3]


def curve(time: list[float], event: list[int]) -> Curve:
    return survival.kaplan_meier(from_rows(time, event))


def error_at(time: list[float], event: list[int], moments: list[float]) -> Any:
    found = curve(time, event)
    return found.error[np.searchsorted(found.times, moments)]


def log_rank(time: list[float], event: list[int], group: list[int]) -> Any:
    t, e, g = np.array(time), np.array(event), np.array(group)
    found = survival.log_rank([from_rows(t[g == label], e[g == label]) for label in sorted(set(group))])
    return [found.statistic, found.p_value]


def logistic(x: Any, y: Any) -> Any:
    fit = adjusted.fit_logistic(x, y)
    assert fit.coefficients is not None
    return [fit.intercept, *fit.coefficients]


def logistic_error(x: Any, y: Any, clusters: Any = None) -> Any:
    fit = adjusted.fit_logistic(x, y, clusters=None if clusters is None else np.array(clusters))
    assert fit.covariance is not None
    return np.sqrt(np.diag(fit.covariance))


def model_error(x: Any, y: Any) -> Any:
    covariance = adjusted.fit_logistic(x, y).model_covariance
    assert covariance is not None
    return np.sqrt(np.diag(covariance))


def ridge(x: Any, y: Any) -> Any:
    fit = adjusted.ridge_logistic(x, y)
    assert fit is not None
    return fit.coefficients


def conditional(*cells: int) -> Any:
    found = exact.odds_ratio(*cells)
    return [found.value, found.low, found.high]


def arms(control: float, treated: float) -> Any:
    needed = power.sample_size(control, treated)
    return [needed.control, needed.treated]


FORMULAS: dict[str, Callable[..., Any]] = {
    "wilson": rate.wilson,
    "risk_difference": comparison.risk_difference,
    "odds_ratio": three(comparison.odds_ratio),
    "relative_risk": comparison.relative_risk,
    "relative_risk_low": lambda *cells: comparison.relative_risk(*cells)[1],
    "relative_risk_high": lambda *cells: comparison.relative_risk(*cells)[2],
    "phi": comparison.phi,
    "p_value": comparison.p_value,
    "fisher": exact.fisher,
    "fisher_greater": exact.fisher_greater,
    "mid_p": comparison.mid_p,
    "exact_odds_ratio": conditional,
    "auc": ranks.auc,
    "auc_error": ranks.auc_error,
    "average_precision": ranks.average_precision,
    "spearman": ranks.spearman,
    "stability_index": lambda then, now: change.stability_index(then, now).value,
    "benjamini_hochberg": multiplicity.benjamini_hochberg,
    "holm": multiplicity.holm,
    "miller_siegmund": multiplicity.miller_siegmund,
    "kaplan_meier": lambda time, event, moments: curve(time, event).at(moments)[0],
    "kaplan_meier_error": error_at,
    "median": lambda time, event: curve(time, event).quantile(0.5).value,
    "log_rank": log_rank,
    "logistic": logistic,
    "logistic_error": logistic_error,
    "logistic_cluster_error": logistic_error,
    "logistic_model_error": model_error,
    "ridge": ridge,
    "design_effect": lambda y, clusters: design_effect.design_effect(y, np.array(clusters)),
    "sample_size": arms,
    "e_value": evalue.e_value,
    "e_value_limit": evalue.e_value_limit,
    "kappa": agreement.kappa,
}
CASES = [*read("published.jsonl"), *read("witnesses.jsonl")]


@pytest.mark.parametrize("case", CASES, ids=[f"{case['formula']}-{number}" for number, case in enumerate(CASES)])
def test_formula_agrees_with_its_witness(case: dict[str, Any]) -> None:
    found = np.asarray(FORMULAS[case["formula"]](*case["given"]), dtype=float).ravel()
    expected = np.array([np.nan if value is None else value for value in case["expected"]])
    scale = case["tolerance"] if case in CASES[:PUBLISHED] else case["tolerance"] * np.maximum(1e-3, np.abs(expected))
    assert found.shape == expected.shape
    np.testing.assert_array_less(np.abs(found - expected), scale + 1e-15, err_msg=case["source"])


PUBLISHED = len(read("published.jsonl"))


def test_every_formula_has_a_witness() -> None:
    assert {case["formula"] for case in CASES} == set(FORMULAS)


@pytest.mark.filterwarnings("ignore")
def test_the_table_is_what_the_script_makes() -> None:
    spec = importlib.util.spec_from_file_location("make_witnesses", HERE / "make_witnesses.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    made, kept = script.make(), read("witnesses.jsonl")
    assert [(row["formula"], row["source"]) for row in made] == [(row["formula"], row["source"]) for row in kept]
    for new, old in zip(made, kept, strict=True):
        assert new["given"] == old["given"]
        np.testing.assert_allclose(
            np.array(new["expected"], dtype=float), np.array(old["expected"], dtype=float), rtol=1e-6, atol=1e-12
        )
