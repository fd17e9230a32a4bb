"""The JUnit rendering: one suite per file, one case per fault, for the test tab of a CI server."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from pqlkit.definitions.diagnostics import Severity
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.validation import Report

_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\ufffe": "\ufffd", "\uffff": "\ufffd"}
)


def render_junit(report: Report, *, strict: bool = False) -> str:
    """Render a report as JUnit XML.

    Parameters
    ----------
    report
        What validation found. A file without faults is one passed case.
    strict
        Warnings are failures too; else they are passed cases that say so in ``system-out``.
    """
    by_path = {path: list(group) for path, group in groupby(report.diagnostics, key=lambda d: d.path)}
    paths = sorted({*report.files, *by_path})
    suites = [line for path in paths for line in _suite(path, by_path.get(path, []), strict)]
    cases = sum(max(1, len(by_path.get(path, []))) for path in paths)
    failures = sum(_fails(d, strict) for d in report.diagnostics)
    head = f'<testsuites name="pqlkit validate" tests="{cases}" failures="{failures}" errors="0">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *suites, "</testsuites>"]) + "\n"


def _suite(path: str, diagnostics: Sequence[Diagnostic], strict: bool) -> Iterator[str]:
    name = _escaped(path, 400)
    failures = sum(_fails(d, strict) for d in diagnostics)
    yield f'  <testsuite name="{name}" tests="{max(1, len(diagnostics))}" failures="{failures}" errors="0" skipped="0">'
    if not diagnostics:
        yield f'    <testcase name="no faults" classname="{name}" file="{name}"/>'
    for diagnostic in diagnostics:
        yield from _case(diagnostic, name, _fails(diagnostic, strict))
    yield "  </testsuite>"


def _case(diagnostic: Diagnostic, path: str, fails: bool) -> Iterator[str]:
    d = diagnostic
    message = _escaped(d.message, 2_000)
    hint = f"\n{_escaped(d.hint, 2_000)}" if d.hint else ""
    body = f"{path}:{d.line}:{d.column}: {d.code} {message}{hint}"
    yield f'    <testcase name="{d.code} {d.name}" classname="{path}" file="{path}" line="{d.line}">'
    if fails:
        yield f'      <failure type="{d.severity.value}" message="{message}">{body}</failure>'
    else:
        yield f"      <system-out>{d.severity.value}: {body}</system-out>"
    yield "    </testcase>"


def _fails(diagnostic: Diagnostic, strict: bool) -> bool:
    return strict or diagnostic.severity is Severity.ERROR


def _escaped(text: str, longest: int) -> str:
    return visible(text, longest).translate(_ESCAPES)
