"""The page of an analysis: the answer, what goes with conversion, what stays after adjustment, and what all of it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from pqlkit.analysis.cohorts import TIMES
from pqlkit.reporting.next_command import Invocation
from pqlkit.reporting.pages import markup
from pqlkit.reporting.pages.correlations import correlations
from pqlkit.reporting.pages.curves import curves
from pqlkit.reporting.pages.explorer import explorer
from pqlkit.reporting.pages.heat_map import Cell, cells, heat_map
from pqlkit.reporting.pages.intervals import Interval, areas, ratios
from pqlkit.reporting.pages.ladders import ladders
from pqlkit.reporting.pages.page import page
from pqlkit.reporting.records.analysis import behaviour, record, row
from pqlkit.reporting.renderers.analysis import CLASSES, places_in_words, rests_on, unusable_traits, who
from pqlkit.reporting.renderers.correlation import (
    SENTENCE,
    allowed_for,
    answer_of,
    headline,
    is_little,
    leading,
    sureness,
)
from pqlkit.reporting.renderers.report_sentences import in_words
from pqlkit.reporting.renderers.timing import beginning
from pqlkit.reporting.renderers.words import doing, named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pqlkit.analysis.analyzing import Analysis
    from pqlkit.analysis.association import Association

MAPS: Final = 3
"""So many behaviours get a heat map."""
DAYS: Final = (7, 14, 28, 30, 60, 90, 180)
"""Days of the cohorts' table."""


def as_page(analysis: Analysis, top: int = 20, call: Invocation | None = None) -> str:
    """Give the analysis as one HTML file.

    Parameters
    ----------
    analysis
        What was found.
    top
        Behaviours to show.
    call
        How the command was called: commands that are shown repeat it.
    """
    call = call or Invocation()
    shown = sorted(leading(analysis), key=lambda row: -(_as_shown(row).table.phi or 0))[:top]
    answered = answer_of(analysis)
    first = [row for row in shown if answered is not None and row.behaviour == answered.behaviour]
    mapped = [row for row in [*first, *(row for row in shown if row not in first)] if row.behaviour.event is not None]
    figures: dict[str, Any] = {
        **record(analysis),
        "behaviours": [row(analysis, association) for association in shown],
        "grids": [_grid(association, analysis) for association in mapped[:MAPS]],
    }
    words = {
        "names": [_in_words(_as_shown(association)) for association in shown],
        "mapped": [named(association.behaviour) for association in mapped[:MAPS]],
        "answer": headline(analysis),
        "sure": sureness(analysis),
        "rests": rests_on(analysis),
        "next": call.next("propose"),
        "allowed": allowed_for([_as_shown(association) for association in shown]),
        "traits": unusable_traits(analysis),
        "who": who(analysis),
        "beginning": beginning(analysis),
        "classes": CLASSES,
        "places": places_in_words(analysis.observed.snapshots),
        "explorer": explorer(analysis, [_as_shown(association) for association in shown], call),
    }
    return html(figures, words, is_little=is_little(analysis))


def _as_shown(row: Association) -> Association:
    return row.as_shown() or row


def _in_words(row: Association) -> str:
    length = row.behaviour.window.length
    return doing(row.behaviour, row.threshold) + ("" if length is None else f", {length.in_words}")


def html(figures: Mapping[str, Any], words: Mapping[str, Any], *, is_little: bool) -> str:
    """Show the figures of the JSON; `words` are those that it does not hold."""
    rows = [{**row, **(row["shown"] or {})} for row in figures["behaviours"]]
    metrics = figures["comparison"]
    return page(
        "analysis.html",
        "What goes with conversion",
        figures,
        SENTENCE,
        script="explorer.js" if words["explorer"] else None,
        **words,
        is_little=is_little,
        window=in_words(figures["conversion_window"]),
        behaviours=list(zip(words["names"], rows, strict=True)),
        phis=_phis(words["names"], rows),
        adjusted=_adjusted(words["names"], rows),
        maps=_maps(figures, words["mapped"]),
        ladder=ladders(
            [(metric["event"], metric["curve"]) for metric in metrics], axis="converted, of snapshots at or above it"
        ),
        comparisons=[
            _compared(metrics, by) for by in _kinds(kind for metric in metrics for kind in metric["stability"])
        ],
        everybody=_drawn([figures["since_start"]], None, figures["entity"], words["beginning"]),
        cohorts=[_cohorts(figures, by, words["beginning"]) for by in _kinds(figures["cohorts"])],
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


def _phis(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Markup:
    phis = [(name, row["phi"]) for name, row in zip(names, rows, strict=True) if row["phi"] is not None]
    return correlations(phis) if len(phis) > 1 else Markup()


def _adjusted(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Markup:
    """Draw the relative risks before and after adjustment below each other."""
    points = [
        Interval(name=name, value=row[key], low=row[f"{key}_low"], high=row[f"{key}_high"], group=group)
        for name, row in zip(names, rows, strict=True)
        for key, group in (("relative_risk", "unadjusted"), ("adjusted_relative_risk", "adjusted"))
        if row["adjusted_relative_risk"] and row["relative_risk"] and "activity" not in row["flags"]
    ]
    if not points:
        return Markup()
    says = (
        f"Relative risks of {len(points) // 2} behaviours with 95 % intervals, unadjusted (hollow) and adjusted (filled); "
        "the dashed line at one means no difference."
    )
    return ratios(points, axis="times as often as the others (logarithmic)", says=says, hollow="unadjusted")


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


def _cohorts(figures: Mapping[str, Any], by: str, beginning: str) -> dict[str, Any]:
    """Draw the curves of one kind of cohort."""
    group = [row for row in figures["cohorts"] if row["by"] == by]
    test = next(row for row in figures["cohort_tests"] if row["by"] == by)
    unit, since = ("snapshot", "the snapshot") if test["from"] == "cutoff" else (figures["entity"], beginning)
    return _drawn(group, test, unit, since)


def _drawn(group: Sequence[Mapping[str, Any]], test: Mapping[str, Any] | None, unit: str, since: str) -> dict[str, Any]:
    """Draw curves, and read them at some days; `test` says whether they differ."""
    by, reached = group[0]["by"], {point["day"] for row in group for point in row["curve"]}
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
