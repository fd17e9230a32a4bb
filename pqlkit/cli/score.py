"""`pqlkit score`: the export turned into leads, every night."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import typer

from pqlkit.cli.exit import ExitCode
from pqlkit.cli.inputs import Given
from pqlkit.cli.options import DefinitionFiles, takes_options
from pqlkit.cli.score_options import check, order, refuse_keyless, refuse_unready
from pqlkit.options.leads import ScoreOptions
from pqlkit.options.output import Format, OutputOptions, format_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from pqlkit.cli.inputs import Inputs
    from pqlkit.cli.output import Output
    from pqlkit.cli.targets import Target
    from pqlkit.definitions.model import Definition
    from pqlkit.errors import PqlkitError
    from pqlkit.reporting.next_command import Invocation
    from pqlkit.scoring.delivery import Delivery, Hook
    from pqlkit.scoring.lead_file import Shape
    from pqlkit.scoring.ledger import Ledger
    from pqlkit.scoring.memory import Memory
    from pqlkit.scoring.night import Listing, Order, Written
    from pqlkit.scoring.scoring import Leads
    from pqlkit.scoring.summary import Summary


@takes_options("score")
def score(
    given: Given,
    files: DefinitionFiles = None,
) -> None:
    """Turn the export into leads: who qualifies, why, since when, who nearly does, and who is new since the last run.

    **Examples**

    `pqlkit score -d definitions/team-rollout.yml --out leads.csv`

    `pqlkit score -d definitions/team-rollout.yml --ledger leads.ledger --out leads.csv --max-new 3x`: every night

    `pqlkit score -d definitions/team-rollout.yml --ledger leads.ledger --control 20% --notify 'https://hooks.example.com/${HOOK}'`
    """
    from pqlkit.cli.output import Output
    from pqlkit.definitions.folders import load_definition

    inputs = given.naming(files).inputs()
    options, out = inputs.settle(ScoreOptions), inputs.settle(OutputOptions)
    output = Output(quiet=out.quiet, verbose=out.verbose, out=out.out, private=True)
    if out.format is None and format_of(out.out) is Format.MARKDOWN:
        out = replace(out, format=Format.MARKDOWN)
    check(options, out)
    definitions = [load_definition(path) for path in options.definition]
    refuse_twins(definitions)
    refuse_unready(definitions, options)
    refuse_keyless(definitions, options)
    inputs.check(list_targets([definition.name for definition in definitions], out))
    asked = order(options, inputs.project.days_off)
    where = hook_of(options.notify)
    with ExitStack() as stack:
        ledger = stack.enter_context(opened(options.ledger)) if options.ledger is not None else None
        with output.working("reading exports") as progress:
            leads = scored(inputs, definitions, options, progress)
        for warning in dict.fromkeys(warning for lead in leads for warning in warnings_of(lead)):
            output.warn(warning)
        memories = [memory(lead, options, ledger, asked.shape) for lead in leads]
        listings = compared(leads, memories, asked, ledger, inputs.data.as_of)
        code = deliver(listings, options, out, asked, ledger, where, output, inputs.call)
    if code:
        raise typer.Exit(code)


def hook_of(notify: str | None) -> Hook | None:
    """Read where alerts go; a run that sends none loads nothing that talks to servers."""
    if notify is None:
        return None
    from pqlkit.scoring.delivery import hook

    return hook(notify)


def warnings_of(leads: Leads) -> tuple[str, ...]:
    """Give what a person should know of the data: events that are not there, silent conversions, values that are no numbers, limits not known."""
    from pqlkit.measures.gaps import gap_warnings
    from pqlkit.population.vocabulary import unknown_events

    return (
        *leads.population.warnings,
        *unknown_events(leads.population, leads.definition, nobody=leads.starts.is_empty()),
        *gap_warnings(leads.population.world, leads.definition),
    )


def refuse_twins(definitions: Sequence[Definition]) -> None:
    """Refuse two definitions of one name: their lists and memories would be one.

    Raises
    ------
    UsageError
        Naming it.
    """
    from pqlkit.errors import UsageError

    names = [definition.name for definition in definitions]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two of the definitions are called {name}", hint="give one of them another name")


def opened(path: Path) -> AbstractContextManager[Ledger]:
    """Open the ledger."""
    from pqlkit.scoring.ledger import open_ledger

    return open_ledger(path)


def scored(
    inputs: Inputs, definitions: Sequence[Definition], options: ScoreOptions, progress: Callable[[str], None]
) -> list[Leads]:
    """Score each definition over the same exports."""
    from pqlkit.scoring.scoring import score as run

    dataset = inputs.dataset(progress)
    remembered = options.ledger is not None or options.previous is not None or options.preset is not None
    named = remembered or options.columns is None or "lead_id" in options.columns
    return [
        run(
            inputs.population(dataset, definition),
            definition,
            keep=options.keep,
            key=options.key,
            named=named,
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
    """Say who is new in each list.

    Parameters
    ----------
    leads, memories
        What was scored, and of each what the runs before knew.
    asked
        Which lists are wanted.
    ledger
        Where the nights before stand; None = no ledger.
    as_of
        The moment that the run was told to take as newest; None = the clock's.
    """
    from pqlkit.exports.dataset import now
    from pqlkit.scoring.night import listing, nights_of

    return [
        listing(
            scored,
            memory,
            asked,
            nights=nights_of(ledger, scored.definition.name),
            now=scored.population.as_of if as_of is not None else now(),
        )
        for scored, memory in zip(leads, memories, strict=True)
    ]


def deliver(
    listings: Sequence[Listing],
    options: ScoreOptions,
    out: OutputOptions,
    asked: Order,
    ledger: Ledger | None,
    where: Hook | None,
    output: Output,
    call: Invocation,
) -> ExitCode:
    """Write the lists, commit the ledger, send the alerts, sum up.

    Up to the ledger's commit whatever fails leaves all as it was; from then on the night stands, and what fails is a finding.

    Parameters
    ----------
    listings
        The lists, each with who is new.
    options, out
        What the command line asked for.
    asked
        Which lists are wanted.
    ledger, where
        Where the night is remembered, and where alerts go; None = nowhere.
    output
        Where messages go.
    call
        How the command was called: commands that are printed repeat it.
    """
    from pqlkit.errors import PqlkitError
    from pqlkit.scoring.night import (
        changed,
        held_back,
        record,
        remove_later_parts,
        remove_set_aside,
        written_lists,
    )

    for listing in listings:
        asked.shape.names(listing.rows.columns)  # refuses unknown columns, whatever the format
    breached = [f"{listing.news.leads.definition.name}: {text}" for listing in listings for text in listing.breaches]
    targets = places(listings, out, aside=bool(breached))
    apart = [
        (changed(path), held_back(listing, asked.shape))
        for path, listing in places(listings, out, aside=False)
        if listing.news.held.height
    ]
    kept = ledger if not breached else None
    if ledger is not None:
        mend(ledger, targets, output)
    with written_lists([*targets, *apart], asked.shape) as everything:
        written = everything[: len(targets)]
        if not targets and not breached:
            show(listings, out, asked, output, call)
        doubt = record(kept, listings, written, notify=asked.notify) if kept is not None else None
    try:
        if doubt is not None:
            raise doubt
        remove_later_parts(everything)
        sent = afterwards(listings, written, options, out, kept, where, output)
        if not breached:
            remove_set_aside([path for path, _ in targets], [path for path, _ in apart])
        write_properties(listings, options, asked.shape)
    except PqlkitError as error:
        told(error, written, kept, doubt=doubt is not None)
        return ExitCode.FINDINGS
    for text in (text for listing in listings for text in left_out_text(listing, asked.shape.key)):
        output.warn(text)
    for text in who_is_new(listings, call, written=bool(targets)) if not breached else ():
        output.say(text)
    for text in breached:
        output.failed(f"{text}; nobody is alerted{', the list is held' if targets else ''}")
    waiting = [text for listing in listings for text in held_text(listing, apart)]
    for text in waiting:
        output.warn(text)
    return ExitCode.FINDINGS if breached or waiting or (sent is not None and sent.problem) else ExitCode.DONE


def write_properties(listings: Sequence[Listing], options: ScoreOptions, shape: Shape) -> None:
    """Write the fields that the lists fill, each once, as ``--properties`` asks."""
    from pqlkit.files import write_text
    from pqlkit.reporting.renderers.tabular import to_json
    from pqlkit.scoring.crm import properties

    if options.properties is None or options.preset is None:
        return
    tables = [listing.columns for listing in listings]
    names = {ours: theirs for table in tables for ours, theirs in shape.names(table.columns).items()}
    types = {name: kind for table in tables for name, kind in table.schema.items()}
    kind = listings[0].news.leads.population.kind
    write_text(options.properties, to_json(properties(options.preset, kind, names, types, options.key)))


def left_out_text(listing: Listing, key: str | None) -> list[str]:
    """Say which rows no CRM could import, and how many of these are new leads."""
    from pqlkit.inert import visible

    told = []
    for rows, why in ((listing.keyless, f"without {key}"), (listing.doubled, f"with the {key} of a row above")):
        if rows.is_empty():
            continue
        count = "1 row" if rows.height == 1 else f"{rows.height:,} rows"
        new = rows.filter(rows.get_column("newly_qualified").fill_null(value=False))
        some = ", ".join(visible(str(name), 40) for name in new.get_column(listing.news.leads.key).head(5))
        heard = (
            f"; new leads among them ({new.height:,}): {some}{', ...' if new.height > 5 else ''}" if new.height else ""
        )
        told.append(f"{listing.news.leads.definition.name}: left out of the list: {count} {why}{heard}")
    return told


def held_text(listing: Listing, apart: Sequence[tuple[Path, Listing]]) -> list[str]:
    """Say who waits for a change of the definition to be accepted, and where they stand."""
    news, leads = listing.news, listing.news.leads
    count = news.held.height
    if not count:
        return []
    who = "1 lead is" if count == 1 else f"{count:,} leads are"
    files = [path for path, other in apart if other.news is news]
    where = f"written apart to {files[0]}" if files else "left out (--out FILE writes them apart)"
    return [
        f"{leads.definition.name}: {who} new only because the definition changed ({news.accepted} -> {leads.hash}): {where},"
        f" and nobody is alerted; to hand them over, add --accept-change {leads.hash}"
    ]


def who_is_new(listings: Sequence[Listing], call: Invocation, *, written: bool) -> Iterator[str]:
    """Say how to learn who is new of late, where a list that was written does not tell.

    Parameters
    ----------
    listings
        The lists.
    call
        How the command was called: commands that are printed repeat it.
    written
        Whether the lists are files: a screen has its own next command.
    """
    from pqlkit.proposal.tonight import NEW
    from pqlkit.reporting.renderers.leads import handing_over

    for listing in listings:
        news = listing.news
        if news.baseline and "since" not in call.given:
            said = (
                f"first run: nothing is new yet. To hand over who is new of the last {NEW.in_words} (newly_qualified)"
            )
        elif written and not news.says_new:
            said = f"Who is new of the last {NEW.in_words} (newly_qualified)"
        else:
            continue
        yield f"{said}: {handing_over(listing, call, 'new-leads.csv')}"


def afterwards(
    listings: Sequence[Listing],
    written: Sequence[Written],
    options: ScoreOptions,
    out: OutputOptions,
    ledger: Ledger | None,
    where: Hook | None,
    output: Output,
) -> Delivery | None:
    """Do what follows once the night stands.

    Parameters
    ----------
    listings, written
        The lists, and the files that hold them.
    options, out
        What the command line asked for.
    ledger, where
        Where the night is remembered, and where alerts go; None = nowhere.
    output
        Where messages go.
    """
    from pqlkit.scoring.night import summaries

    sent = None if ledger is None else send(ledger, where, output)
    write_summary(summaries(listings, written), listings, sent, options, out, output)
    return sent


def told(error: PqlkitError, written: Sequence[Written], ledger: Ledger | None, *, doubt: bool) -> None:
    """Say what failed after the night, and what stands."""
    from pqlkit.cli.app import tell

    files = [path for some in written for path in some.paths]
    stands = [f"written: {', '.join(files)}"] if files else []
    if doubt:
        stands.append(
            "the disk does not say whether the ledger has the night: the next run finds out, and repeats it if not"
        )
    elif ledger is not None:
        stands.append(f"the night is in {ledger.path}: what is new in it is new no more for the next run")
        stands.append("an alert that was sent and could not be noted comes again, with the same key")
    error.message = "; ".join([error.message, *stands])
    tell(error)


def mend(ledger: Ledger, targets: Sequence[tuple[Path, Listing]], output: Output) -> None:
    """Clear up after a run that was killed, and say where it stopped between a list and the ledger."""
    from pqlkit.files import sweep
    from pqlkit.scoring.night import is_known

    for path, listing in targets:
        sweep(path, start=f"{path.stem}.")
        if not is_known(ledger, listing.news.leads.definition.name, path):
            output.say(f"{path} is not what the last committed run wrote; it is written again")


def send(ledger: Ledger, where: Hook | None, output: Output) -> Delivery | None:
    """Deliver the outbox, and finish the night."""
    from pqlkit.scoring.delivery import deliver as post

    if where is None:
        waiting = len(ledger.outbox())
        if waiting:
            output.warn(f"{waiting} alerts wait in the ledger; run with --notify URL to send them")
        return None
    with output.working(f"sending alerts to {where.name}"), ledger.released():
        sent = post(ledger, where)
    ledger.finish()
    ledger.commit()
    if sent.messages:
        output.say(f"sent {sent.leads:,} leads in {sent.messages:,} messages to {where.name}")
    if sent.problem:
        output.warn(f"{sent.waiting:,} messages wait in the ledger for the next run: {where.name}: {sent.problem}")
    return sent


def write_summary(
    summaries: Sequence[Summary],
    listings: Sequence[Listing],
    sent: Delivery | None,
    options: ScoreOptions,
    out: OutputOptions,
    output: Output,
) -> None:
    """Sum the run up in one line per definition, and in ``--summary`` and ``overlap.json`` as JSON.

    Parameters
    ----------
    summaries, listings
        The summaries, and the lists that they sum up.
    sent
        What became of the alerts; None = none were due.
    options, out
        What the command line asked for.
    output
        Where messages go.
    """
    from pqlkit.files import write_text
    from pqlkit.reporting.renderers.tabular import to_json
    from pqlkit.scoring.overlap import overlap
    from pqlkit.scoring.summary import document

    for summary in summaries:
        output.say(summary.line)
    common = overlap([summary.news for summary in listings]) if len(listings) > 1 else []
    if options.summary is not None:
        alerts = None if sent is None else {"messages": sent.messages, "leads": sent.leads, "waiting": sent.waiting}
        write_text(options.summary, to_json(document(list(summaries), alerts=alerts, overlap=common)))
    if len(listings) > 1 and out.out is not None:
        write_text(out.out / "overlap.json", to_json({"schema": "pqlkit/lead-overlap/2", "overlap": common}))
    for row in common if len(listings) > 1 else ():
        names = " and ".join(str(name) for name in row["definitions"])  # type: ignore[union-attr]
        output.say(f"{row['leads']:,} {row['entity']}s are leads of {names} alone")


def places(listings: Sequence[Listing], out: OutputOptions, *, aside: bool) -> list[tuple[Path, Listing]]:
    """Say where each list goes; empty = stdout."""
    from pqlkit.scoring.night import aside as held

    paths = paths_of([listing.news.leads.definition.name for listing in listings], out)
    return (
        [(held(path) if aside else path, listing) for path, listing in zip(paths, listings, strict=True)]
        if paths
        else []
    )


def paths_of(names: Sequence[str], out: OutputOptions) -> list[Path]:
    """Give the file of each definition's list; empty = stdout."""
    if out.out is None or (out.format in {Format.TABLE, Format.MARKDOWN} and len(names) == 1):
        return []
    if len(names) == 1:
        return [out.out]
    suffix = out.format.value if out.format in {Format.CSV, Format.JSON} else "csv"
    return [out.out / f"{name}.{suffix}" for name in names]


