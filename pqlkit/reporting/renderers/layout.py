"""The layout: lines of at most 80 columns for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text


def styled(text: Text) -> Text:
    """Set a heading (capitals up to two spaces) in bold."""
    head = text.plain.split("  ")[0]
    if head and head == head.upper() and head[0].isalpha():
        text.stylize("bold", 0, len(head))
    return text


def spread(left: str, right: str, width: int = 79) -> str:
    """Set one text flush left and one flush right on a line."""
    return f"{left}{right:>{max(1, width - len(left))}}"


def wrapped(text: str, first: str, rest: str | None = None, width: int = 79) -> list[str]:
    """Break a text at blanks; the first line begins with `first`, the others with `rest`."""
    import textwrap

    following = first if rest is None else rest
    return textwrap.wrap(text, width=width, initial_indent=first, subsequent_indent=following, break_on_hyphens=False)
