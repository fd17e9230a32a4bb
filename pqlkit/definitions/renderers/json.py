"""The JSON rendering: ``pqlkit/diagnostics/2``, whose keys are a contract."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.validation import Report
    from pqlkit.typing import Json

SCHEMA = "pqlkit/diagnostics/2"


def render_json(report: Report) -> str:
    """Render a report for a program. ASCII only, so that no name in it can act on a terminal."""
    content: dict[str, Json] = {
        "schema": SCHEMA,
        "files": len(report.files),
        "diagnostics": [_record(diagnostic) for diagnostic in report.diagnostics],
    }
    if report.reviews is not None:
        from pqlkit.definitions.reviewing import review_markdown, review_record

        content["reviews"] = [review_record(review) for review in report.reviews]
        content["review_markdown"] = review_markdown(report.reviews)
    return json.dumps(content, indent=2) + "\n"


def _record(diagnostic: Diagnostic) -> Json:
    d = diagnostic
    return {
        "path": d.path,
        "line": d.line,
        "column": d.column,
        "end_line": d.end_line,
        "end_column": d.end_column,
        "code": d.code,
        "name": d.name,
        "severity": d.severity.value,
        "message": d.message,
        "hint": d.hint,
    }
