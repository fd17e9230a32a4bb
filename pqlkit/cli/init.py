"""`pqlkit init`: a look at the exports, and a commented project file that works."""

from __future__ import annotations

from typing import Annotated

import typer

from pqlkit.cli.inputs import Given
from pqlkit.cli.options import takes_options
from pqlkit.options.commands import InitOptions
from pqlkit.options.data import BesideEventsOptions
from pqlkit.options.output import QuietOption


@takes_options("init")
def init(
    given: Given,
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
            progress=progress,
        )
    write_text(out, project_text(seen, out.parent))
    output.payload("\n".join(visible(note, 400) for note in seen.notes) or "nothing to say about the exports")
    output.say(f"wrote {out}: read it, then run `pqlkit analyze`")
