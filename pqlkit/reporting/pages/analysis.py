"""The page of an analysis: where conversions fall, which behaviours go with them, and the curves of the cohorts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from pqlkit.analysis.cohorts import TIMES
from pqlkit.reporting.pages import markup
from pqlkit.reporting.pages.curves import curves
from pqlkit.reporting.pages.heat_map import Cell, cells, heat_map
from pqlkit.reporting.pages.intervals import Interval, areas, ratios
from pqlkit.reporting.pages.ladders import ladders
from pqlkit.reporting.pages.page import page
from pqlkit.reporting.records.analysis import behaviour, record, row
from pqlkit.reporting.renderers.analysis import places_in_words, who
from pqlkit.reporting.renderers.correlation import SENTENCE, is_little, leading
from pqlkit.reporting.renderers.timing import beginning
from pqlkit.reporting.renderers.words import named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pqlkit.analysis.analyzing import Analysis
    from pqlkit.analysis.association import Association

MAPS: Final = 3
"""So many behaviours get a heat map."""
DAYS: Final = (7, 14, 28, 30, 60, 90, 180)
"""Days of the cohorts' table."""


def as_page(analysis: Analysis, top: int = 20) -> str:
    """Give the analysis as one HTML file.

    Parameters
    ----------
    analysis
        What was found.
    top
        Behaviours to show.
    """
    shown = leading(analysis)[:top]
    mapped = [association for association in shown if association.behaviour.event is not None][:MAPS]
    figures: dict[str, Any] = {
        **record(analysis),
        "behaviours": [row(analysis, association) for association in shown],
        "grids": [_grid(association, analysis) for association in mapped],
    }
    words = {
        "names": [named(association.behaviour) for association in shown],
        "mapped": [named(association.behaviour) for association in mapped],
        "who": who(analysis),
        "beginning": beginning(analysis),
        "places": places_in_words(analysis.observed.snapshots),
    }
    return html(figures, words, is_little=is_little(analysis))


def html(figures: Mapping[str, Any], words: Mapping[str, Any], *, is_little: bool) -> str:
    """Show the figures of the JSON; `words` are those that it does not hold."""
    rows = [{**row, **(row["shown"] or {})} for row in figures["behaviours"]]
    metrics = figures["comparison"]
    return page(
        "analysis.html",
        "What goes with converting",
        figures,
        SENTENCE,
        **words,
        is_little=is_little,
        behaviours=list(zip(words["names"], rows, strict=True)),
        adjusted=_adjusted(words["names"], rows),
        maps=_maps(figures, words["mapped"]),
        ladder=ladders(
            [(metric["event"], metric["curve"]) for metric in metrics], axis="converted, of snapshots at or above it"
        ),
        comparisons=[
            _compared(metrics, by) for by in _kinds(kind for metric in metrics for kind in metric["stability"])
        ],
        cohorts=[_cohorts(figures, by) for by in _kinds(figures["cohorts"])],
    )


def _kinds(rows: Any) -> list[str]:
    return list(dict.fromkeys(row["by"] for row in rows))


def _grid(association: Association, analysis: Analysis) -> list[dict[str, Any]]:
    """Collect every window of the same event and measure."""
    wanted = association.behaviour
    rows = [
        behaviour(other)
        for other in analysis.behaviours
        if other.behaviour.event == wanted.event and other.behaviour.measure == wanted.measure
    ]
    order = {str(window): index for index, window in enumerate(analysis.observed.snapshots.design.windows)}
    return sorted(rows, key=lambda row: order.get(str(row["window"]), len(order)))


def _adjusted(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw the adjusted odds ratios, where there are several."""
    points = [
        Interval(
            name=f"{name} ≥ {row['threshold']:,} in {row['window']}",
            value=row["adjusted_odds_ratio"],
            low=row["adjusted_low"],
            high=row["adjusted_high"],
        )
        for name, row in zip(names, rows, strict=True)
        if row["adjusted_odds_ratio"] is not None and "activity" not in row["flags"]
    ]
    if len(points) < 2:
        return Markup()
    says = f"Adjusted odds ratios of {len(points)} behaviours with 95 % intervals; the line at one means no difference."
    return ratios(points, axis="odds ratio of converting, allowing for activity and age", says=says)


def _maps(figures: Mapping[str, Any], names: Sequence[str]) -> list[tuple[str, Markup, list[Cell]]]:
    doing = "in the last" if str(figures["snapshots"]).startswith("every") else "in the first"
    drawn = []
    for name, rows in zip(names, figures["grids"], strict=True):
        grid = cells(rows)
        drawing = heat_map(grid, behaviour=name, doing=doing)
        if drawing:
            drawn.append((name, drawing, grid))
    return drawn


def _compared(metrics: Sequence[Mapping[str, Any]], by: str) -> tuple[str, Markup, list[tuple[str, Mapping[str, Any]]]]:
    """Draw the AUC of a few value metrics in each part of one kind."""
    parts = [(metric["event"], part) for metric in metrics for part in metric["parts"] if part["by"] == by]
    points = [
        Interval(name=part["name"], value=part["auc"], low=part["auc_low"], high=part["auc_high"], group=event)
        for event, part in parts
        if part["auc"] is not None
    ]
    if len(points) < 2 or len(metrics) > 4:
        return by, Markup(), parts
    says = f"AUC of {len(metrics)} events in each part, with 95 % intervals; the line at one half tells nothing."
    return by, areas(points, says=says), parts


def _cohorts(figures: Mapping[str, Any], by: str) -> dict[str, Any]:
    """Draw the curves of one kind of cohort, and read them at some days."""
    group = [row for row in figures["cohorts"] if row["by"] == by]
    test = next(row for row in figures["cohort_tests"] if row["by"] == by)
    unit, since = ("snapshot", "the snapshot") if test["from"] == "cutoff" else (figures["entity"], "the beginning")
    reached = {point["day"] for row in group for point in row["curve"]}
    days = [day for day in DAYS if day in reached and not (day == 28 and 30 in reached)]
    return {
        "by": by,
        "test": test,
        "unit": unit,
        "since": since,
        "drawing": curves(group, timed=by in TIMES, unit=unit, since=since),
        "headings": [f"by day {day}" for day in days],
        "rows": [(row, [_at(row["curve"], day) for day in days]) for row in group],
    }


def _at(curve: Sequence[Mapping[str, Any]], day: int) -> Markup:
    point = next((point for point in curve if point["day"] == day), None)
    return markup.NOTHING if point is None else markup.fraction(point["converted_share"], point["low"], point["high"])
