"""Make `witnesses.jsonl`: inputs, and what other programs or exact fractions give for them.

Run `python tests/reference/make_witnesses.py` after adding a case. Nothing of pqlkit is used here. `published.jsonl`
beside it is typed from papers and not made by a program.
"""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
TABLES = [
    (30, 70, 70, 830),
    (56, 14, 48, 32),
    (3, 1, 1, 3),
    (5, 0, 3, 20),
    (0, 12, 9, 300),
    (7, 3, 0, 40),
    (22, 74, 0, 899),
    (1, 1, 1, 1),
    (12, 5, 29, 2),
    (220, 4780, 800, 94200),
    (9, 91, 100, 9800),
    (5000, 45000, 35000, 915000),
]
PROPORTIONS = [(0, 1), (1, 1), (0, 20), (1, 29), (15, 148), (81, 263), (10, 10), (350, 1_000_000), (2, 10)]
LEVELS = {
    "ties": ([0, 1, 2, 5, 10], [20, 10, 8, 7, 5], [400, 100, 30, 15, 5]),
    "two levels": ([0, 1], [3, 9], [70, 11]),
    "perfect": ([0, 3], [0, 4], [6, 0]),
    "no ties": ([1, 2, 3, 4, 5, 6], [0, 1, 0, 1, 1, 0], [1, 0, 1, 0, 0, 1]),
}
FREIREICH = {
    "treated": ([6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35], [1] * 9 + [0] * 12),
    "placebo": ([1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23], [1] * 21),
}


def row(formula: str, given: list[Any], expected: Any, source: str, tolerance: float = 1e-9) -> dict[str, Any]:
    values = np.asarray(expected, dtype=float).ravel().tolist()
    finite = [None if math.isnan(value) else value for value in values]
    return {"formula": formula, "given": given, "expected": finite, "source": source, "tolerance": tolerance}


def proportions() -> list[dict[str, Any]]:
    from statsmodels.stats.proportion import proportion_confint

    rows = []
    for x, n in PROPORTIONS:
        rows.append(row("wilson", [x, n], proportion_confint(x, n, method="wilson"), "statsmodels wilson"))
    return rows


def two_by_two() -> list[dict[str, Any]]:
    from scipy import stats
    from statsmodels.stats.contingency_tables import Table2x2
    from statsmodels.stats.proportion import confint_proportions_2indep

    rows = []
    for a, b, c, d in TABLES:
        n1, n0 = a + b, c + d
        cells = [a, b, c, d]
        ends = confint_proportions_2indep(a, n1, c, n0, method="newcomb")
        rows.append(row("risk_difference", cells, [a / n1 - c / n0, *ends], "statsmodels newcomb"))
        half = 0.5 if min(cells) == 0 else 0.0
        table = Table2x2(np.array([[a + half, b + half], [c + half, d + half]]), shift_zeros=False)
        rows.append(row("odds_ratio", cells, [table.oddsratio, *table.oddsratio_confint()], "statsmodels Table2x2"))
        if a and c:
            table = Table2x2(np.array([[a, b], [c, d]]), shift_zeros=False)
            ratio = [table.riskratio, *table.riskratio_confint()]
            rows.append(row("relative_risk", cells, ratio, "statsmodels Table2x2"))
        else:
            ends = confint_proportions_2indep(a, n1, c, n0, compare="ratio", method="score", correction=False)
            end, name = (ends[1], "relative_risk_high") if a == 0 else (ends[0], "relative_risk_low")
            rows.append(row(name, cells, end, "statsmodels score (Koopman)"))
        did, converted = np.repeat([1, 1, 0, 0], cells), np.repeat([1, 0, 1, 0], cells)
        rows.append(row("phi", cells, np.corrcoef(did, converted)[0, 1], "numpy corrcoef of the rows"))
        expected = stats.contingency.expected_freq([[a, b], [c, d]]).min()
        if expected < 5:
            rows.append(row("p_value", cells, stats.fisher_exact([[a, b], [c, d]]).pvalue, "scipy fisher_exact"))
        else:
            p = stats.chi2_contingency([[a, b], [c, d]], correction=False).pvalue
            rows.append(row("p_value", cells, p, "scipy chi2_contingency"))
        if min(n1, n0, a + c, b + d) < 2000:
            rows += exactly(a, b, c, d)
    return rows


def exactly(a: int, b: int, c: int, d: int) -> list[dict[str, Any]]:
    """Tests by exact fractions, and the conditional odds ratio by SciPy's root finder."""
    from scipy import stats

    n1, m1, total = a + b, a + c, a + b + c + d
    weights = {x: math.comb(n1, x) * math.comb(total - n1, m1 - x) for x in range(max(0, m1 - c - d), min(n1, m1) + 1)}
    whole = sum(weights.values())
    fisher = Fraction(sum(w for w in weights.values() if w <= weights[a]), whole)
    greater = Fraction(sum(w for x, w in weights.items() if x >= a), whole)
    mid_p = Fraction(2 * sum(w for x, w in weights.items() if x > a) + weights[a], 2 * whole)
    cells = [a, b, c, d]
    rows = [
        row("fisher", cells, float(fisher), "exact fractions"),
        row("fisher_greater", cells, float(greater), "exact fractions"),
        row("mid_p", cells, float(mid_p), "exact fractions"),
    ]
    if min(cells) > 0:
        found = stats.contingency.odds_ratio([[a, b], [c, d]], kind="conditional")
        ends = found.confidence_interval(0.95)
        expected = [found.statistic, ends.low, ends.high]
        rows.append(row("exact_odds_ratio", cells, expected, "scipy odds_ratio conditional", 1e-6))
    return rows


