"""`pqlkit init`: a look at the exports, and a commented project file that works."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from pqlkit.cli.inputs import PROJECT, inputs
from pqlkit.cli.options import DataOptions, option, records


@dataclass(frozen=True, slots=True, kw_only=True)
class InitOptions:
    """The exports beside the events, and where the project file goes."""

    users: Annotated[str | None, option("--users", help="Users.", metavar="PATH")] = None
    accounts: Annotated[str | None, option("--accounts", help="Accounts.", metavar="PATH")] = None
    conversions: Annotated[str | None, option("--conversions", help="Conversions (upgrades).", metavar="PATH")] = None
    out: Annotated[
        Path | None, option("--out", help=f"The project file to write [default: {PROJECT}].", metavar="FILE")
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

    A file that is there is never replaced.

    **Examples**

    `pqlkit init "exports/events/*.jsonl.gz" --users exports/users.csv --conversions exports/upgrades.csv`

    `pqlkit init posthog.jsonl.gz`: the vendor's format is recognised
    """
    from pqlkit.cli.output import Output
    from pqlkit.errors import UsageError
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
            progress=progress,
        )
    write_text(out, project_text(found, out.parent))
    output.payload("\n".join(visible(note, 400) for note in found.notes) or "nothing to say about the exports")
    output.say(f"wrote {out}: read it, then run `pqlkit analyze`")
