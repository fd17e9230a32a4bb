"""The page of places names what the code reads."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from pqlkit.exports.recipes import recipes
from pqlkit.exports.sniffing import SAMPLE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "places.md").read_text("utf-8")


def test_every_recipe_is_named_with_its_tables():
    rows = {name: text for line in PAGE.splitlines() for name, text in _row(line)}
    assert set(rows) == set(recipes())
    for name, recipe in recipes().items():
        assert rows[name].split(":")[0].removesuffix(" of tables of your own") == ", ".join(recipe.tables), name


def _row(line):
    found = re.match(r"\| ((?:`[a-z0-9-]+`(?:, )?)+) \| ((?:events|conversions).*) \|", line)
    return [(name, found[2]) for name in re.findall("`([a-z0-9-]+)`", found[1])] if found else []


def test_every_extra_has_its_line():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert {name for name in extras if f"pip install 'pqlkit[{name}]'" in PAGE} >= {
        "cloud",
        "duckdb",
        "excel",
        "postgres",
    }


def test_the_sample_of_a_first_look_is_told():
    assert f"the first {SAMPLE:,} rows" in PAGE
