"""The SARIF rendering: version 2.1.0, for code-scanning services."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from pqlkit.definitions.rules.registry import page, rules
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.rules.lint_rule import Rule
    from pqlkit.definitions.validation import Report
    from pqlkit.typing import Json

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render_sarif(report: Report, *, version: str | None = None) -> str:
    """Render a report as SARIF, with the page of every rule.

    Parameters
    ----------
    report
        What validation found.
    version
        The version of pqlkit to name as the tool's, or None to name none.

    References
    ----------
    OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
    """
    known = rules()
    index = {rule.code.code: position for position, rule in enumerate(known)}
    driver: dict[str, Json] = {"name": "pqlkit", "rules": [_rule(rule) for rule in known]}
    if version is not None:
        driver["version"] = version
    run: Json = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": uri(path)}} for path in report.files],
        "results": [_result(diagnostic, index) for diagnostic in report.diagnostics],
        "invocations": [{"executionSuccessful": True}],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def uri(path: str) -> str:
    """Write a path as a URI reference: relative paths stay relative, so that a service finds them in its checkout.

    Examples
    --------
    >>> uri("definitions/my file.yml"), uri("/tmp/a%b.yml")
    ('definitions/my%20file.yml', 'file:///tmp/a%25b.yml')
    """
    pure = PurePath(path)
    text = quote(_bytes(pure.as_posix()), safe="/-._~!$&'()*+,;=@")
    if pure.is_absolute():
        return "file://" + text
    return text or "."


def _bytes(path: str) -> bytes:
    """Give the bytes that the file system knows: a path need not be UTF-8."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return path.encode("utf-8", "replace")


def _rule(rule: Rule) -> Json:
    return {
        "id": rule.code.code,
        "name": _pascal(rule.code.name),
        "shortDescription": {"text": rule.code.name.replace("-", " ")},
        "fullDescription": {"text": rule.what},
        "help": {"text": f"{rule.what}\n\n{rule.why}\n\n{rule.fix}", "markdown": page(rule)},
        "defaultConfiguration": {"level": rule.code.severity.value},
    }


def _result(diagnostic: Diagnostic, index: Mapping[str, int]) -> Json:
    d = diagnostic
    text = visible(d.message, 2_000) + (f"\n{visible(d.hint, 2_000)}" if d.hint else "")
    artifact: Json = {"uri": uri(d.path)}
    region: Json = {
        "startLine": d.line,
        "startColumn": d.column,
        "endLine": d.end_line,
        "endColumn": d.end_column,
    }
    result: dict[str, Json] = {
        "ruleId": d.code,
        "level": d.severity.value,
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
    }
    if d.code in index:
        result["ruleIndex"] = index[d.code]
    if d.fix is not None:
        replacement: Json = {"deletedRegion": region, "insertedContent": {"text": d.fix}}
        change: Json = {"artifactLocation": artifact, "replacements": [replacement]}
        result["fixes"] = [{"description": {"text": d.hint or d.message}, "artifactChanges": [change]}]
    return result


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))
