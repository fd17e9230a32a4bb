"""`pqlkit init`: a look at the exports, and a commented project file that works."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pqlkit.cli.inputs import PROJECT


def init(
    events: Annotated[
        str, typer.Argument(help="Events: a file, folder or glob.", metavar="EVENTS", show_default=False)
    ],
    users: Annotated[str | None, typer.Option("--users", help="Users.", metavar="PATH", show_default=False)] = None,
    accounts: Annotated[
        str | None, typer.Option("--accounts", help="Accounts.", metavar="PATH", show_default=False)
    ] = None,
    conversions: Annotated[
        str | None, typer.Option("--conversions", help="Conversions (upgrades).", metavar="PATH", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="The project file to write.", metavar="FILE")] = Path(PROJECT),
    quiet: Annotated[bool, typer.Option("--quiet", help="Errors alone on stderr.", show_default=False)] = False,
) -> None:
    """Look at the exports, say how well users and conversions match, and write a commented pqlkit.yml.

    A file that is there is never replaced.

    **Examples**

    `pqlkit init "exports/events/*.jsonl.gz" --users exports/users.csv --conversions exports/upgrades.csv`

    `pqlkit init posthog.jsonl.gz`: the vendor's format is recognised
    """
    from pqlkit.cli.output import Output
    from pqlkit.errors import UsageError
    from pqlkit.exports.drafting import project_text
    from pqlkit.exports.sniffing import sniff
    from pqlkit.files import write_text
    from pqlkit.inert import visible

    output = Output(quiet=quiet)
    if out.exists():
        raise UsageError(f"{out} is there already; it was left as it is", hint="name another with --out")
    with output.working("looking at the exports") as progress:
        found = sniff(events, users=users, accounts=accounts, conversions=conversions, progress=progress)
    write_text(out, project_text(found, out.parent))
    output.payload("\n".join(visible(note, 400) for note in found.notes) or "nothing to say about the exports")
    output.say(f"wrote {out}: read it, then run `pqlkit analyze`")
