"""A hostile name in every place of every page where text from data or files can appear: nothing of it comes alive."""

from __future__ import annotations

import copy
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

import pqlkit.reporting.pages
from pqlkit.reporting.pages import analysis, proposal, report, trial
from tests.reporting import worlds
from tests.reporting.test_pages import KNOWN, Reader

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = "</script></title><img src=x onerror=alert(1)>'\"&{{ 7*7 }}"
"""Ends whatever it stands in, begins an element, breaks out of an attribute, and is code to a template."""
TEMPLATES = Path(pqlkit.reporting.pages.__file__).parent / "templates"
SHARE = {"numerator": 3, "denominator": 7, "rate": 3 / 7, "low": 0.1, "high": 0.8}
SIDE = {"converted": 3, "snapshots": 7, "entities": 7, "qualified": 7, "rate": 3 / 7, "low": 0.1, "high": 0.8}
BOTH = {"with": SIDE, "without": SIDE, "relative_risk": 2.0, "relative_risk_low": 1.0, "relative_risk_high": 3.0}


@cache
def given(kind: str) -> tuple[Callable[..., str], tuple[Any, ...], dict[str, Any]]:
    """What a page shows, as its result hands it over; sections that these results leave empty are filled in."""
    found = worlds.results()
    module, name, show = {
        "analysis": (analysis, "html", lambda: analysis.as_page(found.analysis)),
        "little": (analysis, "html", lambda: analysis.as_page(found.analysis)),
        "nothing to rank": (analysis, "html", lambda: analysis.as_page(found.analysis)),
        "proposal": (proposal, "html", lambda: proposal.as_page(found.proposal)),
        "cross-validated": (proposal, "html", lambda: proposal.as_page(found.proposal)),
        "no proposal": (proposal, "html", lambda: proposal.as_page(found.proposal)),
        "trial": (trial, "html", lambda: trial.as_page(found.trial, "definitions/hypothesis.yml")),
        "report": (report, "html", lambda: report.as_page([found.report])),
        "reports": (report, "several_as_html", lambda: report.as_page([found.report, found.other])),
    }[kind]
    real = getattr(module, name)
    with patch.object(module, name) as asked:
        show()
    arguments: tuple[Any, ...] = copy.deepcopy(asked.call_args.args)
    options: dict[str, Any] = copy.deepcopy(dict(asked.call_args.kwargs))
    FILLED.get(kind, lambda figures: None)(arguments[0])
    if kind == "little":
        options["is_little"] = True
    if kind == "nothing to rank":
        arguments[1].update(names=[], mapped=[])
    return real, arguments, options


def analysed(figures: dict[str, Any]) -> None:
    figures.update(
        warnings=["a warning"],
        kinds=[
            {
                "expression": 'share[with = "guest"] >= 2 in 14d',
                "event_rate": 0.2,
                "relative_risk": 2.0,
                "relative_risk_low": 1.5,
                "relative_risk_high": 3.0,
                **BOTH,
            }
        ],
        meters=[
            {
                "event": "api_call",
                "measure": "sum(calls)",
                "rank_correlation": 0.95,
                "conversions": 40,
                "days_ahead": 12.0,
            }
        ],
    )


def little(figures: dict[str, Any]) -> None:
    figures["warnings"] = ["a warning"]
    untested = [{"definition": "other", "reason": "an unknown event"}]
    figures["little"] = {
        "usable": 9,
        "detectable_relative_risk": 3.5,
        "search_opens": "2026-12-01T00:00:00Z",
        "not_tested": untested,
    }
    figures["hypotheses"] = [{"definition": "inviters", **BOTH, "verdict": "more"}]


def nothing_to_rank(figures: dict[str, Any]) -> None:
    figures.update(behaviours=[], grids=[], comparison=[], cohorts=[], leakage=[])


def proposed(figures: dict[str, Any]) -> None:
    first = figures["candidates"][0]
    figures["search"]["complete"] = False
    first.update(
        file="definitions/first.yml",
        by_period=[{"period": "2026-Q1", **BOTH}, {"period": "2026-Q2", **BOTH}],
        by_age=[{"age": "1d", **BOTH}, {"age": "7d", **BOTH}],
        threshold_ranges={"invites": [2, 4]},
        precursors=[{"event": "dialog_opened", "leads_to": "invite", "share": 0.9}],
        stability_by_criterion=[{"behaviour": "invite", "share": 0.9}],
        e_value={"value": 2.0, "limit": 1.5},
        adjusted_odds_ratio=2.0,
        adjusted_low=1.5,
        adjusted_high=3.0,
        adjusted_for_traits=["channel"],
        adjusted_relative_risk_without_traits=4.0,
        adjusted_explained=True,
        by_trait=[
            {
                "trait": "channel",
                "values": [{"value": "partner", **BOTH}],
                "p_value": 0.01,
                "p_adjusted": 0.02,
                "only_for": ["partner"],
                "rest_relative_risk": 0.9,
                "rest_high": 1.4,
            }
        ],
    )
    figures.update(
        warnings=["a warning"],
        now={"meet": 9, "fresh": 4, "new": 2, "since": "7d"},
        champion={"name": "today", "qualifications": SIDE, "at_same_leads": {"converted": 3.5, "leads": 20}},
        mechanical=[first],
        rejected=[{"rule": "login >= 3", "reasons": ["too rare", "did not hold"]}],
        excluded=[{"event": "paid_bill", "reason": "part-of-conversion", "evidence": "9 of 9"}],
        selection={
            "permutations": 29,
            "as_good": 1,
            "relative_risk": 3.0,
            "best_relative_risk": 2.0,
            "complete": True,
        },
        changes=[{"rule": "login >= 3", "says": "The effect fell"}],
        refit={"rule": "login >= 4", "cross_fitted": {**SIDE, "qualifications": 7}, "why_none": None},
        benchmark_model={"holdout_rate_at_same_share": 0.5, "captured": 0.9},
    )


