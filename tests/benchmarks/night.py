"""The nightly job: append a day to a dataset, score from it, report from it; one process after the other.

    python -m tests.benchmarks.night FOLDER CRITERIA OUT

What these processes take is counted as this one's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.benchmarks import asked


def main() -> None:
    folder, criteria, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    dataset = folder / "tonight"
    shutil.rmtree(dataset, ignore_errors=True)
    # Files of a dataset are never written to again.
    shutil.copytree(folder / "dataset", dataset, copy_function=os.link)
    for command in (
        [*asked.load(folder, "day", dataset), "--append"],
        asked.score(folder, criteria, out, data=dataset),
        asked.report(folder, criteria, out.with_suffix(".report.json"), data=dataset),
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in {0, 1}:
            raise SystemExit(f"{command[1]}: {done.stderr[-1500:]}")


if __name__ == "__main__":
    main()
