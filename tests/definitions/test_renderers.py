"""Renderings of a report: one golden file per format, hostile names inert in each, positions from 1."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.definitions.diagnostics import Diagnostic, Severity
from pqlkit.definitions.renderers.excerpt import WIDTH, excerpt, lines
from pqlkit.definitions.renderers.github import render_github
from pqlkit.definitions.renderers.json import render_json
from pqlkit.definitions.renderers.junit import render_junit
from pqlkit.definitions.renderers.sarif import render_sarif, uri
from pqlkit.definitions.renderers.text import render_text
from pqlkit.definitions.rules.lint_rule import EXAMPLE_DAY
from pqlkit.definitions.rules.registry import rules
from pqlkit.definitions.validation import Report, validate

GOLDEN = Path(__file__).parent / "golden"
FAULTY = """\
# three faults, one of them over two lines
pqlkit: 1
name: crm-trial
entity: user
ownr: growth@example.com
within: 14d
review_by: 2026-06-30
qualify:
  all:
    - {event: login, measure: count, at_least: 10}
    - {id: two,
       event: login, at_least: 2}
outcome: {within: 30d}
"""
CLEAN = "pqlkit: 1\nname: clean\nentity: user\nqualify: {event: report_shared, within: 14d}\noutcome: {within: 30d}\n"
FORMATS = {
    "text": lambda report: render_text(report),
    "colour.text": lambda report: render_text(report, colour=True),
    "json": lambda report: render_json(report),
    "github": lambda report: render_github(report),
    "junit.xml": lambda report: render_junit(report),
    "strict.junit.xml": lambda report: render_junit(report, strict=True),
}

# The part of the official SARIF 2.1.0 schema (OASIS, errata 01) that pqlkit uses, with the same names, types, required keys
# and limits; every object is closed, so that a key the standard does not have here fails.
_TEXT = {"type": "object", "required": ["text"], "additionalProperties": False}
MESSAGE: dict[str, Any] = {**_TEXT, "properties": {"text": {"type": "string"}}}
MULTIFORMAT: dict[str, Any] = {**_TEXT, "properties": {"text": {"type": "string"}, "markdown": {"type": "string"}}}
URI = {"type": "string", "format": "uri-reference"}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
LOCATION: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": {"uri": URI}}
REGION: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        key: {"type": "integer", "minimum": 1} for key in ("startLine", "startColumn", "endLine", "endColumn")
    },
}
RULE: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "shortDescription": MULTIFORMAT,
        "fullDescription": MULTIFORMAT,
        "help": MULTIFORMAT,
        "defaultConfiguration": {"type": "object", "additionalProperties": False, "properties": {"level": LEVEL}},
    },
}
REPLACEMENT: dict[str, Any] = {
    "type": "object",
    "required": ["deletedRegion"],
    "additionalProperties": False,
    "properties": {"deletedRegion": REGION, "insertedContent": MESSAGE},
}
FIX: dict[str, Any] = {
    "type": "object",
    "required": ["artifactChanges"],
    "additionalProperties": False,
    "properties": {
        "description": MESSAGE,
        "artifactChanges": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "type": "object",
                "required": ["artifactLocation", "replacements"],
                "additionalProperties": False,
                "properties": {
                    "artifactLocation": LOCATION,
                    "replacements": {"type": "array", "minItems": 1, "items": REPLACEMENT},
                },
            },
        },
    },
}
RESULT: dict[str, Any] = {
    "type": "object",
    "required": ["message"],
    "additionalProperties": False,
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": -1},
        "level": LEVEL,
        "message": MESSAGE,
        "locations": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "physicalLocation": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"artifactLocation": LOCATION, "region": REGION},
                    }
                },
            },
        },
        "fixes": {"type": "array", "uniqueItems": True, "items": FIX},
    },
}
SARIF: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"enum": ["2.1.0"]},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "additionalProperties": False,
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string"},
                                    "version": {"type": "string"},
                                    "rules": {"type": "array", "uniqueItems": True, "items": RULE},
                                },
                            }
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "artifacts": {
                        "type": "array",
                        "uniqueItems": True,
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "properties": {"location": LOCATION},
                        },
                    },
                    "results": {"type": "array", "items": RESULT},
                    "invocations": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["executionSuccessful"],
                            "additionalProperties": False,
                            "properties": {"executionSuccessful": {"type": "boolean"}},
                        },
                    },
                },
            },
        },
    },
}


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "crm trial.yml").write_text(FAULTY)
    (tmp_path / "definitions" / "clean.yml").write_text(CLEAN)
    # Form faults forbid the meaning; the second file has none, so that both groups are shown.
    (tmp_path / "definitions" / "wordy.yml").write_text(FAULTY.replace("ownr:", "owner:").replace("crm-trial", "wordy"))
    monkeypatch.chdir(tmp_path)
    return validate(["definitions"], today=EXAMPLE_DAY)


def golden(name: str, text: str) -> None:
    path = GOLDEN / f"report.{name}"
    if os.environ.get("PQLKIT_WRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("name", FORMATS)
def test_golden(name: str, report: Report) -> None:
    golden(name, FORMATS[name](report))


def test_golden_sarif(report: Report) -> None:
    content = json.loads(render_sarif(report, version="0.1.0"))
    assert [rule["id"] for rule in content["runs"][0]["tool"]["driver"]["rules"]] == [r.code.code for r in rules()]
    content["runs"][0]["tool"]["driver"]["rules"] = []  # their pages have a drift test of their own
    golden("sarif", json.dumps(content, indent=2) + "\n")


def test_sarif_keeps_the_standard(report: Report) -> None:
    jsonschema.Draft7Validator(SARIF, format_checker=jsonschema.FormatChecker()).validate(
        json.loads(render_sarif(report, version="0.1.0"))
    )


def test_sarif_names_the_rule_of_each_result_by_its_index(report: Report) -> None:
    run = json.loads(render_sarif(report))["runs"][0]
    listed = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert run["results"]
    assert all(listed[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    assert "version" not in run["tool"]["driver"]


def test_json_is_the_contract(report: Report) -> None:
    content = json.loads(render_json(report))
    assert list(content) == ["schema", "files", "diagnostics"]
    assert content["schema"] == "pqlkit/diagnostics/2"
    assert content["files"] == 3
    keys = ["path", "line", "column", "end_line", "end_column", "code", "name", "severity", "message", "hint"]
    assert all(list(entry) == keys for entry in content["diagnostics"])


def test_a_clean_report_is_short() -> None:
    clean = Report(files=("a.yml",), diagnostics=())
    assert render_text(clean) == "1 file checked: no faults\n"
    assert render_github(clean) == ""
    suites = ElementTree.fromstring(render_junit(clean))
    assert (suites.get("tests"), suites.get("failures")) == ("1", "0")


def test_warnings_fail_in_junit_only_when_strict(report: Report) -> None:
    loose, strict = (ElementTree.fromstring(render_junit(report, strict=strict)) for strict in (False, True))
    assert loose.get("failures") == str(report.errors)
    assert strict.get("failures") == str(report.errors + report.warnings)
    assert report.warnings > 0
    assert len(list(strict.iter("failure"))) == int(str(strict.get("failures")))


HOSTILE = [
    '<script>alert("x")</script>',
    "\x1b[31mred\x1b]8;;http://evil\x07",
    "a\nb\r\n::error::injected",
    "%0A::warning::x",
    "]]>&amp;&lt;",
    "\u202eevil\u2066",
    "\ud800",
    "a" * 10_000,
    "=cmd|' /C calc'!A0",
    "name\x00null\ufffe",
]


def hostile(text: str) -> Report:
    diagnostic = Diagnostic(
        path=f"definitions/{text[:100]}.yml",
        line=1,
        column=1,
        end_line=1,
        end_column=5,
        code="PQL301",
        name="unknown-event",
        severity=Severity.ERROR,
        message=f"there is no event {text!r} {text}",
        hint=f"did you mean {text}?",
    )
    return Report(
        files=(diagnostic.path,), diagnostics=(diagnostic,), sources={diagnostic.path: f"evnt: {text}  # {text}"}
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_cannot_act_on_a_terminal(text: str) -> None:
    rendered = render_text(hostile(text))
    bad = {c for c in rendered if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert bad == set()
    assert len(rendered.splitlines()) == 7
    assert len(rendered) < 8_000
    rendered.encode()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_cannot_make_a_github_command(text: str) -> None:
    rendered = render_github(hostile(text))
    assert rendered.count("\n") == 1
    assert len(re.findall(r"^::", rendered, re.MULTILINE)) == 1
    properties = rendered.split("::")[1]
    assert properties.count(",") == 5
    assert "\r" not in rendered
    rendered.encode()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_keeps_xml_and_json_whole(text: str) -> None:
    report = hostile(text)
    (failure,) = ElementTree.fromstring(render_junit(report).encode()).iter("failure")
    assert list(failure) == []
    json.loads(render_json(report))
    assert render_json(report).isascii()
    content = json.loads(render_sarif(report))
    jsonschema.Draft7Validator(SARIF).validate(content)
    assert re.fullmatch(r"[A-Za-z0-9%/._~!$&'()*+,;=@-]+", content["runs"][0]["artifacts"][0]["location"]["uri"])


def test_a_path_becomes_a_uri_that_a_service_finds() -> None:
    assert uri("definitions/a b#c?.yml") == "definitions/a%20b%23c%3F.yml"
    assert uri("/tmp/x.yml") == "file:///tmp/x.yml"


def test_the_caret_stands_below_what_it_means() -> None:
    cut = excerpt(lines("one: 1\ntwö: [日本, b]\n"), 2, 6, 2, 13)
    assert cut is not None
    assert cut.line == "twö: [日本, b]"
    assert cut.carets == "     ^^^^^^^^^"  # the two wide characters take four cells


def test_a_mark_over_lines_is_shown_to_the_end_of_its_first() -> None:
    cut = excerpt(lines("a: {b: 1,\n    c: 2}\n"), 1, 4, 2, 10)
    assert cut is not None
    assert cut.carets == "   ^^^^^^"


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_lines_end_as_yaml_ends_them(ends: str) -> None:
    cut = excerpt(lines(ends.join(["a: 1", "", "b: 2"])), 3, 1, 3, 2)
    assert cut is not None
    assert cut == ("b: 2", "^")


def test_a_line_that_is_not_there_is_not_shown() -> None:
    assert excerpt(lines("a: 1"), 7, 1, 7, 2) is None
    assert excerpt(lines(""), 1, 1, 1, 1) is None


@given(st.text(max_size=300), st.integers(1, 6), st.integers(1, 400), st.integers(1, 6), st.integers(1, 400))
def test_an_excerpt_is_bounded_and_one_line(
    source: str, line: int, column: int, end_line: int, end_column: int
) -> None:
    cut = excerpt(lines(source), line, column, max(line, end_line), end_column)
    if cut is None:
        return
    assert len(cut.line) <= WIDTH + 2
    assert set(cut.carets) <= {" ", "^"}
    assert "^" in cut.carets
    assert len(cut.line.splitlines()) <= 1


def test_a_password_in_an_address_is_in_no_excerpt():
    shown = excerpt(lines('path: "postgresql://ann:p@ss/word@host/db"'), 1, 7, 1, 30)
    assert shown is not None
    assert shown.line == 'path: "postgresql://*************@host/db"'
