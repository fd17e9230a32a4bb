"""Generated pages say what the program says: `make docs` writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documentation.pages import NAMES, page

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", NAMES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == page(name), "run `make docs`"


def test_every_command_has_its_section() -> None:
    from pqlkit.cli.commands import COMMANDS

    text = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [f"## pqlkit {name}" for name in COMMANDS]


def test_the_readme_names_every_canonical_column() -> None:
    from pqlkit.exports.tables import DOMAIN, EMAIL, NAMES, layout

    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    rows = dict(
        line.strip("| ").split(" | ", 1) for line in readme.splitlines() if line.startswith("| ") and "`" in line
    )
    beside = {"users": (EMAIL,), "accounts": (DOMAIN,)}
    for name in NAMES:
        named = (*layout(name).columns, *beside.get(name, ()))
        assert [column for column in named if f"`{column}`" not in rows[name]] == [], name
        assert [column for column in layout(name).required if f"**`{column}`**" not in rows[name]] == [], name


def test_the_page_of_sources_says_every_rule_of_every_vendor() -> None:
    from pqlkit.exports.preset import presets

    text = page("sources.md")
    for known in presets().values():
        section = text.split(f"`format: {known.name}`")[1].split("\n### ")[0]
        for variant in known.variants:
            assert f"**{variant.name}** becomes {variant.table}" in section
            for rule in variant.rows:
                assert f"left out as *{rule.words}* unless " in section
