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
    show(reports, output)
    if any(failing(report, options.fail_under, options.fail_on_drift, output) for report in reports):
        raise typer.Exit(ExitCode.FINDINGS)


def show(reports: list[Report], output: Output) -> None:
    """Write the reports."""
    from pqlkit.reporting.renderers import report as render

    match output.form:
        case Format.JSON:
            output.payload(render.as_json(reports[0]) if len(reports) == 1 else render.several_as_json(reports))
        case Format.CSV:
            output.payload("".join(render.as_csv(report) for report in reports))
        case Format.MARKDOWN:
            output.payload("\n".join(render.as_markdown(report) for report in reports))
        case Format.TABLE:
            from rich.console import Group

            compared = [render.several(reports)] if len(reports) > 1 else []
            output.show(Group(*[render.as_table(report) for report in reports], *compared))
        case _:
            assert_never(output.form)


def failing(report: Report, floor: float | None, on_drift: bool, output: Output) -> bool:
    """Say on stderr what is breached, and whether anything is."""
    failed = False
    if floor is not None and report.falls_short(floor):
        from pqlkit.reporting.renderers.words import interval, percent

        rate, nouns = report.funnel.pql_to_customer, report.nouns
        output.warn(
            f"{report.definition.name}: {rate.numerator:,} of {rate.denominator:,} new {nouns.leads} {nouns.success}, "
            f"{percent(rate.rate)} {interval(rate.low, rate.high)}: below --fail-under {floor:.1%}"
        )
        failed = True
    if on_drift and report.drifted:
        from pqlkit.rates.periods import newest_judged
        from pqlkit.reporting.records.report import period
        from pqlkit.reporting.renderers.report_sentences import against_baseline

        newest = newest_judged(report.periods)
        if newest is not None:
            output.warn(
                f"{report.definition.name}: {newest.period} against the baseline: {against_baseline(period(newest))}"
            )
        failed = True
    return failed
