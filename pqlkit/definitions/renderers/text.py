"""The text rendering: ``path:line:column: CODE message``, an excerpt with carets, a hint, and one line of sum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.renderers.excerpt import excerpt, lines
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.validation import Report

_BOLD: Final = "\x1b[1m"
_RED: Final = "\x1b[31m"
_YELLOW: Final = "\x1b[33m"
_BLUE: Final = "\x1b[34m"
_OFF: Final = "\x1b[0m"


def render_text(report: Report, *, colour: bool = False) -> str:
    """Render a report for a terminal or a log.

    Parameters
    ----------
    report
        What validation found.
    colour
        Use ANSI colours; whoever calls knows whether a terminal reads it.
    """
    sources = {path: lines(text) for path, text in report.sources.items()}
    blocks: list[str] = []
    for diagnostic in report.diagnostics:
        blocks += _block(diagnostic, sources.get(diagnostic.path), colour)
    return "\n".join([*blocks, _sum(report)]) + "\n"


def _block(diagnostic: Diagnostic, source: Sequence[str] | None, colour: bool) -> Iterator[str]:
    d = diagnostic
    tint = _RED if d.severity is Severity.ERROR else _YELLOW
    place = f"{visible(d.path, 400)}:{d.line}:{d.column}:"
    mild = "" if d.severity is Severity.ERROR else " [warning]"
    yield f"{_dyed(place, _BOLD, colour)} {_dyed(d.code, tint, colour)} {visible(d.message, 2_000)}{mild}"
    cut = excerpt(source, d.line, d.column, d.end_line, d.end_column) if source is not None else None
    number = str(d.line)
    room = " " * len(number)
    bar = _dyed(f"{room} |", _BLUE, colour)
    if cut is not None:
        yield bar
        yield f"{_dyed(number + ' |', _BLUE, colour)} {cut.line}".rstrip()
        yield f"{bar} {_dyed(cut.carets, tint, colour)}"
    if d.hint:
        yield f"{_dyed(room + ' =', _BLUE, colour)} {visible(d.hint, 2_000)}"
    yield ""


def _sum(report: Report) -> str:
    files = _counted(len(report.files), "file")
    if not report.diagnostics:
        return f"{files} checked: no faults"
    counts = [_counted(report.errors, "error")] if report.errors else []
    counts += [_counted(report.warnings, "warning")] if report.warnings else []
    fixable = sum(d.safe and d.fix is not None for d in report.diagnostics)
    tail = f"; --fix repairs {fixable}" if fixable else ""
    return f"{files} checked: {' and '.join(counts)}{tail}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _dyed(text: str, tint: str, colour: bool) -> str:
    return f"{tint}{text}{_OFF}" if colour else text
