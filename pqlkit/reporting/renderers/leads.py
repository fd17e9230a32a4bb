"""The lead list for people: who to call first, and how the others stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pqlkit.inert import visible
from pqlkit.reporting.renderers.layout import spread, styled, wrapped
from pqlkit.reporting.renderers.tabular import to_markdown
from pqlkit.reporting.renderers.words import day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from pqlkit.scoring.night import Listing

_BLOCKS: Final = (("pql", "LEADS", "evidence", 12), ("near", "NEARLY", "missing", 8))


def as_table(listings: Sequence[Listing]) -> RenderableType:
    """Give what the terminal shows: the first leads with their reasons, the near ones with what they lack, then counts."""
    from rich.console import Group
    from rich.text import Text

    lines: list[str] = []
    for listing in listings:
        lines += [*_lines(listing), ""]
    return Group(*[styled(Text(line)) for line in lines[:-1]])


def as_markdown(listings: Sequence[Listing]) -> str:
    """Give each list's leads and near ones as a table for a document."""
    texts = []
    for listing in listings:
        rows = [
            [
                str(row[listing.news.leads.key]),
                row["status"],
                "" if row["score"] is None else str(row["score"]),
                "" if row["qualified_at"] is None else row["qualified_at"].date().isoformat(),
                row["evidence"] or "",
                row["missing"] or "",
            ]
            for row in _some(listing, "pql", 100) + _some(listing, "near", 100)
        ]
        header = [listing.news.leads.key, "status", "score", "qualified", "evidence", "missing"]
        texts.append(f"{visible(listing.news.leads.definition.name)}\n\n" + to_markdown(rows, header, right=[2]))
    return "\n".join(texts)


def _lines(listing: Listing) -> list[str]:
    leads = listing.news.leads
    name = visible(leads.definition.name, 40)
    lines = [spread(f"SCORE  {name} v{leads.definition.version}", f"as of {day(leads.population.as_of)}")]
    lines += wrapped(_standing(listing), "  ")
    for status, title, reason, most in _BLOCKS:
        rows = _some(listing, status, most)
        if rows:
            count = listing.rows.filter(listing.rows["status"] == status).height
            lines += ["", spread(title, f"{min(most, count)} of {count:,}")]
            for row in rows:
                lines += _entry(row, leads.key, reason)
    return lines


def _standing(listing: Listing) -> str:
    counted = dict(listing.news.frame.group_by("status").len().iter_rows())
    from pqlkit.scoring.lead import ORDER

    parts = [f"{counted[status.value]:,} {status.value}" for status in ORDER if counted.get(status.value)]
    return f"{listing.news.frame.height:,} = {' + '.join(parts)}" if parts else "nobody"


def _some(listing: Listing, status: str, most: int) -> list[dict[str, Any]]:
    return listing.rows.filter(listing.rows["status"] == status).head(most).to_dicts()


def _entry(row: dict[str, Any], key: str, reason: str) -> list[str]:
    at = row["requalified_at"] or row["qualified_at"]
    when = "" if at is None else f"  {at.date().isoformat()}"
    new = " new" if row["newly_qualified"] else ""
    name = visible(str(row[key]), 30)
    head = f"  {name:<24} {row['score']:>3}{when}{new}"
    text = visible(row[reason] or "", 400)
    lines = [head]
    lines += wrapped(text, "    ")
    return lines
