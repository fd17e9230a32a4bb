"""The report for people: the funnel, what each criterion adds, and whether it still holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pqlkit.definitions.describing import describe, phrase
from pqlkit.inert import visible
from pqlkit.reporting.next_command import Invocation, file_of, following
from pqlkit.reporting.records.report import period, record
from pqlkit.reporting.renderers.customer_lines import customer_lines, team_lines
from pqlkit.reporting.renderers.funnel_lines import funnel_lines
from pqlkit.reporting.renderers.layout import fit, spread, styled, wrapped
from pqlkit.reporting.renderers.report_sentences import (
    against_baseline,
    baseline,
    chosen_on,
    headline,
    near_means,
    near_now,
    near_then,
    when,
    which_rate,
    window,
)
from pqlkit.reporting.renderers.tabular import escape_markdown, flat, to_csv, to_json, to_markdown
from pqlkit.reporting.renderers.words import day, interval, percent, rate, ratio, times

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from pqlkit.analysis.criteria import CriterionRates
    from pqlkit.rates.report import Report, Segment
    from pqlkit.statistics.rate import Rate

SENTENCE: Final = "An association: it says who, not why, and not that a call helps."


def as_json(report: Report) -> str:
    """Give ``pqlkit/report/2``."""
    return to_json(record(report))


def several_as_json(reports: Sequence[Report]) -> str:
    """Give ``pqlkit/reports/2``: each report, who is found by which of them, and all on the same snapshots."""
    from pqlkit.rates.common_pqls import overlaps
    from pqlkit.rates.names import told_apart
    from pqlkit.rates.side_by_side import record as compared
    from pqlkit.rates.side_by_side import side_by_side

    return to_json(
        {
            "schema": "pqlkit/reports/2",
            "names": told_apart([report.definition for report in reports]),
            "reports": [record(report) for report in reports],
            "overlap": overlaps(reports),
            "side_by_side": [compared(report) for report in side_by_side(reports)],
        }
    )


def as_csv(reports: Sequence[Report]) -> str:
    """Give one row per definition and period, nested keys joined with dots."""
    from pqlkit.rates.names import told_apart

    rows: list[dict[str, Any]] = [
        {"definition": name, **flat(period(period_rates))}
        for name, report in zip(told_apart([report.definition for report in reports]), reports, strict=True)
        for period_rates in report.periods
    ]
    for row in rows:
        row["drift.findings"] = " ".join(row.get("drift.findings") or [])
    # A period that is compared with nothing lacks what the others have.
    columns = dict.fromkeys(column for row in sorted(rows, key=len, reverse=True) for column in row)
    return to_csv(rows, list(columns) or ["definition", "period", "starts", "mature"])


def several_as_markdown(reports: Sequence[Report]) -> str:
    """Give several below each other, each under its name."""
    from pqlkit.rates.names import told_apart

    names = told_apart([report.definition for report in reports])
    return "\n".join(
        f"## {escape_markdown(name)}\n\n{as_markdown(report)}" for name, report in zip(names, reports, strict=True)
    )


def as_markdown(report: Report) -> str:
    """Give the answer, the funnel and the periods for a document."""
    funnel = report.funnel
    levels, nouns = funnel.to_date, report.nouns
    steps = [
        ["signed up, so far", f"{levels.signups:,}"],
        [f"became {nouns.leads}", rate(levels.pqls)],
        *([] if report.population.outcome.after is not None else _customers(report)),
    ]
    periods = [
        [period_rates.period, str(period_rates.starts), rate(period_rates.rate), against_baseline(period(period_rates))]
        for period_rates in report.periods
    ]
    answer = escape_markdown(" ".join(headline(record(report))), 2000)
    return (
        f"{answer}\n\n{escape_markdown(describe(report.definition), 2000)}\n\n"
        + to_markdown(steps, ["accounts" if report.population.kind == "account" else "users", "rate [95 %]"], right=[1])
        + "\n"
        + to_markdown(periods, ["period", f"new {nouns.leads}", nouns.success, "against the baseline"], right=[1, 2])
        + f"\n{SENTENCE}\n"
    )


def _customers(report: Report) -> list[list[str]]:
    """List the levels of both funnels below the PQLs."""
    levels, cohort, nouns = report.funnel.to_date, report.funnel.cohort, report.nouns
    by = f"day {cohort.customer_by.days:g}"
    return [
        [f"{nouns.leads}, then {nouns.outcomes}", rate(levels.pql_customers)],
        [f"never {nouns.leads}, {nouns.outcomes}", rate(levels.other_customers)],
        [f"followed to {by}: {nouns.lead} within {cohort.pql_within.in_words}", rate(cohort.levels.pqls)],
        [f"these, {nouns.outcome} by {by}", rate(cohort.levels.pql_customers)],
        [f"the others, {nouns.outcome} by {by}", rate(cohort.levels.other_customers)],
    ]


def as_table(report: Report, *, name: str = "", call: Invocation | None = None) -> RenderableType:
    """Give what the terminal shows: lines of at most 80 columns.

    Parameters
    ----------
    report
        What was counted.
    name
        Tells it from another of the same name and version.
    call
        How the command was called: commands that are printed repeat it.
    """
    from rich.console import Group
    from rich.text import Text

    figures = record(report)
    head = _head(report, figures, name, call or Invocation())
    lines = [*head, "", *funnel_lines(report), "", *_new_pqls(report, figures), "", *_compared(report, figures), ""]
    lines += [*_criteria(report), *_segments(report), *_contacts(report), *_near_misses(report, figures), ""]
    lines += [*customer_lines(figures), *team_lines(figures)]
    for warning in report.warnings:
        lines += wrapped(f"warning: {warning}", "", "  ")
    shown = [line for line, before in zip(lines, ["", *lines], strict=False) if line or before]
    return Group(*[styled(Text(line)) for line in [*shown, "", SENTENCE]])


def _head(report: Report, figures: Mapping[str, Any], name: str, call: Invocation) -> list[str]:
    plain = f"{report.definition.name} v{report.definition.version}"
    # Beside another of the same name and version it is told apart by its file.
    name = name if "(" in name else plain
    lines = [spread(f"REPORT  {visible(name, 52)}", f"as of {day(report.population.as_of)}")]
    for sentence in headline(figures, why='"In neither funnel"'):
        lines += wrapped(sentence, "  ")
    lines += wrapped(f"{report.nouns.meaning}: {visible(describe(report.definition), 600)}", "  ")
    command = call.next("report", "-d", file_of(report.definition), "--html", "report.html")
    return [*lines, *following([command])]


def _new_pqls(report: Report, figures: Mapping[str, Any]) -> list[str]:
    """Count the new PQLs from qualifying on, by period, with what is in no rate."""
    starts, funnel, nouns = report.starts, report.funnel, report.nouns
    who = f"{starts.get_column('entity').n_unique():,} {report.population.kind}s"
    mature, early = int(starts["mature"].sum()), int(starts["too_soon"].sum())
    soon = f" + {early:,} whose window ends too soon" if early else ""
    lines = [
        spread(f"NEW {report.nouns.leads.upper()}", f"{window(figures)} from qualifying"),
        f"  {starts.height:,} by {who} = {mature:,} complete + {report.in_progress:,} in progress{soon}",
    ]
    if funnel.unrated:
        lines += wrapped(
            f"({funnel.unrated:,} more {report.nouns.leads} qualified before the rule's windows were full of events: in no rate)",
            "  ",
        )
    lines += [*_periods(report)]
    quick, weekly = report.times.to_convert, report.pqls_per_week
    if weekly.median is not None and weekly.p90 is not None:
        lines.append(f"  {weekly.median:.0f} in a median week, {weekly.p90:.0f} in a busy one")
    if quick.median_days is not None:
        if report.population.outcome.after is None:
            lines.append(f"  median time to convert {quick.median_days:.0f} days; {quick.quick} within one day")
        else:
            lines.append(f"  half of those who {nouns.outcome} did so within {quick.median_days:.0f} days")
    if report.customers.amounts is not None and report.customers.amounts.per_pql is not None:
        lines.append(
            f"  first amount, mean: {report.customers.amounts.per_customer or 0:,.2f} per customer, {report.customers.amounts.per_pql:,.2f} per new {report.nouns.lead}"
        )
    return lines


def _step(name: str, value: Rate) -> str:
    counts = f"{value.numerator:,} of {value.denominator:,}"
    return f"  {name:<30} {counts:>19} {percent(value.rate):>7} {interval(value.low, value.high)}"


def _compared(report: Report, figures: Mapping[str, Any]) -> list[str]:
    snapshot = report.funnel.snapshot
    if report.starts["too_soon"].any() and not report.starts["mature"].any():
        return wrapped(
            "AT SNAPSHOTS  not compared: their windows end before the day on which most convert, too", "", "  "
        )
    return [
        spread(
            "AT SNAPSHOTS",
            f"{when(figures)}, {report.nouns.outcomes} within {window(figures, snapshots=True)}",
        ),
        _step("meets it", snapshot.with_),
        _step("does not", snapshot.without),
        f"  relative risk {ratio(snapshot.relative_risk())}",
        *(line for said in (which_rate(figures), chosen_on(figures)) if said for line in wrapped(said, "  ")),
    ]


def _criteria(report: Report) -> list[str]:
    return [*criteria_lines("CRITERIA alone", report.criteria)] if len(report.criteria) > 1 else []


def criteria_lines(title: str, criteria: Sequence[CriterionRates]) -> list[str]:
    """Set each criterion over its figures: with it, without it, and the rule without it."""
    lines = [f"{title:<22} {'with it':>17} {'without it':>18} {'the rule without it':>20}"]
    for criterion_rates in criteria:
        lines += wrapped(
            visible(("M " if criterion_rates.mechanical else "") + phrase(criterion_rates.part), 300), "  ", "    "
        )
        rest = _share(criterion_rates.without_it.with_) if criterion_rates.without_it is not None else "-"
        lines.append(
            f"{'':<22} {_share(criterion_rates.alone.with_):>17} {_share(criterion_rates.alone.without):>18} {rest:>20}"
        )
    return lines


def _share(value: Rate) -> str:
    return f"{percent(value.rate)} of {value.denominator:,}"


def _periods(report: Report) -> list[str]:
    rows = [
        (period_rates, f"{period_rates.rate.numerator:,} of {period_rates.rate.denominator:,}")
        for period_rates in report.periods[-8:]
    ]
    wide = max((len(counts) for _, counts in rows), default=0)
    new = max((len(f"{period_rates.starts:,}") for period_rates, _ in rows), default=0)
    column = 35 + wide + new
    lines = (
        [f"  {'period':<8} {'new':>{new}}  {report.nouns.success}".ljust(column) + "fall against the baseline"]
        if rows
        else []
    )
    for period_rates, counts in rows:
        told = f"{counts:>{wide}} {percent(period_rates.rate.rate):>6} {interval(period_rates.rate.low, period_rates.rate.high):<12}"
        said = wrapped(against_baseline(period(period_rates)), "", width=79 - column)
        lines.append(f"  {period_rates.period:<8} {period_rates.starts:>{new},}  {told}".ljust(column) + said[0])
        lines += [" " * column + more for more in said[1:]]
    together = baseline([period(period_rates) for period_rates in report.periods])
    return [*lines, *(wrapped(f"the baseline: {together}", "  ") if together else [])]


def _segments(report: Report) -> list[str]:
    """Print what was asked for with ``--by``, in that order."""
    nouns, lines = report.nouns, []
    for by in report.parts.by:
        rows = [segment for segment in (*report.parts.cohorts, *report.parts.segments) if segment.by == by]
        lines += ["", f"{fit(f'BY {visible(by, 60)}', 32)} {f'became {nouns.leads}':>25} {nouns.success:>20}"]
        lines += [_segment(segment) for segment in rows[-12:]]
        lines += [f"  ... and {len(rows) - 12:,} more: --format json, or --html FILE"] if len(rows) > 12 else []
    return lines


def _segment(segment: Segment) -> str:
    early, late = segment.signup_to_pql, segment.pql_to_customer
    first = f"{early.numerator:,} of {early.denominator:,}" if segment.signups is not None else ""
    second = f"{late.numerator:,} of {late.denominator:,}"
    share = percent(early.rate) if segment.signups is not None else ""
    return f"  {fit(segment.name, 30)} {first:>17} {share:>6} {second:>15} {percent(late.rate):>6}"


def _contacts(report: Report) -> list[str]:
    lines = []
    if (contacted := report.parts.contacted) is not None:
        lines += [
            "",
            spread("FIRST CONTACT", "leads were not chosen at random: no effect of calls"),
            _step("before it qualified", contacted.before),
            _step("after it qualified", contacted.after),
            _step("  within 1 hour", contacted.within_1h),
            _step("  within 24 hours", contacted.within_24h),
            _step("  within 3 days", contacted.within_3d),
            _step("  later", contacted.later),
            _step("never", contacted.never),
        ]
    if (arms := report.parts.arms) is not None:
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


def _near_misses(report: Report, figures: Mapping[str, Any]) -> list[str]:
    misses, nouns = report.near_misses, report.nouns
    if not misses.qualified.denominator and not misses.now:
        return []
    lines = ["", spread("NEAR MISSES", near_means(figures))]
    if misses.qualified.denominator:
        lines += wrapped(near_then(figures), "  ")
        lines += [_step(f"became {nouns.leads}", misses.qualified), _step(nouns.success, misses.customers)]
    return lines + wrapped(near_now(figures), "  ")


def several(reports: Sequence[Report]) -> RenderableType:
    """Give several definitions on the same snapshots, and who only one of them finds."""
    from rich.console import Group
    from rich.text import Text

    from pqlkit.rates.common_pqls import overlaps
    from pqlkit.rates.side_by_side import side_by_side

    lines: list[str] = []
    nouns = reports[0].nouns
    for comparison in side_by_side(reports):
        window = comparison.snapshots.design.conversion_window.in_words
        lines += ["", spread("SIDE BY SIDE", f"snapshots {comparison.snapshots.text}, {nouns.success} within {window}")]
        head = f"  {'':<24} {'share':>7} {'of these':>9} {'recall':>7}"
        lines.append(f"{head}  at {comparison.sides[0].leads:,} leads, x base")
        for side in comparison.sides:
            table = side.table
            lines.append(
                f"  {fit(side.name, 24)} {percent(table.share.rate):>7} {percent(table.with_.rate):>9} "
                f"{percent(table.recall.rate):>7}  {percent(side.rate):>8} {times(side.lift):>6}"
            )
        for side in comparison.sides[1:]:
            if (against := side.first_against_it) is not None and against.value is not None:
                first = f"Snapshots that meet {visible(comparison.sides[0].name, 44)} {nouns.success} {ratio(against, ' times')} as often as"
                lines += wrapped(f"{first} those that meet {visible(side.name, 44)}.", "  ")
    shared = overlaps(reports)
    lines += ["", spread("WHO FINDS WHOM", "each is in one row")]
    lines.append(f"  {'':<46} {nouns.leads:>14} {fit(nouns.outcomes, 14).rstrip():>15}")
    for row in shared[:12]:
        names = row["definitions"] if isinstance(row["definitions"], list) else []
        who = f"only {names[0]}" if len(names) == 1 else " and ".join(str(name) for name in names)
        lines.append(f"  {visible(who, 46):<46} {row['entities']:>14,} {row['converted']:>15,}")
    return Group(*[styled(Text(line)) for line in lines])
