"""Ignoring: ``# pqlkit: ignore PQL203`` at the end of a line, and the comments that allow nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pqlkit.definitions.diagnostics import Diagnostic
from pqlkit.definitions.rules.pql214_unused_ignore import CODE
from pqlkit.definitions.rules.registry import ignorable, modules, rule
from pqlkit.errors import suggestion
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pqlkit.definitions.yaml_source import Document

_COMMENT: Final = re.compile(r"(?:(?<=[\s])|^)#[ \t]*pqlkit:[ \t]*ignore\b[: \t]*([^#]*)")
_CODE: Final = re.compile(r"[^\s,]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """One code in one comment: where the comment begins and ends, and where the code stands in the line (from 1)."""

    code: str
    line: int
    comment: int
    comment_end: int
    column: int
    alone: bool


def ignores(document: Document) -> tuple[Ignore, ...]:
    """Find the comments of a document. Text in quotes and blocks is no comment."""
    if "pqlkit:" not in document.text or "#" not in document.text:
        return ()
    ignores: list[Ignore] = []
    taken = _scalars(document)
    for number, line in enumerate(_lines(document.text), start=1):
        match = _COMMENT.search(line)
        if match is not None and not _within(taken, number, match.start() + 1):
            ignores += _codes(match, number, len(line.rstrip()))
    return tuple(ignores)


def apply_ignores(
    document: Document, diagnostics: Sequence[Diagnostic], *, judged: Collection[str]
) -> tuple[Diagnostic, ...]:
    """Drop what comments allow, and add a warning for each code that allows nothing.

    Parameters
    ----------
    document, diagnostics
        One file and its faults.
    judged
        Codes whose rules were run: of others nobody knows whether the comment is needed.
    """
    comments = ignores(document)
    if not comments:
        return tuple(diagnostics)
    allowed = {(comment.line, comment.code) for comment in comments if _can_ignore(comment.code)}
    kept = [d for d in diagnostics if (d.line, d.code) not in allowed]
    used = {(d.line, d.code) for d in diagnostics} & allowed
    seen: set[tuple[int, str]] = set()
    for comment in comments:
        key = (comment.line, comment.code)
        kept += _unused(document, comment, used=key in used and key not in seen, judged=judged)
        seen.add(key)
    return tuple(kept)


def _codes(match: re.Match[str], line: int, end: int) -> Iterator[Ignore]:
    codes = list(_CODE.finditer(match[1]))
    for code in codes:
        yield Ignore(
            code=code[0],
            line=line,
            comment=match.start() + 1,
            comment_end=end + 1,
            column=match.start(1) + code.start() + 1,
            alone=len(codes) == 1,
        )


def _can_ignore(code: str) -> bool:
    return code in modules() and ignorable(rule(code))


def _unused(document: Document, comment: Ignore, *, used: bool, judged: Collection[str]) -> Iterator[Diagnostic]:
    code = visible(comment.code, 60)
    if used:
        return
    if comment.code not in modules():
        message, hint = f"there is no rule {code}", suggestion(comment.code[:60], modules(), "see docs/rules.md")
    elif not _can_ignore(comment.code):
        message, hint = f"{code} cannot be ignored: without a remedy the file has no meaning", "repair the fault"
    elif comment.code not in judged:
        return
    else:
        message, hint = f"this line has no {code} to ignore", "remove it from the comment"
    column, end = (comment.comment, comment.comment_end) if comment.alone else _with_comma(document, comment)
    yield Diagnostic(
        path=document.path,
        line=comment.line,
        column=column,
        end_line=comment.line,
        end_column=end,
        code=CODE.code,
        name=CODE.name,
        severity=CODE.severity,
        message=message,
        hint=hint,
        fix="",
        safe=True,
    )


def _with_comma(document: Document, comment: Ignore) -> tuple[int, int]:
    """Mark a code with the comma or space that parts it from the next, or from the one before."""
    line = _lines(document.text)[comment.line - 1]
    end = comment.column - 1 + len(comment.code)
    after = re.compile(r"[\s,]*").match(line, end)
    stop = after.end() if after is not None else end
    if stop < len(line.rstrip()):
        return comment.column, stop + 1
    before = len(line[: comment.column - 1].rstrip(" \t,"))
    return before + 1, end + 1


def _lines(text: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", text)


def _scalars(document: Document) -> list[tuple[int, int, int, int]]:
    """List where the text of the document stands: a hash sign in it begins no comment."""
    parents = {path[:-1] for path in document.values if path}
    marks = [mark for path, mark in document.values.items() if path not in parents]
    return [(m.line, m.column, m.end_line, m.end_column) for m in (*marks, *document.keys.values())]


def _within(taken: Sequence[tuple[int, int, int, int]], line: int, column: int) -> bool:
    return any((start, first) <= (line, column) < (end, last) for start, first, end, last in taken)
