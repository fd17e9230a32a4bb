"""The comparison with other rule finders, on the same worlds, for the same objective, over the same literals where they can.

Each tool lives in an environment of its own under the folder of the benchmarks, with pinned versions.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.process import FailedError, measure

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
TIMEOUT = 140.0
USERS = (20_000, 200_000)
SEED = 1
ENVIRONMENTS = {
    "pysubgroup": ("pysubgroup==0.9.0", "numpy==1.26.4", "pandas==3.0.6", "scikit-learn==1.9.1"),
    "sklearn": ("scikit-learn==1.9.1", "numpy==2.4.6"),
    "rivals": ("chdb==4.4.0", "datafusion==55.0.0", "pandas==3.1.1", "pyarrow==26.0.1", "polars==2.1.0"),
    "imodels": ("imodels==3.0.4", "scikit-learn==1.9.1", "numpy==2.4.6", "six==1.17.0"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A tool: its name in the table, its environment and what `peer_tools` calls it."""

    name: str
    environment: str
    tool: str


PEERS = (
    Peer(name="pysubgroup 0.9, beam of 50", environment="pysubgroup", tool="pysubgroup-beam"),
    Peer(name="pysubgroup 0.9, exact depth first", environment="pysubgroup", tool="pysubgroup-exact"),
    Peer(name="scikit-learn 1.9 tree of depth 3, best path", environment="sklearn", tool="tree"),
    Peer(name="SkopeRules (imodels 3.0)", environment="imodels", tool="skope"),
)


def interpreter(base: Path, name: str) -> Path:
    """Make an environment, or find it made; give its interpreter."""
    folder = base / "peers" / name
    python = folder / "bin" / "python"
    if not python.exists():
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(folder)], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", str(python), *ENVIRONMENTS[name]], check=True)
    return python


def search(users: int, target: Path) -> None:
    """Look at a world of the recipe, keep it for the peers, and time pqlkit's own search (a process of its own)."""
    import numpy as np

    from pqlkit.options.search import ProposeOptions
    from tests.simulation.trial import trial
    from tests.worlds.by_name import recipe

    with trial(recipe(users, SEED), wishes=ProposeOptions(permutations=0, objective="f1")) as made:
        begin = time.perf_counter(), time.process_time()
        found = made.brief.search()
        took = time.perf_counter() - begin[0], time.process_time() - begin[1]
        cube = made.brief.observed.cube
        used = sorted({one.column for one in found.literals if one.behaviour is not None})
        levels = np.zeros((cube.snapshots, len(used)), dtype=np.uint8)
        for place, column in enumerate(used):
            rows, values = cube.column(column)
            levels[rows, place] = values
        literals = [(used.index(one.column), one.level) for one in found.literals]
        names = [_named(cube.behaviours[column]) for column in used]
        truth = made.meets
        best = found.best
        np.savez(
            target.with_suffix(".npz"),
            levels=levels,
            y=made.y,
            fit=made.brief.parts.fit,
            later=made.later,
            truth=truth,
            literals=np.array(literals),
        )
        rule = [[used.index(one.column), ">=", one.level] for one in best.literals] if best else []
        answer = {"rule": rule, "seconds": took[0], "cpu": took[1], "names": names, "complete": found.complete}
        target.write_text(json.dumps(answer))


def _named(behaviour: Any) -> str:
    return f"{behaviour.event} {behaviour.measure.kind.value} {behaviour.window.length}"


def judge(world: Path, rules: dict[str, list[list[Any]]]) -> dict[str, dict[str, float]]:
    """Recount each rule on the later snapshots, which no tool saw: F1 and kappa; the planted rule is ``truth``."""
    import numpy as np

    from tests.benchmarks.peer_tools import f1, met_by

    found = np.load(world)
    levels, y, later, fit = found["levels"], found["y"], found["later"], found["fit"]
    held = {name: met_by(levels, rule) for name, rule in rules.items()} | {"truth": found["truth"]}
    return {
        name: {
            "fit_f1": float(f1(met[fit], y[fit])),
            "f1": float(f1(met[later], y[later])),
            "kappa": _kappa(met[later], y[later]),
        }
        for name, met in held.items()
    }


