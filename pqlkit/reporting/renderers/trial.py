"""The trial for people: how much more often those who meet the rule convert, what a lead by it is worth, and its parts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pqlkit.definitions.nouns import deed, span
from pqlkit.definitions.phrases import phrase
from pqlkit.inert import visible
from pqlkit.reporting.next_command import Invocation, following
from pqlkit.reporting.records.report import sides
from pqlkit.reporting.records.trial import record
from pqlkit.reporting.renderers.correlation import SENTENCE
from pqlkit.reporting.renderers.layout import columns_of, spread, styled, table, wrapped
from pqlkit.reporting.renderers.tabular import escape_markdown, flat, to_csv, to_json, to_markdown
from pqlkit.reporting.renderers.words import about, day, doing, interval, percent, plural, rate, ratio

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pqlkit.proposal.trying import Trial
    from pqlkit.statistics.rate import Rate

WHOLE: Final = 9.95
"""A relative risk from which on a sentence says it without decimals."""


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
        ["new PQLs, from qualifying", rate(trial.promised.rate)],
    ]
    return (
        f"{escape_markdown(trial.text)}: {ratio(risk, ' times')}\n\n"
        + to_markdown(rows, ["snapshots", "converted"], right=[1])
        + f"\n{SENTENCE}\n"
    )


def as_table(
    trial: Trial,
    file: str | None = None,
    *,
    call: Invocation | None = None,
    width: int = 80,
    save: str | None = None,
) -> RenderableType:
    """Give what the terminal shows: the answer first.

    Parameters
    ----------
    trial
        What was tested.
    file
        Where its definition was written.
    call
        How the command was called: commands that are printed repeat it.
    width
        Columns of the terminal.
    save
        Where its definition could be written.
    """
    from rich.console import Group
    from rich.text import Text

    columns = columns_of(width)
    save = save or f"definitions/{name_of(trial)}.yml"
    lines = [*_answer(trial, file, save, call or Invocation(), columns), "", *_qualifying(trial, columns)]
    lines += [*_parts(trial, columns), *_ladders(trial, columns), *_then(trial, columns), "", *_read(trial)]
    for warning in trial.warnings:
        lines += wrapped(f"warning: {warning}", "  ", "    ")
    return Group(*[styled(Text(line)) for line in lines])


def headline(trial: Trial) -> str:
    """Say how much more often snapshots that meet the rule convert."""
    counts, outcome = trial.table, trial.observed.population.outcome
    window = span(replace(outcome, within=trial.observed.snapshots.design.conversion_window))
    if not counts.n1 or not counts.n0:
        return f"{'Every' if counts.n1 else 'No'} snapshot meets it: there is nothing to compare it with."
    risk = counts.relative_risk()
    rates = f"{percent(counts.with_.rate)} against {percent(counts.without.rate)} within {window}"
    if (risk.low or 0) <= 1 and (risk.high is None or risk.high >= 1):
        return f"Snapshots that meet it may convert as often as the others: {rates}."
    more = f"{risk.value:.0f}" if risk.value is not None and risk.value >= WHOLE else about(risk)
    return f"Snapshots that meet it {deed(outcome) or 'converted'} {more} times as often: {rates}."


def sureness(trial: Trial) -> str:
    """Give the counts behind the headline, and say that nothing was searched."""
    counts, risk = trial.table, trial.table.relative_risk()
    after = f"{counts.a:,} of the {counts.m1:,} conversions, {percent(counts.recall.rate)}, followed such a snapshot"
    return (
        f"{counts.a:,} of {counts.n1:,} and {counts.c:,} of {counts.n0:,}; relative risk {ratio(risk)}{_doubt(trial)}; {after}. "
        "Your own rule: nothing was searched, all the data was used."
    )


def name_of(trial: Trial) -> str:
    """Give a name for the hypothesis as a definition: its criteria's."""
    return "-".join(part.id for part in trial.definition.criteria)[:60].strip("-_.") or "hypothesis"


def _answer(trial: Trial, file: str | None, save: str, call: Invocation, columns: int) -> list[str]:
    lines = wrapped(headline(trial), "", width=columns)
    if trial.table.n1 and trial.table.n0:
        lines += wrapped(sureness(trial), "  How sure    ", " " * 14, width=columns)
    if file is not None:
        lines += wrapped(f"{visible(file, 200)}", "  Saved as    ", " " * 14, width=columns)
    return [*lines, *following([next_of(trial, file, call, save)], columns), SENTENCE]


