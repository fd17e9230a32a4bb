"""`pqlkit propose`: rules searched on earlier snapshots, checked on later ones, written as definition files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pqlkit.cli.inputs import inputs
from pqlkit.cli.options import DataOptions, OutputOptions, SnapshotOptions, option, records

if TYPE_CHECKING:
    from pqlkit.proposal.proposing import Proposal
    from pqlkit.proposal.wishes import Wishes

_SEARCH = "Search"
_RARE = 1e-6
"""A base rate at which every multiple of it can be meant: the real one is known after the search's snapshots are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeOptions:
    """What the proposed rules should be like, and where they go."""

    max_criteria: Annotated[
        int | None,
        option("--max-criteria", help="At most this many criteria, 1 to 3 [default: 3].", metavar="N", panel=_SEARCH),
    ] = None
    objective: Annotated[
        str | None,
        option(
            "--objective", help="kappa, f1, f0.5, f2, youden or nb:2x [default: kappa].", metavar="NAME", panel=_SEARCH
        ),
    ] = None
    value: Annotated[
        float | None, option("--value", help="What a conversion is worth (with --cost).", metavar="V", panel=_SEARCH)
    ] = None
    cost: Annotated[
        float | None, option("--cost", help="What working a lead costs (with --value).", metavar="C", panel=_SEARCH)
    ] = None
    capacity: Annotated[
        str | None,
        option("--capacity", help="New leads that can be worked, like 50/week.", metavar="N/week", panel=_SEARCH),
    ] = None
    min_share: Annotated[
        str | None, option("--min-share", help="At least this share qualifies.", metavar="SHARE", panel=_SEARCH)
    ] = None
    min_recall: Annotated[
        str | None,
        option("--min-recall", help="At least this share of converters qualifies.", metavar="SHARE", panel=_SEARCH),
    ] = None
    min_rate: Annotated[
        str | None,
        option("--min-rate", help="At least this share of the qualified converts.", metavar="SHARE", panel=_SEARCH),
    ] = None
    holdout: Annotated[
        str | None,
        option(
            "--holdout",
            help="The newest share of snapshots, set aside to test [default: 25%].",
            metavar="SHARE",
            panel=_SEARCH,
        ),
    ] = None
    holdout_from: Annotated[
        str | None,
        option("--holdout-from", help="Test on what begins on this date or later.", metavar="DATE", panel=_SEARCH),
    ] = None
    against: Annotated[
        Path | None,
        option(
            "--against",
            help="A definition in use, read on the same later snapshots.",
            metavar="DEFINITION",
            panel=_SEARCH,
        ),
    ] = None
    use_traits: Annotated[
        bool | None, option("--use-traits", help="Let fixed traits become eligibility.", panel=_SEARCH)
    ] = None
    permutations: Annotated[
        int | None,
        option(
            "--permutations", help="Repeat the search on shuffled outcomes [default: 19].", metavar="N", panel=_SEARCH
        ),
    ] = None
    max_seconds: Annotated[
        float | None,
        option("--max-seconds", help="Stop the search after this long [default: 20].", metavar="S", panel=_SEARCH),
    ] = None
    plan_experiment: Annotated[
        bool | None,
        option("--plan-experiment", help="Plan the experiment that would show whether calls help.", panel=_SEARCH),
    ] = None
    out_dir: Annotated[
        Path | None,
        option("--out-dir", help="Where definition files go [default: definitions/].", metavar="DIR", panel=_SEARCH),
    ] = None
    name: Annotated[
        str | None, option("--name", help="Name of the first definition.", metavar="NAME", panel=_SEARCH)
    ] = None
    seed: Annotated[
        int | None, option("--seed", help="Seed of every sample [default: 0].", metavar="N", panel=_SEARCH)
    ] = None


