"""Names from exports are harmless where they are shown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.inert import LONGEST, cell, uncell, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("login", "login"),
        ("a\x1b[2Jb", "a\ufffd[2Jb"),
        ("two\r\nlines", "two lines"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("zero\x00byte", "zero\ufffdbyte"),
        ("tea \U0001f375", "tea \U0001f375"),
    ],
)
def test_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_ten_kilobytes_are_cut() -> None:
    shown = visible("x" * 10_000)
    assert len(shown) == LONGEST
    assert shown.endswith("…")


@given(st.text(max_size=400))
def test_never_a_control_character_never_long(text: str) -> None:
    shown = visible(text)
    assert len(shown) <= LONGEST
    assert not any(unicodedata.category(c) in {"Cc", "Zl", "Zp"} for c in shown)


@pytest.mark.parametrize("text", ["=cmd|'/C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_formulas_are_neutralised(text: str) -> None:
    assert cell(text) == "'" + text


@given(st.text(alphabet=st.sampled_from("=+-@'\t\r\nab1"), max_size=8))
def test_neutralising_can_be_undone_and_leaves_nothing_that_runs(text: str) -> None:
    assert uncell(cell(text)) == text
    assert not cell(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
