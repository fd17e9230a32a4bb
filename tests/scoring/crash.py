"""Crashes: `pqlkit score` killed with SIGKILL at random moments, and what the next run makes of it.

    python -m tests.scoring.crash --kills 200

Each round starts from one committed night. The next night runs in a process of its own, which is killed; then

* the list is the old one or the new one, whole, and nothing half-written bears its name;
* the ledger is the old one or the new one, whole, and not locked;
* running the night again gives the list of an undisturbed night: of a first run where the kill came before the commit, of a
  second one where it came after;
* every new lead has reached the server, and at most the message that was on its way when the kill came was sent twice.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from tests.scoring.nights import Receiver, definition, drawn, product, score

NIGHTS = (20.0, 27.0)
PRELOAD = ["pqlkit.cli.score", "pqlkit.scoring.night", "pqlkit.scoring.alert", "pqlkit.population.population"]


def night(folder: str, url: str) -> None:
    """What the killed process does."""
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    score(Path(folder), *options(Path(folder), url), day=NIGHTS[1])


def options(folder: Path, url: str) -> list[object]:
    return [
        "--ledger",
        folder / "leads.ledger",
        "--out",
        folder / "leads.csv",
        "--summary",
        folder / "run.json",
        "--notify",
        url,
    ]


def runs(ledger: Path) -> list[tuple[int, int]]:
    with closing(sqlite3.connect(ledger, timeout=0)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return connection.execute("SELECT as_of, finished FROM runs ORDER BY run").fetchall()


class Stage:
    """Two nights of a small product; the second can be played again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        product(folder, drawn(5, users=60))
        definition(folder)
        with Receiver() as quiet:
            assert score(folder, *options(folder, quiet.url()), day=NIGHTS[0]).code == 0
            self.old = (folder / "leads.csv").read_bytes()
            self.saved = folder.parent / "saved"
            shutil.copytree(folder, self.saved)
            assert score(folder, *options(folder, quiet.url()), day=NIGHTS[1]).code == 0
            self.new = (folder / "leads.csv").read_bytes()
            self.ids = {lead["user_id"] for _, body, _ in quiet.seen for lead in body["leads"]}
            assert score(folder, *options(folder, quiet.url()), day=NIGHTS[1]).code == 0
            self.again = (folder / "leads.csv").read_bytes()
        assert self.ids
        assert self.new != self.again

    def reset(self) -> None:
        for name in ("leads.csv", "leads.ledger", "run.json"):
            shutil.copy(self.saved / name, self.folder / name)

    def check(self) -> str:
        """Look at what a killed run left behind; say which of the three states it is."""
        found = (self.folder / "leads.csv").read_bytes()
        assert found in (self.old, self.new), "a list that is neither the old nor the new one"
        known = runs(self.folder / "leads.ledger")
        assert len(known) in (1, 2)
        if len(known) == 1:
            return "before the lists" if found == self.old else "between list and ledger"
        assert found == self.new, "the ledger is ahead of the list"
        return "after the night" if known[-1][1] else "while alerting"


def one_kill(stage: Stage, context: multiprocessing.context.BaseContext, rng: random.Random, span: float) -> str:
    stage.reset()
    with Receiver() as receiver:
        victim = context.Process(target=night, args=(str(stage.folder), receiver.url()))  # type: ignore[attr-defined]
        victim.start()
        # Some kills at any moment; most once a list is being written, where the short dangerous stretch is.
        if rng.random() < 0.3:
            victim.join(rng.uniform(0, span))
        else:
            until = time.monotonic() + 10 * span
            while time.monotonic() < until and victim.is_alive() and not list(stage.folder.glob(".*.part")):
                time.sleep(0.0005)
            victim.join(rng.uniform(0, rng.choice([0.01, 0.1, 0.3]) * span))
        victim.kill()
        victim.join()
        state = stage.check()
        assert score(stage.folder, *options(stage.folder, receiver.url()), day=NIGHTS[1]).code == 0
        final = (stage.folder / "leads.csv").read_bytes()
        assert final == (stage.again if state == "after the night" else stage.new)
        assert all(finished for _, finished in runs(stage.folder / "leads.ledger"))
        assert {lead["user_id"] for _, body, _ in receiver.seen for lead in body["leads"]} == stage.ids
        sent = Counter(body["key"] for _, body, _ in receiver.seen)
        assert sum(sent.values()) - len(sent) <= 1, "more than one message was sent twice"
    assert not [p.name for p in stage.folder.iterdir() if "journal" in p.name or p.name.startswith(".leads")]
    return state


def kills(count: int, seed: int = 0) -> Counter[str]:
    """Kill `count` runs; give how many of them in each state."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        stage = Stage(Path(place) / "stage")
        stage.reset()
        with Receiver() as receiver:
            process = context.Process(target=night, args=(str(stage.folder), receiver.url()))
            process.start()  # once unharmed: starts the server of processes, and shows how long a run takes
            process.join()
            stage.reset()
            began = time.monotonic()
            process = context.Process(target=night, args=(str(stage.folder), receiver.url()))
            process.start()
            process.join()
            span = time.monotonic() - began
        return Counter(one_kill(stage, context, rng, span) for _ in range(count))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=0)
    chosen = arguments.parse_args()
    found = kills(chosen.kills, chosen.seed)
    print(f"{chosen.kills} kills, every one repaired by the next run:")
    for state, number in sorted(found.items()):
        print(f"  {number:4}  {state}")
