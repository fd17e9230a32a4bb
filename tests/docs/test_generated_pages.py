"""Generated pages say what the program says: `make docs` writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pqlkit.cli.documentation import pages

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name], "run `make docs`"


def test_every_command_has_its_section() -> None:
    from pqlkit.cli.commands import COMMANDS

    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [f"## pqlkit {name}" for name in COMMANDS]
