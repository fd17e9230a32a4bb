"""The report for people: the funnel, what each criterion adds, and whether it still holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pqlkit.definitions.describing import describe, phrase
from pqlkit.inert import visible
from pqlkit.reporting.records.report import period, record
from pqlkit.reporting.renderers.layout import fit, spread, styled, wrapped
from pqlkit.reporting.renderers.tabular import escape_markdown, flat, to_csv, to_json, to_markdown
from pqlkit.reporting.renderers.words import day, interval, percent, rate, ratio, times
from pqlkit.statistics.drift import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from pqlkit.analysis.criteria import CriterionRates
    from pqlkit.rates.funnel import Waiting
    from pqlkit.rates.report import Report, Segment
    from pqlkit.statistics.drift import Drift
    from pqlkit.statistics.rate import Rate

SENTENCE: Final = "Says who upgrades, not why, and not that a call makes them."


def as_json(report: Report) -> str:
    """Give ``pqlkit/report/2``."""
    return to_json(record(report))


def several_as_json(reports: Sequence[Report]) -> str:
    """Give ``pqlkit/reports/2``: each report, who is found by which of them, and all on the same snapshots."""
    from pqlkit.rates.common_pqls import overlaps
    from pqlkit.rates.side_by_side import record as compared
    from pqlkit.rates.side_by_side import side_by_side

    return to_json(
        {
            "schema": "pqlkit/reports/2",
            "reports": [record(one) for one in reports],
            "overlap": overlaps(reports),
            "side_by_side": [compared(one) for one in side_by_side(reports)],
        }
    )


def as_csv(report: Report) -> str:
    """Give one row per period, nested keys joined with dots."""
    rows: list[dict[str, Any]] = [flat(period(one)) for one in report.periods]
    for row in rows:
        row["drift.findings"] = " ".join(row.get("drift.findings") or [])
    return to_csv(rows, list(rows[0]) if rows else ["period", "starts", "mature"])


def as_markdown(report: Report) -> str:
    """Give the funnel and the periods as tables for a document."""
    funnel = report.funnel
    steps = [
        ["signup to PQL", rate(funnel.signup_to_pql)],
        ["PQL to customer", rate(funnel.pql_to_customer)],
        ["signup to customer", rate(funnel.signup_to_customer)],
        ["upgrades that qualified before", rate(funnel.recall)],
    ]
    periods = [
        [
            one.period,
            str(one.starts),
            rate(one.rate),
            one.drift.verdict.value if one.drift else _pending(one.mature, one.baseline),
        ]
        for one in report.periods
    ]
    return (
        f"{escape_markdown(describe(report.definition), 2000)}\n\n"
        + to_markdown(steps, ["step", "rate [95 %]"], right=[1])
        + "\n"
        + to_markdown(periods, ["period", "new leads", "PQL to customer", "verdict"], right=[1, 2])
        + f"\n{SENTENCE}\n"
    )


def as_table(report: Report) -> RenderableType:
    """Give what the terminal shows: at most about 40 lines of 80 columns."""
    from rich.console import Group
    from rich.text import Text

    lines = [*_head(report), "", *_funnel(report), "", *_compared(report), ""]
    lines += [*_criteria(report), *_periods(report), *_segments(report), *_contacts(report)]
    for warning in report.warnings:
        lines += wrapped(warning, "  ! ", "    ")
    return Group(*[styled(Text(line)) for line in [*lines, "", SENTENCE]])


def _head(report: Report) -> list[str]:
    name = f"{report.definition.name} v{report.definition.version}"
    lines = [spread(f"REPORT  {visible(name, 44)}", f"as of {day(report.population.as_of)}")]
    return lines + wrapped(visible(describe(report.definition), 600), "  ")


def _funnel(report: Report) -> list[str]:
    funnel, conversion_window = report.funnel, report.definition.outcome.within if report.definition.outcome else None
    lines = [
        spread("FUNNEL", f"{funnel.signups:,} signups, {funnel.pqls:,} PQLs, {funnel.customers:,} customers"),
        _step("signup to PQL", funnel.signup_to_pql),
        _step(f"PQL to customer in {conversion_window}", funnel.pql_to_customer),
        _step("signup to customer", funnel.signup_to_customer),
        _step("upgrades that qualified first", funnel.recall),
    ]
    if report.in_progress:
        lines.append(f"  {'too recent, in no rate':<30} {report.in_progress:>9,}")
    lines.append(f"  signup to PQL: {_waited(report.time_to_pql)}")
    lines.append(f"  signup to customer: {_waited(report.time_to_customer)}")
    quick, weekly = report.time_to_convert, report.pqls_per_week
    if quick.median_days is not None:
        lines.append(
            f"  time to convert: half upgrade after {quick.median_days:.0f} days or less; within a day {quick.quick}"
        )
    if weekly.median is not None and weekly.p90 is not None:
        lines.append(f"  new leads: {weekly.median:.0f} a week, {weekly.p90:.0f} in the busiest of ten")
    if report.amounts is not None and report.amounts.per_pql is not None:
        lines.append(
            f"  worth: {report.amounts.per_customer or 0:,.2f} a customer, {report.amounts.per_pql:,.2f} a lead"
        )
    return lines


def _step(name: str, value: Rate) -> str:
    counts = f"{value.numerator:,} of {value.denominator:,}"
    return f"  {name:<30} {counts:>19} {percent(value.rate):>7} {interval(value.low, value.high)}"


def _waited(one: Waiting) -> str:
    if one.median_days is None:
        return f"none of {one.n:,} within {one.within}"
    return f"half of the {one.reached:,} within {one.within} took {one.median_days:.1f} days or less"


def _compared(report: Report) -> list[str]:
    snapshot = report.funnel.snapshot
    risk = snapshot.relative_risk()
    return [
        spread(
            "AGAINST THE OTHERS",
            f"snapshots {report.snapshots.text}, upgrades in {report.snapshots.design.conversion_window}",
        ),
        _step("snapshots that meet it", snapshot.with_),
        _step("other snapshots", snapshot.without),
        f"  {ratio(risk, ' times')}",
    ]


def _criteria(report: Report) -> list[str]:
    return [*criteria_lines("CRITERIA alone", report.criteria), ""] if len(report.criteria) > 1 else []


def criteria_lines(title: str, criteria: Sequence[CriterionRates]) -> list[str]:
    """Set each criterion over its figures: with it, without it, and the rule without it."""
    lines = [f"{title:<22} {'with it':>17} {'without it':>18} {'the rule without it':>20}"]
    for one in criteria:
        lines += wrapped(visible(("M " if one.mechanical else "") + phrase(one.part), 300), "  ", "    ")
        rest = _share(one.without_it.with_) if one.without_it is not None else "-"
        lines.append(f"{'':<22} {_share(one.alone.with_):>17} {_share(one.alone.without):>18} {rest:>20}")
    return lines


def _share(value: Rate) -> str:
    return f"{percent(value.rate)} of {value.denominator:,}"


def _periods(report: Report) -> list[str]:
    lines = [f"{'BY PERIOD':<11}{'leads':>7}{'PQL to customer':>23}{'':<14}since the baseline"]
    for one in report.periods[-8:]:
        verdict = one.drift.verdict.value if one.drift is not None else _pending(one.mature, one.baseline)
        p = _tested(one.drift)
        counts = f"{one.rate.numerator:,} of {one.rate.denominator:,}"
        lines.append(
            f"  {one.period:<8} {one.starts:>7,} {counts:>15} {percent(one.rate.rate):>6} "
            f"{interval(one.rate.low, one.rate.high):<12} {verdict}{p}"
        )
    return lines


def _tested(drift: Drift | None) -> str:
    """Give the p-value of what the verdict rests on: the smallest of its tests, all of which are corrected together."""
    if drift is None:
        return ""
    moved = (shift.p_value for shift in drift.shifts if shift.shifted)
    grounds = {
        Verdict.SHARE_CHANGED: (drift.share_p_value, *moved),
        Verdict.RATE_FELL: (drift.p_value, drift.effect_p_value),
        Verdict.OTHERS_CHANGED: (drift.base_p_value,),
    }
    values = [value for value in grounds.get(drift.verdict, (drift.p_value,)) if value is not None]
    return f" p {min(values):.1g}" if values else ""


def _pending(mature: bool, baseline: bool) -> str:
    return "the baseline" if baseline else "before it" if mature else "too recent"


def _segments(report: Report) -> list[str]:
    if not report.segments:
        return []
    lines = ["", spread("BY SEGMENT", f"{'signup to PQL':>22}{'PQL to customer':>24}")]
    return lines + [_segment(one) for one in report.segments[:12]]


def _segment(one: Segment) -> str:
    early, late = one.signup_to_pql, one.pql_to_customer
    first = f"{early.numerator:,} of {early.denominator:,}"
    second = f"{late.numerator:,} of {late.denominator:,}"
    name = fit(f"{one.by}: {one.name}", 30)
    return f"  {name} {first:>17} {percent(early.rate):>6} {second:>15} {percent(late.rate):>6}"


def _contacts(report: Report) -> list[str]:
    lines = []
    if (one := report.contacted) is not None:
        lines += [
            "",
            spread("CONTACTED", "not chosen at random: no effect of calls"),
            _step("leads somebody contacted", one.contacted),
            _step("leads nobody contacted", one.not_contacted),
        ]
    if (arms := report.arms) is not None:
        gain = arms.difference
        lines += [
            "",
            spread("ARMS drawn by lot", "contact less control: what contacting does"),
            _step("contact", arms.contact),
            _step("control, left alone", arms.control),
            f"  difference {percent(gain.value)} {interval(gain.low, gain.high)}"
            if gain.value is not None
            else "  no difference yet: an arm has no lead old enough",
        ]
    return lines


def several(reports: Sequence[Report]) -> RenderableType:
    """Give several definitions on the same snapshots, and who only one of them finds."""
    from rich.console import Group
    from rich.text import Text

    from pqlkit.rates.common_pqls import overlaps
    from pqlkit.rates.side_by_side import side_by_side

    lines: list[str] = []
    for one in side_by_side(reports):
        head = f"snapshots {one.snapshots.text}, upgrades in {one.snapshots.design.conversion_window}"
        lines += ["", spread("SIDE BY SIDE", head)]
        lines.append(
            f"  {'':<24} {'of snapshots':>8} {'upgraded':>8} {'of upgr.':>8}  at {one.sides[0].leads:,} leads, x base"
        )
        for side in one.sides:
            table = side.table
            lines.append(
                f"  {fit(side.name, 24)} {percent(table.share.rate):>8} {percent(table.with_.rate):>8} "
                f"{percent(table.recall.rate):>8}  {percent(side.rate):>8} {times(side.lift):>6}"
            )
    found = overlaps(reports)
    lines += ["", spread("WHO FINDS WHOM", "entities that became leads, in one row each")]
    for row in found[:12]:
        names = row["definitions"] if isinstance(row["definitions"], list) else []
        who = f"only {names[0]}" if len(names) == 1 else " and ".join(str(name) for name in names)
        lines.append(f"  {visible(who, 46):<46} {row['entities']:>8,} leads {row['converted']:>7,} upgraded")
    return Group(*[styled(Text(line)) for line in lines])
