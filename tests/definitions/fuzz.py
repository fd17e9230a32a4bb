"""A fuzzer for files and expressions: ``python tests/definitions/fuzz.py --inputs 100000``.

Inputs are library files with damage, random bytes, and trees of known keys with senseless values. Each must give a
definition or diagnostics with places that exist, within bounds of time and memory, and what is read must survive being
emitted and described. Batches run in processes of their own, so that a crash of the interpreter is found too; a failure is
printed with its seed and number, and ``--seed S --only N`` shows that input.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import replace
from pathlib import Path

import yaml

from pqlkit.definitions.codes import FORM
from pqlkit.definitions.describing import describe, evidence, missing
from pqlkit.definitions.documents import Unresolved, check_definition
from pqlkit.definitions.emitting import emit, plain
from pqlkit.definitions.expression import expression, parse_expression
from pqlkit.definitions.model import leaves
from pqlkit.definitions.shape import Form
from pqlkit.definitions.yaml_source import LARGEST, parse
from pqlkit.durations import Duration
from pqlkit.errors import UsageError
from pqlkit.shipped import shipped

BATCH = 2000
SECONDS = 3.0
MEGABYTES = 1000
EXAMPLES = [path.read_bytes() for path in sorted(shipped("definitions").glob("*.yml"))]
TOKENS = [
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b": ",
        b", ",
        b"- ",
        b"? ",
        b"#",
        b"&a ",
        b"*a",
        b"!",
        b"!!str ",
        b"|",
        b">",
        b"'",
        b'"',
    ),
    *(
        b"%",
        b"@",
        b"`",
        b"\t",
        b"\n",
        b"\r\n",
        b"\r",
        b"  ",
        b"---\n",
        b"...\n",
        b"<<: ",
        b"\xef\xbb\xbf",
        b"\x00",
        b"\xff",
    ),
    *(
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"\xe2\x80\xae",
        b"\x1b[31m",
        b"yes",
        b"no",
        b"12:30",
        b"010",
        b"1e3",
        b".inf",
        b"null",
    ),
    *(
        b"2026-02-30",
        b"9" * 400,
        b"-1",
        b"0",
        b"1.5",
        b"7d",
        b"0d",
        b"9999999999w",
        b"15%",
        b"(?=x)",
        b"((a{9}){9}){9}",
    ),
    *(
        b"all: ",
        b"any: ",
        b"not: ",
        b"n_of: ",
        b"of: ",
        b"event: ",
        b"ref: x",
        b"id: a",
        b"where: ",
        b"measure: ",
        b"sum",
    ),
    *(
        b"qualify: ",
        b"outcome: ",
        b"score: ",
        b"points: ",
        b"pql_at: 5",
        b"kind: milestone",
        b"evidence: ",
        b"x" * 5000,
    ),
]
VALUES: list[object] = [
    *(None, True, 0, 1, -5, 1.5, 10**30, float("inf"), "", "x", "yes", "7d", "15%", "a" * 3000, "🙂", "user", "signup"),
    *([], {}, ["a"], {"a": 1}, "any", "count", {"sum": "x"}, {"percent": 80, "of": 100}, {"event": "a"}, "2026-01-01"),
]


def forms() -> list[type[Form]]:
    """List every form there is."""
    found, queue = [], [Form]
    while queue:
        form = queue.pop()
        found.append(form)
        queue += form.__subclasses__()
    return found[1:]


KEYS = sorted({key for form in forms() for key in form.keys()})  # noqa: SIM118 - a method, not a mapping's


def make(rng: random.Random) -> bytes:
    """Make one input."""
    kind = rng.random()
    if kind < 0.7:
        return damaged(rng)
    if kind < 0.8:
        return rng.randbytes(rng.randrange(200))
    if kind < 0.9:
        return b"".join(rng.choices(TOKENS, k=rng.randrange(1, 60)))
    return yaml.safe_dump(tree(rng, 0), allow_unicode=True, sort_keys=False).encode()


def damaged(rng: random.Random) -> bytes:
    text = bytearray(rng.choice(EXAMPLES))
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at, length = rng.randrange(len(text) + 1), rng.choice((1, 1, 2, 5, 20, 100))
        match rng.randrange(7):
            case 0:
                del text[at : at + length]
            case 1:
                text[at:at] = text[at : at + length]
            case 2:
                text[at:at] = rng.choice(TOKENS)
            case 3:
                text[at : at + length] = rng.choice(TOKENS)
            case 4:
                text[at : at + 1] = rng.randbytes(1)
            case 5:
                other = rng.choice(EXAMPLES)
                text[at:] = other[rng.randrange(len(other)) :]
            case _:
                often = rng.choice((2, 50, 1000)) if rng.random() < 0.98 else 200_000
                token = rng.choice(TOKENS)
                text[at:at] = (token * min(often, 1_100_000 // max(len(token), 1) + 1))[:1_100_000]
    return bytes(text)


def tree(rng: random.Random, depth: int) -> object:
    if depth > 6 or rng.random() < 0.3:
        return rng.choice(VALUES)
    if rng.random() < 0.25:
        return [tree(rng, depth + 1) for _ in range(rng.randrange(4))]
    whole = (
        {"pqlkit": 1, "name": "x", "entity": "user", "within": "7d", "outcome": {"within": "30d"}} if depth == 0 else {}
    )
    return {**whole, **{rng.choice(KEYS): tree(rng, depth + 1) for _ in range(rng.randrange(6))}}


def try_one(content: bytes) -> None:
    """Read one input and everything that can be made of it; raises on any broken promise."""
    document = parse(content, "fuzz.yml")
    definition, found = check_definition(document, lambda name: Unresolved(f"no {name!r:.50}"))
    lines = document.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for fault in found:
        assert fault.code in FORM, fault
        assert fault.message.isprintable() or len(fault.message) < 2000, fault
        if document.text:
            assert 1 <= fault.line <= fault.end_line <= len(lines), fault
            assert 1 <= fault.column <= len(lines[fault.line - 1]) + 1, fault
    assert definition is not None or found
    if definition is not None:
        written = emit(definition)
        if len(written.encode()) <= LARGEST:  # escapes are longer than the invisible characters they stand for
            again, faults = check_definition(parse(written, "fuzz.yml"))
            assert again is not None, faults
            assert again == definition
            assert repr(plain(again)) == repr(plain(definition))
        assert describe(replace(definition))
        for part in leaves(definition.qualify):
            evidence(part, 3)
            missing(part, 0.5, limit=7)
    try_expression(content.decode("utf-8", "replace")[:300])


def try_expression(text: str) -> None:
    try:
        node = parse_expression(text, windows=[Duration(7, "d")])
    except UsageError as error:
        node, refusal = None, str(error)
    if node is None:
        assert len(refusal) < 1000, refusal
    else:
        assert parse_expression(expression(node)) == node


def peak_kilobytes() -> int:
    """Give this process's peak; ru_maxrss would be its parent's, which a child inherits through exec."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def run_batch(seed: int, inputs: int, progress: Path | None = None, only: int | None = None) -> int:
    """Try the inputs of one seed in this process; give 1 at the first that breaks a promise."""
    rng = random.Random(seed)
    handle = os.open(progress, os.O_RDWR) if progress is not None else None
    for number in range(inputs):
        content = make(rng)
        if only is not None and number != only:
            continue
        if handle is not None:
            os.pwrite(handle, b"%10d" % number, 0)
        started = time.process_time()
        try:
            try_one(content)
            taken = time.process_time() - started
            assert taken < SECONDS, f"took {taken:.1f} s"
            assert peak_kilobytes() < MEGABYTES * 1024, "too much memory"
        except Exception:  # noqa: BLE001 - whatever it is, it is the finding
            traceback.print_exc()
            print(f"seed {seed}, input {number}: {content[:2000]!r}", file=sys.stderr)
            return 1
    return 0


def run(inputs: int, seed: int) -> list[str]:
    """Try `inputs` inputs in batches, each in a process of its own; give one line or trace per failure."""
    failures = []
    for batch in range(0, inputs, BATCH):
        with tempfile.NamedTemporaryFile() as progress:
            command = [sys.executable, str(Path(__file__)), "--batch", str(seed + batch), "--progress", progress.name]
            command += ["--inputs", str(min(BATCH, inputs - batch))]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                last = Path(progress.name).read_text().strip() or "0"
                failures.append(f"seed {seed + batch}, input {last}: exit {done.returncode}\n{done.stderr[-4000:]}")
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz the reading of definitions.")
    parser.add_argument("--inputs", type=int, default=BATCH)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="try this input of the seed alone")
    parser.add_argument("--batch", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--progress", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.batch is not None:
        return run_batch(options.batch, options.inputs, options.progress)
    if options.only is not None:
        return run_batch(options.seed, options.only + 1, only=options.only)
    started = time.monotonic()
    failures = run(options.inputs, options.seed)
    print(*failures, sep="\n")
    print(f"{options.inputs} inputs, {len(failures)} failed batches, {time.monotonic() - started:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
