"""The page of an analysis: where upgrades fall, which behaviours go with them, and the curves of the cohorts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pqlkit.analysis.cohorts import TIMES
from pqlkit.reporting.pages import markup as m
from pqlkit.reporting.pages.comparison import comparison
from pqlkit.reporting.pages.curves import curves
from pqlkit.reporting.pages.heat_map import cells, heat_map
from pqlkit.reporting.pages.intervals import Interval, ratios
from pqlkit.reporting.pages.page import page
from pqlkit.reporting.records.analysis import behaviour, record
from pqlkit.reporting.renderers.analysis import SENTENCE, is_little, leading, places_in_words, who
from pqlkit.reporting.renderers.timing import beginning
from pqlkit.reporting.renderers.words import chance, named

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
    grids = [_grid(one, analysis) for one in [one for one in shown if one.behaviour.event is not None][:MAPS]]
    whole = record(analysis)
    whole["behaviours"] = [behaviour(one) for one in shown]
    figures: dict[str, Any] = {**whole, "grids": [rows for _, rows in grids]}
    names = [named(one.behaviour) for one in shown]
    under = f"As of {m.moment(figures['as_of'])}. Snapshots {m.name(figures['snapshots'])}, upgrades within {m.name(figures['conversion_window'])}."
    every = str(figures["snapshots"]).startswith("every")
    sections = [
        _warnings(figures),
        _tiles(figures, who(analysis)),
        m.section("Where upgrades fall", _places(analysis, figures), _timing(analysis, figures)),
        m.section("Small data", _little(figures)) if is_little(analysis) else _behaviours(figures, names),
        m.section("Threshold and window", *[_map(name, rows, every) for name, rows in grids]),
        comparison(figures["comparison"]),
        m.section("Cohorts", *[_cohorts(figures, by) for by in dict.fromkeys(one["by"] for one in figures["cohorts"])]),
        m.section("Left out, because it looks like part of the upgrade", _left_out(figures)),
    ]
    return page("What goes with upgrading", under, sections, figures, SENTENCE)


def _grid(one: Association, analysis: Analysis) -> tuple[str, Sequence[Mapping[str, Any]]]:
    """Collect every window of the same event and measure."""
    wanted = one.behaviour
    rows = [
        behaviour(other)
        for other in analysis.behaviours
        if other.behaviour.event == wanted.event and other.behaviour.measure == wanted.measure
    ]
    order = {str(window): index for index, window in enumerate(analysis.observed.snapshots.design.windows)}
    return named(wanted), sorted(rows, key=lambda row: order.get(str(row["window"]), len(order)))


def _warnings(figures: Mapping[str, Any]) -> str:
    return "".join(m.said(text) for text in figures["warnings"])


def _tiles(figures: Mapping[str, Any], entities: str) -> str:
    population, used = figures["population"], figures["conversions"]
    base = {**population, "snapshots": population["snapshots"]}
    tiles = [
        (m.count(population["entities"]), entities),
        (m.count(used["first"]), "first upgrades"),
        (m.count(population["snapshots"]), "snapshots"),
        (m.fraction(base["rate"]) + m.span(base["low"], base["high"]), "of snapshots were followed by an upgrade"),
        *_curve_tile(base["kaplan_meier"], base["snapshots"]),
    ]
    return f'<div class="tiles">{"".join(tile(*one) for one in tiles)}</div>'


def _curve_tile(curve: Mapping[str, Any], snapshots: int) -> list[tuple[str, str]]:
    """Show the base rate with those whose conversion window is not over, where there are any."""
    if curve["rate"] is None or curve["snapshots"] <= snapshots:
        return []
    words = "with the snapshots that are not over yet, as far as they have been seen (Kaplan-Meier)"
    return [(m.fraction(curve["rate"]) + m.span(curve["low"], curve["high"]), words)]


def tile(figure: str, says: str) -> str:
    """Set one large figure over its words."""
    return f'<div class="tile"><b>{figure}</b><span>{m.words(says)}</span></div>'


def _places(analysis: Analysis, figures: Mapping[str, Any]) -> str:
    places = figures["conversions"]
    words = places_in_words(analysis.observed.snapshots)
    rows = [(m.name(text), m.count(places[key])) for key, text in words.items() if places[key]]
    why = m.said(figures["snapshots_reason"], warning=False) if figures["snapshots_reason"] else ""
    return why + m.table("First upgrades, by where they fall", ("place", "upgrades"), rows)


def _little(figures: Mapping[str, Any]) -> str:
    """Say what so few upgrades can show, and what the written definitions did; nothing where a search is open."""
    found = figures["little"]
    if not found:
        return ""
    parts = [f"{m.count(found['usable'])} usable upgrades. No search: it would find luck."]
    if found["detectable_relative_risk"] is not None:
        parts.append(
            "A behaviour of every fourth snapshot shows only if it multiplies the rate by "
            f"{m.ratio(found['detectable_relative_risk'])} or more."
        )
    if found["search_opens"] is not None:
        parts.append(f"At this pace a search opens about {m.moment(found['search_opens'])}.")
    words = {"more": "yes", "fewer": "less", "open": "cannot be told"}
    rows = [
        (
            m.name(one["definition"], 60),
            m.rate(one["with"], "converted", "snapshots"),
            m.rate(one["without"], "converted", "snapshots"),
            m.ratio(one["relative_risk"]) + m.span(one["relative_risk_low"], one["relative_risk_high"], of_ratio=True),
            m.words(words[one["verdict"]]),
        )
        for one in figures["hypotheses"]
    ]
    header = ("definition", "with it", "without it", "times", "upgrades more often?")
    table = m.table("Your own definitions, tested exactly (Fisher, Holm)", header, rows) if rows else ""
    untested = [
        m.paragraph("Not tested: ", m.name(one["definition"], 60), " ", m.name(one["reason"], 200))
        for one in found["not_tested"][:5]
    ]
    return m.paragraph(" ".join(parts)) + table + "".join(untested)


def _timing(analysis: Analysis, figures: Mapping[str, Any]) -> str:
    """Show how long upgrades took, and the advice about conversion window and snapshots."""
    found = (
        (f"after {beginning(analysis)}", figures["advice"]["after_start"]),
        ("after the snapshot, of snapshots seen for 90 days", figures["advice"]["after_snapshot"]),
    )
    rows = [
        (m.name(words), m.count(one["n"]), *[m.days(one[f"p{share}_days"]) for share in (10, 25, 50, 75, 90)])
        for words, one in found
        if one["n"]
    ]
    header = ("days", "upgrades", "a tenth within", "a quarter", "half", "three quarters", "nine tenths")
    table = m.table("Days to the upgrade, of the upgrades seen so far", header, rows) if rows else ""
    said = figures["advice"]["conversion_window_says"]
    return table + (m.said(said, warning=False) if said is not None else "")


def _behaviours(figures: Mapping[str, Any], names: Sequence[str]) -> str:
    rows = [{**row, **(row["shown"] or {})} for row in figures["behaviours"]]
    if not rows:
        return m.section("Behaviours", "<p>None differs by more than chance and by a size that matters.</p>")
    points = [
        Interval(
            name=_titled(name, row),
            value=row["adjusted_odds_ratio"],
            low=row["adjusted_low"],
            high=row["adjusted_high"],
        )
        for name, row in zip(names, rows, strict=True)
        if row["adjusted_odds_ratio"] is not None and "activity" not in row["flags"]
    ]
    table = m.table(
        "Behaviours that differ by more than chance, and by a size that matters",
        (
            "behaviour",
            "window",
            "at least",
            "snapshots that do it",
            "with it",
            "without it",
            "times",
            "allowing for activity",
        ),
        [_row(name, row) for name, row in zip(names, rows, strict=True)],
    )
    if len(points) < 2:
        return m.section("Behaviours before an upgrade", table)
    says = f"Adjusted odds ratios of {len(points)} behaviours with 95 % intervals; the line at one means no difference."
    drawing = ratios(points, axis="odds ratio of upgrading, allowing for activity and age", says=says)
    caption = (
        "How much more often those who did it upgraded than others as active and as old: odds ratios with 95 % intervals. "
        "Left of the dashed line: less often."
    )
    return m.section("Behaviours before an upgrade", m.figure(drawing, m.words(caption), table))


def _titled(name: str, row: Mapping[str, Any]) -> str:
    return f"{name} ≥ {row['threshold']:,} in {row['window']}"


def _row(name: str, row: Mapping[str, Any]) -> Sequence[str]:
    return (
        m.name(name, 80),
        m.name(row["window"] or "ever"),
        m.count(row["threshold"]),
        m.fraction(row["share"]),
        m.rate(row["with"], "converted", "snapshots"),
        m.rate(row["without"], "converted", "snapshots"),
        m.ratio(row["relative_risk"]) + m.span(row["relative_risk_low"], row["relative_risk_high"], of_ratio=True),
        "it is activity"
        if "activity" in row["flags"]
        else m.ratio(row["adjusted_odds_ratio"]) + m.span(row["adjusted_low"], row["adjusted_high"], of_ratio=True),
    )


def _map(name: str, rows: Sequence[Mapping[str, Any]], every: bool) -> str:
    grid = cells(rows)
    drawing = heat_map(grid, behaviour=name, doing="in the last" if every else "in the first")
    if not drawing:
        return ""
    table = m.table(
        "Every cell of the map",
        ("window", "at least", "with it", "without it"),
        [
            (
                m.name(cell.window),
                m.count(cell.threshold),
                m.rate(cell.step["with"], "converted", "snapshots"),
                m.rate(cell.step["without"], "converted", "snapshots"),
            )
            for cell in grid
        ],
    )
    caption = "The share that upgraded. The frame marks the cell that tells upgraders from the others best (phi)."
    return f"<h3>{m.name(name, 80)}</h3>" + m.figure(drawing, m.words(caption), table)


def _cohorts(figures: Mapping[str, Any], by: str) -> str:
    group = [one for one in figures["cohorts"] if one["by"] == by]
    test = next(one for one in figures["cohort_tests"] if one["by"] == by)
    snapshots = test["from"] == "cutoff"
    unit, since = ("snapshot", "the snapshot") if snapshots else (figures["entity"], "the beginning")
    drawing = curves(group, timed=by in TIMES, unit=unit, since=since)
    reached = {point["day"] for one in group for point in one["curve"]}
    days = [day for day in DAYS if day in reached and not (day == 28 and 30 in reached)]
    table = m.table(
        "Share converted by day, with 95 % intervals",
        ("cohort", f"{unit}s followed", "upgrades after snapshots", *[f"by day {day}" for day in days]),
        [
            (
                m.name(one["cohort"], 60),
                m.count(one["members"]),
                m.rate(one, "converted", "snapshots"),
                *[_at(one["curve"], day) for day in days],
            )
            for one in group
        ],
    )
    head = f"<h3>By {m.name(by)}</h3>"
    if not drawing:
        return head + table
    caption = f"Share of the {unit}s converted by each day after {since}, those still young respected.{_verdict(test)}"
    return head + m.figure(drawing, caption, table)


def _verdict(test: Mapping[str, Any]) -> str:
    if test["log_rank_p"] is None:
        return ""
    allowed = ", snapshots that go together allowed for" if test["clustered"] else ""
    return f" Do the curves differ? Log-rank {m.number(test['log_rank_p'], chance(test['log_rank_p']))}{allowed}."


def _at(curve: Sequence[Mapping[str, Any]], day: int) -> str:
    point = next((point for point in curve if point["day"] == day), None)
    return m.NOTHING if point is None else m.fraction(point["converted_share"]) + m.span(point["low"], point["high"])


def _left_out(figures: Mapping[str, Any]) -> str:
    rows = [
        (
            m.name(one["event"], 80),
            m.words("kept on request" if one["kept"] else one["reason"]),
            m.name(one["evidence"], 400),
        )
        for one in figures["leakage"]
    ]
    return (
        m.table(
            "Events and traits that no search uses; --keep-event overrules",
            ("name", "reason", "evidence"),
            rows,
            left=3,
        )
        if rows
        else ""
    )