@records(DataOptions, SnapshotOptions, ProposeOptions, OutputOptions)
def propose(data: DataOptions, snapshot: SnapshotOptions, wish: ProposeOptions, out: OutputOptions) -> None:
    """Search threshold rules of one to three criteria, check them on later snapshots, write the best as definitions.

    The later snapshots are opened once. Finding nothing is a result: the output says why, and the exit code is 0.

    **Examples**

    `pqlkit propose --capacity 150/week`

    `pqlkit propose --objective nb:2x --max-criteria 2 --out-dir definitions/`

    `pqlkit propose --against definitions/ten-logins.yml --plan-experiment`
    """
    from pqlkit.cli.analyze import settings, whoever
    from pqlkit.cli.output import Output
    from pqlkit.proposal.proposing import propose as run
    from pqlkit.reporting.renderers import proposal as render

    found = inputs("propose", data, SnapshotOptions, ProposeOptions, OutputOptions)
    snapshot, wish, out = found.settle(snapshot), found.settle(wish), found.settle(out)
    output = Output(quiet=bool(out.quiet), verbose=bool(out.verbose), out=out.out)
    folder = wish.out_dir or found.project.definitions
    asked, how = wishes(wish, snapshot, folder), settings(snapshot)
    with output.working("reading exports") as progress:
        people = whoever(found, snapshot, progress)
        result = run(people, how, asked, progress=progress)
    files = write(result, folder)
    for path in files.values():
        output.say(f"wrote {path}")
    if snapshot.html is not None:
        from pqlkit.reporting.pages.proposal import as_page

        output.page(snapshot.html, as_page(result, files))
    output.result(out.format, render, result, files)


def wishes(wish: ProposeOptions, snapshot: SnapshotOptions, folder: Path) -> Wishes:
    """Turn the options into values.

    Raises
    ------
    UsageError
        An option cannot be read.
    """
    from pqlkit.cli.values import moment, share, whole
    from pqlkit.definitions.loading import load_definition
    from pqlkit.proposal.wishes import Wishes

    def part(text: str | None, name: str) -> float | None:
        return None if text is None else share(text, name)

    defaults = Wishes()
    check(wish)
    return Wishes(
        max_criteria=whole(wish.max_criteria, "--max-criteria", 1, 3) or defaults.max_criteria,
        objective=wish.objective or defaults.objective,
        value=wish.value,
        cost=wish.cost,
        capacity=None if wish.capacity is None else weekly(wish.capacity),
        min_share=part(wish.min_share, "--min-share"),
        min_recall=part(wish.min_recall, "--min-recall"),
        min_rate=part(wish.min_rate, "--min-rate"),
        holdout=part(wish.holdout, "--holdout") or defaults.holdout,
        holdout_from=moment(wish.holdout_from, "--holdout-from"),
        against=None if wish.against is None else load_definition(wish.against),
        use_traits=bool(wish.use_traits),
        permutations=defaults.permutations if wish.permutations is None else wish.permutations,
        max_seconds=wish.max_seconds or defaults.max_seconds,
        top=whole(snapshot.top, "--top", 1, 5) or defaults.top,
        name=wish.name,
        folder=folder,
        seed=wish.seed or 0,
        plan_experiment=bool(wish.plan_experiment),
    )


def check(wish: ProposeOptions) -> None:
    """Refuse what could only fail after the search, or would be no search at all.

    Raises
    ------
    UsageError
        An option's value is outside of what it can be.
    """
    from pqlkit.cli.values import checked_name, share
    from pqlkit.errors import UsageError
    from pqlkit.proposal.objective import parse_objective

    parse_objective(wish.objective or "kappa", base_rate=_RARE, value=wish.value, cost=wish.cost)
    if wish.name is not None:
        checked_name(wish.name, "--name")
    if wish.holdout is not None and not 0 < share(wish.holdout, "--holdout") < 1:
        raise UsageError("--holdout: both parts need snapshots", hint="write 25%")
    if wish.permutations is not None and wish.permutations < 0:
        raise UsageError(f"--permutations: {wish.permutations} is below 0")
    if wish.max_seconds is not None and not wish.max_seconds > 0:
        raise UsageError(f"--max-seconds: {wish.max_seconds:g} is no time to search")


def weekly(text: str) -> float:
    """Read ``50/week``.

    Raises
    ------
    UsageError
        It is not a number and ``/week``.

    Examples
    --------
    >>> weekly("50/week")
    50.0
    """
    import re

    from pqlkit.errors import UsageError

    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)/(?:week|w)", text.strip())
    if match is None or float(match[1]) <= 0:
        raise UsageError(f"--capacity: {text!r} is not a number of leads a week", hint="write 50/week")
    return float(match[1])


def write(result: Proposal, folder: Path) -> dict[str, str]:
    """Write one file per candidate; a file that says something else is never replaced.

    Raises
    ------
    UsageError
        A file of that name is there and differs: all are left as they were.
    OutputError
        The folder cannot be written.
    """
    from pqlkit.cli.definition_files import write_definitions

    return write_definitions([one.definition for one in result.candidates], folder)
