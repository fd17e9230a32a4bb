"""`pqlkit propose --name` where a file of that name says something else: refused before the search, or shown all the same."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.cli.sample import SOURCES, write_sample
from tests.scoring.nights import pqlkit

if TYPE_CHECKING:
    from pathlib import Path

SEARCH = ("propose", *SOURCES, "--conversion-window", "14d", "--permutations", "0")
REFUSED = (
    "error: definitions/first.yml is there and says something else; nothing was written\n"
    "  Fix: choose another name (propose --name, try --save): definitions/first-2.yml is free\n"
)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_sample(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert pqlkit(*SEARCH, "--name", "first").code == 0
    return tmp_path / "definitions" / "first.yml"


@pytest.mark.parametrize(
    "changed",
    [
        lambda text: text.replace("status: hypothesis", "status: active"),
        lambda text: f"{text}# ours\n",
        lambda text: text[: text.index("evidence:")],
        lambda _: "no definition",
    ],
    ids=["agreed-on", "edited", "by-hand", "something-else"],
)
def test_a_file_that_no_search_would_write_is_refused_before_the_search(
    changed, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written.write_text(changed(written.read_text()))
    monkeypatch.setattr("pqlkit.proposal.proposing.propose", lambda *_, **__: pytest.fail("searched"))
    before = written.read_bytes()
    done = pqlkit(*SEARCH, "--name", "first")
    assert (done.code, done.out, done.err) == (2, "", REFUSED)
    assert written.read_bytes() == before


def test_the_same_search_finds_its_own_file(written: Path) -> None:
    before = written.read_bytes()
    assert pqlkit(*SEARCH, "--name", "first").code == 0
    assert written.read_bytes() == before


def test_what_another_search_found_is_shown_though_it_is_not_written_and_its_next_command_writes_it(
    written: Path,
) -> None:
    text = written.read_text()
    written.write_text(re.sub("search: .*", "search: abcdef01", text))
    assert written.read_text() != text
    before = {path.name: path.read_bytes() for path in written.parent.iterdir()}
    other = pqlkit(*SEARCH, "--name", "first")
    assert other.code == 2
    assert other.err.endswith(REFUSED)
    assert other.out.startswith("PROPOSED DEFINITION first-2\n")
    assert "written: " not in other.out
    assert {path.name: path.read_bytes() for path in written.parent.iterdir()} == before
    line = other.out.replace("\\\n", "")
    line = next(text for text in line.splitlines() if text.startswith("  Next"))
    words = shlex.split(line)[1:]
    assert words[-2:] == ["--name", "first-2"]
    again = pqlkit(*words[1:])
    assert again.code == 0
    assert (written.parent / "first-2.yml").exists()
