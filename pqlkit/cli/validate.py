"""`pqlkit validate`: definition and project files checked, explained, described and repaired."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqlkit.cli.exit import ExitCode
from pqlkit.cli.inputs import Given
from pqlkit.cli.options import takes_options
from pqlkit.cli.plain_check import check_project_file, report_text
from pqlkit.errors import UsageError
from pqlkit.options.commands import ValidateOptions
from pqlkit.options.data import PROJECT
from pqlkit.options.output import ReportFormat, TargetOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.cli.inputs import Inputs
    from pqlkit.cli.output import Output
    from pqlkit.definitions.facts import Facts
    from pqlkit.definitions.model import Definition
    from pqlkit.definitions.validation import Compare, FactsOf, Report


@takes_options("validate")
def validate_command(
    given: Given,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help=f"Definition and project files, or folders of them [default: {PROJECT} and its definitions].",
            metavar="FILE...",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Check definition and project files; with data, check them against it.

    The exit code is 0 if they are clean, 1 if there are errors (with `--strict`, warnings too), 2 if the check could not run.

    **Examples**

    `pqlkit validate definitions/`

    `pqlkit validate definitions/crm-trial.yml --base main --format github`

    `pqlkit validate definitions/ --data dataset/ --strict`

    `pqlkit validate --explain PQL203`
    """
    from pqlkit.cli.inputs import Inputs
    from pqlkit.cli.output import Output
    from pqlkit.exports.project import Project

    if "explain" in given.values:
        from pqlkit.definitions.rules.registry import explain

        inputs = Inputs(given=given, project=Project())
        Output(out=inputs.settle(TargetOption).out).payload(explain(given.values["explain"]))
        return
    inputs, broken = _inputs(given)
    options = inputs.settle(ValidateOptions)
    output = Output(quiet=options.quiet, verbose=options.verbose, out=options.out)
    report = _checked([*_paths(files, inputs, broken), *broken], options, inputs, output)
    failed = report.failed(strict=options.strict)
    if options.describe and not failed:
        output.payload(_described(report))
    else:
        output.payload(_rendered(report, options))
    if failed:
        raise typer.Exit(ExitCode.FINDINGS)


def _inputs(given: Given) -> tuple[Inputs, list[Path]]:
    """Read the project file. One that lies here and has faults is checked like any other file, and otherwise not used."""
    from pqlkit.errors import DefinitionError

    try:
        return given.inputs(), []
    except DefinitionError:
        if "project" in given.values:
            raise
    from pqlkit.cli.inputs import Inputs
    from pqlkit.exports.project import Project

    return Inputs(given=given, project=Project()), [Path(PROJECT)]


def _paths(files: Sequence[Path] | None, inputs: Inputs, broken: Sequence[Path]) -> list[Path]:
    """Give the files to check: those named, else the project's.

    Raises
    ------
    UsageError
        None are named and there is no project file.
    """
    if files or broken:
        return list(files or ())
    project = inputs.project
    if project.path is None:
        raise UsageError(
            "no files to check", hint="name definition files or a folder of them: pqlkit validate definitions/"
        )
    return [project.path, *([project.definitions] if project.definitions.is_dir() else [])]


def _checked(paths: Sequence[Path], options: ValidateOptions, inputs: Inputs, output: Output) -> Report:
    from datetime import datetime

    from pqlkit.definitions.fixing import fix_files
    from pqlkit.definitions.validation import validate

    facts, compare = _against(options, inputs, output)
    today = datetime.now().astimezone().date()

    def check(_: Sequence[str] = ()) -> Report:
        return validate(
            paths,
            today=today,
            facts=facts,
            base=options.base,
            folders=[inputs.project.definitions] if inputs.project.path is not None else [],
            project_checker=check_project_file,
            compare=compare,
        )

    report = check()
    if options.fix:
        report, done = fix_files(report, check)
        changed = len({diagnostic.path for diagnostic in done})
        faults = "1 fault" if len(done) == 1 else f"{len(done):,} faults"
        files = "1 file" if changed == 1 else f"{changed:,} files"
        output.say(f"repaired {faults} in {files}" if done else "nothing to repair")
    return report


def _against(options: ValidateOptions, inputs: Inputs, output: Output) -> tuple[Facts | FactsOf | None, Compare | None]:
    """Find what to check against: data if any was named, else a catalogue, else nothing."""
    data = inputs.data
    named = data.project is not None and "events" in inputs.project.exports
    if data.data is not None or data.events is not None or named:
        return _data(inputs, output)
    if options.catalogue is not None:
        from pqlkit.definitions.catalogue_facts import read_catalogue

        return read_catalogue(options.catalogue), None
    return None, None


def _data(inputs: Inputs, output: Output) -> tuple[FactsOf, Compare]:
    """Open the data, and give the two functions that measure definitions on it."""
    from functools import partial

    from pqlkit.engines.factory import engine
    from pqlkit.validation.data_facts import comparison_of, facts_of

    with output.working("reading exports") as progress:
        dataset = inputs.dataset(progress)
    people_of = partial(inputs.population, dataset)

    def measure(definitions: Sequence[Definition]) -> Facts:
        facts = facts_of(
            definitions,
            dataset=dataset,
            project=inputs.project,
            source=inputs.source,
            trust_current=inputs.data.trust_current,
            people_of=people_of,
            engine=engine(inputs.data.engine, inputs.data.spark_remote),
        )
        for warning in facts.warnings:
            output.warn(warning)
        return facts

    return measure, partial(comparison_of, people_of=people_of)


def _rendered(report: Report, options: ValidateOptions) -> str:
    """Write the report; with a base, text ends in the review, as Markdown."""
    match options.format or ReportFormat.named(options.out):
        case ReportFormat.JSON:
            from pqlkit.definitions.renderers.json import render_json

            return render_json(report)
        case ReportFormat.GITHUB:
            from pqlkit.definitions.renderers.github import render_github

            return render_github(report)
        case ReportFormat.JUNIT:
            from pqlkit.definitions.renderers.junit import render_junit

            return render_junit(report, strict=options.strict)
        case ReportFormat.SARIF:
            from pqlkit.definitions.renderers.sarif import render_sarif
            from pqlkit.shipped import version

            return render_sarif(report, version=version())
        case ReportFormat.TEXT:
            return _text(report, options)


def _text(report: Report, options: ValidateOptions) -> str:
    text = report_text(report, to_file=options.out is not None)
    if report.reviews is None:
        return text
    from pqlkit.definitions.reviewing import review_markdown

    return f"{text}\n{review_markdown(report.reviews)}"


def _described(report: Report) -> str:
    """Say each definition in one paragraph; several are told apart by their names."""
    from pqlkit.definitions.describing import describe

    known = report.definitions
    if len(known) == 1:
        return describe(known[0])
    return "\n\n".join(f"{definition.name}: {describe(definition)}" for definition in known)
