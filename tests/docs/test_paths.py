"""Files that the pages for contributors name are there: a table of where to start must not lead nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
PAGES = ["CONTRIBUTING.md", "README.md", "docs/architecture.md", *(f"docs/decisions/{path.name}" for path in DECISIONS)]
INVENTED = {"pql221_short_noun.py", "tests/rules/PQL221.yaml", "configs/exports/NAME.yml", "pqlkit.yml"}
"""Examples of what somebody would write."""
KNOWN = [path.as_posix() for folder in ("pqlkit", "tests", "configs") for path in (ROOT / folder).rglob("*.*")]


def is_there(name: str) -> bool:
    return (ROOT / name).exists() or any(known.endswith(f"/{name}") for known in KNOWN)


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    named = set(re.findall(r"`([\w./]+\.(?:py|ya?ml|json))`", (ROOT / page).read_text(encoding="utf-8")))
    assert sorted(name for name in named - INVENTED if not is_there(name)) == []


def test_the_folders_of_the_architecture_are_those_there_are() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `pqlkit/(\w+)/`", text, re.MULTILINE))
    assert rows == {path.parent.name for path in (ROOT / "pqlkit").glob("*/__init__.py")}


def test_the_glossary_and_the_grammar_name_every_measure() -> None:
    """What adding one to `MeasureKind` does not reach by types."""
    from pqlkit.definitions import expression
    from pqlkit.definitions.model import MeasureKind

    glossary = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    row = next(line for line in glossary.splitlines() if line.startswith("| **measure**"))
    rules = [line.split(" = ") for line in (expression.__doc__ or "").splitlines() if " = " in line]
    grammar = " ".join(rule for name, rule in rules if name.strip() in {"counted", "valued"})
    assert re.findall(r"`(\w+)`", row) == [kind.value for kind in MeasureKind]
    assert sorted(re.findall(r'"(\w+)"', grammar)) == sorted(kind.value for kind in MeasureKind)


def test_what_make_quick_runs_is_there() -> None:
    """pytest runs nothing at all where one of the files that it is given is missing."""
    from tests.quick import BESIDE, FIXED

    named = {*FIXED, *(name for names in BESIDE.values() for name in names)}
    assert sorted(name for name in named if not (ROOT / name).is_file()) == []
