"""The page of a proposal: the rule, what later snapshots did, the front, and the menu."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pqlkit.definitions.describing import phrase
from pqlkit.reporting.pages import markup as m
from pqlkit.reporting.pages.analysis import tile
from pqlkit.reporting.pages.front import FRONT, LATER, PROPOSED, Place, front
from pqlkit.reporting.pages.intervals import Interval, rates
from pqlkit.reporting.pages.page import page
from pqlkit.reporting.records.proposal import record
from pqlkit.reporting.renderers.proposal import SENTENCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pqlkit.proposal.proposed import Proposal


def as_page(proposal: Proposal, files: dict[str, str] | None = None) -> str:
    """Give the proposal as one HTML file.

    Parameters
    ----------
    proposal
        What was found.
    files
        Candidate name -> the file it was written to.
    """
    figures: dict[str, Any] = record(proposal, files)
    under = (
        f"As of {m.moment(figures['as_of'])}. Snapshots {m.name(figures['snapshots'])}, upgrades within "
        f"{m.name(figures['conversion_window'])}. Chosen by {m.name(figures['objective'])}."
    )
    warnings = "".join(m.said(text) for text in figures["warnings"])
    if not figures["candidates"]:
        sections = [warnings, m.section("Nothing is proposed", _nothing(figures)), _left_out(figures)]
        return page("Proposal: none", under, sections, figures, SENTENCE)
    first = figures["candidates"][0]
    rule = [phrase(part) for part in proposal.candidates[0].definition.criteria]
    sections = [
        warnings,
        _rule(first, rule),
        m.section(
            "On later snapshots, not used to choose it" if _apart(figures) else "Not independent", _later(figures)
        ),
        m.section("Would it hold?", _hold(figures)),
        m.section("Tonight", _tonight(figures)),
        m.section("The menu", _menu(figures)),
        m.section("Limits reached, apart from behaviour", _mechanical(figures)),
        m.section("Rate against recall", _front(figures)),
        m.section("Did not hold later", _rejected(figures)),
        _left_out(figures),
    ]
    return page(f"Proposal: {first['name']}", under, sections, figures, SENTENCE)


def _apart(figures: Mapping[str, Any]) -> bool:
    return bool(figures["split"]["kind"] == "time")


def _nothing(figures: Mapping[str, Any]) -> str:
    base = figures["base_rate"]["fit"]
    return m.paragraph(f"Upgrades among the snapshots searched: {m.rate(base, 'converted', 'entities')}") + _rejected(
        figures
    )


def _rule(first: Mapping[str, Any], rule: Sequence[str]) -> str:
    parts = "".join(f"<li>{m.name(part, 300)}</li>" for part in rule)
    file = m.paragraph("Written as ", m.name(first["file"])) if first["file"] else ""
    return f"<section><h2>{m.name(first['name'], 80)}</h2><ul>{parts}</ul>{file}</section>"


def _later(figures: Mapping[str, Any]) -> str:
    first, split = figures["candidates"][0], figures["split"]["holdout"]
    later, weekly = first["qualifications"]["holdout"], first["pqls_per_week"]
    snapshot = first["holdout"] if _apart(figures) else first["fit"]
    tiles = [
        (m.count(later["qualified"]), "new leads, old enough to judge"),
        (m.fraction(later["rate"]) + m.span(later["low"], later["high"]), "of them upgraded"),
        (_recall(snapshot), "of all upgrades were snapshots that met it"),
    ]
    if weekly["median"] is not None:
        tiles.append((m.number(weekly["median"], f"{weekly['median']:,.0f}"), "new leads a week"))
    period = (
        m.paragraph(
            f"Period: {m.moment(split['from'])} to {m.moment(split['through'])}, "
            f"searches in this folder that read it: {m.count(split['read'])}."
        )
        if split["from"] and split["through"]
        else ""
    )
    rows = [
        ("where it was chosen", first["fit"], figures["base_rate"]["fit"]),
        (
            "later" if _apart(figures) else "what other parts chose, where it was not chosen",
            first["holdout"],
            figures["base_rate"]["holdout"],
        ),
    ]
    table = m.table(
        "Snapshots that meet the rule, and all snapshots",
        ("snapshots", "meet it and upgraded", "all snapshots", "times the others", "of all upgrades"),
        [
            (
                m.words(words),
                m.rate(one, "converted", "qualified"),
                m.rate(base, "converted", "snapshots"),
                m.ratio(one["relative_risk"]),
                _recall(one),
            )
            for words, one, base in rows
        ],
    )
    return f'<div class="tiles">{"".join(tile(*one) for one in tiles)}</div>{period}{table}'


def _recall(snapshot: Mapping[str, Any]) -> str:
    """Show the share of all upgrades with its interval."""
    return m.fraction(snapshot["recall"]) + m.span(snapshot["recall_low"], snapshot["recall_high"])


def _hold(figures: Mapping[str, Any]) -> str:
    first = figures["candidates"][0]
    parts = [_groups(first["by_period"], "period", "calendar quarter"), _groups(first["by_age"], "age", "age")]
    facts = []
    if first["adjusted_odds_ratio"] is not None:
        adjusted = m.ratio(first["adjusted_odds_ratio"]) + m.span(
            first["adjusted_low"], first["adjusted_high"], of_ratio=True
        )
        facts.append(f"Adjusted: odds ratio {adjusted}.")
    if first["e_value"] is not None:
        facts.append(_doubt(first["e_value"]))
    chosen = [f"{m.name(one['behaviour'], 60)} {m.fraction(one['share'])}" for one in first["stability_by_criterion"]]
    if chosen:
        facts.append(f"Searches of random halves of the data choose these behaviours again: {', '.join(chosen)}.")
    for name, (low, high) in first["threshold_ranges"].items():
        if low != high:
            facts.append(f"{m.name(name, 60)}: thresholds {m.count(low)} to {m.count(high)} cannot be told apart.")
    facts += [
        f"{m.name(one['leads_to'], 60)} stands for {m.name(one['event'], 60)} too, which comes within a minute before "
        f"{m.fraction(one['share'])} of them."
        for one in first["precursors"]
    ]
    test = figures["selection"]
    if test is not None:
        facts.append(
            f"{m.count(test['as_good'])} of {m.count(test['permutations'])} searches on shuffled conversions came to as much: best "
            f"{m.ratio(test['best_relative_risk'])} times, this one {m.ratio(test['relative_risk'])} times, at snapshots."
        )
    top = figures["benchmark_model"]
    if top is not None and top["holdout_rate_at_same_share"] is not None:
        captured = "" if top["captured"] is None else f"; the rule has {m.fraction(top['captured'])} of what is there"
        captured = "; the rule does better" if (top["captured"] or 0) > 1 else captured
        facts.append(f"A model at the same share: {m.fraction(top['holdout_rate_at_same_share'])}{captured}.")
    return "".join(m.paragraph(fact) for fact in facts) + "".join(parts)


def _doubt(found: Mapping[str, Any]) -> str:
    """Say how strong an unmeasured factor would have to be (the E-value)."""
    limit = found["limit"]
    ends = "" if limit is None else f" ({m.ratio(limit)} for the end of the interval nearest no difference)"
    return (
        "An unmeasured factor would have to be tied to both, meeting the rule and upgrading, by a risk ratio of at least "
        f"{m.ratio(found['value'])} each to explain it away{ends}."
    )


def _tonight(figures: Mapping[str, Any]) -> str:
    """Say how many meet the rule already, and how many of them are new."""
    found = figures["now"]
    if found is None:
        return ""
    return m.paragraph(
        f"{m.count(found['meet'])} {figures['entity']}s already meet it: a backlog, not new leads. "
        f"{m.count(found['new'])} of them began to within {m.name(found['since'])}: the leads of ",
        f"pqlkit score --since {m.name(found['since'])}.",
    )


def _groups(groups: Sequence[Mapping[str, Any]], key: str, words: str) -> str:
    if len(groups) < 2:
        return ""
    sides = (("meet it", "with"), ("others", "without"))
    points = [
        Interval(name=one[key], value=one[side]["rate"], low=one[side]["low"], high=one[side]["high"], group=group)
        for one in groups
        for group, side in sides
        if one[side]["rate"] is not None
    ]
    table = m.table(
        f"By {words}: snapshots that meet the rule, and others",
        (words, "meet it", "others", "times"),
        [
            (
                m.name(one[key]),
                m.rate(one["with"], "converted", "snapshots"),
                m.rate(one["without"], "converted", "snapshots"),
                m.ratio(one["relative_risk"]),
            )
            for one in groups
        ],
    )
    says = f"Upgraded by {words}, snapshots that meet the rule and others, with 95 % intervals."
    return f"<h3>By {words}</h3>" + m.figure(rates(points, axis="upgraded", says=says), m.words(says), table)


def _menu(figures: Mapping[str, Any]) -> str:
    title = "Rules that later snapshots bear out, the proposed one first" if _apart(figures) else "The rule proposed"
    return _rules(title, figures["candidates"], apart=_apart(figures)) + _champion(figures)


def _mechanical(figures: Mapping[str, Any]) -> str:
    found = figures["mechanical"]
    return _rules("They precede the upgrade by construction: a list of their own", found) if found else ""


def _rules(caption: str, found: Sequence[Mapping[str, Any]], *, apart: bool = True) -> str:
    """Tabulate rules by what later snapshots did or, where none were set aside, by what all snapshots did."""
    part, which = ("holdout", "later") if apart else ("fit", "all")
    rows = [
        (
            m.name(one["name"], 60),
            m.name(_briefly(one), 200),
            m.rate(one[part], "converted", "qualified"),
            m.rate(one["qualifications"]["holdout"], "converted", "qualified"),
            _recall(one[part]),
            m.number(one["pqls_per_week"]["median"], _whole(one["pqls_per_week"]["median"])),
        )
        for one in found
    ]
    header = ("name", "rule", f"{which} snapshots", f"{which} leads", "of all upgrades", "leads a week")
    return m.table(caption, header, rows, left=2)


def _champion(figures: Mapping[str, Any]) -> str:
    one = figures["champion"]
    if one is None:
        return ""
    rows = [
        (
            m.name(one["name"], 60),
            m.rate(one["holdout"], "converted", "qualified"),
            m.rate(one["qualifications"], "converted", "qualified"),
            _recall(one["holdout"]),
        )
    ]
    return m.table(
        "In use today, on the same later snapshots", ("name", "later snapshots", "later leads", "of all upgrades"), rows
    )


def _briefly(one: Mapping[str, Any]) -> str:
    return str(one["title"] or one["name"])


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _front(figures: Mapping[str, Any]) -> str:
    places = [
        Place(mark="", recall=one["recall"], rate=one["rate"], kind=FRONT)
        for one in figures["pareto_front"]
        if one["rate"] is not None and one["recall"] is not None
    ]
    for index, one in enumerate(figures["candidates"], start=1):
        for kind, part in ((PROPOSED, one["fit"]), (LATER, one["holdout"])):
            if part["rate"] is not None and part["recall"] is not None:
                places.append(Place(mark=str(index), recall=part["recall"], rate=part["rate"], kind=kind))
    drawing = front(places, figures["base_rate"]["fit"]["rate"])
    table = m.table(
        "The front: no searched rule beats these on both",
        ("rule", "upgraded", "of all upgrades"),
        [
            (m.name(one["name"], 200), m.fraction(one["rate"]), m.fraction(one["recall"]))
            for one in figures["pareto_front"]
        ],
    )
    caption = (
        "Each point is a rule; numbers are places on the menu. The fall from blue to orange is what choosing flatters. "
        "The dotted line is the rate of all snapshots."
    )
    return m.figure(drawing, caption, table) if drawing else ""


def _rejected(figures: Mapping[str, Any]) -> str:
    rows = [(m.name(one["rule"], 200), m.name("; ".join(one["reasons"]), 300)) for one in figures["rejected"]]
    return m.table("Good where they were chosen, not later", ("rule", "why"), rows, left=2) if rows else ""


def _left_out(figures: Mapping[str, Any]) -> str:
    rows = [
        (m.name(one["event"], 80), m.words(one["reason"]), m.name(one["evidence"], 400)) for one in figures["excluded"]
    ]
    table = m.table("Events that no search uses; --keep-event overrules", ("name", "reason", "evidence"), rows, left=3)
    return m.section("Left out, because it looks like part of the upgrade", table) if rows else ""
