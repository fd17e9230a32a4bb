"""The fuzzer of everything that people hand to pqlkit: ``python -m tests.fuzz --inputs 100000``.

Shares of the inputs: definition files, options, archives, damaged ledgers and datasets; and every Parquet type in every
column once. What fails is printed with the number that makes it again: ``--part options --first 2513 --inputs 1``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.definitions import fuzz as definitions
from tests.fuzz import options, parquet
from tests.fuzz.stores import COMMANDS, Bench

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARES: Final = {"definitions": 0.95, "options": 0.02, "archive": 0.01, "ledger": 0.005, "dataset": 0.015}
"""Parts of all inputs: by what one of each costs, and what it has found."""


def faults(part: str, first: int, count: int, *, step: int = 1) -> Iterator[str]:
    """Run inputs of a part; give what is wrong with what pqlkit did.

    Parameters
    ----------
    part
        A key of `SHARES`, or ``parquet``.
    first, count
        Which inputs.
    step
        Only every so-manyth Parquet file.
    """
    if part == "definitions":
        yield from map(str, definitions.run(count, seed=first + 1))
        return
    with tempfile.TemporaryDirectory(prefix="pqlkit-fuzz-") as name:
        folder = Path(name)
        if part == "parquet":
            found = (
                parquet.fault(folder, *cell) for cell in list(parquet.cells())[first : first + count * step : step]
            )
        else:
            (folder / "sample").mkdir()
            bench = Bench.at(folder / "sample")
            commands = list(COMMANDS)
            found = (
                _one(bench, part, number, commands[number % len(commands)]) for number in range(first, first + count)
            )
        yield from (fault for fault in found if fault is not None)


def _one(bench: Bench, part: str, number: int, command: str) -> str | None:
    match part:
        case "options":
            return options.fault(bench.folder.parent / "work", bench.folder, number)
        case "archive":
            return bench.archive(number)
        case "ledger":
            return bench.ledger(number)
    return bench.dataset(number, command)


def main() -> None:
    """Run all parts; exit code 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--part", choices=[*SHARES, "parquet"])
    parser.add_argument("--first", type=int, default=0, help="the number of the first input")
    given = parser.parse_args()
    cells = len(list(parquet.cells()))
    counts = {part: round(given.inputs * share) for part, share in SHARES.items()} | {
        "parquet": min(cells, given.inputs)
    }
    wrong = 0
    for part, count in counts.items() if given.part is None else [(given.part, given.inputs)]:
        start = time.perf_counter()
        found = 0
        for fault in faults(part, given.first, count):
            found += 1
            sys.stdout.write(f"  {fault}\n")
        sys.stdout.write(f"{part}: {count:,} inputs, {found} wrong, {time.perf_counter() - start:.0f} s\n")
        sys.stdout.flush()
        wrong += found
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
