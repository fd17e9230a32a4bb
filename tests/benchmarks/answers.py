"""The answers: what the contenders wrote, brought to one form, and refused where they differ.

python -m tests.benchmarks.answers score OUT OUT ...
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Final

_SPANS: Final = (
    (re.compile(rb"(\d times?)[^;,\n]*"), rb"\1"),  # "4 times in 6 days to 5 May"
    (re.compile(rb" on (\d+)(?: of \d+)? days?[^;,\n]*"), rb" on \1 days"),  # "on 4 of 9 days to 7 May"
    (re.compile(rb" on \d+ [A-Z][^;,\n]*"), rb" on 1 days"),  # "on 7 May"
)
Ladder = dict[str, list[list[int]]]


def score_answer(path: Path) -> str:
    """Give the checksum of a list: the very bytes, but for line ends, the zeros of whole seconds and the spans of reasons.

    That three logins came "in 9 days" is said by pqlkit alone: the queries by hand do without it, and are the cheaper for it.
    """
    text = path.read_bytes().replace(b"\r\n", b"\n").replace(b".000000Z", b"Z")
    for written, plain in _SPANS:
        text = written.sub(plain, text)
    return hashlib.sha256(text).hexdigest()


def analyze_answer(path: Path) -> str:
    """Give the checksum of every threshold of every event, measure and window: (threshold, with, of them converted)."""
    ladders = _of_pqlkit(path) if path.suffix == ".json" else _of_counts(path)
    return hashlib.sha256(json.dumps(ladders, sort_keys=True).encode()).hexdigest()


def _of_pqlkit(path: Path) -> Ladder:
    rows = json.loads(path.read_text())["behaviours"]
    return {
        f"{row['event']} {row['measure']} {row['window']}": [
            [step["threshold"], step["with"]["snapshots"], step["with"]["converted"]] for step in row["curve"]
        ]
        for row in rows
        if row["event"] is not None
    }


def _of_counts(path: Path) -> Ladder:
    import polars as pl

    from pqlkit.measures.behaviour import GRID

    ladders: Ladder = {}
    table = pl.read_parquet(path)
    for (event, measure, days), rows in table.group_by("event", "measure", "days"):
        top = int(rows["value"].max())  # type: ignore[arg-type]
        ladders[f"{event} {measure} {days}d"] = [
            [step, int(some["n"].sum()), int(some.filter("y")["n"].sum())]
            for step in GRID
            if step <= top
            for some in [rows.filter(pl.col("value") >= step)]
        ]
    return ladders


ANSWERS = {"score": score_answer, "analyze": analyze_answer}


def main() -> None:
    answer, paths = ANSWERS[sys.argv[1]], [Path(text) for text in sys.argv[2:]]
    found = {path: answer(path) for path in paths}
    if len(set(found.values())) != 1:
        raise SystemExit(
            "the answers differ: " + ", ".join(f"{path.name} {digest[:12]}" for path, digest in found.items())
        )
    print(next(iter(found.values())))


if __name__ == "__main__":
    main()
