"""`pqlkit init`: a look at the exports, and a commented project file that works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pqlkit.cli.inputs import Given
from pqlkit.cli.options import takes_options
from pqlkit.options.commands import InitOptions
from pqlkit.options.data import BesideEventsOptions
from pqlkit.options.output import QuietOption

if TYPE_CHECKING:
    from pqlkit.exports.questions import Question


@takes_options("init")
def init(
    given: Given,
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

    found = given.inputs()
    exports, out = found.settle(BesideEventsOptions), found.settle(InitOptions).out
    output = Output(quiet=found.settle(QuietOption).quiet)
    if out.exists():
        raise UsageError(f"{out} is there already; it was left as it is", hint="name another with --out")
    with output.working("looking at the exports") as progress:
        seen = sniff(
            events,
            users=exports.users,
            accounts=exports.accounts,
            conversions=exports.conversions,
            maps=maps_of(exports.map),
            ask=asked if output.interactive else None,
            progress=progress,
        )
    write_text(out, project_text(seen, out.parent))
    output.payload("\n".join(visible(note, 400) for note in seen.notes) or "nothing to say about the exports")
    if seen.to_do:
        output.say(f"wrote {out}. Before `pqlkit analyze`:")
        for text in seen.to_do:
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
