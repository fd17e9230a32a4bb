from __future__ import annotations

from pathlib import Path

import pytest

from pqlkit.exports.nulls import NULL_VALUES
from pqlkit.exports.raw import SUFFIXES
from pqlkit.exports.text_stream import ENCODINGS
from pqlkit.exports.time_formats import FORMATS

PAGE = (Path(__file__).parents[2] / "docs/reading.md").read_text("utf-8")


@pytest.mark.parametrize("name", [*FORMATS, *ENCODINGS])
def test_every_format_and_encoding_is_on_the_page(name):
    assert f"`{name}`" in PAGE


def test_every_null_value_is_on_the_page():
    named = {part for part in PAGE.split("`") if part}
    missing = {value for value in NULL_VALUES if not {value, value.lower()} & named and set(value) - set("0-")}
    assert missing == set()


def test_every_suffix_is_on_the_page():
    assert {suffix.split(".")[1] for suffix in SUFFIXES} <= {part.removeprefix(".") for part in PAGE.split("`")}
