"""Run the studies and keep what they reached: ``python -m tests.simulation [LETTERS] [--part 0.1]``."""

from __future__ import annotations

import argparse
import math
import os
import re
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulation.promises import Line, Study

# One thread a process: the processes share the cores.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

RESULTS = Path(__file__).with_name("RESULTS.md")

SECTION = re.compile(r"^(?=## [A-Z]\. )", re.MULTILINE)

HEAD = """# What was promised, and what was reached

Written by `make simulate` (`python -m tests.simulation`). Every world is made by `tests.worlds.by_name` (L, O and P: by `tests.verdicts`) with seeds that were
used for nothing else; the searches are those of `pqlkit propose`. Intervals are Wilson's at 95 %.

"""

FOOT = """
D (1 million users, 45 million events: search and end to end) is timed by `make bench`, alone on the machine.
"""


def main() -> int:
    """Run, print, write; 1 if a promise was not kept."""
    from tests.simulation.promises import STUDIES
    from tests.verdicts.battery import STUDIES as BATTERY

    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("letters", nargs="?", default="", help="such as AEG; all by default")
    parser.add_argument("--part", type=float, default=1.0, help="share of the runs of each study")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    blocks: dict[str, str] = {}
    broken = 0
    done: dict[object, list[dict[str, object]]] = {}
    chosen = [study for study in (*STUDIES, *BATTERY) if not asked.letters or study.letter in asked.letters]
    with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
        for study in sorted(chosen, key=lambda one: one.runs):
            started = time.monotonic()
            if study.run not in done:
                done[study.run] = list(pool.map(study.run, range(max(1, math.ceil(study.runs * asked.part)))))
            lines = study.lines(done[study.run])
            blocks[study.letter] = block(study, lines, len(done[study.run]), time.monotonic() - started)
            broken += sum(line.kept is False for line in lines)
            print(blocks[study.letter], flush=True)
            # After every study, so that a run that is stopped keeps what it found.
            write(blocks)
    return 1 if broken else 0


def block(study: Study, lines: Sequence[Line], runs: int, seconds: float) -> str:
    """Write one study's table."""
    of = "" if runs == study.runs else f" of {study.runs}"
    rows = [f"## {study.letter}. {study.title}", "", f"{runs} runs{of}, {seconds:.0f} s.", ""]
    rows += ["| | promised | reached | kept |", "|---|---|---|---|"]
    for line in lines:
        mark = {True: "yes", False: "**no**", None: ""}[line.kept]
        rows.append(f"| {line.what} | {line.promised} | {line.reached} | {mark} |")
    return "\n".join([*rows, ""])


def write(blocks: dict[str, str]) -> None:
    """Write the results so far; other letters keep what an earlier run found."""
    known = RESULTS.read_text(encoding="utf-8") if RESULTS.is_file() else ""
    parts = {part[3]: part.split("\nD (1 million", 1)[0].rstrip() + "\n" for part in SECTION.split(known)[1:]}
    merged = parts | blocks
    RESULTS.write_text(HEAD + "\n".join(merged[letter] for letter in sorted(merged)) + FOOT, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
