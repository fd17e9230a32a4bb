"""`pqlkit load`: exports into a canonical dataset, with the intake report."""

from __future__ import annotations

from pqlkit.cli.inputs import Given
from pqlkit.cli.options import takes_options
from pqlkit.options.commands import LoadOptions
from pqlkit.options.output import Format, MessageOptions


@takes_options("load")
def load(given: Given) -> None:
    """Read, check and canonicalise exports into a Parquet dataset, and print the intake report.

    Rows read = kept + duplicate + quarantined + left out by a rule, for every table. The dataset is swapped in whole: a run
    that fails leaves the old one.

    **Examples**

    `pqlkit load --out data/`: the exports that `pqlkit.yml` names

    `pqlkit load --events "exports/*.jsonl.gz" --users users.csv --conversions upgrades.csv --out data/`

    `pqlkit load --out data/ --append`: add last night's files; the same file twice changes nothing
    """
    from pqlkit.cli.output import Output
    from pqlkit.engines.factory import engine
    from pqlkit.errors import UsageError
    from pqlkit.exports.dataset import open_dataset
    from pqlkit.exports.loading import load as run
    from pqlkit.exports.publishing import standing
    from pqlkit.exports.status_columns import status_notes
    from pqlkit.reporting.renderers import intake as render

    inputs = given.inputs()
    options, told = inputs.settle(LoadOptions), inputs.settle(MessageOptions)
    if options.out is None:
        raise UsageError("load needs a folder to write to", hint="pqlkit load --out data/")
    output = Output(quiet=told.quiet, verbose=told.verbose, form=options.format)
    inputs.note(dataset=options.out if options.append else None)
    project = inputs.mapped()
    with output.working("reading exports") as progress:
        intake = run(
            project,
            options.out,
            append=options.append,
            max_bad=options.max_bad,
            plausible=options.plausible,
            progress=progress,
        )
    with standing(options.out):
        if options.catalogue is not None:
            from pqlkit.exports.catalogue import write_catalogue

            write_catalogue(open_dataset(project, data=options.out), options.catalogue)
            output.say(f"wrote {options.catalogue}")
        output.result(render, intake, call=inputs.call, width=output.width, folder=options.out)
        for note in status_notes(open_dataset(project, data=options.out), project, engine()):
            output.warn(note)
    if output.form is not Format.TABLE:
        output.say(f"wrote the dataset to {options.out}")
