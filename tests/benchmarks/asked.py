"""The question: what every contender is asked, spelled once."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

DAY = 86_400_000_000
WINDOWS = (1, 3, 7, 14)
CONVERSION_WINDOW = 30
LANDMARK = 14
COLUMNS = ("user_id", "status", "score", "qualified_at", "last_active_at", "met", "evidence", "a", "b", "c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """Three criteria: `a` three times, `b` once, `c` on two dates; within 14 days of the signup, or ever."""

    name: str
    events: tuple[str, str, str]
    within: bool

    def write(self, path: Path) -> None:
        """Write them as a definition."""
        a, b, c = self.events
        window = "within: 14d" if self.within else "ever: true"
        path.write_text(
            f"pqlkit: 1\nname: bench\nentity: user\nqualify:\n  all:\n"
            f"    - {{id: a, event: {a}, {window}, at_least: 3}}\n"
            f"    - {{id: b, event: {b}, {window}, at_least: 1}}\n"
            f"    - {{id: c, event: {c}, {window}, measure: days, at_least: 2}}\n"
            f"outcome:\n  within: 30d\n"
        )


CRITERIA = {
    "rare": Criteria(name="rare", events=("event_09", "event_18", "event_27"), within=True),
    "common": Criteria(name="common", events=("event_00", "event_01", "event_02"), within=False),
}


def sources(folder: Path) -> list[str]:
    """Name the three tables as options of `pqlkit`."""
    return [part for name in ("events", "users", "conversions") for part in (f"--{name}", f"{folder / name}.parquet")]


def pqlkit(*arguments: str) -> list[str]:
    """Give the command line of `pqlkit`, as installed beside this interpreter."""
    return [str(Path(sys.executable).with_name("pqlkit")), *arguments]


def score(folder: Path, criteria: str, out: Path, *, engine: str = "polars", data: Path | None = None) -> list[str]:
    """Give the command line that scores: the files where they lie, or a dataset."""
    shape = ["--columns", ",".join(COLUMNS), "--format", "csv", "--out", str(out), "--quiet"]
    return pqlkit("score", "-d", _definition(criteria, out), *_read(folder, data), "--engine", engine, *shape)


def report(folder: Path, criteria: str, out: Path, *, data: Path | None = None) -> list[str]:
    """Give the command line that reports."""
    shape = ["--format", "json", "--out", str(out), "--quiet"]
    return pqlkit("report", _definition(criteria, out), *_read(folder, data), *shape)


def explain(folder: Path, out: Path, *, data: Path | None = None) -> list[str]:
    """Give the command line that tells of one user."""
    shape = ["--format", "json", "--out", str(out)]
    return pqlkit("explain", "u00000777", "-d", _definition("common", out), *_read(folder, data), *shape)


def validate(folder: Path, out: Path, *, data: Path | None = None) -> list[str]:
    """Give the command line that judges a definition by the data."""
    return pqlkit("validate", _definition("common", out), *_read(folder, data), "--format", "json", "--out", str(out))


def load(folder: Path, events: str, dataset: Path) -> list[str]:
    """Give the command line that loads one file of events, and the other tables."""
    return pqlkit("load", "--events", str(folder / f"{events}.parquet"), *sources(folder)[2:], "--out", str(dataset))


def _definition(criteria: str, out: Path) -> str:
    path = out.with_suffix(".yml")
    CRITERIA[criteria].write(path)
    return str(path)


def _read(folder: Path, data: Path | None) -> list[str]:
    return sources(folder) if data is None else ["--data", str(data)]


def analyze(folder: Path, out: Path, *, engine: str = "polars") -> list[str]:
    """Give the command line that analyzes."""
    windows = ",".join(f"{days}d" for days in WINDOWS)
    design = ["--snapshots", f"once:{LANDMARK}d", "--windows", windows, "--conversion-window", f"{CONVERSION_WINDOW}d"]
    rest = ["--events-from", "2025-01-01", "--engine", engine, "--format", "json", "--out", str(out), "--quiet"]
    return pqlkit("analyze", *sources(folder), *design, *rest)


def every(folder: Path, snapshots: str, out: Path) -> list[str]:
    """Give the command line that analyzes at a design's own windows and conversion window."""
    rest = ["--snapshots", snapshots, "--format", "json", "--out", str(out), "--quiet"]
    return pqlkit("analyze", *sources(folder), *rest)


def by_hand(way: str, folder: Path, out: Path) -> list[str]:
    """Give the command line of a way written by hand (`tests.benchmarks.by_hand`)."""
    return [sys.executable, "-m", "tests.benchmarks.by_hand", way, str(folder), str(out)]
