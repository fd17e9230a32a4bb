"""Validation: which files are checked, what hostile ones do to it, what comments allow, and in which order faults are told."""

from __future__ import annotations

import os
import time
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqlkit.definitions.codes import INVALID_VALUE
from pqlkit.definitions.diagnostics import Severity
from pqlkit.definitions.discovery import discover
from pqlkit.definitions.facts import DefinitionFacts, EventFacts, Facts, NameFacts
from pqlkit.definitions.renderers.text import render_text
from pqlkit.definitions.rules.lint_rule import framed
from pqlkit.definitions.validation import Report, validate
from pqlkit.errors import UsageError
from pqlkit.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.model import Definition
    from pqlkit.definitions.yaml_source import Document

TODAY = date(2026, 11, 23)
CLEAN = framed("name: clean\n")


def check(*paths: Path | str) -> Report:
    return validate(paths, today=TODAY)


def codes(report: Report) -> list[str]:
    return [diagnostic.code for diagnostic in report.diagnostics]


# Which files


def test_a_folder_means_every_definition_below_it(tmp_path: Path) -> None:
    for name in ("a.yml", "deep/er/b.yaml", ".hidden/c.yml", "notes.txt", "deep/.d.yml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CLEAN.replace("clean", path.stem.strip(".")))
    (tmp_path / "compose.yml").write_text("services: {web: {image: nginx}}\n")
    report = check(tmp_path)
    assert report.files == (str(tmp_path / "a.yml"), str(tmp_path / "deep/er/b.yaml"))
    assert report.diagnostics == ()


def test_a_file_that_was_named_is_checked_whatever_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "compose.txt"
    path.write_text("services: {web: {image: nginx}}\n")
    assert "PQL101" in codes(check(path))


def test_a_broken_file_in_a_folder_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "broken.yml").write_text("pqlkit: 1\nname: [\n")
    assert codes(check(tmp_path)) == ["PQL102"]


