"""The scenarios: what is run under the file layer, which states may stand afterwards, and what the next run makes of them."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import pkgutil
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

import pqlkit as package
from pqlkit.cli.app import run
from pqlkit.errors import PqlkitError
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.manifest import PLACE
from tests.cli.sample import write_sample
from tests.crash.layer import Fault, Layer
from tests.scoring.nights import date, definition, drawn, pqlkit, product

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PRELOAD = [
    *(
        module.name
        for module in pkgutil.walk_packages(package.__path__, "pqlkit.")
        if not module.name.endswith("__main__")
    ),
    "rich.table",
    "rich.status",
    "scipy.stats",
    "tests.crash.layer",
]
"""What the server of processes has imported once for all of them."""

EVENTS = "user_id,event,timestamp,event_id\n"


def child(folder: str, arguments: Sequence[str], layer: Layer, counted: Any) -> None:
    """What a process of its own does: one command under the layer, its messages in a file."""
    os.chdir(folder)
    os.environ["TMPDIR"] = tempfile.tempdir = f"{folder}/tmp"
    said = os.open(f"{folder}/../said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(said, stream)
    layer.install()
    code = 70
    try:
        code = run(list(arguments))
        layer.fault = Fault.NONE
    finally:
        counted.value = layer.calls
        # Nothing of multiprocessing's own ending: the exit handlers remove what is temporary, as at a command's end.
        with contextlib.suppress(BaseException):
            import atexit

            atexit._run_exitfuncs()
        os._exit(code)


@dataclass
class Scenario:
    """One command in a folder that can be set up again and again.

    `prepare` makes the folder's state before; `arguments` is the command; `look` gives what stands, in a form that can be
    compared, and asserts that it is whole.
    """

    name: str
    prepare: Callable[[Path], None]
    arguments: Sequence[str]
    look: Callable[[Path], object]
    again: bool = False
    context: Any = field(default_factory=lambda: multiprocessing.get_context("forkserver"))

    def play(self, fault: Fault, at: int = -1) -> tuple[int, int]:
        """Run once; give the exit code and how many calls there were."""
        counted = self.context.Value("i", 0)
        layer = Layer(roots=(str(self.folder),), fault=fault, at=at)
        process = self.context.Process(target=child, args=(str(self.folder), self.arguments, layer, counted))
        process.start()
        process.join()
        return process.exitcode, counted.value

    def begin(self, place: Path) -> int:
        """Set up, and play once unharmed: what is new, and how many calls there are."""
        self.context.set_forkserver_preload(PRELOAD)
        self.saved, self.folder = place / "saved", place / "folder"
        self.saved.mkdir(parents=True)
        (self.saved / "tmp").mkdir()
        with contextlib.chdir(self.saved):
            self.prepare(self.saved)
        self.reset()
        self.old = self.look(self.folder)
        code, calls = self.play(Fault.NONE)
        assert code == 0, (place / "said").read_text()
        self.new = self.look(self.folder)
        self.nothing_left()
        assert self.old != self.new
        return calls

    def reset(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.saved, self.folder)

    def hit(self, fault: Fault, at: int) -> str:
        """Do one round; give what stood after the fault."""
        self.reset()
        code, _ = self.play(fault, at)
        said = (self.folder.parent / "said").read_text()
        where = f"{self.name}, {fault} at call {at}: exit {code}\n{said}"
        assert code in ({-9, 0} if fault is Fault.KILL else {0, 1, 2}), where
        assert "Traceback" not in said, where
        found = self.look(self.folder)
        assert found in (self.old, self.new), f"neither old nor new: {where}"
        if fault is not Fault.KILL and code == 0:
            assert found == self.new, where
        if code == 2 and " is the new dataset" not in said:
            assert found == self.old, where
        if code == 1:
            assert found == self.new, where
        again, _ = self.play(Fault.NONE)
        said = (self.folder.parent / "said").read_text()
        assert again == 0, f"the next run: exit {again}\n{said}\nafter {where}"
        assert self.look(self.folder) == self.new, f"after the next run: {where}"
        self.nothing_left()
        return f"{'new' if found == self.new else 'old'} after exit {code}"

    def nothing_left(self) -> None:
        """Hold that no file is there that no state names."""
        assert list((self.folder / "tmp").iterdir()) == []
        hidden = [path for path in self.folder.rglob(".*") if path.name != PLACE]
        assert hidden == []
        assert not [path for path in self.folder.rglob("*") if path.name.endswith(("-journal", ".part"))]
        for manifest in self.folder.glob("*/manifest.json"):
            dataset = manifest.parent
            state = json.loads((dataset / PLACE / "state.json").read_text())
            known = {"manifest.json", "quarantine.jsonl", f"{PLACE}/lock", f"{PLACE}/state.json", *state["files"]}
            there = {str(path.relative_to(dataset)) for path in dataset.rglob("*") if path.is_file()}
            assert there <= known, there - known
            assert state["coming"] is None


def rows_of(folder: Path) -> tuple[dict[str, list[str]], list[str]] | None:
    """All rows of a dataset and its quarantine; None where there is none."""
    if not (folder / "ds" / "manifest.json").exists():
        return None
    dataset = open_dataset(data=folder / "ds")
    tables = {
        name: table.scan().select(pl.all().cast(pl.String)).collect().rows() for name, table in dataset.tables.items()
    }
    rejected = folder / "ds" / "quarantine.jsonl"
    lines = rejected.read_text().splitlines() if rejected.exists() else []
    return {name: sorted(map(str, rows)) for name, rows in tables.items()}, sorted(lines)


def loaded(folder: Path) -> dict[str, list[str]] | None:
    """What stands of a dataset: its rows; the quarantine beside them may wait for the next load, but is never doubled."""
    found = rows_of(folder)
    if found is None:
        return None
    tables, lines = found
    assert max(Counter(lines).values(), default=1) == 1, "rows were quarantined twice"
    return tables


def day(number: int) -> str:
    good = [f"u{n},login,2026-01-{number:02}T0{n}:00:00Z,{number}-{n}\n" for n in range(4)]
    return EVENTS + "".join(good) + f"u9,login,nonsense,{number}-9\n"


def exports(folder: Path, *, nights: Sequence[int]) -> None:
    (folder / "days").mkdir(exist_ok=True)
    for number in nights:
        (folder / "days" / f"{number}.csv").write_text(day(number))
    (folder / "users.csv").write_text("user_id,signed_up_at\n" + "".join(f"u{n},2026-01-01\n" for n in range(4)))


LOAD = ("load", "--events", "days", "--users", "users.csv", "--out", "ds", "--quiet")


def first(folder: Path) -> None:
    exports(folder, nights=[1, 2])


def second(folder: Path) -> None:
    exports(folder, nights=[1])
    assert pqlkit(*LOAD).code == 0
    exports(folder, nights=[2])


def night(folder: Path) -> None:
    product(folder, drawn(5, users=60))
    definition(folder)
    assert pqlkit(*SCORE, "--as-of", date(20.0)).code == 0


def stands(folder: Path) -> object:
    """The list, and how many nights the ledger knows; the list may be ahead, never behind."""
    with closing(sqlite3.connect(folder / "leads.ledger", timeout=0)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (nights,) = connection.execute("SELECT count(DISTINCT as_of) FROM runs").fetchone()
        new = connection.execute("SELECT id, \"on\" FROM starts WHERE reason = 'world' ORDER BY 1, 2").fetchall()
    assert len(new) == len(set(new)), "a lead was new twice"
    assert (folder / "leads.csv").read_bytes().startswith(b"user_id,")
    assert (folder / "leads.csv").read_bytes().endswith(b"\n")
    return nights, new


SCORE = (
    *("score", "-p", "pqlkit.yml", "-d", "team.yml", "--ledger", "leads.ledger", "--out", "leads.csv"),
    *("--summary", "run.json", "--quiet"),
)


def proposals(folder: Path) -> None:
    write_sample(folder, users=200)


def proposed(folder: Path) -> object:
    """The files that are there: each whole, as an unharmed run writes it, or not there."""
    there = {path.name: path.read_bytes() for path in sorted(folder.glob("definitions/*.yml"))}
    assert all(content.startswith(b"pqlkit: 1") and content.endswith(b"\n") for content in there.values())
    told = folder / "out.json"
    if told.exists():
        assert json.loads(told.read_text())["schema"].startswith("pqlkit/proposal/")
    return bool(there) and told.exists()


PROPOSE = (
    *("propose", "--events", "events.csv", "--users", "users.csv", "--conversions", "conversions.csv"),
    *("--conversion-window", "14d", "--permutations", "0", "--max-rules", "100000"),
    *("--out", "out.json", "--format", "json", "--quiet"),
)


def scenarios() -> list[Scenario]:
    return [
        Scenario("a first load", first, LOAD, loaded),
        Scenario("a load over another", second, LOAD, loaded),
        Scenario("an appending load", second, (*LOAD, "--append"), loaded),
        Scenario("a night of leads", night, (*SCORE, "--as-of", date(27.0)), stands),
        Scenario("a proposal", proposals, PROPOSE, proposed),
    ]


def writers(place: Path, count: int, delay: float, at: int) -> Counter[str]:
    """Have several loads append at once, one of them slowed at a call, while a reader reads.

    Every reading is one whole state. A load that found another one writing says so and changes nothing; in the end, when each
    that was refused has run again, every day is in the dataset once.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    folder = place / "folder"
    (folder / "tmp").mkdir(parents=True)
    with contextlib.chdir(folder):
        second(folder)
        for number in range(2, count + 3):
            (folder / f"{number}.csv").write_text(day(number))
    lines = [(*LOAD[:2], f"{number}.csv", *LOAD[3:], "--append") for number in range(3, count + 3)]
    counted, stop = context.Value("i", 0), context.Event()
    seen = context.Queue()
    reader = context.Process(target=read, args=(str(folder), stop, seen))
    reader.start()
    processes = []
    for place_of, line in enumerate(lines):
        layer = Layer(roots=(str(folder),), fault=Fault.SLOW if place_of == 0 else Fault.NONE, at=at, seconds=delay)
        process = context.Process(target=child, args=(str(folder), line, layer, counted))
        process.start()
        processes.append(process)
    outcomes: Counter[str] = Counter()
    for process, line in zip(processes, lines, strict=True):
        process.join()
        assert process.exitcode in {0, 2}, process.exitcode
        outcomes["loaded" if process.exitcode == 0 else "refused"] += 1
        if process.exitcode == 2:
            again = context.Process(target=until_free, args=(str(folder), line))
            again.start()
            again.join()
            assert again.exitcode == 0
    stop.set()
    found = seen.get()
    reader.join()
    assert reader.exitcode == 0
    assert found["torn"] == []
    outcomes["read whole"] = found["whole"]
    with contextlib.chdir(folder):
        tables = loaded(folder)
    assert tables is not None
    assert len(tables["events"]) == 4 * (1 + count), "a day is missing, or there twice"
    return outcomes


def until_free(folder: str, line: Sequence[str]) -> None:
    """Run a load again until nobody else is writing."""
    os.chdir(folder)
    for _ in range(200):
        if pqlkit(*line).code == 0:
            return
        time.sleep(0.05)
    raise SystemExit(1)


def read(folder: str, stop: Any, seen: Any) -> None:
    """Read again and again, slowly; give how many readings were whole, and what was torn."""
    whole, torn = 0, []
    while not stop.is_set():
        try:
            dataset = open_dataset(data=Path(folder) / "ds")
            time.sleep(0.05)
            events = dataset.tables["events"].scan().collect()
            counts = events.group_by(pl.col("timestamp").dt.date()).len()["len"].to_list()
            if set(counts) != {4} or events.height != dataset.tables["events"].rows:
                torn.append(f"{counts}")
            whole += 1
        except (PqlkitError, OSError, pl.exceptions.PolarsError) as error:
            torn.append(str(error))
    seen.put({"whole": whole, "torn": torn})
