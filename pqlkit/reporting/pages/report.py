"""The page of a report, for a board: the answer, the funnels, the quarters, what to do, and several definitions side by side."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from pqlkit.reporting.pages.bars import bars
from pqlkit.reporting.pages.criteria import criteria
from pqlkit.reporting.pages.intervals import Interval, rates
from pqlkit.reporting.pages.page import page
from pqlkit.reporting.pages.period_chart import timeline, undrawn
from pqlkit.reporting.records.report import record
from pqlkit.reporting.renderers.customer_lines import NAMES
from pqlkit.reporting.renderers.funnel_lines import REASONS, STRANGERS
from pqlkit.reporting.renderers.report import SENTENCE, several_as_json
from pqlkit.reporting.renderers.report_sentences import (
    against_baseline,
    chosen_on,
    headline,
    how_judged,
    in_words,
    is_clear,
    judged,
    near_means,
    near_now,
    near_then,
    next_steps,
    times_as_often,
    when,
    which_rate,
    window,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pqlkit.rates.report import Report


_BY: Final = {
    "signup_week": "By week of signup",
    "signup_month": "By month of signup",
    "signup_quarter": "By quarter of signup",
}


def as_page(reports: Sequence[Report]) -> str:
    """Give one or several reports as one HTML file."""
    if len(reports) == 1:
        return html(record(reports[0]))
    return several_as_html(json.loads(several_as_json(reports)))


def html(figures: Mapping[str, Any]) -> str:
    """Show the figures of one report's JSON."""
    title = str(figures["title"] or f"Report of the definition {figures['definition']}")
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
    """Draw one report, sort its groups by what they are groups of, and put what its templates cannot say into words."""
    funnel, words = figures["funnel"], figures["words"]
    complete = [row for row in figures["periods"] if row["mature"]]
    success = f"{words['leads']} that {words['success']}"
    return {
        "funnel": _funnel(funnel["to_date"], words),
        "headline": headline(figures, why="Method"),
        "next": next_steps(figures),
        "which_rate": which_rate(figures),
        "chosen_on": chosen_on(figures),
        "when": when(figures),
        "times_as_often": times_as_often(figures),
        "undrawn": undrawn(figures["periods"]),
        "how_judged": how_judged(figures),
        "window": window(figures),
        "snapshot_window": window(figures, snapshots=True),
        "pql_within": in_words(funnel["cohort"]["pql_within"]),
        "customer_by": in_words(funnel["cohort"]["customer_by"]),
        "newest": complete[-1] if complete else None,
        "clear": "" if not complete or is_clear(complete[-1]["change"]) else ": no clear change",
        "unit": "quarter" if not figures["periods"] or "Q" in figures["periods"][0]["period"] else "month",
        "judged": judged(figures["periods"]),
        "in_words": in_words,
        "against": [against_baseline(row) for row in figures["periods"]],
        "near_then": near_then(figures),
        "near_now": near_now(figures),
        "near_means": near_means(figures),
        "strangers": STRANGERS,
        "left_out": [(REASONS.get(row["reason"], row["reason"]), row) for row in funnel["left_out"]],
        "criteria": criteria(figures["criteria"], words["success"]),
        "customer_figures": [_customer_figure(row) for row in figures["customers"].get("figures", ())],
        "periods": timeline(figures["periods"], success),
        "cohorts": _groups(figures["cohorts"], "cohort", "signup_to_pql", f"signups that became {words['leads']}"),
        "segments": _groups(figures["segments"], "segment", "pql_to_customer", success),
    }


def _funnel(levels: Mapping[str, Any], words: Mapping[str, str]) -> Markup:
    """Draw all so far, each level on the one that it is part of."""
    signups, pqls = levels["signups"], levels["pqls"]["numerator"]
    counts = [("signed up", signups, None), (f"became {words['leads']}", pqls, signups)]
    if levels["pql_customers"]:
        counts += [
            (f"{words['leads']}, then {words['outcomes']}", levels["pql_customers"]["numerator"], pqls),
            (f"never {words['leads']}", levels["not_pqls"], signups),
            (
                f"never {words['leads']}, {words['outcomes']}",
                levels["other_customers"]["numerator"],
                levels["not_pqls"],
            ),
        ]
    says = "Funnel, all so far: " + ", ".join(f"{count:,} {name}" for name, count, _ in counts)
    return bars([(name, count) for name, count, _ in counts], says=says, of=[whole for _, _, whole in counts])


def _customer_figure(row: Mapping[str, Any]) -> str:
    said = NAMES.get(row["what"], row["what"])
    return said if row["window"] is None else f"{said}, first {in_words(row['window'])}"


def _groups(groups: Sequence[Mapping[str, Any]], key: str, rate: str, axis: str) -> list[tuple[str, list[Any], Markup]]:
    """Draw a rate of the groups of each kind, where there are between 2 and 30 with one."""
    drawn = []
    for by in dict.fromkeys(group["by"] for group in groups):
        rows = [group for group in groups if group["by"] == by]
        points = [
            Interval(name=group[key], value=part["rate"], low=part["low"], high=part["high"])
            for group in rows
            if (part := group[rate])["rate"] is not None
        ]
        says = f"{axis} in {len(points)} groups, with 95 % intervals."
        drawing = rates(points, axis=axis, says=says) if 2 <= len(points) <= 30 else Markup()
        drawn.append((_BY.get(by, by), [(group[key], group) for group in rows], drawing))
    return drawn
