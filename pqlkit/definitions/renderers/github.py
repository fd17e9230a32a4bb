"""The GitHub rendering: workflow commands that become annotations on the lines of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.inert import visible

if TYPE_CHECKING:
    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.validation import Report


def render_github(report: Report) -> str:
    """Render a report as ``::error file=...::message`` lines; nothing at all when there is no fault.

    References
    ----------
    GitHub Docs, "Workflow commands for GitHub Actions"; the escapes are those of ``actions/toolkit`` ``command.ts``.
    """
    return "".join(_command(diagnostic) + "\n" for diagnostic in report.diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    d = diagnostic
    place = {"file": visible(d.path, 4_000), "line": str(d.line), "endLine": str(d.end_line)}
    if d.end_line == d.line:
        # GitHub refuses columns on an annotation over several lines.
        place |= {"col": str(d.column), "endColumn": str(d.end_column)}
    place["title"] = f"{d.code} {d.name}"
    properties = ",".join(f"{key}={_property(value)}" for key, value in place.items())
    message = visible(d.message, 2_000) + (f"\n{visible(d.hint, 2_000)}" if d.hint else "")
    return f"::{d.severity.value} {properties}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    text = text.encode("utf-8", "replace").decode()  # a path need not be UTF-8
    # Line separators that are no \r or \n cannot end a command, but can hide one in a log.
    return (
        _data(text)
        .replace(":", "%3A")
        .replace(",", "%2C")
        .replace("\u2028", "%E2%80%A8")
        .replace("\u2029", "%E2%80%A9")
    )
