"""The page of a trial: a written hypothesis against the others, its ladders and its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pqlkit.reporting.pages import markup as m
from pqlkit.reporting.pages.criteria import criteria
from pqlkit.reporting.pages.ladders import ladders
from pqlkit.reporting.pages.page import page
from pqlkit.reporting.records.trial import record
from pqlkit.reporting.renderers.trial import SENTENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pqlkit.proposal.trying import Trial


def as_page(trial: Trial, file: str | None = None) -> str:
    """Give the trial as one HTML file.

    Parameters
    ----------
    trial
        What was tested.
    file
        Where its definition was written.
    """
    figures: dict[str, Any] = record(trial, file)
    read = f" (read as {m.name(figures['completed'], 600)})" if figures["completed"] else ""
    under = (
        f"{m.name(figures['hypothesis'], 600)}{read}. As of {m.moment(figures['as_of'])}. Snapshots {m.name(figures['snapshots'])}, "
        f"upgrades within {m.name(figures['conversion_window'])}."
    )
    sections = [
        "".join(m.said(text) for text in figures["warnings"]),
        m.section("At the snapshots", _sides(figures)),
        m.section("As leads", _leads(figures)),
        m.section("Its parts, each alone", criteria(figures["criteria"]) if len(figures["criteria"]) > 1 else ""),
        m.section("Other thresholds, the rest as written", *[_ladder(one) for one in figures["ladders"]]),
        m.section("Among those who meet it, upgraders also did", _then(figures)),
    ]
    return page("A hypothesis, tested", under, sections, figures, SENTENCE)


def _sides(figures: Mapping[str, Any]) -> str:
    rows = [
        ("meet it", m.rate(figures["with"], "converted", "snapshots")),
        ("others", m.rate(figures["without"], "converted", "snapshots")),
    ]
    times = m.ratio(figures["relative_risk"]) + m.span(
        figures["relative_risk_low"], figures["relative_risk_high"], of_ratio=True
    )
    return (
        m.table("Snapshots that meet the hypothesis, and the others", ("snapshots", "upgraded"), rows)
        + m.paragraph(f"{times} times the rate of the others.")
        + m.paragraph(
            f"{m.fraction(figures['share'])} of snapshots meet it; "
            f"{m.fraction(figures['recall'])} of upgrades were snapshots that did."
        )
    )


def _leads(figures: Mapping[str, Any]) -> str:
    qualifications, weekly = figures["qualifications"], figures["pqls_per_week"]
    text = m.paragraph(f"Upgraded after beginning to meet it: {m.rate(qualifications, 'converted', 'qualified')}.")
    if weekly["median"] is not None:
        text += m.paragraph(
            f"New leads in the median week: {m.number(weekly['median'], format(weekly['median'], ',.0f'))}."
        )
    return text


def _ladder(one: Mapping[str, Any]) -> str:
    rungs = [{"threshold": rung["threshold"], **rung["with"]} for rung in one["rungs"]]
    table = m.table(
        "Every rung; the rest of the rule as written",
        ("at least", "meet it", "others", ""),
        [
            (
                m.count(rung["threshold"]),
                m.rate(rung["with"], "converted", "snapshots"),
                m.rate(rung["without"], "converted", "snapshots"),
                "as written" if rung["written"] else "",
            )
            for rung in one["rungs"]
        ],
    )
    drawing = ladders([(one["id"], rungs)], axis="upgraded, of snapshots that meet it")
    head = f"<h3>{m.name(one['id'], 80)}</h3>"
    return head + (m.figure(drawing, "The rate at each threshold.", table) if drawing else table)


def _then(figures: Mapping[str, Any]) -> str:
    rows = [
        (
            m.name(row["event"] or "any event", 80),
            m.name(row["measure"], 60),
            m.name(row["window"] or "ever"),
            m.count(row["threshold"]),
            m.rate(row["with"], "converted", "snapshots"),
            m.rate(row["without"], "converted", "snapshots"),
            m.ratio(row["relative_risk"]) + m.span(row["relative_risk_low"], row["relative_risk_high"], of_ratio=True),
        )
        for row in figures["then"]
    ]
    header = ("event", "measure", "window", "at least", "with it", "without it", "times")
    return m.table("What else tells them apart", header, rows, left=2) if rows else ""
