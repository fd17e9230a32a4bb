"""The trial for people: with and without, the ladder, the parts, what it gives a week."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.inert import visible
from pqlkit.reporting.records.report import sides
from pqlkit.reporting.records.trial import record
from pqlkit.reporting.renderers.layout import fit, spread, styled, wrapped
from pqlkit.reporting.renderers.report import criteria_lines
from pqlkit.reporting.renderers.tabular import escape_markdown, flat, to_csv, to_json, to_markdown
from pqlkit.reporting.renderers.words import about, compact, day, interval, named, percent, rate, ratio

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pqlkit.proposal.trying import Trial
    from pqlkit.statistics.rate import Rate

SENTENCE: Final = "Says who upgrades, not why. Nothing was searched: all the data was used."


def as_json(trial: Trial, file: str | None = None) -> str:
    """Give ``pqlkit/trial/2``."""
    return to_json(record(trial, file))


def as_csv(trial: Trial, file: str | None = None) -> str:
    """Give one row per rung of the ladders."""
    rows = [
        {"id": ladder.id, "threshold": rung.threshold, "written": rung.written, **flat(sides(rung.table))}
        for ladder in trial.ladders
        for rung in ladder.rungs
    ]
    columns = list(rows[0]) if rows else ["id", "threshold", "written"]
    return to_csv(rows, columns)


def as_markdown(trial: Trial, file: str | None = None) -> str:
    """Give the comparison as a table for a document."""
    risk = trial.table.relative_risk()
    rows = [
        ["meet it", rate(trial.table.with_)],
        ["others", rate(trial.table.without)],
        ["new leads", rate(trial.promised.rate)],
    ]
    return (
        f"{escape_markdown(trial.text)}: {ratio(risk, ' times')}\n\n"
        + to_markdown(rows, ["snapshots", "upgraded"], right=[1])
        + f"\n{SENTENCE}\n"
    )


def as_table(trial: Trial, file: str | None = None) -> RenderableType:
    """Give what the terminal shows."""
    from rich.console import Group
    from rich.text import Text

    snapshots, table, risk = trial.observed.snapshots, trial.table, trial.table.relative_risk()
    lines = [spread("HYPOTHESIS", f"as of {day(trial.observed.population.as_of)}, snapshots {snapshots.text}")]
    lines += wrapped(visible(trial.text, 400), "  ")
    if trial.completed is not None:
        lines += wrapped(f"read as: {visible(trial.completed, 400)}", "  ", "    ")
    lines += ["", spread("AT THE SNAPSHOTS", f"upgraded in {snapshots.design.conversion_window}")]
    lines += [_row("meet it", table.with_), _row("others", table.without)]
    lines.append(f"  {ratio(risk, ' times')}{_doubt(trial)}")
    lines.append(
        f"  {percent(table.share.rate)} of snapshots meet it; {percent(table.recall.rate)} of upgrades were snapshots that did"
    )
    lines += ["", *_leads(trial), *_parts(trial), *_ladders(trial), *_then(trial)]
    if file is not None:
        lines += ["", f"  saved as {visible(file, 60)}"]
    for warning in trial.warnings:
        lines += wrapped(warning, "  ! ", "    ")
    return Group(*[styled(Text(line)) for line in [*lines, "", SENTENCE]])


def _row(name: str, value: Rate) -> str:
    counts = f"{value.numerator:,} of {value.denominator:,}"
    return f"  {name:<30} {counts:>19} {percent(value.rate):>7} {interval(value.low, value.high)}"


def _doubt(trial: Trial) -> str:
    """Say plainly when the data cannot tell the hypothesis from nothing, by the exact interval."""
    exact = trial.exact
    if exact.low is None:
        return "   too few to say"
    above = exact.high is None or exact.high >= 1
    return "   may be nothing: the exact interval holds 1" if exact.low <= 1 and above else ""


def _leads(trial: Trial) -> list[str]:
    promised = trial.promised
    weekly, quick = promised.pqls_per_week, promised.time_to_convert
    lines = [
        spread("AS LEADS, when they begin to meet it", f"{promised.starts:,} starts"),
        _row("upgraded after it", promised.rate),
    ]
    if weekly.median is not None and weekly.p90 is not None:
        lines.append(f"  {weekly.median:.0f} a week, {weekly.p90:.0f} in the busiest of ten")
    if quick.median_days is not None:
        lines.append(
            f"  half of those who upgrade do so after {quick.median_days:.0f} days; within a day {quick.quick}"
        )
    return lines


def _parts(trial: Trial) -> list[str]:
    return ["", *criteria_lines("PARTS alone", trial.parts)] if len(trial.parts) > 1 else []


def _ladders(trial: Trial) -> list[str]:
    lines: list[str] = []
    for ladder in trial.ladders:
        lines += ["", f"{visible(ladder.id, 60)}, the rest as written"]
        lines.append("  at least  " + "".join(f"{_mark(rung.threshold, rung.written):>12}" for rung in ladder.rungs))
        lines.append("  upgrade   " + "".join(f"{percent(rung.table.with_.rate):>12}" for rung in ladder.rungs))
        lines.append("  snapshots     " + "".join(f"{rung.table.n1:>12,}" for rung in ladder.rungs))
    return lines


def _mark(threshold: int | float, written: bool) -> str:
    return f"[{threshold:,}]" if written else f"{threshold:,}"


def _then(trial: Trial) -> list[str]:
    if not trial.then:
        return []
    lines = ["", f"{'AMONG THOSE WHO MEET IT, upgraders also did':<45} {'with it':>10} {'without it':>13}  times"]
    for association in trial.then:
        risk = association.table.relative_risk(design_effect=association.design_effect)
        bound = f">= {compact(association.threshold)} in {association.behaviour.window.length}"
        did, rest = association.table.with_, association.table.without
        lines.append(
            f"  {fit(named(association.behaviour), 26)} {bound:<13} {_short(did):>13} {_short(rest):>13}  {about(risk):>5}"
        )
    return lines


def _short(value: Rate) -> str:
    return f"{percent(value.rate)} of {compact(value.denominator)}"
