"""The excerpt: the line at fault with carets under the marked place, harmless and bounded whatever the line holds."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH: Final = 72
"""Characters of a line that are shown: with its number and two ellipses it fits a terminal of 80 columns."""
_BREAK: Final = re.compile(r"\r\n|\r|\n")
_PASSWORD: Final = re.compile(r"""(?<=://)[^\s"']*:[^\s"']+(?=@)""")
"""Who logs in where, and with what: an excerpt ends up in the logs of CI."""
_CONTROL: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


class Excerpt(NamedTuple):
    """One line to show, and the line of carets below it (both without the margin)."""

    line: str
    carets: str


def lines(source: str) -> list[str]:
    r"""Split a file at YAML's line ends: ``\n``, ``\r\n`` and ``\r``."""
    return _BREAK.split(source)


def excerpt(source: Sequence[str], line: int, column: int, end_line: int, end_column: int) -> Excerpt | None:
    r"""Cut the line of a mark out of a file.

    Parameters
    ----------
    source
        The `lines` of the file.
    line, column, end_line, end_column
        The mark, from 1; the end is exclusive. A mark over several lines is shown to the end of its first.

    Returns
    -------
    Excerpt or None
        At most `WIDTH` characters around the mark, passwords of addresses hidden, control and bidirectional characters replaced one for one; None if the
        file has no such line.

    Examples
    --------
    >>> print("\n".join(excerpt(lines("name: x\nevnt: login\n"), 2, 1, 2, 5)))
    evnt: login
    ^^^^
    >>> print("\n".join(excerpt(lines("path: postgresql://ann:pass@host/db"), 1, 1, 1, 5)))
    path: postgresql://********@host/db
    ^^^^
    """
    if line > len(source) or not any(source):
        return None
    text = _PASSWORD.sub(lambda match: "*" * len(match[0]), source[line - 1])
    start = min(column - 1, len(text))
    end = len(text) if end_line > line else min(end_column - 1, len(text))
    first = max(0, min(start - WIDTH // 3, len(text) - WIDTH))
    shown = "".join(_inert(c) for c in text[first : first + WIDTH])
    start, end = start - first, max(min(end - first, WIDTH), start - first + 1)
    before = "…" if first else ""
    after = "…" if first + WIDTH < len(text) else ""
    margin = " " * (len(before) + _width(shown[:start]))
    return Excerpt(before + shown + after, margin + "^" * max(1, _width(shown[start:end])))


def _inert(character: str) -> str:
    if character == "\t":
        return " "
    return "\ufffd" if unicodedata.category(character) in _CONTROL else character


def _width(text: str) -> int:
    """Count terminal cells: wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
