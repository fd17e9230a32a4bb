"""`pqlkit propose`: rules searched on earlier snapshots, checked on later ones, written as definition files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pqlkit.cli.inputs import Given
from pqlkit.cli.options import takes_options
from pqlkit.options.output import DetailsOption
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from pqlkit.definitions.model import Definition
    from pqlkit.proposal.proposed import Proposal

_RARE = 1e-6
"""A base rate at which every multiple of it can be meant: the real one is known after the search's snapshots are taken."""


@takes_options("propose")
def propose(given: Given) -> None:
    """Search threshold rules of one to three criteria, check them on later snapshots, write the best as definitions.

    The later snapshots are opened once. Finding nothing is a result: the output says why, and the exit code is 0.

    **Examples**

    `pqlkit propose --capacity 150/week`

    `pqlkit propose --objective nb:2x --max-criteria 2 --out-dir definitions/`

    `pqlkit propose --against definitions/ten-logins.yml --plan-experiment`
    """
    from pqlkit.cli.analyze import whoever
    from pqlkit.cli.definition_files import refuse_another
    from pqlkit.cli.targets import Target
    from pqlkit.errors import UsageError
    from pqlkit.options.option import Role
    from pqlkit.proposal.proposing import propose as run
    from pqlkit.reporting.renderers import proposal as render

    inputs = given.inputs()
    settings, options, output = inputs.settle(Settings), inputs.settle(ProposeOptions), inputs.output()
    check(options)
    folder = options.out_dir or inputs.project.definitions
    inputs.check([Target(named="--out-dir", path=folder, role=Role.FILLS)])
    if options.name is not None:
        refuse_another(folder / f"{options.name}.yml")
    with output.working("reading exports") as progress:
        people = whoever(inputs, progress)
        result = run(people, settings, replace(options, out_dir=folder), progress=progress)
    if result.search is not None:
        output.detail(f"the search took {result.search.seconds:.1f} s for {result.search.considered:,} rules")
    if options.name is None:
        result = freely_named(result, folder)
    refused: UsageError | None = None
    files: dict[str, str] = {}
    try:
        files = write(result, folder)
    except UsageError as error:
        # What was found is shown all the same: the search took its time, and a reading of the holdout.
        refused, result = error, freely_named(result, folder)
    for path in files.values():
        output.say(f"wrote {path}")
    if output.html is not None:
        from pqlkit.reporting.pages.proposal import as_page

        output.page(as_page(result, files, inputs.call))
    output.warn_beside(result.warnings)
    output.result(
        render,
        result,
        files,
        call=inputs.call,
        width=output.width,
        details=inputs.settle(DetailsOption).details,
    )
    if refused is not None:
        raise refused


def check(options: ProposeOptions) -> None:
    """Refuse an objective that could only fail after the search.

    Raises
    ------
    UsageError
        The objective cannot be read, or lacks what it needs.
    """
    from pqlkit.proposal.objective import parse_objective

    parse_objective(options.objective, base_rate=_RARE, value=options.value, cost=options.cost)


def freely_named(result: Proposal, folder: Path) -> Proposal:
    """Give definitions another name where a file of theirs says something else: it is of an earlier search.

    The same search again finds its own files, and changes no name.
    """
    from pqlkit.cli.definition_files import free_path, says_something_else

    def named(definition: Definition) -> Definition:
        path = folder / f"{definition.name}.yml"
        return replace(definition, name=free_path(path).stem) if says_something_else(definition, path) else definition

    offer = result.points_offer
    return replace(
        result,
        candidates=tuple(replace(each, definition=named(each.definition)) for each in result.candidates),
        points_offer=None if offer is None else replace(offer, definition=named(offer.definition)),
    )


def write(result: Proposal, folder: Path) -> dict[str, str]:
    """Write one file per candidate, and one of a points card that is better; a file that says something else is never replaced.

    Raises
    ------
    UsageError
        A file of that name is there and differs: all are left as they were.
    OutputError
        The folder cannot be written.
    """
    from pqlkit.cli.definition_files import write_definitions

    card = [] if result.points_offer is None else [result.points_offer.definition]
    return write_definitions([*(candidate.definition for candidate in result.candidates), *card], folder)
