"""`pqlkit try`: a written hypothesis, tested."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from pqlkit.cli.inputs import inputs
from pqlkit.cli.options import DataOptions, OutputOptions, SnapshotOptions, option, records


@dataclass(frozen=True, slots=True, kw_only=True)
class TryOptions:
    """Where the hypothesis goes."""

    save: Annotated[
        Path | None, option("--save", help="Write the hypothesis as a definition file.", metavar="FILE")
    ] = None


@records(DataOptions, SnapshotOptions, TryOptions, OutputOptions)
def attempt(
    hypothesis: Annotated[
        str,
        typer.Argument(
            help='Like "login >= 10 in 14d and teammate_invited >= 2".', metavar="HYPOTHESIS", show_default=False
        ),
    ],
    data: DataOptions,
    snapshot: SnapshotOptions,
    keep: TryOptions,
    out: OutputOptions,
) -> None:
    """Test a written hypothesis; `--save` makes it a definition.

    A term is an event or a measure of one, then optionally a bound and a window; terms join with and, or, not.

    **Examples**

    `pqlkit try "login >= 10 in 14d and teammate_invited >= 2"`

    `pqlkit try "days(login) >= 5 rolling 7d or sum(contacts_imported.contacts) >= 50"`

    `pqlkit try "teammate_invited >= 4 trailing 28d" --save definitions/invites.yml`
    """
    from pqlkit.cli.analyze import settings, whoever
    from pqlkit.cli.definition_files import write_definitions
    from pqlkit.cli.output import Output
    from pqlkit.cli.values import checked_name
    from pqlkit.definitions.expression import read_expression
    from pqlkit.errors import UsageError
    from pqlkit.proposal.trying import attempt as run
    from pqlkit.reporting.renderers import trial as render

    found = inputs("try", data, SnapshotOptions, TryOptions, OutputOptions)
    snapshot, keep, out = found.settle(snapshot), found.settle(keep), found.settle(out)
    output = Output(quiet=bool(out.quiet), verbose=bool(out.verbose), out=out.out)
    asked = settings(snapshot)
    # What cannot be read or answered is said before the exports are read.
    read_expression(hypothesis).refuse_unanswerable()
    if keep.save is not None and keep.save.suffix not in {".yml", ".yaml"}:
        raise UsageError(f"--save: {keep.save} is no .yml file", hint="--save definitions/NAME.yml")
    if keep.save is not None:
        checked_name(keep.save.stem, "--save")
    with output.working("reading exports") as progress:
        people = whoever(found, snapshot, progress)
        result = run(
            people, hypothesis, settings=asked, name=keep.save.stem if keep.save else "hypothesis", progress=progress
        )
    file = None
    if keep.save is not None:
        file = write_definitions([result.definition], keep.save.parent)[result.definition.name]
    if snapshot.html is not None:
        from pqlkit.reporting.pages.trial import as_page

        output.page(snapshot.html, as_page(result, file))
    output.result(out.format, render, result, file)
