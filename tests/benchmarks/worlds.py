"""The worlds of the benchmarks: seeded, made once, kept under the folder of the benchmarks.

python -m tests.benchmarks.worlds events FOLDER 5000000
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def events(folder: Path, number: int) -> None:
    """Make the three tables of `make_events`."""
    from tests.benchmarks.make_events import make_events

    make_events(folder, number)


def recipe(folder: Path, users: int) -> None:
    """Make the world of statistics' recipe: 64 event names, 45 events a user, a planted rule and the traps."""
    from tests.worlds.by_name import write_recipe

    write_recipe(folder, users, 1)


KINDS = {"events": events, "recipe": recipe}


def main() -> None:
    kind, folder, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    made = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(made, ignore_errors=True)
    made.parent.mkdir(parents=True, exist_ok=True)
    KINDS[kind](made, number)
    made.rename(folder)


if __name__ == "__main__":
    main()
