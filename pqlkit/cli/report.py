"""`pqlkit report`: conversion rates of a definition, by cohort, segment and period."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, assert_never

import typer

from pqlkit.cli.exit import ExitCode
from pqlkit.cli.inputs import Given
from pqlkit.cli.options import DefinitionFiles, takes_options
from pqlkit.options.commands import ReportOptions
from pqlkit.options.output import Format

if TYPE_CHECKING:
    from pqlkit.cli.output import Output
    from pqlkit.rates.report import Report
    from pqlkit.reporting.next_command import Invocation


@takes_options("report")
def report(
    given: Given,
    files: DefinitionFiles = None,
) -> None:
    """Count signup -> PQL -> customer rates by cohort, segment and period, with drift.

    **Examples**

    `pqlkit report -d definitions/team-rollout.yml`

    `pqlkit report -d definitions/team-rollout.yml --by signup_month --by channel`

    `pqlkit report -d definitions/team-rollout.yml --fail-under 5% --fail-on-drift`: for CI
    """
    from pqlkit.definitions.folders import load_definition
    from pqlkit.errors import UsageError
    from pqlkit.exports.dataset import with_contacts
    from pqlkit.rates.names import told_apart
    from pqlkit.rates.report import report as run
    from pqlkit.rates.side_by_side import shared_signups

    inputs = given.naming(files).inputs()
    options, output = inputs.settle(ReportOptions), inputs.output()
    if not options.definition:
        raise UsageError("report needs a definition", hint="pqlkit report definitions/NAME.yml")
    definitions = [load_definition(path) for path in options.definition]
    with output.working("reading exports") as progress:
        dataset = inputs.dataset(progress)
        if options.contacts is not None:
            dataset = with_contacts(dataset, options.contacts, inputs.project, inputs.cluster)
        asked = [(inputs.population(dataset, definition), definition) for definition in definitions]
        how = partial(run, by=options.by, ledger=options.ledger, visitors=options.visitors, progress=progress)
        reports = [how(*each) for each in asked]
        # Rates stand beside each other only if they are of the same entities.
        reports = [
            report if among is None else how(*each, among=among)
            for report, each, among in zip(reports, asked, shared_signups(reports), strict=True)
        ]
    if output.html is not None:
        from pqlkit.reporting.pages.report import as_page

        output.page(as_page(reports))
    output.warn_beside(dict.fromkeys(warning for report in reports for warning in report.warnings))
    names = told_apart([report.definition for report in reports])
    show(reports, names, output, inputs.call)
    # All that is breached is said, not only the first.
    breached = [
        failing(*each, options.fail_under, options.fail_on_drift, output) for each in zip(reports, names, strict=True)
    ]
    if any(breached):
        raise typer.Exit(ExitCode.FINDINGS)


def show(reports: list[Report], names: list[str], output: Output, call: Invocation) -> None:
    """Write the reports."""
    from pqlkit.reporting.renderers import report as render

    match output.form:
        case Format.JSON:
            output.payload(render.as_json(reports[0]) if len(reports) == 1 else render.several_as_json(reports))
        case Format.CSV:
            output.payload(render.as_csv(reports))
        case Format.MARKDOWN:
            output.payload(render.as_markdown(reports[0]) if len(reports) == 1 else render.several_as_markdown(reports))
        case Format.TABLE:
            from rich.console import Group

            compared = [render.several(reports)] if len(reports) > 1 else []
            tables = [
                render.as_table(report, name=name, call=call) for report, name in zip(reports, names, strict=True)
            ]
            output.show(Group(*tables, *compared))
        case _:
            assert_never(output.form)


def failing(report: Report, name: str, floor: float | None, on_drift: bool, output: Output) -> bool:
    """Say on stderr what is breached, and whether anything is.

    Parameters
    ----------
    report, name
        What was counted, and what it is called beside the others.
    floor, on_drift
        What was asked for.
    output
        Where to say it.
    """
    failed = False
    if floor is not None and report.falls_short(floor):
        from pqlkit.reporting.renderers.words import interval, percent

        rate, nouns = report.funnel.pql_to_customer, report.nouns
        output.failed(
            f"{name}: {percent(rate.rate)} of new {nouns.leads} {nouns.success} ({rate.numerator:,} of "
            f"{rate.denominator:,}) {interval(rate.low, rate.high)}, below --fail-under {percent(floor)}"
        )
        failed = True
    if on_drift and report.drifted:
        from pqlkit.rates.periods import newest_judged
        from pqlkit.reporting.records.report import period
        from pqlkit.reporting.renderers.report_sentences import against_baseline

        newest = newest_judged(report.periods)
        if newest is not None:
            output.failed(f"{name}: {newest.period} against the baseline: {against_baseline(period(newest))}")
        failed = True
    return failed
