"""`pqlkit init`: a look at the exports, and a commented project file that works."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqlkit.cli.inputs import Given
from pqlkit.cli.options import takes_options
from pqlkit.options.commands import InitOptions
from pqlkit.options.data import PROJECT, BesideEventsOptions
from pqlkit.options.output import QuietOption

if TYPE_CHECKING:
    from pqlkit.exports.mapping import Source
    from pqlkit.exports.questions import Question


@takes_options("init")
def init(
    given: Given,
    events: Annotated[
        str | None,
        typer.Argument(help="Events: a file, folder, glob or address.", metavar="[EVENTS]", show_default=False),
    ] = None,
) -> None:
    """Look at the exports, say how well users and conversions match, and write a commented pqlkit.yml.

    What a look cannot tell it asks for on a terminal; else the file holds a commented choice with the columns' own values, and
    the last lines say what remains to be done. A file that is there is never replaced.

    **Examples**

    `pqlkit init "exports/events/*.jsonl.gz" --users exports/users.csv --conversions exports/upgrades.csv`

    `pqlkit init posthog.jsonl.gz`: the vendor's format is recognised

    `pqlkit init events.csv --conversions deals.csv --map conversions.converted_at="Close Date"`

    `pqlkit init --connection WAREHOUSE_URL --table events --users users`: tables of PostgreSQL; `init app.duckdb` alike

    `pqlkit init --from bigquery-ga4 --sql`: the statements that export these tables
    """
    from pqlkit.cli.output import Output
    from pqlkit.errors import UsageError
    from pqlkit.exports.maps import maps_of
    from pqlkit.exports.project_draft import project_text
    from pqlkit.exports.sniffing import sniff
    from pqlkit.files import write_text
    from pqlkit.inert import visible
    from pqlkit.reporting.next_command import Invocation

    inputs = given.inputs()
    exports, options = inputs.settle(BesideEventsOptions), inputs.settle(InitOptions)
    out = options.out
    output = Output(quiet=inputs.settle(QuietOption).quiet)
    if options.sql or options.from_ is not None:
        output.payload(statements(options))
        return
    sources = looked_at(events, exports, options)
    if out.exists():
        raise UsageError(f"{out} is there already; it was left as it is", hint="name another with --out")
    with output.working("looking at the exports", asks=output.interactive) as progress:
        seen = sniff(
            sources.pop("events"),
            **sources,
            maps=maps_of(exports.map),
            ask=asked if output.interactive else None,
            progress=progress,
        )
    write_text(out, project_text(seen, out.parent))
    output.payload("\n".join(visible(note, 400) for note in seen.notes) or "nothing to say about the exports")
    project = [] if out == Path(PROJECT) else ["--project", str(out)]
    load = Invocation().next("load", *project, "--out", "dataset")
    output.say(f"wrote {out}. Before {load}:" if seen.to_do else f"wrote {out}: read it and correct it, then: {load}")
    for text in seen.to_do:
        output.say(f"- {visible(text, 400)}")


def statements(options: InitOptions) -> str:
    """Write the export statements of a recipe.

    Raises
    ------
    UsageError
        One of ``--from`` and ``--sql`` is missing, or there is no such recipe.
    """
    from pqlkit.errors import UsageError
    from pqlkit.exports.recipes import recipe, recipes

    if options.from_ is None or not options.sql:
        raise UsageError(
            "--from and --sql go together", hint="write --from NAME --sql, where NAME is one of " + ", ".join(recipes())
        )
    return recipe(options.from_).statements()


def looked_at(events: str | None, exports: BesideEventsOptions, options: InitOptions) -> dict[str, Source]:
    """Say what each table's export is: files and addresses, or tables of the database that holds the events.

    Raises
    ------
    UsageError
        Nothing names the events, or two options do.
    """
    from pqlkit.errors import UsageError
    from pqlkit.exports.mapping import Source
    from pqlkit.exports.project import Project
    from pqlkit.exports.sources.address import scheme

    if (events is None) == (options.connection is None):
        raise UsageError(
            "init looks at EVENTS or at a --connection" + (", not both" if events is not None else ""),
            hint="pqlkit init events.csv, or pqlkit init --connection WAREHOUSE_URL --table events",
        )
    if options.connection is not None and options.table is None:
        raise UsageError("--connection needs the table of the events", hint="add --table events")
    bare = Source(path=(), connection=options.connection) if events is None else Project().direct(events)
    sources = {"events": bare if options.table is None else replace(bare, table=options.table)}
    for name in ("users", "accounts", "conversions", "identities"):
        text = getattr(exports, name)
        if text is None:
            continue
        elsewhere = options.table is None or scheme(text) is not None or Path(text).exists()
        sources[name] = Project().direct(text) if elsewhere else replace(bare, table=text)
    return sources


def asked_zone(question: Question) -> str | None:
    """Ask a person for a time zone; an empty answer leaves it open."""
    from pqlkit.errors import DataError
    from pqlkit.exports.zones import zone_of

    while True:
        answer: str = typer.prompt(
            f"{question.what}, like Europe/Berlin", default="", show_default=False, err=True
        ).strip()
        if not answer:
            return None
        try:
            zone_of(answer)
        except DataError as error:
            typer.echo(error.message, err=True)
        else:
            return answer


def asked(question: Question) -> str | None:
    """Ask a person which column is meant; an empty answer leaves it open."""
    from pqlkit.inert import visible

    headers = list(question.options)
    if not headers:
        return asked_zone(question)
    typer.echo(f"which of these is {question.what}?", err=True)
    for number, header in enumerate(headers, start=1):
        typer.echo(f"  {number}  {visible(header, 60)}   {' · '.join(question.options[header])}", err=True)
    while True:
        answer = typer.prompt(
            "number or name, empty to leave it open", default="", show_default=False, err=True
        ).strip()
        if not answer or answer in headers:
            return answer or None
        if answer.isdecimal() and 1 <= int(answer) <= len(headers):
            return headers[int(answer) - 1]
        typer.echo(f"{visible(answer, 60)!r} is none of them", err=True)
