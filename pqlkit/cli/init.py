"""`pqlkit init`: a look at the exports, and a commented project file that works."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pqlkit.cli.inputs import PROJECT, inputs
from pqlkit.cli.options import DataOptions, option, records

if TYPE_CHECKING:
    from pqlkit.exports.questions import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class InitOptions:
    """The exports beside the events, and where the project file goes."""

    users: Annotated[str | None, option("--users", help="Users.", metavar="PATH")] = None
    accounts: Annotated[str | None, option("--accounts", help="Accounts.", metavar="PATH")] = None
    conversions: Annotated[str | None, option("--conversions", help="Conversions (upgrades).", metavar="PATH")] = None
    out: Annotated[
        Path | None, option("--out", help=f"The project file to write [default: {PROJECT}].", metavar="FILE")
    ] = None
    map: Annotated[
        list[str] | None,
        option(
            "--map",
            help='Which column of an export is which: conversions.converted_at="Close Date". Repeatable.',
            metavar="TABLE.COLUMN=HEADER",
        ),
    ] = None
    quiet: Annotated[bool | None, option("--quiet", help="Errors alone on stderr.")] = None


@records(InitOptions)
def init(
    options: InitOptions,
    events: Annotated[
        str, typer.Argument(help="Events: a file, folder or glob.", metavar="EVENTS", show_default=False)
    ],
) -> None:
    """Look at the exports, say how well users and conversions match, and write a commented pqlkit.yml.

    What a look cannot tell it asks for on a terminal; else the file holds a commented choice with the columns' own values, and
    the last lines say what remains to be done. A file that is there is never replaced.

    **Examples**

    `pqlkit init "exports/events/*.jsonl.gz" --users exports/users.csv --conversions exports/upgrades.csv`

    `pqlkit init posthog.jsonl.gz`: the vendor's format is recognised

    `pqlkit init events.csv --conversions deals.csv --map conversions.converted_at="Close Date"`
    """
    from pqlkit.cli.output import Output
    from pqlkit.errors import UsageError
    from pqlkit.exports.maps import maps_of
    from pqlkit.exports.project_draft import project_text
    from pqlkit.exports.sniffing import sniff
    from pqlkit.files import write_text
    from pqlkit.inert import visible

    options = inputs("init", DataOptions(), InitOptions).settle(options)
    output, out = Output(quiet=bool(options.quiet)), options.out or Path(PROJECT)
    if out.exists():
        raise UsageError(f"{out} is there already; it was left as it is", hint="name another with --out")
    with output.working("looking at the exports") as progress:
        found = sniff(
            events,
            users=options.users,
            accounts=options.accounts,
            conversions=options.conversions,
            maps=maps_of(options.map or ()),
            ask=asked if output.interactive else None,
            progress=progress,
        )
    write_text(out, project_text(found, out.parent))
    output.payload("\n".join(visible(note, 400) for note in found.notes) or "nothing to say about the exports")
    if found.to_do:
        output.say(f"wrote {out}. Before `pqlkit analyze`:")
        for text in found.to_do:
            output.say(f"- {visible(text, 400)}")
    else:
        output.say(f"wrote {out}: read it, then run `pqlkit analyze`")


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
