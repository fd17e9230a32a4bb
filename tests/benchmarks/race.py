"""The race: several ways to one answer, each a process of its own, timed beside each other."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

Way = "Callable[[Path], Any]"


def run_one(ways: Mapping[str, Callable[[Path], Any]], name: str, folder: Path) -> None:
    """Run one way in this process and print its answer and peak memory as JSON."""
    answer = ways[name](folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({"answer": answer, "gigabytes": peak}))


def race(
    script: str, folder: Path, names: Sequence[str], *, against: str, repeat: int = 2, same: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Time each way (best of `repeat`), assert that the ways in `same` agree, and give rows with the ratio to `against`."""
    found = {
        name: min((_timed(script, folder, name) for _ in range(repeat)), key=lambda row: row["seconds"])
        for name in names
    }
    answers = {name: found[name].pop("answer") for name in names}
    for name in same:
        if answers[name] != answers[against]:
            message = f"{name} and {against} disagree: {str(answers[name])[:300]} / {str(answers[against])[:300]}"
            raise SystemExit(message)
    base = found[against]["seconds"]
    return [{"way": name, **row, "ratio": row["seconds"] / base} for name, row in found.items()]


def show(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as a Markdown table."""
    print(f"\n{title}\n\n| way | seconds | ratio | peak GB |\n|---|---|---|---|")
    for row in rows:
        print(f"| {row['way']} | {row['seconds']:.2f} | {row['ratio']:.2f} | {row['gigabytes']:.2f} |")


def _timed(script: str, folder: Path, name: str) -> dict[str, Any]:
    begin = time.perf_counter()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, script, str(folder), "--way", name],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr}")
    return {"seconds": seconds, **json.loads(done.stdout.splitlines()[-1])}
