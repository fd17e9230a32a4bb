"""`pqlkit try`: a written hypothesis, tested."""

from __future__ import annotations

from typing import Annotated

import typer

from pqlkit.cli.inputs import Given
from pqlkit.cli.options import takes_options
from pqlkit.options.commands import TryOptions
from pqlkit.options.settings import Settings


@takes_options("try")
def try_(
    given: Given,
    hypothesis: Annotated[
        str,
        typer.Argument(
            help='Like "login >= 10 in 14d and teammate_invited >= 2".', metavar="HYPOTHESIS", show_default=False
        ),
    ],
) -> None:
    """Test a written hypothesis; `--save` makes it a definition.

    A term is an event or a measure of one, then optionally a bound and a window; terms join with and, or, not.

    **Examples**

    `pqlkit try "login >= 10 in 14d and teammate_invited >= 2"`

    `pqlkit try "days(login) >= 5 rolling 7d or sum(contacts_imported.contacts) >= 50"`

    `pqlkit try "teammate_invited >= 4 trailing 28d" --save definitions/invites.yml`
    """
    from pqlkit.cli.analyze import whoever
    from pqlkit.cli.definition_files import free_path, write_definitions
    from pqlkit.definitions.expression import read_expression
    from pqlkit.proposal.trying import try_ as run
    from pqlkit.reporting.renderers import trial as render

    inputs = given.inputs()
    settings, save, output = inputs.settle(Settings), inputs.settle(TryOptions).save, inputs.output()
    # What cannot be read or answered is said before the exports are read.
    read_expression(hypothesis).refuse_unanswerable()
    with output.working("reading exports") as progress:
        people = whoever(inputs, progress)
        name = save.stem if save is not None else "hypothesis"
        result = run(people, hypothesis, settings=settings, name=name, progress=progress)
    file = None
    if save is not None:
        file = write_definitions([result.definition], save.parent)[result.definition.name]
    if output.html is not None:
        from pqlkit.reporting.pages.trial import as_page

        output.page(as_page(result, file, inputs.call))
    output.warn_beside(result.warnings)
    free = free_path(inputs.project.definitions / f"{render.name_of(result)}.yml")
    output.result(render, result, file, call=inputs.call, width=output.width, save=str(free))