def rankings() -> list[dict[str, Any]]:
    from scipy import stats
    from sklearn.metrics import average_precision_score, roc_auc_score

    rows = []
    for levels, positive, negative in LEVELS.values():
        x1, x0 = np.repeat(levels, positive).astype(float), np.repeat(levels, negative).astype(float)
        x, y = np.r_[x1, x0], np.r_[np.ones(len(x1)), np.zeros(len(x0))]
        counts = [positive, negative]
        rows.append(row("auc", counts, roc_auc_score(y, x), "sklearn roc_auc_score"))
        precision = average_precision_score(y, x)
        rows.append(row("average_precision", counts, precision, "sklearn average_precision_score"))
        above = (x1[:, None] > x0[None, :]) + (x1[:, None] == x0[None, :]) / 2
        delong = above.mean(axis=1).var(ddof=1) / len(x1) + above.mean(axis=0).var(ddof=1) / len(x0)
        rows.append(row("auc_error", counts, math.sqrt(delong), "variance of placements over all pairs"))
        rows.append(row("spearman", counts, stats.spearmanr(x, y).statistic, "scipy spearmanr"))
        occupied = sum(p + n > 0 for p, n in zip(positive, negative, strict=True))
        p1 = [(p + 0.5) / (sum(positive) + 0.5 * occupied) for p in positive]
        p0 = [(n + 0.5) / (sum(negative) + 0.5 * occupied) for n in negative]
        value = math.fsum((p - n) * math.log(p / n) for p, n in zip(p1, p0, strict=True))
        rows.append(row("stability_index", [negative, positive], value, "summed by hand"))
    return rows


def multiplicity() -> list[dict[str, Any]]:
    from scipy import stats
    from statsmodels.stats.multitest import multipletests

    rows = []
    for p in ([0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205], [0.04, 0.04, 0.9, 1.0, 0.0], [0.3]):
        rows.append(row("benjamini_hochberg", [p], stats.false_discovery_control(p), "scipy false_discovery_control"))
        rows.append(row("holm", [p], multipletests(p, method="holm")[1], "statsmodels multipletests holm"))
    return rows


def curves() -> list[dict[str, Any]]:
    from statsmodels.duration.survfunc import SurvfuncRight, survdiff

    rows = []
    for time, event in FREIREICH.values():
        found = SurvfuncRight(np.array(time), np.array(event))
        given = [time, event, found.surv_times.tolist()]
        rows.append(row("kaplan_meier", given, 1 - found.surv_prob, "statsmodels SurvfuncRight"))
        rows.append(row("kaplan_meier_error", given, found.surv_prob_se, "statsmodels SurvfuncRight"))
        rows.append(row("median", [time, event], found.quantile(0.5), "statsmodels SurvfuncRight"))
    time = FREIREICH["treated"][0] + FREIREICH["placebo"][0]
    event = FREIREICH["treated"][1] + FREIREICH["placebo"][1]
    group = [0] * 21 + [1] * 21
    rows.append(row("log_rank", [time, event, group], survdiff(time, event, group), "statsmodels survdiff"))
    third = [place % 3 for place in range(42)]
    rows.append(row("log_rank", [time, event, third], survdiff(time, event, third), "statsmodels survdiff"))
    return rows


def regression() -> list[dict[str, Any]]:
    import statsmodels.api as sm
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(20260101)
    n = 240
    x = np.column_stack([generator.integers(0, 2, n), generator.poisson(3, n), generator.poisson(3, n)]).astype(float)
    x[:, 2] += x[:, 1]
    groups = generator.integers(0, 60, n)
    y = (generator.random(n) < 1 / (1 + np.exp(1.5 - 0.8 * x[:, 0] - 0.2 * x[:, 1]))).astype(float)
    design = sm.add_constant(x)
    given = [x.tolist(), y.tolist()]
    model = sm.Logit(y, design)
    plain = model.fit(disp=0, tol=1e-14)
    rows = [
        row("logistic", given, plain.params, "statsmodels Logit", 1e-7),
        row("logistic_model_error", given, plain.bse[1:], "statsmodels Logit", 1e-7),
    ]
    robust = model.fit(disp=0, tol=1e-14, cov_type="HC0").bse[1:] * math.sqrt(n / (n - 1))
    rows.append(row("logistic_error", given, robust, "statsmodels Logit HC0 x n/(n-1)", 1e-7))
    count = len(set(groups.tolist()))
    options = {"groups": groups, "use_correction": False}
    clustered = model.fit(disp=0, tol=1e-14, cov_type="cluster", cov_kwds=options).bse[1:]
    clustered = clustered * math.sqrt(count / (count - 1))
    rows.append(
        row("logistic_cluster_error", [*given, groups.tolist()], clustered, "statsmodels Logit cluster x G/(G-1)", 1e-7)
    )
    standard = (x - x.mean(axis=0)) / x.std(axis=0)
    ridge = LogisticRegression(C=0.1, tol=1e-12, max_iter=10_000).fit(standard, y)
    rows.append(row("ridge", given, ridge.coef_[0], "sklearn LogisticRegression C=0.1", 1e-5))
    mean = sm.OLS(y, np.ones(n)).fit(cov_type="cluster", cov_kwds=options)
    ratio = mean.bse[0] ** 2 * count / (count - 1) / (y.mean() * (1 - y.mean()) / n)
    source = "statsmodels OLS of the mean, clustered"
    rows.append(row("design_effect", [y.tolist(), groups.tolist()], max(1.0, ratio), source))
    return rows


def make() -> list[dict[str, Any]]:
    return [*proportions(), *two_by_two(), *rankings(), *multiplicity(), *curves(), *regression()]


if __name__ == "__main__":
    text = "".join(json.dumps(entry) + "\n" for entry in make())
    (HERE / "witnesses.jsonl").write_text(text)
