"""Staging: what is refused before a row is read."""

from __future__ import annotations

import polars as pl
import pytest

from pqlkit.cli.app import run
from pqlkit.exports.staging import MOST_COLUMNS


def wide(folder, columns: int, form: str):
    """Write two events with so many columns in all."""
    names = [f"p{number:05d}" for number in range(columns - 3)]
    rows = {"user_id": ["u1", "u2"], "event": ["a", "b"], "timestamp": ["2026-01-01", "2026-01-02"]}
    frame = pl.DataFrame(rows | {name: ["1", "2"] for name in names})
    path = folder / f"events.{form}"
    frame.write_csv(path) if form == "csv" else frame.write_parquet(path)
    return path


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_file_of_too_many_columns_is_refused_in_words(tmp_path, form, capsys):
    path = wide(tmp_path, MOST_COLUMNS + 1, form)
    assert run(["load", "--events", str(path), "--out", str(tmp_path / "ds")]) == 2
    said = capsys.readouterr().err
    assert (
        f"the file has {MOST_COLUMNS + 1:,} columns; {MOST_COLUMNS:,} at most are read: user_id, event, timestamp"
        in said
    )
    assert str(path) in said


def test_as_many_columns_as_are_allowed_are_read(tmp_path):
    path = wide(tmp_path, MOST_COLUMNS, "csv")
    assert run(["load", "--events", str(path), "--out", str(tmp_path / "ds"), "--quiet"]) == 0
    kept = pl.read_parquet(tmp_path / "ds" / "events" / "*.parquet")
    assert kept.height == 2
    assert kept.width >= MOST_COLUMNS
