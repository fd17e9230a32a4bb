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


def ordered(folder: Path, number: int) -> None:
    """Make the same events in the order of time, as exports of a running product have them: users come and go all over the file."""
    import polars as pl

    from tests.benchmarks.make_events import make_events

    make_events(folder, number)
    by_user = (folder / "events.parquet").rename(folder / "by_user.parquet")
    events = pl.scan_parquet(by_user).sort("timestamp", maintain_order=True)
    events.sink_parquet(folder / "events.parquet", row_group_size=250_000, compression="zstd")
    by_user.unlink()


def night(folder: Path, number: int) -> None:
    """Make the events in the order of time, cut before their last day, and load what lies before it."""
    import subprocess

    import polars as pl

    from tests.benchmarks.asked import load

    ordered(folder, number)
    events = pl.scan_parquet(folder / "events.parquet")
    last = events.select(pl.col("timestamp").max().dt.truncate("1d")).collect().item()
    events.filter(pl.col("timestamp") < last).sink_parquet(folder / "before.parquet", row_group_size=250_000)
    events.filter(pl.col("timestamp") >= last).sink_parquet(folder / "day.parquet")
    subprocess.run([*load(folder, "before", folder / "dataset"), "--quiet"], check=True, capture_output=True)


def recipe(folder: Path, users: int) -> None:
    """Make the world of statistics' recipe: 64 event names, 45 events a user, a planted rule and the traps."""
    from tests.worlds.by_name import write_recipe

    write_recipe(folder, users, 1)


KINDS = {"events": events, "ordered": ordered, "night": night, "recipe": recipe}


def main() -> None:
    kind, folder, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    made = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(made, ignore_errors=True)
    made.parent.mkdir(parents=True, exist_ok=True)
    KINDS[kind](made, number)
    made.rename(folder)


if __name__ == "__main__":
    main()
