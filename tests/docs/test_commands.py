"""Commands in the README and the docs are commands: each can be parsed, and what the sample product prints is what stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pqlkit.cli.app import run
from pqlkit.cli.commands import COMMANDS, loaded
from pqlkit.cli.help import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", *(f"docs/{path.relative_to(ROOT / 'docs')}" for path in sorted((ROOT / "docs").glob("**/*.md")))]
GENERATED = {"docs/statistics.md", "docs/rules.md"}
WORKED = ["README.md", "docs/quickstart.md"]
"""Pages that show what commands print on the sample product."""
SHELL = {"|", ">", ">>", "||", "&&", ";", "->"}
SPAN = re.compile(r"`(pqlkit [^`]*)`")


def commands(page: str) -> Iterator[list[str]]:
    """Give the words of each command of a page: of its blocks and of its sentences."""
    text = (ROOT / page).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(r"^ *(?:- run: )?\$? ?(pqlkit .*)$", text, re.M) + [
        " ".join(m.split()) for m in SPAN.findall(text)
    ]
    for line in lines:
        if line.count('"') % 2 or line.count("'") % 2:
            continue  # a sentence that begins with the name
        words = shlex.split(line, comments=True)[1:]
        end = next((place for place, word in enumerate(words) if word in SHELL or word.startswith("&")), len(words))
        if words and (words[0] in COMMANDS or words[0].startswith("-")) and "..." not in line:
            yield words[:end]


@pytest.mark.parametrize("page", sorted(set(PAGES) - GENERATED))
def test_every_command_of_a_page_can_be_parsed(page: str) -> None:
    for words in commands(page):
        if words[0] not in COMMANDS or {"--help", "--help-all", "[OPTIONS]"} & set(words):
            continue
        try:
            loaded(words[0]).make_context(words[0], list(words[1:]))
        except UsageError as error:
            unfinished = re.search("Missing (argument|parameter)|requires an argument", str(error))
            assert unfinished, (page, words, str(error))  # noqa: PT017


def test_commands_are_found() -> None:
    assert sum(len(list(commands(page))) for page in PAGES) > 150


def test_the_readme_is_read_in_two_minutes() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def sessions(page: str) -> Iterator[tuple[str, list[str]]]:
    """Give the commands of a page that stand with what they print."""
    for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", (ROOT / page).read_text(encoding="utf-8"), re.M):
        shown: list[str] | None = None
        for line in [text.removeprefix("    ") for text in block.splitlines()]:
            if line.startswith("$ "):
                shown = []
                yield line.removeprefix("$ "), shown
            elif line.startswith("pqlkit "):
                shown = None
            elif shown is not None:
                shown.append(line)


def fits(shown: list[str], printed: list[str]) -> str | None:
    """Say which line of a page is not printed, in order; ``...`` stands for any lines."""
    at, free = 0, False
    for line in [text for text in shown if text]:
        if line.strip() == "...":
            free = True
            continue
        places = range(at, len(printed)) if free else range(at, min(at + 1, len(printed)))
        place = next((index for index in places if printed[index].rstrip() == line.rstrip()), None)
        if place is None:
            return line
        at, free = place + 1, False
    return None


@pytest.mark.slow
def test_what_the_pages_show_is_what_the_sample_product_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pqlkit.demo.exporting import write_exports
    from pqlkit.demo.product import make_product

    write_exports(make_product(accounts=5000, seed=1), tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    assert run(["load", "--out", "dataset", "--quiet"]) == 0
    capsys.readouterr()
    for page in WORKED:
        told = [(line, list(shown)) for line, shown in list(sessions(page))]
        assert told, page
        for line, shown in told:
            assert run(shlex.split(line)[1:]) == 0, line
            printed = [text for text in capsys.readouterr().out.splitlines() if text]
            assert fits(shown, printed) is None, (page, line, fits(shown, printed))
