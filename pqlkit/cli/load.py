"""`pqlkit load`: exports into a canonical dataset, with the intake report."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

from pqlkit.cli.inputs import inputs
from pqlkit.cli.options import DataOptions, Format, SourceOptions, option, records


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """What `load` writes and tolerates; its ``--out`` is a folder."""

    out: Annotated[Path | None, option("--out", help="The folder to write the dataset to.", metavar="DIR")] = None
    append: Annotated[
        bool | None, option("--append", help="Add to the dataset that is there; what was read before is skipped.")
    ] = None
    max_bad: Annotated[
        str | None,
        option("--max-bad", help="Stop if more than this share of a table is bad, like 1%.", metavar="SHARE"),
    ] = None
    plausible: Annotated[
        str | None, option("--plausible", help="Dates that can be true: FROM..TO.", metavar="FROM..TO")
    ] = None
    catalogue: Annotated[
        Path | None,
        option("--catalogue", help="Also write event names, properties and types to this file.", metavar="FILE"),
    ] = None
    format: Annotated[
        Format | None, option("--format", help="How the report is written [default: table].", panel="Output")
    ] = None
    quiet: Annotated[bool | None, option("--quiet", help="Errors alone on stderr.", panel="Output")] = None
    verbose: Annotated[bool | None, option("--verbose", help="Details on stderr.", panel="Output")] = None


@records(SourceOptions, LoadOptions)
def load(exports: SourceOptions, options: LoadOptions) -> None:
    """Read, check and canonicalise exports into a Parquet dataset, and print the intake report.

    Rows read = kept + duplicate + quarantined + left out by a rule, for every table. The dataset is swapped in whole: a run that fails leaves
    the old one.

    **Examples**

    `pqlkit load --out data/`: the exports that `pqlkit.yml` names

    `pqlkit load --events "exports/*.jsonl.gz" --users users.csv --conversions upgrades.csv --out data/`

    `pqlkit load --out data/ --append`: add last night's files; the same file twice changes nothing
    """
    from pqlkit.cli.output import Output
    from pqlkit.cli.values import share
    from pqlkit.errors import UsageError
    from pqlkit.exports.dataset import open_dataset
    from pqlkit.exports.loading import load as run
    from pqlkit.exports.status_columns import status_notes
    from pqlkit.reporting.renderers import intake as render

    given = {field.name: getattr(exports, field.name) for field in fields(exports)}
    found = inputs("load", DataOptions(**given), LoadOptions)
    options = found.settle(options)
    if options.out is None:
        raise UsageError("load needs a folder to write to", hint="pqlkit load --out data/")
    output = Output(quiet=bool(options.quiet), verbose=bool(options.verbose))
    project = found.mapped()
    with output.working("reading exports") as progress:
        intake = run(
            project,
            options.out,
            append=bool(options.append),
            max_bad=None if options.max_bad is None else share(options.max_bad, "--max-bad"),
            plausible=None if options.plausible is None else span(options.plausible),
            progress=progress,
        )
    if options.catalogue is not None:
        from pqlkit.exports.catalogue import write_catalogue

        write_catalogue(open_dataset(project, data=options.out), options.catalogue)
        output.say(f"wrote {options.catalogue}")
    match options.format or Format.TABLE:
        case Format.JSON:
            output.payload(render.as_json(intake))
        case Format.CSV:
            output.payload(render.as_csv(intake))
        case Format.MARKDOWN:
            output.payload(render.as_markdown(intake))
        case Format.TABLE:
            output.show(render.as_table(intake))
    for note in status_notes(open_dataset(project, data=options.out), project):
        output.warn(note)
    output.say(f"wrote the dataset to {options.out}")


def span(text: str) -> tuple[str, str]:
    """Read ``FROM..TO``.

    Raises
    ------
    UsageError
        There are not two dates with ``..`` between them.
    """
    from datetime import date

    from pqlkit.errors import UsageError

    first, dots, last = text.partition("..")
    try:
        if not dots or date.fromisoformat(first) > date.fromisoformat(last):
            raise ValueError
    except ValueError:
        raise UsageError(f"--plausible: {text!r} is not FROM..TO", hint="write 2024-01-01..2026-12-31") from None
    return first, last
