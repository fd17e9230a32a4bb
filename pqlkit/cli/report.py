"""`pqlkit report`: conversion rates of a definition, by cohort, segment and period."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqlkit.cli.exit import ExitCode
from pqlkit.cli.inputs import inputs
from pqlkit.cli.options import DataOptions, Format, OutputOptions, option, records

if TYPE_CHECKING:
    from pqlkit.cli.output import Output
    from pqlkit.rates.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """Which definitions, cut how, and what makes the run fail."""

    definition: Annotated[
        list[Path] | None, option("--definition", "-d", help="The definition file. Repeatable.", metavar="FILE")
    ] = None
    by: Annotated[
        list[str] | None,
        option("--by", help="signup_week, signup_month, signup_quarter or a trait. Repeatable.", metavar="COHORT"),
    ] = None
    ledger: Annotated[
        Path | None,
        option("--ledger", help="What `score --ledger --control` wrote: compare the arms.", metavar="FILE"),
    ] = None
    contacts: Annotated[
        str | None,
        option("--contacts", help="Who was contacted when: user_id, account_id or entity; at.", metavar="FILE"),
    ] = None
    fail_under: Annotated[
        str | None,
        option("--fail-under", help="Exit 1 if the whole interval of PQL to customer lies below this.", metavar="RATE"),
    ] = None
    fail_on_drift: Annotated[
        bool | None, option("--fail-on-drift", help="Exit 1 if the newest mature period has drifted.")
    ] = None
    html: Annotated[Path | None, option("--html", help="Also write one self-contained page.", metavar="FILE")] = None


@records(DataOptions, ReportOptions, OutputOptions)
def report(data: DataOptions, options: ReportOptions, out: OutputOptions) -> None:
    """Count signup -> PQL -> customer rates by cohort, segment and period, with drift.

    **Examples**

    `pqlkit report -d definitions/team-rollout.yml`

    `pqlkit report -d definitions/team-rollout.yml --by signup_month --by channel`

    `pqlkit report -d definitions/team-rollout.yml --fail-under 5% --fail-on-drift`: for CI
    """
    from pqlkit.cli.output import Output
    from pqlkit.cli.values import share
    from pqlkit.definitions.loading import load_definition
    from pqlkit.errors import UsageError
    from pqlkit.exports.dataset import with_contacts
    from pqlkit.rates.report import report as run

    found = inputs("report", data, ReportOptions, OutputOptions)
    options, out = found.settle(options), found.settle(out)
    output = Output(quiet=bool(out.quiet), verbose=bool(out.verbose), out=out.out)
    if not options.definition:
        raise UsageError("report needs a definition", hint="pqlkit report -d definitions/NAME.yml")
    floor = None if options.fail_under is None else share(options.fail_under, "--fail-under")
    definitions = [load_definition(path) for path in options.definition]
    with output.working("reading exports") as progress:
        dataset = found.dataset(progress)
        if options.contacts is not None:
            dataset = with_contacts(dataset, options.contacts, found.project)
        reports = [
            run(
                found.population(dataset, definition),
                definition,
                by=tuple(options.by or ()),
                ledger=options.ledger,
                progress=progress,
            )
            for definition in definitions
        ]
    if options.html is not None:
        from pqlkit.reporting.pages.report import as_page

        output.page(options.html, as_page(reports))
    show(reports, out.format or Format.TABLE, output)
    if any(failing(one, floor, bool(options.fail_on_drift), output) for one in reports):
        raise typer.Exit(ExitCode.FINDINGS)


def show(reports: list[Report], form: Format, output: Output) -> None:
    """Write the reports in a format."""
    from pqlkit.reporting.renderers import report as render

    match form:
        case Format.JSON:
            output.payload(render.as_json(reports[0]) if len(reports) == 1 else render.several_as_json(reports))
        case Format.CSV:
            output.payload("".join(render.as_csv(one) for one in reports))
        case Format.MARKDOWN:
            output.payload("\n".join(render.as_markdown(one) for one in reports))
        case Format.TABLE:
            from rich.console import Group

            compared = [render.several(reports)] if len(reports) > 1 else []
            output.show(Group(*[render.as_table(one) for one in reports], *compared))


def failing(report: Report, floor: float | None, on_drift: bool, output: Output) -> bool:
    """Say on stderr what is breached, and whether anything is."""
    failed = False
    if floor is not None and report.falls_short(floor):
        rate = report.funnel.pql_to_customer
        output.warn(
            f"{report.definition.name}: PQL to customer is {rate.numerator} of {rate.denominator}, "
            f"at most {rate.high:.1%} (95 %), below --fail-under {floor:.1%}"
        )
        failed = True
    if on_drift and report.drifted:
        newest = [one for one in report.periods if one.drift is not None][-1]
        verdict = newest.drift.verdict.value if newest.drift is not None else ""
        output.warn(f"{report.definition.name}: {newest.period} drifted since the baseline: {verdict}")
        failed = True
    return failed
