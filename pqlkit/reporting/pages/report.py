"""The page of a report: the funnel, what each criterion adds, the periods, and several definitions side by side."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from pqlkit.reporting.pages.bars import bars
from pqlkit.reporting.pages.criteria import criteria
from pqlkit.reporting.pages.intervals import Interval, rates
from pqlkit.reporting.pages.page import page
from pqlkit.reporting.pages.period_chart import timeline
from pqlkit.reporting.records.report import record
from pqlkit.reporting.renderers.customer_lines import NAMES
from pqlkit.reporting.renderers.funnel_lines import REASONS
from pqlkit.reporting.renderers.report import SENTENCE, several_as_json
from pqlkit.reporting.renderers.report_sentences import against_baseline, headline, in_words, window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pqlkit.rates.report import Report


def as_page(reports: Sequence[Report]) -> str:
    """Give one or several reports as one HTML file."""
    if len(reports) == 1:
        return html(record(reports[0]))
    return several_as_html(json.loads(several_as_json(reports)))


def html(figures: Mapping[str, Any]) -> str:
    """Show the figures of one report's JSON."""
    title = f"Report: {figures['definition']}"
    return page("report.html", title, figures, SENTENCE, one=figures, drawings=_drawings(figures))


def several_as_html(figures: Mapping[str, Any]) -> str:
    """Show the figures of the JSON of several reports: side by side, then one by one."""
    overlap = [(" + ".join(row["definitions"]), row["entities"]) for row in figures["overlap"]]
    says = f"Who is found by which definitions: {len(overlap)} combinations, each entity counted once."
    return page(
        "reports.html",
        f"Report: {len(figures['reports'])} definitions",
        figures,
        SENTENCE,
        overlap=bars(overlap, says=says) if overlap else Markup(),
        reports=[(row, _drawings(row)) for row in figures["reports"]],
    )


def _drawings(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Draw one report, and sort its groups by what they are groups of."""
    funnel, words = figures["funnel"], figures["words"]
    levels = funnel["to_date"]
    counts = [("signed up", levels["signups"]), (f"became {words['leads']}", levels["pqls"]["numerator"])]
    if levels["pql_customers"]:
        counts += [
            (f"{words['leads']}, then {words['outcomes']}", levels["pql_customers"]["numerator"]),
            (f"never {words['leads']}, {words['outcomes']}", levels["other_customers"]["numerator"]),
        ]
    says = "Funnel, all so far: " + ", ".join(f"{count:,} {name}" for name, count in counts)
    complete = [row for row in figures["periods"] if row["mature"]]
    return {
        "funnel": bars(counts, says=says),
        "headline": headline(figures),
        "window": window(figures),
        "newest": complete[-1] if complete else None,
        "judged": _judged(figures["periods"]),
        "in_words": in_words,
        "against": [against_baseline(row) for row in figures["periods"]],
        "left_out": [(REASONS.get(row["reason"], row["reason"]), row) for row in funnel["left_out"]],
        "criteria": criteria(figures["criteria"]),
        "customer_figures": [_customer_figure(row) for row in figures["customers"].get("figures", ())],
        "periods": timeline(figures["periods"], funnel["pql_to_customer"]["rate"], _step(words)),
        "cohorts": _groups(figures["cohorts"], "cohort", _step(words)),
        "segments": _groups(figures["segments"], "segment", _step(words)),
    }


def _judged(periods: Sequence[Mapping[str, Any]]) -> str:
    """Say what was found in the newest period of which enough is complete, against which."""
    told = [row for row in periods if row["drift"]["verdict"] not in (None, "in-progress")]
    baseline = [row["period"] for row in periods if row["baseline"]]
    if not told or not baseline:
        return "No period is old enough to be compared with one before it."
    since = baseline[0] if len(baseline) == 1 else f"{baseline[0]} to {baseline[-1]}"
    return f"Has it fallen? {told[-1]['period']} against {since}: {against_baseline(told[-1]).replace('none found', 'no fall found')}."


def _customer_figure(row: Mapping[str, Any]) -> str:
    said = NAMES.get(row["what"], row["what"])
    return said if row["window"] is None else f"{said}, first {in_words(row['window'])}"


def _step(words: Mapping[str, str]) -> str:
    """Name the rate of a report: ``PQL to customer``."""
    return (
        f"{words['lead']} to {words['outcome']}"
        if words["outcome"] == "customer"
        else f"{words['leads']}: {words['outcome']}"
    )


def _groups(groups: Sequence[Mapping[str, Any]], key: str, step: str) -> list[tuple[str, list[Any], Markup]]:
    """Draw groups of each kind, where there are between 2 and 30 with a rate."""
    drawn = []
    for by in dict.fromkeys(group["by"] for group in groups):
        rows = [group for group in groups if group["by"] == by]
        points = [
            Interval(name=group[key], value=rate["rate"], low=rate["low"], high=rate["high"])
            for group in rows
            if (rate := group["pql_to_customer"])["rate"] is not None
        ]
        says = f"{step} in {len(points)} groups, with 95 % intervals."
        drawing = rates(points, axis=step, says=says) if 2 <= len(points) <= 30 else Markup()
        drawn.append((by, [(group[key], group) for group in rows], drawing))
    return drawn
