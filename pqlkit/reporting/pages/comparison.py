"""The comparison on a page: events as value metrics beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pqlkit.reporting.pages import markup as m
from pqlkit.reporting.pages.intervals import Interval, areas
from pqlkit.reporting.pages.ladders import ladders

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def comparison(metrics: Sequence[Mapping[str, Any]]) -> str:
    """Set the value metrics of the JSON as drawings and tables; nothing where none were compared."""
    if not metrics:
        return ""
    table = m.table(
        "How well each tells who upgrades (AUC: one half tells nothing), how many upgrades it covers",
        ("event", "window", "AUC", "behind the best", "of all upgrades", "more of it", "as good everywhere?"),
        [_row(one) for one in metrics],
    )
    text = table
    rungs = [(one["event"], one["curve"]) for one in metrics]
    drawing = ladders(rungs, axis="upgraded, of snapshots at or above it")
    if drawing:
        text += m.figure(drawing, "The rate at and above each threshold.", _rungs(metrics))
    return m.section("Value metrics compared", text, *[_parts(metrics, by) for by in _stabilities(metrics)])


def _stabilities(metrics: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(kind["by"] for one in metrics for kind in one["stability"]))


def _row(one: Mapping[str, Any]) -> Sequence[str]:
    behind = one["behind_best"]
    gap = (
        "the best"
        if behind is None
        else m.ratio(behind["value"]) + m.span(behind["low"], behind["high"], of_ratio=True)
    )
    rising = "never fewer upgrades" if one["monotonic"] else f"fewer from {m.count(one['breaks_at'])} on"
    return (
        m.name(one["event"], 80),
        m.name(one["window"]),
        m.ratio(one["auc"]) + m.span(one["auc_low"], one["auc_high"], of_ratio=True),
        gap,
        m.rate(one["recall"], "numerator", "denominator"),
        rising,
        "; ".join(f"{m.name(kind['by'], 40)} {_steady(kind)}" for kind in one["stability"]),
    )


def _steady(kind: Mapping[str, Any]) -> str:
    if kind["p_value"] is None:
        return m.NOTHING
    word = "yes" if kind["stable"] else "no"
    return f"{word} (p = {m.number(kind['p_value'], format(kind['p_value'], '.2g'))})"


def _rungs(metrics: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (m.name(one["event"], 80), m.count(rung["threshold"]), m.rate(rung, "converted", "snapshots"))
        for one in metrics
        for rung in one["curve"]
    ]
    return m.table("Every rung", ("event", "at least", "upgraded"), rows)


def _parts(metrics: Sequence[Mapping[str, Any]], by: str) -> str:
    parts = [(one["event"], part) for one in metrics for part in one["parts"] if part["by"] == by]
    points = [
        Interval(name=part["name"], value=part["auc"], low=part["auc_low"], high=part["auc_high"], group=event)
        for event, part in parts
        if part["auc"] is not None
    ]
    table = m.table(
        "The AUC in each part; a dash where too few upgraded",
        ("part", "event", "AUC", "upgraded"),
        [
            (
                m.name(part["name"], 60),
                m.name(event, 60),
                m.ratio(part["auc"]) + m.span(part["auc_low"], part["auc_high"], of_ratio=True),
                m.rate(part, "converted", "snapshots"),
            )
            for event, part in parts
        ],
        left=2,
    )
    head = f"<h3>By {m.name(by, 60)}</h3>"
    if len(points) < 2 or len(metrics) > 4:
        return head + table
    says = f"AUC of {len(metrics)} events in each part, with 95 % intervals; the line at one half tells nothing."
    return head + m.figure(areas(points, says=says), "Does it tell as much everywhere?", table)
