"""What every module of the package keeps: few imports, typed numbers, a reference for each formula."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import sys
from pathlib import Path
from types import FunctionType

import pytest

import pqlkit.statistics as package

NAMES = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
PLAIN = {
    "arrays",  # no formulas
    "estimate",
    "histogram.Histogram.of",  # counting
    "histogram.Histogram.at_least",
    "rate.Rate.to_json",
    "adjusted.RidgeFit.log_odds",
    "adjusted.alike",
    "design_effect.ClusterSums.of",
    "stratified.matched",
    "survival.LifeTable.of",
    "survival.LifeTable.at_risk",
    "survival.LifeTable.thinned",
    "survival.LifeTable.entities",
    "survival.Curve.at",
    "survival.Curve.converted_by",
    "power.Arms.total",
    "newton.whitening",
    "newton.chances",
    "newton.log_likelihood",
    "drift.Period.promise",
    "drift.Drift.drifted",
    "drift.Drift.verdict_p_value",
    "stratified.Excess.rate",
    "stratified.Excess.others_rate",
    "stratified.expected_rates",
}
"""Public names that build or read a record and compute nothing that a paper stands behind."""


def public() -> list[tuple[str, str]]:
    """Every public function, method and property with its docstring, but those of `Contingency`, which point on."""
    found: list[tuple[str, str]] = []
    for name in NAMES:
        module = importlib.import_module(f"{package.__name__}.{name}")
        for key, value in vars(module).items():
            if key.startswith("_") or getattr(value, "__module__", None) != module.__name__:
                continue
            if isinstance(value, FunctionType):
                found.append((f"{name}.{key}", inspect.getdoc(value) or ""))
            elif inspect.isclass(value) and key != "Contingency":
                found += [(f"{name}.{key}.{one}", text) for one, text in members(value)]
    return [(name, text) for name, text in found if name not in PLAIN and name.split(".")[0] not in PLAIN]


def members(kind: type) -> list[tuple[str, str]]:
    found = []
    for key, value in vars(kind).items():
        inner = getattr(value, "__func__", value)
        if not key.startswith("_") and isinstance(inner, FunctionType | property):
            found.append((key, inspect.getdoc(inner) or ""))
    return found


@pytest.mark.parametrize(("name", "text"), public(), ids=[name for name, _ in public()])
def test_a_formula_names_its_paper_and_shows_an_example(name: str, text: str) -> None:
    assert "References\n----------" in text, name
    reference = text.split("References\n----------")[1]
    assert "(" in reference, name
    assert any(str(year) in reference for year in range(1900, 2027)), name
    assert ">>>" in text, name


def test_the_single_table_points_to_the_formulas() -> None:
    from pqlkit.statistics.contingency import Contingency

    for name in ("lift", "phi", "p_value", "relative_risk", "risk_difference", "odds_ratio", "kappa"):
        assert "(see `pqlkit.statistics." in (inspect.getdoc(vars(Contingency)[name]) or "")


def imports(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return {name.split(".")[0] for name in found}


@pytest.mark.parametrize("name", NAMES)
def test_numbers_in_numbers_out(name: str) -> None:
    text = (Path(package.__path__[0]) / f"{name}.py").read_text()
    tree = ast.parse(text)
    assert imports(tree) <= set(sys.stdlib_module_names) | {"numpy", "scipy", "pqlkit"}
    top = ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
    assert "scipy" not in imports(top), "SciPy is imported inside functions"
    assert (tree.body[0].value.value if isinstance(tree.body[0], ast.Expr) else "").startswith("The ")  # type: ignore[attr-defined]
