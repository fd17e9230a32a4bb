"""The JSON that other programs read: every key that was promised is there, of the promised kind."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from pqlkit.reporting.renderers import analysis, proposal, report
from tests.reporting import worlds

# As promised; a `{}` stands for any object and `[]` for any list.
ANALYSIS = """
{"schema": "pqlkit/analysis/2", "as_of": "...", "entity": "user", "snapshots": "once:14d", "exposure": "landmark", "windows": ["3d", "7d", "14d"], "conversion_window": "30d",
 "population": {"entities": 0, "invalid": 0, "ineligible": 0, "deleted": 0, "unobserved": 0, "customer_already": 0, "early": 0, "in_progress": 0, "dormant": 0, "converted": 0, "not_converted": 0,
                "converted_later": 0, "snapshots": 0, "without_events": 0, "rate": 0.0, "low": 0.0, "high": 0.0},
 "conversions": {"rows": 0, "first": 0, "repeats": 0, "filtered": 0, "unknown_entity": 0, "used": 0, "before_history": 0, "before_first_snapshot": 0, "gap": 0, "not_retained": 0,
                 "dormant": 0, "later": 0, "in_progress": 0, "ineligible": 0, "customer_already": 0, "invalid": 0, "deleted": 0},
 "behaviours": [{"event": "project_created", "where": null, "measure": "count", "window": "7d", "threshold": 3,
   "with": {"snapshots": 0, "converted": 0, "rate": 0.0, "low": 0.0, "high": 0.0},
   "without": {"snapshots": 0, "converted": 0, "rate": 0.0, "low": 0.0, "high": 0.0},
   "lift": 0.0, "relative_risk": 0.0, "relative_risk_low": 0.0, "relative_risk_high": 0.0, "risk_difference": 0.0,
   "odds_ratio": 0.0, "odds_ratio_low": 0.0, "odds_ratio_high": 0.0, "phi": 0.0, "auc": 0.0, "p_value": 0.0, "q_value": 0.0,
   "adjusted_odds_ratio": 0.0, "adjusted_low": 0.0, "adjusted_high": 0.0,
   "flags": [], "curve": [{"threshold": 1, "with": {}, "without": {}}]}],
 "leakage": [{"event": "...", "reason": "part-of-conversion", "evidence": "..."}],
 "cohorts": [{"by": "signup_month", "cohort": "2026-01", "snapshots": 0, "converted": 0, "rate": 0.0, "low": 0.0, "high": 0.0,
              "curve": [{"day": 1, "converted_share": 0.0, "low": 0.0, "high": 0.0}]}], "warnings": []}
"""
PROPOSAL = """
{"schema": "pqlkit/proposal/2", "objective": "kappa", "snapshots": "once:14d", "conversion_window": "30d",
 "split": {"fit": {"from": "...", "through": "...", "snapshots": 0, "converted": 0}, "holdout": {"from": "...", "through": "...", "snapshots": 0, "converted": 0, "read": 1}},
 "base_rate": {"fit": {}, "holdout": {}},
 "candidates": [{"name": "...", "file": "...", "definition": {}, "criteria": 2,
   "fit": {"qualified": 0, "converted": 0, "rate": 0.0, "low": 0.0, "high": 0.0, "share": 0.0, "recall": 0.0, "lift": 0.0, "relative_risk": 0.0},
   "holdout": {"qualified": 0, "converted": 0, "rate": 0.0, "low": 0.0, "high": 0.0, "share": 0.0, "recall": 0.0, "lift": 0.0, "relative_risk": 0.0},
   "qualifications": {"fit": {}, "holdout": {}}, "time_to_convert": {"median_days": 0.0, "within_a_day": 0.0}, "pqls_per_week": {"median": 0.0, "p90": 0.0},
   "stability": 0.0, "threshold_ranges": {}, "by_period": [], "adjusted_odds_ratio": 0.0, "simpler_alternative": null}],
 "pareto_front": [{"name": "...", "rate": 0.0, "recall": 0.0}], "points": {}, "search": {"complete": true, "rules": 0},
 "benchmark_model": {"model": "...", "holdout_rate_at_same_share": 0.0, "holdout_auc": 0.0}, "excluded": [{"event": "...", "reason": "..."}], "warnings": []}