def _kappa(met: Any, y: Any) -> float:
    share, base = met.mean(), y.mean()
    agree, chance = (met == y).mean(), share * base + (1 - share) * (1 - base)
    return float((agree - chance) / (1 - chance))


def compare(base: Path, say: Callable[[str], None]) -> str:
    """Run every peer on every world and give the section of RESULTS.md."""
    parts = [
        "## Peers",
        "",
        f"The search for the best rule of at most three conditions, by F1 on the earlier snapshots of the recipe's world (seed {SEED}). "
        "Every tool gets the same snapshots, leaks already left out; pysubgroup the same literals and F1 written as its quality, the "
        "others the same levels and their own criterion, of whose rules the best F1 on the earlier snapshots is taken. F1 and kappa "
        f"on the later snapshots are recounted here from the rule that each gave. Seconds are those of the search alone; {TIMEOUT:.0f} s are allowed "
        "for the whole process. SkopeRules is the edition of imodels: skope-rules 1.0.1 itself does not import on Python 3.11.",
        "",
    ]
    for users in USERS:
        parts += _section(base, users, say)
    return "\n".join(parts)


def _section(base: Path, users: int, say: Callable[[str], None]) -> list[str]:
    out = base / "out" / f"peers-{users}"
    out.mkdir(parents=True, exist_ok=True)
    own = out / "pqlkit.json"
    say(f"peers, {users:,} users: pqlkit")
    code = "import sys; from pathlib import Path; from tests.benchmarks.peers import search; search(int(sys.argv[1]), Path(sys.argv[2]))"
    cost = measure([sys.executable, "-c", code, str(users), str(own)], log=out / "pqlkit.log")
    found = {"pqlkit": json.loads(own.read_text()) | {"gigabytes": None}}
    names = found["pqlkit"]["names"]
    failed: dict[str, str] = {}
    for peer in PEERS:
        target = out / f"{peer.tool}.json"
        target.unlink(missing_ok=True)
        command = [
            str(interpreter(base, peer.environment)),
            str(HERE / "peer_tools.py"),
            peer.tool,
            str(own.with_suffix(".npz")),
            str(target),
        ]
        say(f"peers, {users:,} users: {peer.name}")
        try:
            cost = measure(command, log=out / f"{peer.tool}.log", timeout=TIMEOUT)
            found[peer.name] = json.loads(target.read_text()) | {"gigabytes": cost.gigabytes}
        except FailedError as error:
            failed[peer.name] = str(error).strip().splitlines()[-1]
    judged = _judged(own.with_suffix(".npz"), {name: one["rule"] for name, one in found.items()})
    lines = [
        f"### {users:,} users",
        "",
        "| method | search s | CPU s | F1 earlier | F1 later | kappa later | rule |",
        "|---|---|---|---|---|---|---|",
    ]
    truth = judged["truth"]
    lines.append(f"| the planted rule | | | {truth['fit_f1']:.4f} | {truth['f1']:.4f} | {truth['kappa']:.4f} | |")
    for name, one in found.items():
        row = judged[name]
        lines.append(
            f"| {name} | {one['seconds']:.2f} | {one['cpu']:.2f} | {row['fit_f1']:.4f} | {row['f1']:.4f} | {row['kappa']:.4f} | {_spelled(one['rule'], names)} |"
        )
    lines += [f"| {name} | {reason[:90]} | | | | | |" for name, reason in failed.items()]
    return [*lines, ""]


def _judged(world: Path, rules: dict[str, list[list[Any]]]) -> dict[str, dict[str, float]]:
    code = "import json, sys; from pathlib import Path; from tests.benchmarks.peers import judge; print(json.dumps(judge(Path(sys.argv[1]), json.loads(sys.argv[2]))))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(world), json.dumps(rules)], capture_output=True, text=True, check=True
    )
    judged: dict[str, dict[str, float]] = json.loads(done.stdout)
    return judged


def _spelled(rule: list[list[Any]], names: list[str]) -> str:
    grid = _grid()
    return " and ".join(
        f"{names[column]} {sign} {grid[level - 1] if level > 0 else 0}"
        for column, sign, level in sorted(rule, key=lambda part: names[part[0]])
    )


def _grid() -> tuple[int, ...]:
    from pqlkit.measures.behaviour import GRID

    return GRID
