"""Staging: what is refused before a row is read."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from pqlkit.cli.app import run
from pqlkit.exports import staging
from pqlkit.exports.canonical import Canonicaliser
from pqlkit.exports.dataset import with_sources
from pqlkit.exports.loading import load
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


NIGHTS = {
    "1.jsonl": '{"user_id": "u1", "event": "a", "timestamp": "2026-01-01T00:00:00Z", "n": 1}\n'
    '{"event": "nobody", "timestamp": "soon", "user_id": "u1", "n": 2}\n',
    "2.jsonl": '{"n": 3, "user_id": "u2", "event": "a", "timestamp": "2026-01-02T00:00:00Z"}\n'
    '{"n": 4, "user_id": "u2", "event": null, "timestamp": "2026-01-02T01:00:00Z"}\n',
    "3.jsonl": '{"user_id": "u1", "event": "b", "timestamp": "2026-01-03T00:00:00Z", "plan": "x"}\nhalf a line\n',
    "4.jsonl": '{"user_id": "u3", "event": "b", "timestamp": "never", "n": 5}\n',
    "5.jsonl": '{"user_id": "u1", "event": "a", "timestamp": "2026-01-01T00:00:00Z", "n": 1}\n',
    "6.csv": "user_id,event,timestamp\nu4,c,2026-01-04T00:00:00Z\n",
    "7.csv": "user_id,event,timestamp\nu5,c,never\nu5,c,2026-01-04T00:00:00Z\n",
    "8.csv": "user_id,event,timestamp\n",
}


def test_small_files_together_are_what_they_are_one_by_one(tmp_path, monkeypatch):
    """With columns in another order, other columns, bad rows, lines that are no rows, repeats and no rows at all."""
    for name, text in NIGHTS.items():
        (tmp_path / name).write_text(text)
    outs, heights = [], set()
    take = Canonicaliser.take

    def counted(self, batch, files):
        heights.add(batch.frame.height)
        return take(self, batch, files)

    monkeypatch.setattr(Canonicaliser, "take", counted)
    for together, out in ((4, "together"), (0, "one by one")):
        monkeypatch.setattr(staging, "TOGETHER", together)
        intake = load(with_sources(events=str(tmp_path / "[1-8].*")), tmp_path / out).tables["events"]
        written = [path for path in (tmp_path / out).rglob("*.*") if path.is_file()]
        files = {path.relative_to(tmp_path / out): path.read_bytes() for path in written}
        outs.append((intake, files))
    assert max(heights) == 4
    (intake, files), alone = outs
    assert (intake, files) == alone
    assert (intake.read, intake.kept, intake.quarantined) == (11, 6, 5)
    rows = [json.loads(line) for line in files[Path("quarantine.jsonl")].splitlines()]
    assert [(Path(row["file"]).name, row["line"]) for row in rows] == [
        ("1.jsonl", 2), ("2.jsonl", 2), ("3.jsonl", 2), ("4.jsonl", 1), ("7.csv", 2),
    ]  # fmt: skip
    assert rows[1]["row"].startswith('{"n":4,"user_id":"u2"')
