"""The layout: lines of at most 80 columns for a terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from rich.text import Text

NARROW: Final = 80
"""Columns where there is no terminal."""


_INTERVAL: Final = re.compile(r"\[[-+>]?[\d.,]+, [-+>]?[\d.,]+\]")
_NO_BREAK: Final = "\x1f"
"""Stands for a blank at which no line ends; no text that is shown has it."""

WIDEST: Final = 159
"""Columns beyond which a line is hard to read."""


def columns_of(width: int) -> int:
    """Say how many columns lines may take on a terminal: one less, at least 79, at most 159.

    Examples
    --------
    >>> [columns_of(width) for width in (40, 80, 120, 160, 300)]
    [79, 79, 119, 159, 159]
    """
    return max(NARROW, min(width, WIDEST + 1)) - 1


def styled(text: Text) -> Text:
    """Set a heading (capitals up to a comma or two spaces) in bold."""
    head = text.plain.split("  ")[0].split(",")[0]
    if head and head == head.upper() and head[0].isalpha():
        text.stylize("bold", 0, len(head))
    return text


def fit(text: str, width: int) -> str:
    """Make text inert and exactly so many terminal cells wide: cut with an ellipsis, or filled with blanks.

    Wide characters (Chinese, emoji) take two cells.

    Examples
    --------
    >>> fit("login", 8), fit("integration_connected", 8), fit("招待", 6)
    ('login   ', 'integra…', '招待  ')
    """
    from rich.cells import cell_len, set_cell_size

    clean = visible(text, 4 * width)
    return set_cell_size(clean, width) if cell_len(clean) <= width else set_cell_size(clean, width - 1) + "…"


def spread(left: str, right: str, width: int = 79) -> str:
    """Set one text flush left and one flush right on a line; what does not fit beside `left` is cut."""
    room = max(1, width - len(left) - 2)
    return f"{left}  {right[:room]:>{room}}"


def headed(left: str, right: str, width: int = 79, below: str = "  ") -> list[str]:
    """Set two texts on a line as `spread` does, but cut nothing: what does not fit has a line of its own, behind `below`.

    Examples
    --------
    >>> headed("SCORE", "now", 12), headed("PROPOSED", "written: first.yml", 20), headed("LOADED", "")
    (['SCORE    now'], ['PROPOSED', '  written: first.yml'], ['LOADED'])
    """
    if right and len(left) + 2 + len(right) <= width:
        return [spread(left, right, width)]
    return [left, *([f"{below}{right}"] if right else [])]


def wrapped(text: str, first: str, rest: str | None = None, width: int = 79) -> list[str]:
    """Break a text at blanks, but not within an interval; the first line begins with `first`, the others with `rest`.

    Examples
    --------
    >>> wrapped("about 13.2 [11.1, 15.6]", "", width=18)
    ['about 13.2', '[11.1, 15.6]']
    """
    import textwrap

    following = first if rest is None else rest
    whole = _INTERVAL.sub(lambda match: match.group().replace(" ", _NO_BREAK), text)
    lines = textwrap.wrap(whole, width=width, initial_indent=first, subsequent_indent=following, break_on_hyphens=False)
    return [line.replace(_NO_BREAK, " ") for line in lines]


def labelled(rows: Sequence[tuple[str, str]], room: int = 19, width: int = 79) -> list[str]:
    r"""Set texts behind their labels, each broken at blanks; a label that does not fit has a line of its own.

    Examples
    --------
    >>> print("\n".join(labelled([("over time", "26.5, 20.9, 20.5% (2025-Q4 to 2026-Q3)"), ("drop", "none")], 11, 30)))
      over time  26.5, 20.9,
                 20.5% (2025-Q4 to
                 2026-Q3)
      drop       none
    """
    lines = []
    for label, text in rows:
        fits = len(label) + 2 <= room
        lines += [] if fits else wrapped(label, "  ", "    ", width)
        lines += wrapped(text, f"  {label if fits else '':<{room}}", " " * (room + 2), width)
    return lines


def table(rows: Sequence[Sequence[str]], *, width: int = 79) -> list[str]:
    r"""Set rows in columns: the first flush left, the others flush right. A name is never cut: one that does not fit takes a line.

    Parameters
    ----------
    rows
        Cells that are safe to show; all rows have as many.
    width
        Columns of the terminal that may be used.

    Examples
    --------
    >>> print("\n".join(table([("name", "n"), ("a", "1"), ("a name that is too long", "2")], width=12)))
      name     n
      a        1
      a name that is too long
               2
    """
    from rich.cells import cell_len

    others = [max(cell_len(row[place]) for row in rows) for place in range(1, len(rows[0]))]
    longest, room = max(cell_len(row[0]) for row in rows), width - 2 - sum(others)
    gap = "  " if longest + 2 * len(others) <= room else " "
    first = min(room - len(gap) * len(others), longest)
    lines = []
    for row in rows:
        cells = zip(row[1:], others, strict=True)
        figures = "".join(f"{gap}{' ' * (size - cell_len(cell))}{cell}" for cell, size in cells)
        name = row[0]
        if cell_len(name) > first:
            lines += wrapped(name, "  ", "    ", width)
            name = ""
        lines.append(f"  {name}{' ' * (first - cell_len(name))}{figures}".rstrip())
    return lines


def plain(renderable: RenderableType, width: int = NARROW) -> str:
    """Render to text without colours."""
    import io

    from rich.console import Console

    text = io.StringIO()
    Console(file=text, width=width, no_color=True, highlight=False, emoji=False, markup=False).print(renderable)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"
