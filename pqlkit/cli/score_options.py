"""The options of `pqlkit score`: how they are spelled, what goes together, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pqlkit.cli.options import Format, OutputOptions, option

if TYPE_CHECKING:
    from pqlkit.scoring.guards import Bound
    from pqlkit.scoring.night import Order

_NEW = "What is new"
_GUARDS = "Guards"
_COLUMNS = "Columns"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreOptions:
    """Which definitions, what is new, and what the list holds."""

    definition: Annotated[
        list[Path] | None,
        option("--definition", "-d", help="The definition file. Repeatable; then --out is a folder.", metavar="FILE"),
    ] = None
    ledger: Annotated[
        Path | None,
        option("--ledger", help="Remembers who was new: each lead is new once.", metavar="FILE", panel=_NEW),
    ] = None
    previous: Annotated[
        Path | None,
        option("--previous", help="The last list, instead of a ledger.", metavar="LEADS", panel=_NEW),
    ] = None
    since: Annotated[
        str | None,
        option("--since", help="Only who qualified this recently is new.", metavar="DURATION", panel=_NEW),
    ] = None
    only_new: Annotated[bool | None, option("--only-new", help="Rows for new leads alone.", panel=_NEW)] = None
    all: Annotated[
        bool | None,
        option("--all", help="A row for everybody [default: without --ledger and --previous].", panel=_NEW),
    ] = None
    control: Annotated[
        str | None,
        option("--control", help="Leave this share of accounts alone, like 20%.", metavar="SHARE", panel=_NEW),
    ] = None
    notify: Annotated[
        str | None,
        option(
            "--notify",
            help="Post new leads to this URL; ${NAME} is read from the environment.",
            metavar="URL",
            panel=_NEW,
        ),
    ] = None
    suppress: Annotated[
        Path | None,
        option("--suppress", help="Ids that are never new, one a line or a CSV.", metavar="FILE", panel=_GUARDS),
    ] = None
    max_new: Annotated[
        str | None,
        option(
            "--max-new",
            help="More new leads, like 200 or 3x the median of 7 nights, stop the night.",
            metavar="N",
            panel=_GUARDS,
        ),
    ] = None
    min_new: Annotated[
        str | None, option("--min-new", help="So do fewer, like 1 or 0.2x.", metavar="N", panel=_GUARDS)
    ] = None
    max_age: Annotated[
        str | None,
        option("--max-age", help="So does an older newest event, like 36h.", metavar="DURATION", panel=_GUARDS),
    ] = None
    summary: Annotated[
        Path | None, option("--summary", help="Write the run in numbers, as JSON.", metavar="FILE", panel=_GUARDS)
    ] = None
    keep: Annotated[
        str | None, option("--keep", help="Traits to add, like owner,plan.", metavar="LIST", panel=_COLUMNS)
    ] = None
    columns: Annotated[
        str | None, option("--columns", help="These columns, in this order.", metavar="LIST", panel=_COLUMNS)
    ] = None
    rename: Annotated[
        str | None, option("--rename", help="Other names, like score=pql_score.", metavar="LIST", panel=_COLUMNS)
    ] = None
    preset: Annotated[
        str | None,
        option("--preset", help="hubspot or salesforce: column names of a CRM.", metavar="NAME", panel=_COLUMNS),
    ] = None


def check(options: ScoreOptions, out: OutputOptions) -> None:
    """Refuse options that do not go together.

    Raises
    ------
    UsageError
        Naming what is missing.
    """
    from pqlkit.errors import UsageError

    if not options.definition:
        raise UsageError("score needs a definition", hint="pqlkit score -d definitions/NAME.yml")
    if options.ledger is not None and options.previous is not None:
        raise UsageError("--ledger and --previous both say what was before", hint="give one of them")
    if options.only_new and options.ledger is None and options.previous is None:
        raise UsageError("--only-new needs to know what was before", hint="add --ledger FILE or --previous LEADS")
    if options.notify is not None and options.ledger is None:
        raise UsageError("--notify needs --ledger FILE: without it, nobody is alerted only once")
    if options.only_new and options.all:
        raise UsageError("--only-new and --all contradict each other", hint="give one of them")
    several = len(options.definition) > 1
    if several and options.previous is not None:
        raise UsageError("--previous is the list of one definition", hint="with several -d, use --ledger FILE")
    if several and out.out is None and out.format in {Format.CSV, Format.JSON}:
        raise UsageError("several definitions give several lists", hint="name a folder with --out DIR")
    if several and out.out is not None and out.out.is_file():
        raise UsageError(f"{out.out} is a file; with several -d, --out is a folder")


def order(options: ScoreOptions) -> Order:
    """Turn the options into values.

    Raises
    ------
    UsageError
        An option cannot be read.
    DataError
        The file of ``--suppress`` cannot be read.
    """
    from pqlkit.cli.values import chosen, duration, share
    from pqlkit.errors import UsageError
    from pqlkit.scoring.guards import Guards
    from pqlkit.scoring.lead_file import Preset, Shape
    from pqlkit.scoring.night import Order
    from pqlkit.scoring.suppression import suppressed

    guards = Guards(
        max_new=bound(options.max_new, "--max-new"),
        min_new=bound(options.min_new, "--min-new"),
        max_age=duration(options.max_age, "--max-age"),
    )
    if guards.relative and options.ledger is None:
        raise UsageError(
            "--max-new and --min-new as a multiple need the nights before", hint="add --ledger FILE, or write a number"
        )
    told = options.ledger is not None or options.previous is not None or options.since is not None
    if (guards.max_new is not None or guards.min_new is not None) and not told:
        raise UsageError(
            "--max-new and --min-new need to know who is new", hint="add --ledger FILE, --previous LEADS or --since 7d"
        )
    return Order(
        every=bool(options.all),
        only_new=bool(options.only_new),
        since=duration(options.since, "--since"),
        control=None if options.control is None else share(options.control, "--control"),
        suppressed=frozenset() if options.suppress is None else suppressed(options.suppress),
        guards=guards,
        shape=Shape(
            columns=None if options.columns is None else tuple(listed(options.columns)),
            rename=renames(options.rename),
            preset=chosen(options.preset, Preset, "--preset"),
        ),
        notify=options.notify is not None,
    )


def bound(text: str | None, name: str) -> Bound | None:
    """Read a guard's bound.

    Raises
    ------
    UsageError
        It is neither a number nor a multiple.
    """
    from pqlkit.errors import UsageError
    from pqlkit.scoring.guards import Bound

    if text is None:
        return None
    try:
        return Bound.parse(text)
    except ValueError:
        raise UsageError(
            f"{name}: {text!r} is not a number of leads", hint="write 200, or 3x the usual number"
        ) from None


def listed(text: str | None) -> list[str]:
    """Split a list at its commas."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def renames(text: str | None) -> dict[str, str]:
    """Read ``score=pql_score,status=pql_status``.

    Raises
    ------
    UsageError
        A part has no ``=``.

    Examples
    --------
    >>> renames("score=pql_score")
    {'score': 'pql_score'}
    """
    from pqlkit.errors import UsageError

    pairs = [part.partition("=") for part in listed(text)]
    for old, sign, new in pairs:
        if not sign or not old.strip() or not new.strip():
            raise UsageError(f"--rename: {old!r} is not old=new", hint="write score=pql_score,status=pql_status")
    return {old.strip(): new.strip() for old, _, new in pairs}
