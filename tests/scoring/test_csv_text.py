"""CSV: a cell is a cell, whatever stands in it, and no spreadsheet runs it."""

from __future__ import annotations

import csv
import io

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.inert import cell, uncell
from pqlkit.reporting.renderers.tabular import to_csv
from pqlkit.scoring.csv_text import csv_bytes, csv_text

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
SIGNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"


def test_a_carriage_return_begins_no_row() -> None:
    name = "login\r=cmd|' /C calc'!A0"
    assert to_csv([{"event": name, "n": 1}], ["event", "n"]) == f'event,n\n"{name}",1\n'
    assert csv_bytes(pl.DataFrame({"event": [name]})) == f'event\r\n"{name}"\r\n'.encode()


@pytest.mark.parametrize("sign", list(SIGNS))
def test_what_a_spreadsheet_would_run_is_neutralised(sign: str) -> None:
    assert cell(f"{sign}1") == f"'{sign}1"
    assert uncell(cell(f"{sign}1")) == f"{sign}1"
    assert f"'{sign}1" in csv_bytes(pl.DataFrame({"a": [f"{sign}1"]})).decode()
    assert f"'{sign}1" in to_csv([{"a": f"{sign}1"}], ["a"])


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=5))
def test_both_ways_give_the_same_bytes_and_read_back(rows: list[tuple[str, str]]) -> None:
    frame = pl.DataFrame(
        [pl.Series(name, [row[place] or None for row in rows], dtype=pl.String) for place, name in enumerate("ab")]
    )
    written = csv_bytes(frame, "\n").decode()
    assert written == csv_text(["a", "b"], [[cell(value) for value in row] for row in rows])
    assert [tuple(map(uncell, row)) for row in list(csv.reader(io.StringIO(written, newline="")))[1:]] == rows
