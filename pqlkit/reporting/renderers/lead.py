"""One lead for people: as the rep gets it, and how it came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pqlkit.inert import visible
from pqlkit.reporting.renderers.layout import spread, styled, wrapped
from pqlkit.reporting.renderers.words import day

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pqlkit.scoring.timeline import Timeline

LINES: Final = 28
"""Lines of a timeline on one screen."""


def as_table(row: dict[str, Any], story: Timeline, as_of: int) -> RenderableType:
    """Give what the terminal shows."""
    from rich.console import Group
    from rich.text import Text

    lines = [*card(row, as_of), "", spread("TIMELINE", f"as of {day(as_of)}"), *_timeline(story)]
    return Group(*[styled(Text(line)) for line in lines])


def card(row: dict[str, Any], as_of: int) -> list[str]:
    """Write one lead as a rep reads it."""
    key = "user_id" if "user_id" in row else "account_id"
    head = f"{visible(str(row[key]), 40)}   {(row['band'] or row['status']).upper()}   score {row['score']}"
    lines = [head]
    if row["evidence"]:
        lines += wrapped(visible(row["evidence"], 600), "  ")
    if row["missing"]:
        lines += wrapped("Still missing: " + visible(row["missing"], 600), "  ")
    if row["say"]:
        lines += wrapped(visible(row["say"], 300), "  ")
    return lines


def _timeline(story: Timeline) -> list[str]:
    lines = []
    for one in story.moments:
        age = "" if story.anchor is None else f"day {(one.at - story.anchor) // 86_400_000_000}"
        lines.append(
            f"  {day(one.at)}  {age:>8}  {one.what} {visible(one.name, 40)}{f' x{one.count}' if one.count > 1 else ''}"
        )
    return lines