def next_of(trial: Trial, file: str | None, call: Invocation, save: str | None = None) -> str:
    """Give the command that comes next: the report of what was saved, or saving it."""
    if file is not None:
        return call.next("report", "-d", visible(file, 200))
    save = save or f"definitions/{name_of(trial)}.yml"
    return call.next("try", "--save", visible(save, 200), visible(trial.text, 4_000))


def _read(trial: Trial) -> list[str]:
    """Say what was tested, and on what."""
    observed = trial.observed
    lines = [spread("HYPOTHESIS", f"as of {day(observed.population.as_of)}, snapshots {observed.snapshots.text}")]
    lines += wrapped(visible(trial.text, 400), "  ", "    ")
    lines += wrapped(f"read as: {visible(trial.completed, 400)}", "  ", "    ") if trial.completed is not None else []
    return [*lines, f"  {percent(trial.table.share.rate)} of {plural(trial.table.total, 'snapshot')} meet it"]


def _doubt(trial: Trial) -> str:
    """Say plainly when the data cannot tell the hypothesis from nothing, by the exact interval."""
    exact = trial.exact
    if exact.low is None:
        return " (too few to say)"
    above = exact.high is None or exact.high >= 1
    return " (the exact interval holds 1: it may be nothing)" if exact.low <= 1 and above else ""


def _qualifying(trial: Trial, columns: int) -> list[str]:
    """Say what a lead by this rule is worth: from the moment at which it begins to hold."""
    promised = trial.promised
    weekly, quick, complete = promised.pqls_per_week, promised.time_to_convert, promised.rate
    said = [
        f"{percent(complete.rate)} {interval(complete.low, complete.high)}, {complete.numerator:,} of {complete.denominator:,}"
    ]
    waiting = promised.starts - complete.denominator
    said += [f"{plural(waiting, 'window')} in progress"] if waiting > 0 else []
    if weekly.median is not None and weekly.p90 is not None:
        said.append(f"{weekly.median:.0f} in a median week, {weekly.p90:.0f} in a busy one")
    if quick.median_days is not None:
        said.append(f"median time to convert {quick.median_days:.0f} days, {quick.quick} within one day")
    return wrapped(f"FROM QUALIFYING  {'; '.join(said)}", "", "  ", width=columns)


def _parts(trial: Trial, columns: int) -> list[str]:
    if len(trial.parts) < 2:
        return []
    rows = [("", "with it", "without it", "rule without it")]
    rows += [
        (
            visible(f"{phrase(part.part)}{' (limit event)' if part.mechanical else ''}", 300),
            _short(part.alone.with_),
            _short(part.alone.without),
            "-" if part.without_it is None else _short(part.without_it.with_),
        )
        for part in trial.parts
    ]
    return ["", "EACH CRITERION, at snapshots", *table(rows, width=columns)]


def _ladders(trial: Trial, columns: int) -> list[str]:
    lines: list[str] = []
    for ladder in trial.ladders:
        rungs = ladder.rungs
        lines += ["", f"THRESHOLD of {visible(ladder.id, 60)}, the rest as written, at snapshots (* yours)"]
        lines += table(
            [
                ("at least", *(f"{'*' if rung.written else ''}{rung.threshold:,}" for rung in rungs)),
                ("converted", *(percent(rung.table.with_.rate) for rung in rungs)),
                ("snapshots", *(f"{rung.table.n1:,}" for rung in rungs)),
            ],
            width=columns,
        )
    return lines


def _then(trial: Trial, columns: int) -> list[str]:
    """List what else those who meet it and convert had done."""
    if not trial.then:
        return []
    rows = [("", "with it", "without it", "relative risk")]
    for association in trial.then:
        did, rest = association.table.with_, association.table.without
        length = association.behaviour.window.length
        rows.append(
            (
                f"{doing(association.behaviour, association.threshold)}{'' if length is None else f', {length}'}",
                _short(did),
                _short(rest),
                ratio(association.table.relative_risk(design_effect=association.design_effect)),
            )
        )
    return ["", "AMONG THOSE WHO MEET IT, also associated", *table(rows, width=columns)]


def _short(value: Rate) -> str:
    return f"{percent(value.rate)} of {value.denominator:,}"