def test_a_file_named_twice_is_checked_once(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text(CLEAN)
    assert check(path, path, tmp_path).files == (str(path),)


def test_what_does_not_exist_cannot_be_checked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no file .*definitions/\*\.yml"):
        check(tmp_path / "definitions" / "*.yml")


def test_a_folder_without_definitions_cannot_be_checked(tmp_path: Path) -> None:
    (tmp_path / "compose.yml").write_text("services: {}\n")
    with pytest.raises(UsageError, match="no definition or project file in the folder"):
        check(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yml")
    with pytest.raises(UsageError, match="neither a file nor a folder"):
        check(tmp_path / "pipe.yml")
    (tmp_path / "a.yml").write_text(CLEAN)
    assert len(check(tmp_path).files) == 1


def test_a_name_with_a_null_byte_is_no_path() -> None:
    with pytest.raises(UsageError):
        check("a\0b.yml")


def test_a_path_that_climbs_is_what_the_user_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yml").write_text(CLEAN)
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    assert check("../a.yml").files == ("../a.yml",)


def test_links_out_of_a_folder_are_told_and_not_followed(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "secret.yml").write_text("pqlkit: 1\npassword: hunter2\n")
    (inside / "a.yml").write_text(CLEAN)
    (inside / "b.yml").symlink_to(outside / "secret.yml")
    (inside / "c").symlink_to(outside)
    (inside / "d.yml").symlink_to(inside / "a.yml")
    (inside / "loop").symlink_to(inside)
    (inside / "dangling.yml").symlink_to(inside / "nowhere.yml")
    report = check(inside)
    assert report.files == (str(inside / "a.yml"), str(inside / "d.yml"))
    assert [(d.path, d.code) for d in report.diagnostics if d.code == "PQL219"] == [
        (str(inside / "b.yml"), "PQL219"),
        (str(inside / "c"), "PQL219"),
    ]
    assert "hunter2" not in repr(report)


def test_project_files_go_to_their_own_checker(tmp_path: Path) -> None:
    (tmp_path / "pqlkit.yml").write_text("pqlkit: 1\nexports: {}\n")
    (tmp_path / "other.yml").write_text("pqlkit: 1\nexports: {}\ntimezone: Mars\n")
    (tmp_path / "a.yml").write_text(CLEAN)
    seen = []

    def checker(document: Document) -> Sequence[Diagnostic]:
        seen.append(document.path)
        return [document.diagnostic(INVALID_VALUE, ("timezone",), "no such zone")] if "Mars" in document.text else []

    report = validate([tmp_path], today=TODAY, project_checker=checker)
    assert seen == [str(tmp_path / "other.yml"), str(tmp_path / "pqlkit.yml")]
    assert [(d.line, d.column, d.message) for d in report.diagnostics] == [(3, 11, "no such zone")]


def test_everything_shipped_is_clean() -> None:
    report = check(shipped("definitions"))
    assert [(d.path, d.line, d.message) for d in report.diagnostics] == []
    assert len(report.files) == len(report.definitions) >= 20


# All faults at once


def test_all_faults_are_told_in_order_of_their_places(tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text(
        "pqlkit: 1\nname: b\nentity: usr\nownr: x\nqualify: {event: login}\noutcome: {within: 30}\n"
    )
    (tmp_path / "a.yml").write_text(
        framed("name: a\nreview_by: 2020-01-01\nqualify: {event: login, at_least: 1, within: 1d}\n")
    )
    report = check(tmp_path)
    places = [(d.path, d.line, d.column) for d in report.diagnostics]
    assert places == sorted(places)
    assert codes(report) == ["PQL209", "PQL213", "PQL114", "PQL101", "PQL108", "PQL104"]
    assert (report.errors, report.warnings) == (4, 2)


def test_warnings_fail_only_when_strict(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text(framed("review_by: 2020-01-01\n"))
    report = check(path)
    assert [d.severity for d in report.diagnostics] == [Severity.WARNING]
    assert (report.failed(), report.failed(strict=True)) == (False, True)
    assert not Report(files=(), diagnostics=()).failed(strict=True)


def test_refs_are_found_beside_a_file_and_in_other_folders(tmp_path: Path) -> None:
    milestone = "kind: milestone\nname: activated\nqualify: {event: project, within: 7d}\n"
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    path = tmp_path / "here" / "a.yml"
    path.write_text(framed("qualify: {ref: activated}\n"))
    assert codes(check(path)) == ["PQL207"]
    (tmp_path / "there" / "activated.yml").write_text(framed(milestone))
    assert codes(validate([path], today=TODAY, folders=[tmp_path / "there"])) == []


def test_the_text_of_faulty_files_is_kept_for_excerpts(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(CLEAN)
    (tmp_path / "b.yml").write_text("ownr: me\n" + CLEAN.replace("clean", "b"))
    report = check(tmp_path)
    assert list(report.sources) == [str(tmp_path / "b.yml")]


# Data


def test_facts_are_asked_for_once_with_every_definition(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yml").write_text(CLEAN.replace("clean", name))
    asked = []

    def facts_of(definitions: Sequence[Definition]) -> Facts:
        asked.append([definition.name for definition in definitions])
        figures = {"b": DefinitionFacts(entities=10, qualified=0)}
        return Facts(source="data/", names=NameFacts(events={"project_created": EventFacts()}), definitions=figures)

    report = validate([tmp_path], today=TODAY, facts=facts_of)
    assert asked == [["a", "b"]]
    assert [(d.path, d.code) for d in report.diagnostics] == [(str(tmp_path / "b.yml"), "PQL305")]


def test_a_comment_is_unused_only_where_its_rule_could_judge(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text(framed("qualify: {event: login, at_least: 9, within: 14d}  # pqlkit: ignore PQL305\n"))
    names = NameFacts(events={"login": EventFacts()})
    for facts, expected in (
        (None, []),
        (Facts(source="catalogue.yml", names=names), []),
        (
            Facts(source="data/", names=names, definitions={"example": DefinitionFacts(entities=9, qualified=3)}),
            ["PQL214"],
        ),
    ):
        assert codes(validate([path], today=TODAY, facts=facts)) == expected


# Hostile files


HOSTILE: dict[str, bytes] = {
    "bomb": b"a: &a [x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c]\n",
    "python tag": b"name: !!python/object/apply:os.system ['touch /tmp/pwned']\n",
    "nested lists": b"qualify: " + b"[" * 10_000,
    "nested maps": b"".join(b" " * i + b"all:\n" for i in range(800)),
    "nested braces": b"{a: " * 10_000,
    "duplicate keys": b"name: a\nname: b\nqualify: {event: a, event: b}\n",
    "latin 1": "name: caf\xe9\n".encode("latin-1"),
    "utf 16": "pqlkit: 1\nname: a\n".encode("utf-16"),
    "tabs": b"qualify:\n\tevent: login\n",
    "merge keys": b"base: &b {event: x}\nqualify: {<<: *b}\n",
    "null byte": b"name: a\x00b\n",
    "only a bom": b"\xef\xbb\xbf",
    "empty": b"",
    "a comment": b"# nothing\n",
    "a number": b"42\n",
    "a list": b"- 1\n- 2\n",
    "two documents": b"name: a\n---\nname: b\n",
    "long line": b"name: " + b"x" * 900_000 + b"\n",
    "many keys": b"".join(b"k%d: 1\n" % i for i in range(50_000)),
    "many commas": b"eligible: [" + b"," * 1000 + b"]\n",
    "back-tracking": b"eligible: [{trait: email, matching: '(a+)+$'}]\n",
    "look-around": b"eligible: [{trait: email, matching: '(?=a)(?!b)'}]\n",
    "a huge number": b"qualify: {event: a, at_least: 1" + b"0" * 5000 + b", within: 14d}\n",
    "a huge duration": b"within: 999999999w\n",
    "surprises": b"name: on\nowner: 12:30\ntitle: 2026-01-01\nversion: 0o7\nqualify: {event: yes, at_least: 1e3, within: 14d}\n",
    "control characters": b'name: "\\e[31mred\\x07\\u202e"\n',
    "a ref to itself": b"pqlkit: 1\nname: me\nentity: user\nqualify: {ref: me}\noutcome: {within: 30d}\n",
    "null everywhere": b"pqlkit:\nname:\nentity:\nqualify:\noutcome:\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gives_diagnostics_in_bounded_time(name: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.yml"
    path.write_bytes(HOSTILE[name])
    started = time.process_time()
    report = check(path)
    assert time.process_time() - started < 3
    assert len(render_text(report)) < 2_000 * (len(report.diagnostics) + 1)
    assert time.process_time() - started < 6
    assert report.diagnostics
    assert all(d.path == str(path) and d.line >= 1 and d.column >= 1 for d in report.diagnostics)
    assert all((d.end_line, d.end_column) >= (d.line, d.column) for d in report.diagnostics)
    assert not os.path.exists("/tmp/pwned")  # noqa: PTH110 - the file that the tag would have made


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.yml"
    with path.open("wb") as file:
        file.write(b"pqlkit: 1\n")
        file.truncate(100 * 1024 * 1024)
    started = time.process_time()
    assert codes(check(path)) == ["PQL111"]
    assert codes(check(tmp_path)) == ["PQL111"]
    assert time.process_time() - started < 1


def test_windows_line_ends_and_a_byte_order_mark_are_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes(b"\xef\xbb\xbf" + CLEAN.replace("\n", "\r\n").encode())
    assert codes(check(tmp_path)) == []


ALPHABET = st.sampled_from(list("pqlkit:1 \n\t-[]{}&*!|>'\"%@`#,?.0129nameqfyvthr_\\\x85\u2028\ufeff\xe9\U0001f600"))
FRAGMENTS = st.sampled_from(
    ["pqlkit: 1\n", "name: a\n", "qualify:", " {event: x", ", within: 14d", "}", "all:", "\n  - ", "at_least: ", "&a ", "*a",
     "{percent: 80, of: {trait: x}}", "ref: a", "not: ", "# pqlkit: ignore PQL203", "<<: ", "!!str ", "score: {points: {a: 100}}",
     "outcome: {within: 30d}\n", "entity: user\n", "12:30", "eligible: [{trait: a, matching: '(a|b'}]\n", "---\n", "? "]
)  # fmt: skip


@given(st.lists(st.one_of(FRAGMENTS, ALPHABET), max_size=40).map("".join))
@settings(max_examples=300, deadline=None)
def test_any_text_gives_diagnostics_or_a_definition(text: str) -> None:
    from pqlkit.definitions.validation import validate_documents
    from pqlkit.definitions.yaml_source import parse

    report = validate_documents([parse(text, "fuzz.yml")], today=TODAY)
    assert report.diagnostics or report.definitions
    assert render_text(report)


def test_discovery_reads_no_more_than_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_bytes(b"#" * 3_000_000)
    (found,), _ = discover([path])
    assert len(found.content) == 1024 * 1024 + 1
