"""The lead list for people: who to call first, and how the others stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from pqlkit.inert import visible
from pqlkit.reporting.next_command import Invocation, file_of, following
from pqlkit.reporting.renderers.layout import columns_of, headed, spread, styled, wrapped
from pqlkit.reporting.renderers.tabular import to_markdown
from pqlkit.reporting.renderers.words import day
from pqlkit.scoring.card import headings, share_of_the_way
from pqlkit.scoring.lead import LeadStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from pqlkit.scoring.night import Listing

_BLOCKS: Final = ((LeadStatus.PQL, "LEADS, best first", 12), (LeadStatus.NEAR, "NEARLY, nearest first", 8))


def as_table(listings: Sequence[Listing], *, call: Invocation | None = None, width: int = 80) -> RenderableType:
    """Give what the terminal shows: counts and what to run next, the first leads with their reasons, the near ones with what they lack.

    Parameters
    ----------
    listings
        The lists.
    call
        How the command was called: commands that are printed repeat it.
    width
        Columns of the terminal.
    """
    from rich.console import Group
    from rich.text import Text

    lines: list[str] = []
    for listing in listings:
        lines += [*_lines(listing, call or Invocation(), columns_of(width)), ""]
    return Group(*[styled(Text(line)) for line in lines[:-1]])


def as_markdown(listings: Sequence[Listing]) -> str:
    """Give each list's leads and near ones as a table for a document."""
    texts = []
    for listing in listings:
        leads = listing.news.leads
        shown = pl.concat([_some(listing, status, 100) for status, _, _ in _BLOCKS])
        rows = [
            [
                who,
                LeadStatus(row["status"]).label,
                "" if row["score"] is None else str(row["score"]),
                "" if since is None else since.date().isoformat(),
                row["evidence"] or "",
                row["missing"] or "",
            ]
            for row, (who, since) in zip(shown.to_dicts(), headings(leads, shown), strict=True)
        ]
        header = [leads.population.kind.value, "status", "score", "since", "evidence", "missing"]
        texts.append(f"{visible(leads.definition.name)}\n\n" + to_markdown(rows, header, right=[2]))
    return "\n".join(texts)


def _lines(listing: Listing, call: Invocation, width: int) -> list[str]:
    leads = listing.news.leads
    name = visible(leads.definition.name, 40)
    lines = [spread(f"SCORE  {name} v{leads.definition.version}", f"as of {day(leads.population.as_of)}", width)]
    lines += wrapped(_standing(listing), "  ", width=width)
    lines += following(_next(listing, call), width)
    for status, title, most in _BLOCKS:
        rows = _some(listing, status, most)
        if rows.height:
            count = listing.rows.filter(listing.rows["status"] == status.value).height
            lines += ["", spread(title, f"{rows.height} of {count:,}", width)]
            for row, (who, since) in zip(rows.to_dicts(), headings(leads, rows), strict=True):
                lines += _entry(row, who, since, width)
    return lines


def _next(listing: Listing, call: Invocation) -> list[str]:
    """Give what to run next: the whole list as a file that says who is new, and the first lead's story."""
    named = ["-d", file_of(listing.news.leads.definition)]
    first = next((rows for status, _, _ in _BLOCKS if (rows := _some(listing, status, 1)).height), None)
    key = [] if first is None else [visible(str(first.get_column(listing.news.leads.key).item()), 200)]
    return [handing_over(listing, call, "leads.csv"), *[call.next("explain", *named, *key) for _ in key]]


def handing_over(listing: Listing, call: Invocation, out: str) -> str:
    """Give the command that writes the list with who is new of late, unless the runs before say who is.

    Parameters
    ----------
    listing
        The list.
    call
        How the command was called.
    out
        The file to write.
    """
    from pqlkit.proposal.tonight import NEW

    news = listing.news
    given = call.given.get("since") or (NEW if not news.says_new or news.baseline else None)
    since = [] if given is None else ["--since", str(given)]
    return call.next("score", "-d", file_of(news.leads.definition), *since, "--out", out)


def _standing(listing: Listing) -> str:
    counted = dict(listing.news.frame.group_by("status").len().iter_rows())
    from pqlkit.scoring.lead import ORDER

    parts = [_counted(counted[status.value], status.label) for status in ORDER if counted.get(status.value)]
    return f"{listing.news.frame.height:,} = {' + '.join(parts)}" if parts else "nobody"


def _counted(number: int, label: str) -> str:
    """Count leads of one standing; of the labels only nouns have a plural."""
    noun = label == "customer" or label.endswith("PQL")
    return f"{number:,} {label}{'s' if noun and number != 1 else ''}"


def _some(listing: Listing, status: LeadStatus, most: int) -> pl.DataFrame:
    return listing.rows.filter(listing.rows["status"] == status.value).head(most)


def _entry(row: dict[str, Any], who: str, since: datetime | None, width: int) -> list[str]:
    """Give one lead: who, how good and since when, and why; of a near one how far it is, and what is missing."""
    if row["status"] == LeadStatus.NEAR.value:
        figures = share_of_the_way(row["progress"])
        reasons = [row["evidence"], f"missing: {row['missing']}" if row["missing"] else None]
    else:
        new = ", new" if row["newly_qualified"] else ""
        figures = f"score {row['score']}" + (f", since {since:%Y-%m-%d}" if since is not None else "") + new
        reasons = [row["evidence"]]
    told = "; ".join(visible(reason, 400) for reason in reasons if reason)
    # A name is never cut: a long one has a line of its own.
    return headed(f"  {who}", figures, width, below="    ") + wrapped(told, "    ", width=width)
