"""Crashes in the long form: every file call of five commands killed, broken, and met by a full disk; writers and readers at once.

python -m tests.crash                  # every call
python -m tests.crash --every 10       # every tenth
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.crash.layer import Fault
from tests.crash.scenarios import scenarios, writers
from tests.scoring.crash import kills

FAULTS = (Fault.KILL, Fault.BROKEN, Fault.FULL)


def every_call(every: int = 1, start: int = 0, only: str = "") -> list[str]:
    """Hit every call (or each `every`-th one) of each scenario with each fault; give one line per scenario."""
    told = []
    for scenario in scenarios():
        if only not in scenario.name:
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as place:
            calls = scenario.begin(Path(place))
            found: Counter[str] = Counter()
            for at in range(start % every, calls, every):
                # Three faults at each call; a sparse run takes them in turn.
                for fault in FAULTS if every == 1 else (FAULTS[at // every % 3],):
                    found[scenario.hit(fault, at)] += 1
        outcomes = ", ".join(f"{number} {what}" for what, number in sorted(found.items()))
        seconds = time.monotonic() - began
        told.append(
            f"{scenario.name}: {calls} calls, {found.total()} faults, all repaired: {outcomes} ({seconds:.0f} s)"
        )
        print(told[-1], flush=True)
    return told


def several_writers(rounds: int) -> Counter[str]:
    """Have two and three loads at once, one of them slow at one call after another."""
    found: Counter[str] = Counter()
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as place:
            found += writers(Path(place), count=2 + number % 2, delay=0.5, at=3 + number * 110 // rounds)
    print(f"{rounds} rounds of two and three writers at once: {dict(found)}", flush=True)
    return found


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--every", type=int, default=1)
    arguments.add_argument("--kills", type=int, default=200, help="kills of a night at random moments")
    arguments.add_argument("--rounds", type=int, default=30, help="rounds of several writers")
    arguments.add_argument("--only", default="", help="scenarios whose name holds this")
    chosen = arguments.parse_args()
    every_call(chosen.every, only=chosen.only)
    if chosen.only:
        raise SystemExit
    several_writers(chosen.rounds)
    print(f"{chosen.kills} kills of a night at random moments: {dict(kills(chosen.kills))}")
