"""The page of a report: the funnel, what each criterion adds, the periods, and several definitions side by side."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pqlkit.reporting.pages import markup as m
from pqlkit.reporting.pages.bars import bars
from pqlkit.reporting.pages.criteria import criteria
from pqlkit.reporting.pages.intervals import Interval, rates
from pqlkit.reporting.pages.page import page
from pqlkit.reporting.pages.timeline import timeline
from pqlkit.reporting.records.report import record
from pqlkit.reporting.renderers.report import SENTENCE, several_as_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pqlkit.rates.report import Report


def as_page(reports: Sequence[Report]) -> str:
    """Give one or several reports as one HTML file."""
    if len(reports) == 1:
        figures: dict[str, Any] = record(reports[0])
        return page(f"Report: {figures['definition']}", _under(figures), _one(figures), figures, SENTENCE)
    together: dict[str, Any] = json.loads(several_as_json(reports))
    sections = [_side_by_side(together)]
    for one in together["reports"]:
        sections += [f'<section><h2>{m.name(one["definition"], 80)}</h2><p class="under">{_under(one)}</p></section>']
        sections += _one(one)
    return page(f"Report: {len(reports)} definitions", "Side by side, then one by one.", sections, together, SENTENCE)


def _under(figures: Mapping[str, Any]) -> str:
    return (
        f"{m.name(figures['describe'], 600)} "
        f"As of {m.moment(figures['as_of'])}; upgrades within {m.name(figures['conversion_window'])} count."
    )


def _one(figures: Mapping[str, Any]) -> list[str]:
    return [
        "".join(m.said(text) for text in figures["warnings"]),
        m.section("Signup, PQL, customer", _funnel(figures)),
        m.section("Time", _times(figures)),
        m.section("Against the others", _against(figures)),
        m.section("Criteria, each alone", criteria(figures["criteria"]) + _unmechanical(figures)),
        m.section("By period of the start", _periods(figures)),
        m.section("By signup", _groups(figures["cohorts"], "cohort")),
        m.section("By trait", _groups(figures["segments"], "segment")),
        m.section("Contacted or not", _contacted(figures)),
        m.section("Team by team", _teams(figures)),
    ]


def _funnel(figures: Mapping[str, Any]) -> str:
    funnel = figures["funnel"]
    counts = [("signups", funnel["signups"]), ("PQLs", funnel["pqls"]), ("customers", funnel["customers"])]
    says = "Funnel: " + ", ".join(f"{count:,} {name}" for name, count in counts)
    steps = (
        ("signup to PQL", "signup_to_pql"),
        ("PQL to customer", "pql_to_customer"),
        ("signup to customer", "signup_to_customer"),
        ("upgrades that qualified before", "recall"),
    )
    table = m.table(
        "Rates, each among those who have had the time",
        ("step", "rate with its 95 % interval"),
        [(m.words(words), m.rate(funnel[key], "numerator", "denominator")) for words, key in steps],
    )
    young = funnel["pql_to_customer"].get("in_progress")
    late = m.paragraph(f"{m.count(young)} leads are too recent to be in a rate.") if young else ""
    caption = "Everybody so far: signed up, ever qualified, ever converted. Customers need not have been PQLs."
    return bars(counts, says=says) + m.paragraph(m.words(caption)) + table + late


def _times(figures: Mapping[str, Any]) -> str:
    rows = []
    for words, key in (("signup to PQL", "time_to_pql"), ("signup to customer", "time_to_customer")):
        one = figures[key]
        rows.append(
            (
                m.words(words),
                m.name(one["within"]),
                f"{m.count(one['reached'])} of {m.count(one['n'])}",
                m.days(one["p25_days"]),
                m.days(one["median_days"]),
                m.days(one["p75_days"]),
            )
        )
    weekly, quick = figures["pqls_per_week"], figures["time_to_convert"]
    text = ""
    if weekly["median"] is not None:
        text += m.paragraph(
            f"New leads: {m.number(weekly['median'], _whole(weekly['median']))} in the median week, "
            f"{m.number(weekly['p90'], _whole(weekly['p90']))} in the busiest of ten."
        )
    if quick["median_days"] is not None:
        text += m.paragraph(
            f"Time to convert: half of the {m.count(quick['n'])} who upgrade in time do so after {m.days(quick['median_days'])} days; "
            f"within a day {m.fraction(quick['within_a_day'])}."
        )
    header = ("from", "watched for", "got there", "a quarter in days", "half in days", "three quarters in days")
    return m.table("Of those who got there while everybody was watched equally long", header, rows) + text


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _against(figures: Mapping[str, Any]) -> str:
    snapshot = figures["funnel"]["snapshot"]
    rows = [
        ("snapshots that meet it", m.rate(snapshot["with"], "converted", "snapshots")),
        ("other snapshots", m.rate(snapshot["without"], "converted", "snapshots")),
    ]
    text = (
        f"{m.ratio(snapshot['relative_risk'])} times "
        f"{m.span(snapshot['relative_risk_low'], snapshot['relative_risk_high'], of_ratio=True)} the rate of the others."
    )
    caption = "Whoever has not qualified has no moment of qualifying: both are compared at the same snapshots"
    return m.table(caption, ("who", "upgraded"), rows) + m.paragraph(text)


def _unmechanical(figures: Mapping[str, Any]) -> str:
    """Say what is left of the rule without criteria that precede the upgrade by construction."""
    rest = figures["without_mechanical"]
    if not rest:
        return ""
    rows = [
        ("meet it without them", m.rate(rest["with"], "converted", "snapshots")),
        ("others", m.rate(rest["without"], "converted", "snapshots")),
    ]
    return m.table("The rule without its mechanical criteria", ("snapshots", "upgraded"), rows)


def _periods(figures: Mapping[str, Any]) -> str:
    periods = figures["periods"]
    table = m.table(
        "PQL to customer by period of the start, compared with the baseline period",
        ("period", "new leads", "PQL to customer", "verdict", "p value of a fall"),
        [
            (
                m.name(one["period"]),
                m.count(one["starts"]),
                m.rate(one["pql_to_customer"], "numerator", "denominator"),
                m.words(_verdict(one)),
                m.number(one["drift"]["p_value"], _p(one["drift"]["p_value"])),
            )
            for one in periods
        ],
    )
    drawing = timeline(periods, figures["funnel"]["pql_to_customer"]["rate"])
    if not drawing:
        return table if periods else ""
    caption = (
        "Upgraded within the conversion window, by the period in which they qualified. The dashed line is the whole."
    )
    return m.figure(drawing, caption, table)


def _verdict(one: Mapping[str, Any]) -> str:
    if one["drift"]["verdict"]:
        return str(one["drift"]["verdict"])
    return "the baseline" if one["baseline"] else "too few" if one["mature"] else "too recent"


def _p(value: float | None) -> str:
    return "" if value is None else f"{value:.2g}"


def _groups(groups: Sequence[Mapping[str, Any]], key: str) -> str:
    text = ""
    for by in dict.fromkeys(one["by"] for one in groups):
        rows = [one for one in groups if one["by"] == by]
        table = m.table(
            "The same rates in each group",
            ("group", "signups", "signup to PQL", "PQL to customer", "signup to customer"),
            [
                (
                    m.name(one[key], 80),
                    m.count(one["signups"]),
                    *[m.rate(one[step], "numerator", "denominator") for step in _STEPS],
                )
                for one in rows
            ],
        )
        points = [
            Interval(name=one[key], value=rate["rate"], low=rate["low"], high=rate["high"])
            for one in rows
            if (rate := one["pql_to_customer"])["rate"] is not None
        ]
        text += f"<h3>{m.name(by, 60)}</h3>"
        if 2 <= len(points) <= 30:
            says = f"PQL to customer in {len(points)} groups, with 95 % intervals."
            text += m.figure(rates(points, axis="PQL to customer", says=says), "PQL to customer in each group.", table)
        else:
            text += table
    return text


_STEPS = ("signup_to_pql", "pql_to_customer", "signup_to_customer")


def _contacted(figures: Mapping[str, Any]) -> str:
    one, text = figures["contacted"], ""
    if one:
        rows = [
            (m.words(words), m.rate(one[key], "numerator", "denominator"))
            for words, key in (("somebody contacted", "contacted"), ("nobody contacted", "not_contacted"))
        ]
        text += m.table("Leads were not chosen at random: this is no effect of calls", ("leads", "upgraded"), rows)
    arms = figures["arms"]
    if arms:
        rows = [
            (m.words(words), m.rate(arms[key], "numerator", "denominator"))
            for words, key in (("contact", "contact"), ("control, left alone", "control"))
        ]
        text += m.table("Arms drawn by lot", ("arm", "upgraded"), rows)
        gain = arms["difference"]
        if gain["value"] is not None:
            text += m.paragraph(
                f"Contact less control: {m.fraction(gain['value'])}{m.span(gain['low'], gain['high'])}. "
                "This is what contacting does."
            )
    return text


def _teams(figures: Mapping[str, Any]) -> str:
    rows = [
        (
            m.words(one["team"]),
            f"{m.count(one['quantity'])} {m.words(one['quantity_of'])}",
            m.rate(one["quality"], "numerator", "denominator"),
            m.words(one["quality_of"]),
        )
        for one in figures["teams"]
    ]
    return m.table("How much, and how good", ("team", "quantity", "quality", "as"), rows) if rows else ""


def _side_by_side(together: Mapping[str, Any]) -> str:
    rows = [
        (
            m.name(one["definition"], 80),
            m.rate(one["funnel"]["pql_to_customer"], "numerator", "denominator"),
            m.rate(one["funnel"]["recall"], "numerator", "denominator"),
            m.rate(one["funnel"]["signup_to_pql"], "numerator", "denominator"),
        )
        for one in together["reports"]
    ]
    table = m.table("Definitions", ("definition", "PQL to customer", "upgrades that qualified", "signup to PQL"), rows)
    table += "".join(_same_snapshots(one) for one in together["side_by_side"])
    overlap = [(" + ".join(one["definitions"]), one["entities"], one["converted"]) for one in together["overlap"]]
    if not overlap:
        return m.section("Side by side", table)
    says = f"Who is found by which definitions: {len(overlap)} combinations, each entity counted once."
    behind = m.table(
        "Found by exactly these definitions",
        ("definitions", "leads", "of them upgraded"),
        [(m.name(name), m.count(entities), m.count(converted)) for name, entities, converted in overlap],
    )
    drawing = bars([(name, entities) for name, entities, _ in overlap], says=says)
    return m.section("Side by side", table, m.figure(drawing, "Who is found by exactly which definitions.", behind))


def _same_snapshots(one: Mapping[str, Any]) -> str:
    rows = [
        (
            m.name(side["definition"], 80),
            m.rate(side["with"], "converted", "snapshots"),
            m.rate(side["without"], "converted", "snapshots"),
            m.fraction(side["at_equal_leads"]["rate"]),
            m.ratio(side["at_equal_leads"]["lift"]),
        )
        for side in one["definitions"]
    ]
    header = ("definition", "meet it", "others", "at as many leads as the first", "times the rate of all")
    return m.table("All on the same snapshots", header, rows)
