"""The results: what was found, kept as JSON between runs, and RESULTS.md made of it."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from tests.benchmarks.process import Cost

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = ("polars", "duckdb", "narwhals", "numpy", "scipy", "scikit-learn")
PQLKIT = "pqlkit"
COUNTING = "pqlkit's counting alone"
SEEN_ONCE = "pqlkit, snapshots once:14d"
SQL = "DuckDB SQL"
NIGHT = "pqlkit, append, score and report"
INTRO = """# Benchmarks

`make bench` writes this page. Whole processes, from the command line to the written file, run side by side: each round runs
every contender once, one after the other; figures are the least of the rounds (memory: the most), so that other work
on the machine disturbs them least. CPU seconds count all cores and are what a busy machine distorts less than the wall clock.
Ratios carry over to other machines better than seconds.

All contenders of a race write the same columns, and their answers are compared before a figure is kept: the lead lists
byte for byte but for line ends (a row a user, sorted), the counts of `analyze` at every threshold of every event, measure and window.
The SQL and Polars by hand (`by_hand.py`) know their three tables: they check no input, and give no intervals, leaks,
adjusted effects or cohorts. `pqlkit analyze` does all of this in the time shown.

* **score, rare**: three criteria on rare events within 14 days of the signup; **common**: on the three commonest, ever.
  The files are ordered by user; **in time order** the same events stand as a running product exports them. chDB, DataFusion and
  pandas count, and Polars makes the list of it (`rivals.py`).
* **night**: append the last day to a dataset, score and report from it, as one job; beside it the list alone, of the whole file.
* **others**: what no rival answers, of the files where they lie and of a dataset (`--data`, without the last day).
* **analyze**: count and distinct days of 40 events in 1, 3, 7 and 14 days after signup, against the outcome in the 30 days after.
* **every**: the whole analysis at snapshots every 28 days (windows of 7, 28 and 84 days) beside that at one snapshot to a user 14 days after
  signup (3, 7 and 14 days), on the same events.
* **propose**: from Parquet to the written definition, without permutations, on the world of the statistical recipe.
* **bare scan** reads the three columns of the events and uses each value.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A contender and what it took; None where it failed, with a word why."""

    way: str
    cost: Cost | None
    note: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Results:
    """Everything that RESULTS.md shows."""

    machine: dict[str, str] = field(default_factory=dict)
    races: dict[str, tuple[str, list[Row]]] = field(default_factory=dict)
    peers: str = ""

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read what an earlier run kept."""
        if not path.exists():
            return cls()
        found: dict[str, Any] = json.loads(path.read_text())
        races = {
            title: (
                agreed,
                [
                    Row(way=row["way"], cost=Cost(**row["cost"]) if row["cost"] else None, note=row["note"])
                    for row in rows
                ],
            )
            for title, (agreed, rows) in found["races"].items()
        }
        return cls(**(found | {"races": races}))

    def write(self, path: Path) -> None:
        """Keep it."""
        path.write_text(json.dumps(asdict(self), indent=1))


def machine() -> dict[str, str]:
    """Say what this machine is."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def render(results: Results) -> str:
    """Write the page."""
    parts = [INTRO, _machine(results), _targets(results)]
    parts += [_table(title, agreed, rows) for title, (agreed, rows) in sorted(results.races.items(), key=_order)]
    return "\n".join(part for part in [*parts, results.peers] if part).rstrip() + "\n"


def _order(item: tuple[str, object]) -> tuple[int, str]:
    names = ("score, rare", "score, common", "analyze", "every", "night", "others", "propose")
    return next(i for i, name in enumerate(names) if item[0].startswith(name)), f"{len(item[0]):03}{item[0]}"


def _machine(results: Results) -> str:
    facts = [f"* {name}: {text}" for name, text in results.machine.items()]
    return "\n".join(["## Machine", "", *facts, ""])


def _table(title: str, agreed: str, rows: list[Row]) -> str:
    base = _best([row for row in rows if row.way.startswith((SQL, SEEN_ONCE))])
    lines = [f"## {title[0].upper()}{title[1:]}", ""]
    loads = [row.cost.load for row in rows if row.cost]
    beside = "snapshots once:14d" if title.startswith("every") else "the fastest SQL"
    said = [agreed, f"Ratios are to {beside}."] if base else [agreed]
    if loads:
        said.append(f"Load average before the processes: {min(loads):.1f} to {max(loads):.1f} (least of the rounds).")
    lines += [" ".join(said), ""]
    lines += ["| way | wall s | CPU s | ratio of wall | ratio of CPU | peak GB |", "|---|---|---|---|---|---|"]
    for row in rows:
        if row.cost is None:
            lines.append(f"| {row.way} | failed: {' '.join(row.note)[:80]} | | | | |")
            continue
        ratios = f"{row.cost.wall / base.wall:.2f} | {row.cost.cpu / base.cpu:.2f}" if base else " | "
        lines.append(f"| {row.way} | {row.cost.wall:.2f} | {row.cost.cpu:.2f} | {ratios} | {row.cost.gigabytes:.2f} |")
    return "\n".join([*lines, ""])


def _best(rows: list[Row]) -> Cost | None:
    return min((row.cost for row in rows if row.cost), key=lambda cost: cost.wall, default=None)


def _targets(results: Results) -> str:
    lines = [
        "## Targets",
        "",
        "| race | target | wall | CPU | reached | peak GB | allowed | reached |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for title, (_, rows) in sorted(results.races.items(), key=_order):
        for way in (PQLKIT, COUNTING):
            lines += _target(title if way == PQLKIT else f"{title}, {way}", way, rows)
    return "\n".join([*lines, ""]) if len(lines) > 4 else ""


def _target(title: str, way: str, rows: list[Row]) -> list[str]:
    own = next((row.cost for row in rows if row.way == way), None)
    if own is None:
        return []
    allowed = 1 if title.startswith("score") else 3
    memory = f"{own.gigabytes:.2f} | {allowed} | {_yes(own.gigabytes < allowed)}"
    if title.startswith("propose"):
        reached = _yes(own.wall <= 45) if "1,000,000" in title else "-"
        return [f"| {title} | 45 s for 1,000,000 | {own.wall:.1f} s | {own.cpu:.1f} s | {reached} | {memory} |"]
    most = 1.0 if title.startswith("score") else 2.0 if title.startswith("every") else 0.6
    return [
        f"| {title} | {most:g} x {row.way} | {_ratios(own, row.cost)} | {_yes(own.wall <= most * row.cost.wall)} | {memory} |"
        for row in rows
        if row.cost and row.way.startswith((SQL, SEEN_ONCE))
    ]


def _ratios(own: Cost, other: Cost) -> str:
    return f"{own.wall / other.wall:.2f} x | {own.cpu / other.cpu:.2f} x"


def _yes(reached: bool) -> str:
    return "yes" if reached else "no"