"""
REPORT = """
{"schema": "pqlkit/report/2", "definition": "...", "conversion_window": "30d", "as_of": "...",
 "funnel": {"signups": 0, "pqls": 0, "customers": 0,
   "signup_to_pql": {"numerator": 0, "denominator": 0, "rate": 0.0, "low": 0.0, "high": 0.0},
   "pql_to_customer": {"view": "qualification"}, "signup_to_customer": {}, "recall": {},
   "snapshot": {"with": {}, "without": {}, "relative_risk": 0.0, "lift": 0.0}},
 "time_to_pql": {"median_days": 0.0, "p25_days": 0.0, "p75_days": 0.0}, "time_to_customer": {}, "time_to_convert": {}, "pqls_per_week": {},
 "criteria": [{"id": "...", "alone": {}, "without_it": {}}], "contacted": {}, "arms": {},
 "cohorts": [], "segments": [], "periods": [{"period": "2026-Q1", "pql_to_customer": {}, "drift": {"p_value": 1.0, "verdict": "stable"}}]}
"""


def produced(hostile: bool = False) -> dict[str, Any]:
    found = worlds.results(hostile)
    files = {one.definition.name: f"definitions/{one.definition.name}.yml" for one in found.proposal.candidates}
    return {
        "analysis": json.loads(analysis.as_json(found.analysis)),
        "proposal": json.loads(proposal.as_json(found.proposal, files)),
        "report": json.loads(report.as_json(found.report)),
        "reports": json.loads(report.several_as_json([found.report, found.other])),
    }


def missing(promised: Any, real: Any, path: str = "$") -> list[str]:
    """Name the promised keys that are not there, and values of another kind; None may stand for any number or text."""
    if isinstance(promised, dict):
        if not isinstance(real, dict):
            return [f"{path}: {type(real).__name__} is no object"]
        lost = [f"{path}.{key}" for key in promised if key not in real]
        return lost + [
            fault for key in promised if key in real for fault in missing(promised[key], real[key], f"{path}.{key}")
        ]
    if isinstance(promised, list):
        if not isinstance(real, list):
            return [f"{path}: {type(real).__name__} is no list"]
        return [fault for one in promised[:1] for item in real for fault in missing(one, item, f"{path}[]")]
    if real is None or promised is None:
        return []
    kinds = (int, float) if isinstance(promised, float) else type(promised)
    return [] if isinstance(real, kinds) else [f"{path}: {real!r} is no {type(promised).__name__}"]


@pytest.mark.parametrize(("name", "promised"), [("analysis", ANALYSIS), ("proposal", PROPOSAL), ("report", REPORT)])
@pytest.mark.parametrize("hostile", [False, True], ids=["plain", "hostile"])
def test_every_promised_key_is_there(name: str, promised: str, hostile: bool) -> None:
    real = produced(hostile)[name]
    assert missing(json.loads(promised), real) == (
        [] if real.get("benchmark_model", real) else ["$.benchmark_model: NoneType is no object"]
    )
    assert real["schema"] == json.loads(promised)["schema"]
    assert real.get("candidates", [1])
    assert real.get("behaviours", [1])


def test_a_missing_key_would_be_noticed() -> None:
    promised = {"a": [{"b": 1.0, "c": "..."}]}
    assert missing(promised, {"a": [{"b": 2, "c": None}]}) == []
    assert missing(promised, {"a": [{"b": "2", "c": "x"}]}) == ["$.a[].b: '2' is no float"]
    assert missing(promised, {"a": [{"b": 2}]}) == ["$.a[].c"]
    assert missing(promised, {"a": {}}) == ["$.a: dict is no list"]


def test_several_reports_stand_in_one_object() -> None:
    both = produced()["reports"]
    assert both["schema"] == "pqlkit/reports/2"
    assert [one["definition"] for one in both["reports"]] == ["inviters", "other"]
    assert [one["schema"] for one in both["reports"]] == ["pqlkit/report/2"] * 2
    assert missing(json.loads(REPORT), both["reports"][1]) == []
    found = {tuple(row["definitions"]): row["entities"] for row in both["overlap"]}
    assert found.get(("inviters",), 0) + found[("inviters", "other")] == both["reports"][0]["funnel"]["pqls"]


def test_rates_agree_with_their_counts() -> None:
    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for top, bottom in (("converted", "snapshots"), ("converted", "qualified"), ("numerator", "denominator")):
                if {top, bottom, "rate", "low", "high"} <= value.keys():
                    if value[bottom] == 0:
                        assert value["rate"] is None
                    else:
                        assert math.isclose(value["rate"], value[top] / value[bottom])
                        assert 0 <= value["low"] <= value["rate"] <= value["high"] <= 1
            for key, inner in value.items():
                if key != "definition":  # a definition's evidence is written for people
                    walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    for name, result in produced().items():
        walk({key: value for key, value in result.items() if (name, key) != ("analysis", "population")})


def test_with_and_without_are_the_whole_analysis() -> None:
    found = produced()["analysis"]
    snapshots = found["population"]["snapshots"]
    for row in found["behaviours"]:
        assert row["with"]["snapshots"] + row["without"]["snapshots"] == snapshots
        assert row["curve"][0]["threshold"] == 1
        assert row["threshold"] in [step["threshold"] for step in row["curve"]]


def test_value_metrics_are_in_the_json() -> None:
    first, second = produced()["analysis"]["comparison"]
    assert (first["event"], first["behind_best"], first["monotonic"]) == ("invite", None, True)
    assert second["behind_best"]["low"] > 0
    assert first["auc_low"] < first["auc"] < first["auc_high"]
    assert {part["by"] for part in first["parts"]} == {"period", "channel", "invite >= 3 in 7d"}


def test_what_could_explain_a_rule_away_and_whom_it_finds_tonight_are_in_the_json() -> None:
    found = produced()["proposal"]
    first, *others = [one["e_value"] for one in found["candidates"]]
    assert first["of"] == "adjusted-odds-ratio"
    assert first["value"] > first["limit"] > 1
    assert {one["of"] for one in others} == {"relative-risk"}
    assert found["now"]["since"] == "7d"
    assert found["now"]["meet"] >= found["now"]["fresh"] >= found["now"]["new"]


def test_cohorts_by_behaviour_are_in_the_json() -> None:
    found = produced()["analysis"]
    by = "invite >= 3 in 7d"
    rows = [one for one in found["cohorts"] if one["by"] == by]
    assert [one["cohort"] for one in rows] == ["did", "did not"]
    assert sum(one["snapshots"] for one in rows) == found["population"]["snapshots"]
    assert sum(one["converted"] for one in rows) == found["conversions"]["used"]
    (test,) = [one for one in found["cohort_tests"] if one["by"] == by]
    assert (test["from"], test["clustered"]) == ("cutoff", False)
    assert [one["from"] for one in found["cohort_tests"]] == ["anchor", "anchor", "cutoff"]


def test_the_rate_on_the_curve_and_the_advice_are_in_the_json() -> None:
    found = produced()["analysis"]
    curve, advice = found["population"]["kaplan_meier"], found["advice"]
    assert curve["low"] < curve["rate"] < curve["high"]
    assert (curve["undefined"], curve["snapshots"]) == (None, 1_800)
    assert advice["after_start"]["n"] == 252
    assert (
        advice["after_snapshot"]["p10_days"]
        <= advice["after_snapshot"]["p50_days"]
        <= advice["after_snapshot"]["p90_days"]
    )
    assert advice["conversion_window_says"].startswith("--conversion-window 14d would hold 140 of 162")
    spike = advice["spike"]
    assert (spike["day"], spike["date"], spike["covers"]) == (17, None, "21d")
    assert spike["says"].endswith("fall on day 17 after the start, which the conversion window 30d covers")
