"""Fixing: the safe suggestions of a report, applied as text edits at their marks; comments and order stay."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pqlkit.errors import OutputError
from pqlkit.files import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.validation import Report

ROUNDS: Final = 10
"""One fix may open the way for another; no chain is longer than this."""

_BREAK: Final = re.compile(r"\r\n|\r|\n")
_BLANK: Final = " \t"


def fixed_text(text: str, diagnostics: Sequence[Diagnostic]) -> tuple[str, tuple[Diagnostic, ...]]:
    r"""Apply the safe fixes of `diagnostics` (all of one file) to `text`.

    A fix replaces what is marked; an empty one removes it, and with it the line if nothing else stands there, or the comma
    that parted it from its neighbours.

    Returns
    -------
    str
        The new text, line ends as they were.
    tuple of Diagnostic
        Those that were applied; one that overlaps an earlier one waits for the next round.

    Examples
    --------
    >>> from pqlkit.definitions.diagnostics import Diagnostic, Severity
    >>> renamed = Diagnostic(
    ...     path="a.yml", line=1, column=1, end_line=1, end_column=6, code="PQL101", name="unknown-key",
    ...     severity=Severity.ERROR, message="unknown key", fix="owner", safe=True,
    ... )
    >>> fixed_text("ownre: me  # who answers\n", [renamed])[0]
    'owner: me  # who answers\n'
    """
    starts = [0, *(match.end() for match in _BREAK.finditer(text))]
    safe = [d for d in diagnostics if d.fix is not None and d.safe and d.end_line <= len(starts)]
    edits = [(*_edit(text, starts, diagnostic), diagnostic) for diagnostic in safe]
    edits.sort(key=lambda edit: edit[:3])
    parts: list[str] = []
    applied: list[Diagnostic] = []
    at = 0
    for start, end, new, diagnostic in edits:
        if start < at:
            continue
        parts += [text[at:start], new]
        applied.append(diagnostic)
        at = end
    return "".join([*parts, text[at:]]), tuple(applied)


def fix_files(report: Report, again: Callable[[Sequence[str]], Report]) -> tuple[Report, tuple[Diagnostic, ...]]:
    """Write the fixed files, each whole or not at all, until nothing more can be fixed.

    Parameters
    ----------
    report
        What validation found.
    again
        Validates once more; called with the paths that were written.

    Returns
    -------
    Report
        What is left.
    tuple of Diagnostic
        What was fixed.

    Raises
    ------
    OutputError
        A file cannot be written, or it changed since it was read.
    """
    done: list[Diagnostic] = []
    for _ in range(ROUNDS):
        written: list[str] = []
        for path in dict.fromkeys(diagnostic.path for diagnostic in report.diagnostics):
            own = [diagnostic for diagnostic in report.diagnostics if diagnostic.path == path]
            text, applied = fixed_text(report.sources.get(path, ""), own)
            if applied and text != report.sources[path]:
                _write(Path(path), report.sources[path], text)
                written.append(path)
                done += applied
        if not written:
            break
        report = again(written)
    return report, tuple(done)


def _write(path: Path, before: str, after: str) -> None:
    """Replace a file's text, its byte order mark and permissions kept; a link's target is what changes."""
    target = path.resolve()
    content = target.read_bytes()
    mark = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
    if content != mark + before.encode():
        raise OutputError(f"{path} changed while it was checked", hint="run the command again")
    with whole(target) as temporary:
        temporary.write_bytes(mark + after.encode())


def _edit(text: str, starts: Sequence[int], diagnostic: Diagnostic) -> tuple[int, int, str]:
    start = min(starts[diagnostic.line - 1] + diagnostic.column - 1, len(text))
    end = max(start, min(starts[diagnostic.end_line - 1] + diagnostic.end_column - 1, len(text)))
    if diagnostic.fix:
        return start, end, _indented(text, start, diagnostic.fix)
    return (*_removal(text, start, end), "")


def _indented(text: str, start: int, fix: str) -> str:
    """Give the later lines of a fix the margin and line ends of the place."""
    if "\n" not in fix:
        return fix
    line = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    newline = _BREAK.search(text)
    return fix.replace("\n", (newline[0] if newline is not None else "\n") + " " * (start - line))


def _removal(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a removal: to the whole line, else over one neighbouring comma, else over the blanks before it."""
    first, last = _left(text, start), _right(text, end)
    before, after = text[first - 1 : first], text[last : last + 1]
    line_starts, line_ends = before in {"", "\n", "\r"}, after in {"", "\n", "\r", "#"}
    if line_starts and line_ends:
        # A comment of its own outlives what it stood beside: it may be about the lines below.
        return (start, last) if after == "#" else (first, _past_break(text, last))
    if before == "-" and line_ends and after != "#":
        # The first key of a list item: the next key takes its place beside the dash.
        return start, _right(text, _past_break(text, last))
    if after == ",":
        return start, _right(text, last + 1)
    if before == ",":
        return first - 1, end
    return (first if line_ends and after != "#" else start), end


def _left(text: str, at: int) -> int:
    while at > 0 and text[at - 1] in _BLANK:
        at -= 1
    return at


def _right(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _past_break(text: str, at: int) -> int:
    match = _BREAK.match(text, at)
    return match.end() if match is not None else at
