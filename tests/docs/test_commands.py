"""Commands in the README and the docs are commands: each can be parsed, and what the sample product prints is what stands there."""

from __future__ import annotations

import re
import shlex
import shutil
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


APART = {
    "docs/engines.md": "a Spark cluster",
    "docs/places.md": "buckets and databases",
    "docs/sources.md": "placeholders for any export",
    "docs/commands.md": "examples of the help, which tests/cli runs",
}
"""Pages whose blocks need what a test has not."""
OTHERS = {"--preset hubspot": "a preset that maps keys of one's own file", "--connection": "a database"}
"""Commands that are not run for what stands in them."""
QUICK = {"propose": ["--permutations", "0", "--max-rules", "200000"]}
"""What makes a command quick, where its block does not say otherwise."""


def blocks(page: str) -> Iterator[str]:
    """Give the lines of a page's blocks that call the program, each joined with what it goes on with."""
    text = (ROOT / page).read_text(encoding="utf-8").replace("\\\n", " ")
    for line in re.findall(r"^(?:    |\$ |    \$ )?(?:\$ )?(pqlkit .*)$", text, re.M):
        words = shlex.split(line, comments=True) if line.count('"') % 2 == 0 == line.count("'") % 2 else []
        placeholder = re.search(r"\.\.\.|\$[A-Z]|\b[A-Z]{4,}\b", line) or {"[OPTIONS]", "..", "->"} & set(words)
        if len(words) > 1 and words[1] in COMMANDS and not placeholder:
            yield line.partition(" #")[0].strip()


def test_every_page_with_blocks_is_run_or_says_why_not() -> None:
    with_blocks = {page for page in PAGES if page not in GENERATED and list(blocks(page))}
    assert with_blocks > set(WORKED)
    assert set(APART) <= {*with_blocks, "docs/sources.md"}
    assert sum(len(list(blocks(page))) for page in with_blocks - set(APART)) > 25


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the sample product as the quick start leaves it: loaded, a definition written, some names of the pages there."""
    from pqlkit.demo.exporting import write_exports
    from pqlkit.demo.product import make_product

    folder = tmp_path_factory.mktemp("product")
    write_exports(make_product(accounts=5000, seed=1), folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(["load", "--out", "dataset", "--quiet", "--catalogue", "catalogue.yml"]) == 0
    text = (ROOT / "configs" / "definitions" / "team-rollout.yml").read_text(encoding="utf-8")
    (folder / "definitions").mkdir(exist_ok=True)
    for name in ("first", "team-rollout", "a", "b"):
        renamed = text.replace("name: team-rollout", f"name: {name}", 1)
        (folder / "definitions" / f"{name}.yml").write_text(renamed, encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted(set(PAGES) - GENERATED - set(APART)))
def test_every_command_block_runs_on_the_sample_product(
    page: str, product: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "product"
    shutil.copytree(product, folder)
    monkeypatch.chdir(folder)
    for line in blocks(page):
        if any(part in line for part in OTHERS):
            continue
        words = shlex.split(line)[1:]
        end = next((place for place, word in enumerate(words) if word in SHELL), len(words))
        words = words[:end]
        if words[0] == "init":
            (folder / "pqlkit.yml").unlink(missing_ok=True)
        if words[0] == "propose":
            shutil.rmtree(folder / "definitions", ignore_errors=True)
            shutil.copytree(product / "definitions", folder / "definitions")
            (folder / "definitions" / "first.yml").unlink() if "--name" in words else None
            words = [*_without(words, "--permutations"), *QUICK["propose"]]
        code = run(words)
        told = capsys.readouterr()
        assert code in {0, 1}, (page, line, told.err[-600:])


def _without(words: list[str], option: str) -> list[str]:
    at = words.index(option) if option in words else len(words)
    return [*words[:at], *words[at + 2 :]]
