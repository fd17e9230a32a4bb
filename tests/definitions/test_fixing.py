"""Fixes: text edits at the marks that keep comments and order, settle at once, and change no meaning but what they say."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pqlkit.definitions.diagnostics import Diagnostic, Severity
from pqlkit.definitions.fixing import fix_files, fixed_text
from pqlkit.definitions.meaning import meaning
from pqlkit.definitions.rules.lint_rule import EXAMPLE_DAY, framed
from pqlkit.definitions.validation import Report, validate
from pqlkit.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def fixed(text: str, folder: Path, *, base: str | None = None) -> str:
    """Run ``--fix`` on one file, as the command does."""
    path = folder / "example.yml"
    path.write_bytes(text.encode())

    def check(_: Sequence[str] = ()) -> Report:
        return validate([path], today=EXAMPLE_DAY, base=base)

    fix_files(check(), check)
    return path.read_bytes().decode()


CASES = {
    "a renamed key keeps its comment": (
        "ownr: me   # who answers\n",
        "owner: me   # who answers\n",
    ),
    "a misspelt key deep inside": (
        "qualify: {evnt: login, at_leat: 5, within: 14d}\n",
        "qualify: {event: login, at_least: 5, within: 14d}\n",
    ),
    "defaults of a block go with their lines": (
        "qualify:\n  event: login   # the web app's\n  measure: count\n  at_least: 1\n  within: 14d\n",
        "qualify:\n  event: login   # the web app's\n  within: 14d\n",
    ),
    "a comment of its own stays": (
        "qualify:\n  event: login\n  at_least: 1   # once is enough\n  within: 14d\n",
        "qualify:\n  event: login\n  # once is enough\n  within: 14d\n",
    ),
    "defaults in braces go with one comma": (
        "qualify: {measure: count, event: login, at_least: 1, within: 14d, mechanical: false}\n",
        "qualify: {event: login, within: 14d}\n",
    ),
    "the first key of a list item leaves the dash to the next": (
        "within: 14d\nqualify:\n  all:\n    - at_least: 1\n      event: login\n    - event: invite\n",
        "within: 14d\nqualify:\n  all:\n    - event: login\n    - event: invite\n",
    ),
    "the window of the definition goes without saying": (
        "within: 2w\nqualify: {event: login, at_least: 3, within: 14d}\n",
        "within: 2w\nqualify: {event: login, at_least: 3}\n",
    ),
    "an id is made, in a block": (
        "within: 14d\nqualify:\n  any:\n    - {event: login, at_least: 9}\n    - event: login\n      at_least: 3\n",
        None,
    ),
    "an unused comment goes, the one beside it stays": (
        "review_by: 2026-06-30  # pqlkit: ignore PQL209, PQL204\n",
        "review_by: 2026-06-30  # pqlkit: ignore PQL209\n",
    ),
    "an unused comment goes whole": (
        "title: logins  # pqlkit: ignore PQL209\n",
        "title: logins\n",
    ),
    "line ends stay": (
        "ownr: me\r\nqualify:\r\n  event: login\r\n  at_least: 1\r\n  within: 14d\r\n",
        "owner: me\r\nqualify:\r\n  event: login\r\n  within: 14d\r\n",
    ),
    "a byte order mark stays": ("\ufeffownr: me\n", "\ufeffowner: me\n"),
}


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[1] is not None])
def test_case(name: str, tmp_path: Path) -> None:
    before, after = CASES[name]
    tail = framed(before)[len(before) :].replace("\n", "\r\n" if "\r\n" in before else "\n")
    assert fixed(before + tail, tmp_path) == str(after) + tail


def test_an_id_is_made_in_a_block(tmp_path: Path) -> None:
    text = framed(
        "within: 14d\nqualify:\n  any:\n    - {id: often, event: login, measure: days, at_least: 3}\n"
        "    - {event: login, at_least: 9}\n    - event: login\n      at_least: 12\n      within: 28d\n"
    )
    assert "    - id: login_2\n      event: login\n      at_least: 12\n" in fixed(text, tmp_path)


def test_an_id_is_made_in_braces(tmp_path: Path) -> None:
    text = framed(
        "qualify:\n  any:\n    - {event: login, at_least: 9, within: 14d}\n    - {event: login, at_least: 3, within: 2d}\n"
    )
    assert "    - {id: login_2, event: login, at_least: 3, within: 2d}\n" in fixed(text, tmp_path)


def test_the_version_is_raised(tmp_path: Path) -> None:
    base = tmp_path / "base.yml"
    base.write_text(framed("version: 3  # see the wiki\n"))
    text = framed("version: 3  # see the wiki\nqualify: {event: project_created, within: 7d}\n")
    assert fixed(text, tmp_path, base=str(base)).startswith("version: 4  # see the wiki\n")


def test_a_version_is_written_where_none_was(tmp_path: Path) -> None:
    base = tmp_path / "base.yml"
    base.write_text(framed("# first\n"))
    text = framed("# second\nname: example\nqualify: {event: project_created, within: 7d}\n")
    assert fixed(text, tmp_path, base=str(base)).startswith("# second\nversion: 2\nname: example\n")


def test_a_key_that_would_be_there_twice_is_not_renamed(tmp_path: Path) -> None:
    text = framed("owner: me\nownr: you\n")
    assert fixed(text, tmp_path) == text


def test_only_safe_fixes_are_applied() -> None:
    place = {"path": "a.yml", "line": 1, "column": 1, "end_line": 1, "end_column": 2}
    rest = {"code": "PQL101", "name": "unknown-key", "severity": Severity.ERROR, "message": "x"}
    unsafe = Diagnostic(**place, **rest, fix="b")  # type: ignore[arg-type]
    assert fixed_text("a: 1\n", [unsafe]) == ("a: 1\n", ())


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "target.yml"
    target.write_text(framed("ownr: me\n"))
    target.chmod(0o640)
    link = tmp_path / "link.yml"
    link.symlink_to(target)

    def check(_: Sequence[str] = ()) -> Report:
        return validate([link], today=EXAMPLE_DAY)

    report, done = fix_files(check(), check)
    assert link.is_symlink()
    assert target.read_text().startswith("owner: me\n")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert [d.code for d in done] == ["PQL101"]
    assert report.diagnostics == ()


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "example.yml"
    path.write_text(framed("ownr: me\n"))
    report = validate([path], today=EXAMPLE_DAY)
    path.write_text("somebody else's work\n")
    with pytest.raises(OutputError, match="changed while it was checked"):
        fix_files(report, lambda _: report)
    assert path.read_text() == "somebody else's work\n"


KEYS = [
    "measure: count",
    "at_least: 1",
    "mechanical: false",
    "within: 14d",
    "at_least: 5",
    "measure: days",
    "say: hello",
]


@st.composite
def files(draw: st.DrawFn) -> str:
    """Draw definition files full of defaults, in blocks and in braces, with comments between."""
    criteria = []
    for index in range(draw(st.integers(1, 4))):
        chosen = draw(st.lists(st.sampled_from(KEYS), max_size=5, unique_by=lambda key: key.split(":")[0]))
        keys = draw(st.permutations([f"event: login{draw(st.sampled_from(['', '', index]))}", *chosen]))
        if draw(st.booleans()):
            criteria.append(
                f"    - {{{', '.join(keys)}}}" + draw(st.sampled_from(["", "  # why", "  # pqlkit: ignore PQL204"]))
            )
        else:
            lines = [key + draw(st.sampled_from(["", "   # because"])) for key in keys]
            criteria.append("    - " + ("\n" + draw(st.sampled_from(["", "      # more\n"])) + "      ").join(lines))
    owner = draw(st.sampled_from(["owner: me", "ownr: me  # who", "title: x"]))
    return framed(f"{owner}\nwithin: 14d\nqualify:\n  any:\n" + "\n".join(criteria) + "\n")


@given(text=files())
@settings(max_examples=60, deadline=None)
def test_a_fixed_file_means_the_same_keeps_its_comments_and_needs_no_more(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("fixing")
    before = validate_text(text.replace("ownr:", "owner:"), folder)
    once = fixed(text, folder)
    after = validate_text(once, folder)
    assert before.definitions
    assert [meaning(d) for d in after.definitions] == [meaning(d) for d in before.definitions]
    assert [c.id for d in after.definitions for c in d.criteria] == [
        c.id for d in before.definitions for c in d.criteria
    ]
    assert not [d for d in after.diagnostics if d.safe]
    assert fixed(once, folder) == once
    assert once.count("#") == text.count("#") - text.count("# pqlkit: ignore")


def validate_text(text: str, folder: Path) -> Report:
    path = folder / "plain.yml"
    path.write_text(text)
    return validate([path], today=EXAMPLE_DAY)
