"""Tabular text: one table of records as JSON, CSV or Markdown, with other people's names made inert."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from pqlkit.inert import LONGEST, cell, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~&])")


def to_json(value: Any) -> str:
    r"""Write a value as JSON: two spaces of indent, keys in their given order, no NaN, one line end.

    Text keeps its letters; what could end a ``<script>`` element or a line of JavaScript is escaped, so that the text is
    also harmless inside HTML.

    Raises
    ------
    ValueError
        A number is not finite: an undefined number is None.

    Examples
    --------
    >>> to_json({"event": "</script>", "rate": None})
    '{\n  "event": "\\u003c/script>",\n  "rate": null\n}\n'
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029") + "\n"


def to_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    r"""Write records as CSV (RFC 4180 with ``\n``), text cells that a spreadsheet would run neutralised.

    None is an empty cell, True and False are ``true`` and ``false``, nested values are JSON.

    Examples
    --------
    >>> to_csv([{"event": "=cmd", "n": -1}], ["event", "n"])
    "event,n\n'=cmd,-1\n"
    """
    from pqlkit.scoring.csv_text import csv_text

    header = [cell(column) for column in columns]
    return csv_text(header, [[_cell(row.get(column)) for column in columns] for row in rows])


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return cell(value)
        case dict() | list() | tuple():
            return cell(json.dumps(value, ensure_ascii=False, allow_nan=False))
        case _:
            return str(value)


def to_markdown(rows: Sequence[Sequence[str]], header: Sequence[str], right: Sequence[int] = ()) -> str:
    r"""Write a GitHub table; `right` lists the columns that are set flush right.

    Examples
    --------
    >>> print(to_markdown([["a|b", "1"]], ["event", "n"], right=[1]), end="")
    | event | n |
    |---|--:|
    | a\|b | 1 |
    """
    rule = ["--:" if index in right else "---" for index in range(len(header))]
    lines = [_line([escape_markdown(text) for text in header]), f"|{'|'.join(rule)}|"]
    lines += [_line([escape_markdown(text) for text in row]) for row in rows]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escape_markdown(text: str, longest: int = LONGEST) -> str:
    r"""Make text show as itself in Markdown: one line, at most `longest` characters before the escapes.

    Examples
    --------
    >>> escape_markdown("<b>*x*")
    '\\<b\\>\\*x\\*'
    """
    return _MARKDOWN.sub(r"\\\1", visible(text, longest))


def flat(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested records into dotted columns: ``{"with": {"rate": 1}}`` becomes ``{"with.rate": 1}``."""
    result: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            result |= flat(value, f"{prefix}{key}.")
        else:
            result[f"{prefix}{key}"] = value
    return result
