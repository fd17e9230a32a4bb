"""Inert text: names and values from exports made harmless for the place where they are shown.

Event names, traits and ids are other people's input. A terminal obeys control characters, a spreadsheet obeys a leading
``=``, and right-to-left marks reorder what stands around them.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST: Final = 200
FORMULA: Final = r"^(?:[=+\-@＝＋－＠\t\r\n]|'[=+\-@＝＋－＠\t\r\n'])"
"""What a cell begins with that is neutralised, and what a neutralised one may not be taken for."""

_FORMULA: Final = re.compile(FORMULA)
_ROOM: Final = re.compile(r"[\s\u2028\u2029]+")


def visible(text: str, longest: int = LONGEST) -> str:
    r"""Make `text` safe to show on a terminal or in a log: one line, no control or bidirectional characters, bounded.

    Parameters
    ----------
    text
        Anything from an export.
    longest
        Characters to keep; a longer text ends in ``…``.

    Examples
    --------
    >>> visible("a\x1b[31mred\nline")
    'a�[31mred line'
    """
    clean = tame(_ROOM.sub(" ", text[: 4 * longest]))
    return clean if len(clean) <= longest and len(text) <= 4 * longest else clean[: longest - 1] + "…"


def tame(text: str) -> str:
    r"""Replace what a terminal would obey; blanks stay as they are.

    Examples
    --------
    >>> tame("my  data\x1b[31m")
    'my  data�[31m'
    """
    return "".join(
        "\ufffd" if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co"} and c != "\u200d" else c for c in text
    )


def cell(text: str) -> str:
    """Neutralise a text cell that a spreadsheet would run as a formula, by a leading apostrophe; `uncell` undoes it.

    Examples
    --------
    >>> cell("=cmd|' /C calc'!A0")
    "'=cmd|' /C calc'!A0"
    >>> uncell(cell("'=1")) == "'=1", cell("plain")
    (True, 'plain')

    References
    ----------
    OWASP, "CSV Injection".
    """
    return "'" + text if _FORMULA.match(text) else text


def uncell(text: str) -> str:
    """Undo `cell` on reading back."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text
