"""`pqlkit score`: the export turned into leads, every night."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqlkit.cli.exit import ExitCode
from pqlkit.cli.inputs import inputs
from pqlkit.cli.options import DataOptions, Format, OutputOptions, option, records

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from pqlkit.cli.inputs import Inputs
    from pqlkit.cli.output import Output
    from pqlkit.definitions.model import Definition
    from pqlkit.scoring.delivery import Delivery, Hook
    from pqlkit.scoring.guards import Bound
    from pqlkit.scoring.lead_file import Shape
    from pqlkit.scoring.ledger import Ledger
    from pqlkit.scoring.memory import Memory
    from pqlkit.scoring.night import Listing, Order
    from pqlkit.scoring.scoring import Leads
    from pqlkit.scoring.summary import Summary

_NEW = "What is new"
_GUARDS = "Guards"
_COLUMNS = "Columns"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreOptions:
    """Which definitions, what is new, and how the list looks."""

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


@records(DataOptions, ScoreOptions, OutputOptions)
def score(data: DataOptions, options: ScoreOptions, out: OutputOptions) -> None:
    """Turn the export into leads: who qualifies, why, since when, who nearly does, and who is new since the last run.

    **Examples**

    `pqlkit score -d definitions/team-rollout.yml --out leads.csv`

    `pqlkit score -d definitions/team-rollout.yml --ledger leads.ledger --out leads.csv --max-new 3x`: every night

    `pqlkit score -d definitions/team-rollout.yml --ledger leads.ledger --control 20% --notify 'https://hooks.example.com/${HOOK}'`
    """
    from pqlkit.cli.output import Output
    from pqlkit.definitions.loading import load_definition
    from pqlkit.scoring.delivery import hook

    found = inputs("score", data, ScoreOptions, OutputOptions)
    options, out = found.settle(options), found.settle(out)
    output = Output(quiet=bool(out.quiet), verbose=bool(out.verbose), out=out.out)
    check(options, out)
    definitions = [load_definition(path) for path in options.definition or ()]
    refuse_twins(definitions)
    asked = order(options)
    where = hook(options.notify) if options.notify is not None else None
    with ExitStack() as stack:
        ledger = stack.enter_context(opened(options.ledger)) if options.ledger is not None else None
        with output.working("reading exports") as progress:
            leads = scored(found, definitions, options, progress)
        memories = [memory(one, options, ledger, asked.shape) for one in leads]
        listings = compared(leads, memories, asked, ledger, found.data.as_of)
        code = deliver(listings, options, out, asked, ledger, where, output)
    if code:
        raise typer.Exit(code)


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


def refuse_twins(definitions: Sequence[Definition]) -> None:
    """Refuse two definitions of one name: their lists and memories would be one.

    Raises
    ------
    UsageError
        Naming it.
    """
    from pqlkit.errors import UsageError

    names = [one.name for one in definitions]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two of the definitions are called {name}", hint="give one of them another name")


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


def opened(path: Path) -> AbstractContextManager[Ledger]:
    """Open the ledger."""
    from pqlkit.scoring.ledger import open_ledger

    return open_ledger(path)


def scored(
    found: Inputs, definitions: Sequence[Definition], options: ScoreOptions, progress: Callable[[str], None]
) -> list[Leads]:
    """Score each definition over the same exports."""
    from pqlkit.analysis.population import population
    from pqlkit.scoring.scoring import score as run

    dataset = found.dataset(progress)
    return [
        run(
            population(
                dataset,
                found.project,
                definition=definition,
                as_of=found.data.as_of,
                trust_current=found.trust_current,
                engine=found.engine,
            ),
            definition,
            keep=tuple(listed(options.keep)),
            progress=progress,
        )
        for definition in definitions
    ]


def memory(leads: Leads, options: ScoreOptions, ledger: Ledger | None, shape: Shape) -> Memory | None:
    """Give what was known before."""
    from pqlkit.scoring.memory import memory_of_file

    if ledger is not None:
        return ledger.memory(leads.definition)
    if options.previous is not None:
        return memory_of_file(options.previous, leads.key, leads.definition.name, shape)
    return None


def compared(
    leads: Sequence[Leads],
    memories: Sequence[Memory | None],
    asked: Order,
    ledger: Ledger | None,
    as_of: str | None,
) -> list[Listing]:
    """Say who is new in each list."""
    from pqlkit.exports.dataset import now
    from pqlkit.scoring.night import listing, nights_of

    return [
        listing(
            one,
            memory,
            asked,
            nights=nights_of(ledger, one.definition.name),
            now=one.population.as_of if as_of is not None else now(),
        )
        for one, memory in zip(leads, memories, strict=True)
    ]


def deliver(
    listings: Sequence[Listing],
    options: ScoreOptions,
    out: OutputOptions,
    asked: Order,
    ledger: Ledger | None,
    where: Hook | None,
    output: Output,
) -> ExitCode:
    """Write the lists, commit the ledger, send the alerts, sum up."""
    from pqlkit.scoring.night import record, summaries, write_lists

    for one in listings:
        asked.shape.names(one.rows.columns)  # refuses unknown columns, whatever the format
    breached = [f"{one.news.leads.definition.name}: {text}" for one in listings for text in one.breaches]
    targets = places(listings, out, aside=bool(breached))
    if ledger is not None:
        mend(ledger, targets, output)
    written = write_lists(targets, asked.shape) if targets else []
    if not targets and not breached:
        show(listings, out, asked, output)
    sent = None
    if not breached and ledger is not None:
        record(ledger, listings, written, notify=asked.notify)
        sent = send(ledger, where, output)
    write_summary(summaries(listings, written), listings, sent, options, out, output)
    for text in breached:
        output.warn(f"{text}; nobody is alerted{', the list is held' if targets else ''}")
    return ExitCode.FINDINGS if breached or (sent is not None and sent.problem) else ExitCode.DONE


def mend(ledger: Ledger, targets: Sequence[tuple[Path, Listing]], output: Output) -> None:
    """Clear up after a run that was killed, and say where it stopped between a list and the ledger."""
    from pqlkit.scoring.night import is_known, sweep

    for path, one in targets:
        sweep(path)
        if not is_known(ledger, one.news.leads.definition.name, path):
            output.say(f"{path} is not what the last committed run wrote; it is written again")


def send(ledger: Ledger, where: Hook | None, output: Output) -> Delivery | None:
    """Deliver the outbox, and finish the night."""
    from pqlkit.scoring.delivery import deliver as post

    if where is None:
        waiting = len(ledger.outbox())
        if waiting:
            output.warn(f"{waiting} alerts wait in the ledger; run with --notify URL to send them")
        return None
    with output.working(f"sending alerts to {where.name}"):
        sent = post(ledger, where)
    ledger.finish()
    ledger.commit()
    if sent.messages:
        output.say(f"sent {sent.leads:,} leads in {sent.messages:,} messages to {where.name}")
    if sent.problem:
        output.warn(f"{sent.waiting:,} messages wait in the ledger for the next run: {where.name}: {sent.problem}")
    return sent


def write_summary(
    found: Sequence[Summary],
    listings: Sequence[Listing],
    sent: Delivery | None,
    options: ScoreOptions,
    out: OutputOptions,
    output: Output,
) -> None:
    """Sum the run up in one line per definition, and in ``--summary`` and ``overlap.json`` as JSON."""
    from pqlkit.files import write_text
    from pqlkit.reporting.renderers.tabular import to_json
    from pqlkit.scoring.overlap import overlap
    from pqlkit.scoring.summary import document

    for one in found:
        output.say(one.line)
    common = overlap([one.news for one in listings]) if len(listings) > 1 else []
    if options.summary is not None:
        alerts = None if sent is None else {"messages": sent.messages, "leads": sent.leads, "waiting": sent.waiting}
        write_text(options.summary, to_json(document(list(found), alerts=alerts, overlap=common)))
    if len(listings) > 1 and out.out is not None:
        write_text(out.out / "overlap.json", to_json({"schema": "pqlkit/lead-overlap/1", "overlap": common}))
    for row in common if len(listings) > 1 else ():
        names = " and ".join(str(name) for name in row["definitions"])  # type: ignore[union-attr]
        output.say(f"{row['leads']:,} {row['entity']}s are leads of {names} alone")


def places(listings: Sequence[Listing], out: OutputOptions, *, aside: bool) -> list[tuple[Path, Listing]]:
    """Say where each list goes; empty = stdout."""
    from pqlkit.scoring.night import aside as held

    if out.out is None or (out.format in {Format.TABLE, Format.MARKDOWN} and len(listings) == 1):
        return []
    if len(listings) == 1:
        return [(held(out.out) if aside else out.out, listings[0])]
    suffix = out.format.value if out.format in {Format.CSV, Format.JSON} else "csv"
    paths = [out.out / f"{one.news.leads.definition.name}.{suffix}" for one in listings]
    return [(held(path) if aside else path, one) for path, one in zip(paths, listings, strict=True)]


def show(listings: Sequence[Listing], out: OutputOptions, asked: Order, output: Output) -> None:
    """Write the lists to stdout."""
    from pqlkit.reporting.renderers import leads as render
    from pqlkit.scoring.lead_file import LeadFormat
    from pqlkit.scoring.night import rendered

    match out.format or Format.TABLE:
        case Format.JSON | Format.CSV as form:
            one = listings[0]
            output.payload(rendered(one.rows, LeadFormat(form.value), asked.shape, one).decode())
        case Format.MARKDOWN:
            output.payload(render.as_markdown(listings))
        case Format.TABLE:
            output.show(render.as_table(listings))