def nothing_proposed(figures: dict[str, Any]) -> None:
    proposed(figures)
    figures["candidates"] = []
    figures["refit"] = {"rule": None, "cross_fitted": None, "why_none": "too few conversions"}


def cross_validated(figures: dict[str, Any]) -> None:
    proposed(figures)
    figures["split"]["kind"] = "cross"


def tried(figures: dict[str, Any]) -> None:
    figures.update(warnings=["a warning"], completed="login >= 3 in 14d")
    figures["then"] = [{"event": "export", "measure": "count", "window": "14d", "threshold": 2, **BOTH}]


MEAN = {"n": 3, "mean": 12.5, "low": 10.0, "high": 15.0}
DIFFERENCE = {"value": 0.1, "low": -0.1, "high": 0.3}


def reported(figures: dict[str, Any]) -> None:
    figures["funnel"].update(
        left_out=[{"reason": "unobserved", "entities": 7, "customers": 3}],
        customers_without_use={"never": 1, "dormant": 2},
        unknown_conversions=3,
    )
    figures.update(
        warnings=["a warning"],
        without_mechanical=BOTH,
        contacted=dict.fromkeys(
            ("before", "after", "after_within_1h", "after_within_24h", "after_within_3d", "after_later", "never"), SHARE
        ),
        arms={"contact": SHARE, "control": SHARE, "difference": {"value": 0.1, "low": 0.0, "high": 0.2}},
        teams=[
            {
                "team": "sales",
                "figures": [{"what": "leads", **SHARE}, {"what": "days", **MEAN}, {"what": "won", "count": 7}],
            }
        ],
        customers={
            "pql_born": 9,
            "others": 8,
            "window": "180d",
            "followed": {"pql_born": 5, "others": 4},
            "figures": [
                {"what": "retained", "window": "180d", "pql_born": SHARE, "others": SHARE, "difference": DIFFERENCE},
                {"what": "amount", "window": None, "pql_born": MEAN, "others": MEAN, "difference": DIFFERENCE},
            ],
        },
    )


def all_reported(figures: dict[str, Any]) -> None:
    for one in figures["reports"]:
        reported(one)


FILLED: dict[str, Callable[[dict[str, Any]], None]] = {
    "analysis": analysed,
    "little": little,
    "nothing to rank": nothing_to_rank,
    "proposal": proposed,
    "cross-validated": cross_validated,
    "no proposal": nothing_proposed,
    "trial": tried,
    "report": reported,
    "reports": all_reported,
}
EVERY = pytest.mark.parametrize("kind", FILLED)


def everywhere(value: Any) -> Any:
    """Put the hostile text before every text, those of equal texts alike; keys that are names are texts too."""
    if isinstance(value, str):
        return HOSTILE + value
    if isinstance(value, dict):
        named = "invites" in value
        return {HOSTILE + key if named else key: everywhere(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [everywhere(inner) for inner in value]
    return value


@cache
def page(kind: str) -> str:
    html, arguments, options = given(kind)
    figures, *rest = arguments
    stirred = everywhere(figures)
    if kind != "cross-validated" and "split" in figures:
        stirred["split"]["kind"] = figures["split"]["kind"]
    return html(stirred, *everywhere(rest), **options)


@EVERY
def test_no_text_comes_alive(kind: str) -> None:
    text = page(kind)
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert {tag for tag, _ in reader.tags} <= KNOWN
    assert not [name for _, attributes in reader.tags for name in attributes if name.startswith(("on", "src"))]
    assert reader.misnested == []
    assert reader.open == []
    assert "<img" not in text
    assert text.count("{{ 7*7 }}") > 20


@EVERY
def test_every_text_that_is_shown_is_shown_as_it_is(kind: str) -> None:
    """Escaped once and not twice, in the page's own text as in its drawings."""
    shown = page(kind).partition('<script type="application/json"')[0]
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown
    assert not re.search(r"&amp;(lt|gt|amp|#\d+);", shown)


def test_no_section_and_no_table_is_left_out_here() -> None:
    written = " ".join(path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.glob("*.html")))
    titles = re.findall(r'p\.section\("([^"]+)"(?: if \w+ else "([^"]+)")?\)', written)
    captions = re.findall(r'(?<!p\.)\b(?:p\.)?table\("([^"{]+)",', written)
    pages = " ".join(page(kind) for kind in FILLED)
    missing = [text for found in titles for text in found if text and f"<h2>{text}</h2>" not in pages]
    assert missing + [text for text in captions if f"<caption>{text}</caption>" not in pages] == []
    assert len(titles) > 20
    assert len(captions) > 20