def list_targets(names: Sequence[str], out: OutputOptions) -> Iterator[Target]:
    """Give what a run may write or remove beside the file of ``--out``: lists in a folder, held ones, later parts.

    Raises
    ------
    UsageError
        One list is written, and ``--out`` names no file.
    """
    from glob import escape

    from pqlkit.cli.targets import Target
    from pqlkit.errors import UsageError
    from pqlkit.options.option import Role
    from pqlkit.scoring.night import aside, changed

    paths = paths_of(names, out)
    if any(not path.name for path in paths):
        raise UsageError("--out names no file", hint="write --out leads.csv")
    several = [*paths, *([path.parent / "overlap.json" for path in paths[:1]])] if len(names) > 1 else []
    beside = [*map(aside, paths), *map(changed, paths)]
    whole = (*paths, *beside)
    parts = [part for path in whole for part in path.parent.glob(f"{escape(path.stem)}.part*{escape(path.suffix)}")]
    for path in (*several, *beside, *parts):
        yield Target(named="--out", path=path, role=Role.WRITES)


def show(listings: Sequence[Listing], out: OutputOptions, asked: Order, output: Output, call: Invocation) -> None:
    """Write the lists to stdout.

    Parameters
    ----------
    listings
        The lists.
    out, asked
        What the command line asked for.
    output
        Where they go.
    call
        How the command was called: commands that are printed repeat it.
    """
    from pqlkit.reporting.renderers import leads as render
    from pqlkit.scoring.lead_file import LeadFormat
    from pqlkit.scoring.night import rendered

    shape = out.format or Format.TABLE
    match shape:
        case Format.JSON | Format.CSV as form:
            listing = listings[0]
            output.payload(rendered(listing.rows, LeadFormat(form.value), asked.shape, listing).decode())
        case Format.MARKDOWN:
            output.payload(render.as_markdown(listings))
        case Format.TABLE:
            output.show(render.as_table(listings, call=call, width=output.width))
        case _:
            assert_never(shape)
