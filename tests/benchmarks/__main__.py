"""The benchmarks: `make bench`, or `python -m tests.benchmarks --events 5M` on a small machine.

Whole processes, side by side in one run: every round runs each contender once, and the least of the rounds counts.
The answers are compared before a figure is kept. Results go to tests/benchmarks/RESULTS.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.benchmarks import asked
from tests.benchmarks.process import Cost, FailedError, measure
from tests.benchmarks.results import NIGHT, PQLKIT, SEEN_ONCE, SQL, Results, Row, machine, render

HERE = Path(__file__).parent
MILLION = 1_000_000
ONCE = "pqlkit, engine duckdb"
RIVALS = {"chDB SQL": "chdb", "DataFusion SQL": "datafusion", "pandas by hand": "pandas"}
"""How they are called in the tables, and by `rivals`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A way to an answer: its command line and the file it writes; without a file it answers nothing."""

    name: str
    command: list[str]
    out: Path
    answers: bool = True


@dataclass(slots=True, kw_only=True)
class Race:
    """Contenders for one question, and what each took at least so far."""

    title: str
    question: str
    contenders: list[Contender]
    found: dict[str, Cost] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def round(self, number: int, *, timeout: float, until: float) -> None:
        """Run each contender once more; those known to be slow, or to fail, once in all."""
        for one in self.contenders:
            if time.monotonic() > until and self.found.get(one.name) is not None:
                return
            if one.name in self.failed or (number and one.name == ONCE):
                continue
            try:
                cost = measure(one.command, log=one.out.with_suffix(".log"), timeout=timeout)
            except FailedError as error:
                self.failed[one.name] = str(error)
                say(f"  {self.title}, {one.name}: {error}")
                continue
            before = self.found.get(one.name)
            self.found[one.name] = cost if before is None else before.least(cost)
            say(
                f"  {self.title}, {one.name}: {cost.wall:.2f} s, {cost.cpu:.2f} s of CPU, {cost.gigabytes:.2f} GB, load {cost.load:.1f}"
            )

    def check(self) -> str:
        """Compare the answers.

        Raises
        ------
        SystemExit
            They differ.
        """
        paths = [str(one.out) for one in self.contenders if one.answers and one.name in self.found]
        if len(paths) < 2:
            return ""
        command = [sys.executable, "-m", "tests.benchmarks.answers", self.question, *paths]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{self.title}: {done.stderr.strip()}")
        say(f"  {self.title}: {len(paths)} answers agree ({done.stdout.strip()[:12]})")
        return f"{len(paths)} answers agree. "


def say(text: str) -> None:
    print(text, flush=True)


def world(kind: str, base: Path, number: int) -> Path:
    """Make a world, or find it made."""
    folder = base / f"{kind}-{number}"
    if not folder.exists():
        say(f"making {folder}")
        subprocess.run([sys.executable, "-m", "tests.benchmarks.worlds", kind, str(folder), str(number)], check=True)
    return folder


def races(base: Path, number: int) -> list[Race]:
    """Plan all races of one size."""
    out = base / "out" / str(number)
    out.mkdir(parents=True, exist_ok=True)
    folder = world("events", base, number)
    timed = world("ordered", base, number)
    size = f"{number / MILLION:g}M events"
    scan = Contender(
        name="bare scan",
        command=asked.by_hand("scan", folder, out / "scan.parquet"),
        out=out / "scan.parquet",
        answers=False,
    )
    planned = [
        Race(title=f"score, {name}, {size}", question="score", contenders=[*score(folder, out, name, base), scan])
        for name in asked.CRITERIA
    ]
    apart = out / "ordered"
    apart.mkdir(exist_ok=True)
    planned += [
        Race(
            title=f"score, {name}, {size}, in time order", question="score", contenders=score(timed, apart, name, base)
        )
        for name in asked.CRITERIA
    ]
    planned.append(Race(title=f"analyze, {size}", question="analyze", contenders=[*analyze(folder, out), scan]))
    planned.append(every(folder, out, size))
    planned.append(night(world("night", base, number), out, size))
    planned.append(others(folder, world("night", base, number) / "dataset", out, size, scan))
    planned.append(propose(world("recipe", base, number // 50), out, number // 50))
    return planned


def score(folder: Path, out: Path, criteria: str, base: Path) -> list[Contender]:
    """List the ways to score; the rivals run in an environment of their own under `base`."""
    from tests.benchmarks.peers import interpreter

    ways = {
        "pqlkit": ("pqlkit", asked.score(folder, criteria, out / f"score-{criteria}-pqlkit.csv")),
        ONCE: (
            "duckdb-engine",
            asked.score(folder, criteria, out / f"score-{criteria}-duckdb-engine.csv", engine="duckdb"),
        ),
        "DuckDB SQL": (
            "duckdb",
            asked.by_hand(f"score-duckdb-{criteria}", folder, out / f"score-{criteria}-duckdb.csv"),
        ),
        "Polars by hand": (
            "polars",
            asked.by_hand(f"score-polars-{criteria}", folder, out / f"score-{criteria}-polars.csv"),
        ),
    }
    python = str(interpreter(base, "rivals"))
    for name, rival in RIVALS.items():
        file = out / f"score-{criteria}-{rival}.csv"
        ways[name] = (rival, [python, "-m", "tests.benchmarks.rivals", rival, criteria, str(folder), str(file)])
    return [
        Contender(name=name, command=command, out=out / f"score-{criteria}-{file}.csv")
        for name, (file, command) in ways.items()
    ]


def night(folder: Path, out: Path, size: str) -> Race:
    """Plan the nightly job: append the last day, score and report from the dataset; beside it the same from the whole file."""
    job, whole, hand = (out / f"night-{name}.csv" for name in ("pqlkit", "whole", "duckdb"))
    module = [sys.executable, "-m", "tests.benchmarks.night", str(folder), "common", str(job)]
    return Race(
        title=f"night, {size}",
        question="score",
        contenders=[
            Contender(name=NIGHT, command=module, out=job),
            Contender(name="pqlkit, score of the whole file", command=asked.score(folder, "common", whole), out=whole),
            Contender(name=SQL, command=asked.by_hand("score-duckdb-common", folder, hand), out=hand),
        ],
    )


def others(folder: Path, dataset: Path, out: Path, size: str, scan: Contender) -> Race:
    """Plan the commands that no rival answers, of the files where they lie and of a dataset, beside the bare scan."""
    ways = {
        "report, rare": partial(asked.report, folder, "rare"),
        "report, common": partial(asked.report, folder, "common"),
        "explain, one user": partial(asked.explain, folder),
        "validate with data": partial(asked.validate, folder),
    }
    contenders = []
    for number, (name, way) in enumerate(ways.items()):
        for place, data in (("", None), (" --data", dataset)):
            file = out / f"other-{number}{'-data' if data else ''}.json"
            contenders.append(Contender(name=f"{name}{place}", command=way(file, data=data), out=file, answers=False))
    return Race(title=f"others, {size}", question="others", contenders=[*contenders, scan])


def analyze(folder: Path, out: Path) -> list[Contender]:
    """List the ways to count every event in every window."""
    hand = {
        "DuckDB SQL, count(DISTINCT)": "analyze-duckdb",
        "DuckDB SQL, by dates first": "analyze-duckdb-daily",
        "Polars by hand": "analyze-polars",
        "pqlkit's counting alone": "analyze-counting",
    }
    return [
        Contender(name="pqlkit", command=asked.analyze(folder, out / "analyze.json"), out=out / "analyze.json"),
        Contender(
            name=ONCE,
            command=asked.analyze(folder, out / "analyze-duckdb-engine.json", engine="duckdb"),
            out=out / "analyze-duckdb-engine.json",
        ),
        *(
            Contender(name=name, command=asked.by_hand(way, folder, out / f"{way}.parquet"), out=out / f"{way}.parquet")
            for name, way in hand.items()
        ),
    ]


def every(folder: Path, out: Path, size: str) -> Race:
    """Plan the analysis of snapshots at calendar moments beside that of one snapshot to a user."""
    ways = {PQLKIT: "every:28d", SEEN_ONCE: "once:14d"}
    files = {name: out / f"every-{snapshots.partition(':')[0]}.json" for name, snapshots in ways.items()}
    return Race(
        title=f"every, {size}",
        question="every",
        contenders=[
            Contender(name=name, command=asked.every(folder, snapshots, files[name]), out=files[name], answers=False)
            for name, snapshots in ways.items()
        ],
    )


def propose(folder: Path, out: Path, users: int) -> Race:
    """Plan the proposal from start to finish, beside the bare scan of its events."""
    project = asked.pqlkit(
        "propose", "--project", str(folder / "pqlkit.yml"), "--permutations", "0", "--snapshots", "once:14d"
    )
    rest = ["--out-dir", str(out / "definitions"), "--format", "json", "--out", str(out / "propose.json"), "--quiet"]
    scan = out / "scan-recipe.parquet"
    return Race(
        title=f"propose, {users:,} users",
        question="propose",
        contenders=[
            Contender(name="pqlkit", command=[*project, *rest], out=out / "propose.json", answers=False),
            Contender(name="bare scan", command=asked.by_hand("scan", folder, scan), out=scan, answers=False),
        ],
    )


def rows(race: Race) -> list[Row]:
    """Give the table of a race."""
    return [
        Row(way=one.name, cost=race.found.get(one.name), note=race.failed.get(one.name, "").strip().splitlines()[-1:])
        for one in race.contenders
    ]


def sizes(text: str) -> list[int]:
    """Read ``5M,50M``."""
    return [int(float(part.strip().removesuffix("M")) * MILLION) for part in text.split(",")]


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--events", type=sizes, default=[5 * MILLION, 50 * MILLION], help="sizes, like 5M or 5M,50M")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--minutes", type=float, default=40, help="no new round begins after so long")
    options.add_argument("--timeout", type=float, default=600, help="seconds that one process may take")
    options.add_argument("--folder", type=Path, default=Path(".bench"))
    options.add_argument("--out", type=Path, default=HERE / "RESULTS.md")
    options.add_argument("--only", choices=["races", "peers"])
    options.add_argument("--race", default="", help="only races whose title begins like this: score, analyze, propose")
    chosen = options.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    results = Results.read(chosen.folder / "results.json")
    if chosen.only != "peers":
        run(chosen, results)
    if chosen.only != "races":
        from tests.benchmarks.peers import compare

        results.peers = compare(chosen.folder, say)
        results.write(chosen.folder / "results.json")
    chosen.out.write_text(render(results))
    say(f"wrote {chosen.out}")


def run(chosen: argparse.Namespace, results: Results) -> None:
    """Run the races, round by round, and keep what was found after each."""
    until = time.monotonic() + 60 * chosen.minutes
    every = [race for number in chosen.events for race in races(chosen.folder, number)]
    planned = [race for race in every if race.title.startswith(chosen.race)]
    checked: dict[str, str] = {}
    begun = time.strftime("%Y-%m-%d %H:%M")
    for number in range(chosen.rounds):
        if number and time.monotonic() > until:
            break
        for race in planned:
            race.round(number, timeout=chosen.timeout, until=until)
            if race.title not in checked:
                checked[race.title] = race.check()
            results.machine = machine()
            run_as = f"Run {begun} UTC, {number + 1} round{'s' if number else ''}."
            results.races[race.title] = (f"{checked[race.title]}{run_as}", rows(race))
            results.write(chosen.folder / "results.json")


if __name__ == "__main__":
    main()
