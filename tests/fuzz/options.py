"""Senseless values of every option of every command, one, two or three at a time."""

from __future__ import annotations

import random
import shutil
from contextlib import chdir
from functools import cache
from typing import TYPE_CHECKING, Final

from pqlkit.cli.commands import loaded
from tests.fuzz.attempt import attempt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DATA: Final = ("--data", "data")
LINES: Final[dict[str, Sequence[str]]] = {
    "score": ("score", "-d", "inviters.yml", *DATA),
    "report": ("report", "-d", "inviters.yml", *DATA),
    "validate": ("validate", "inviters.yml"),
    "try": ("try", "invite >= 2 in 7d", *DATA, "--conversion-window", "14d"),
    "analyze": ("analyze", *DATA, "--conversion-window", "14d"),
    "explain": ("explain", "u001", "-d", "inviters.yml", *DATA),
    "init": ("init", "events.csv"),
    "load": ("load", "--events", "events.csv", "--out", "loaded"),
    "schema": ("schema", "definition"),
}
WORDS: Final = (
    *(
        "",
        " ",
        "-",
        "--",
        "0",
        "-1",
        "1",
        "3",
        "100%",
        "101%",
        "-5%",
        "0%",
        "5%",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "1_000",
        "٣",
        "½",
    ),
    *(
        "1d",
        "0d",
        "-3d",
        "14d",
        "99999999999999999999d",
        "1.5d",
        "1w",
        "1d,2d",
        ",",
        "d",
        "7d 7d",
        "P1D",
        "1h",
        "2026-02-30",
    ),
    *(
        "2026-03-01",
        "2026-03-01T00:00:00Z",
        "0001-01-01",
        "9999-12-31T23:59:59.999999Z",
        "2026-03-01+99:99",
        "tomorrow",
        "..",
        "a..b",
    ),
    *(
        "2026-01-01..2026-02-01",
        "2026-02-01..2026-01-01",
        "once:14d",
        "once:0d",
        "once:",
        "age:3d,3d",
        "every:1d",
        "every:99999d",
        "auto",
    ),
    *(
        "user",
        "account",
        "users",
        "login",
        "plan",
        "plan=free",
        "plan=",
        "=free",
        "invite >= 2 in 7d",
        "invite >= 1e400 in 7d",
        "((((",
    ),
    *(
        "count",
        "count,days",
        "csv",
        "json",
        "table",
        "ndjson",
        "parquet",
        "polars",
        "duckdb",
        "spark",
        "PQL101",
        "PQL999",
        "HEAD",
        "u001",
    ),
    *(
        "\x1b[31mred",
        "‮txt",
        "\udcff",
        "a\nb",
        "=cmd|' /C calc'!A0",
        "ü" * 300,
        "x" * 70_000,
        "[",
        "[1]",
        "*",
        "**/*",
        "?",
        "{}",
        "'",
        '"',
    ),
    *("user_id:id", "user_id=id,user_id=id", "150/week", "0/week", "1/year", "a,b,c", "inviters", "net", "hubspot"),
)
PLACES: Final = (
    *(
        "",
        ".",
        "..",
        "data",
        "data/manifest.json",
        "events.csv",
        "users.csv",
        "inviters.yml",
        "whole.ledger",
        "leads.csv",
        "new.csv",
    ),
    *(
        "no/such/folder/x.csv",
        "[1]",
        "a*",
        "\udcff",
        "ü",
        "x" * 300,
        "~nobody/x",
        "-",
        "events.csv/x",
        "s3://bucket/x",
        "https://x/y",
    ),
)
_PATHS: Final = {"FILE", "DIR", "PATH", "LEADS", "FILE..."}
_SLOW: Final = {"--permutations", "--max-rules", "--notify"}
"""Where a senseless value is only a long run, or a request to a server."""


@cache
def _options(name: str) -> list[tuple[str, str | None, bool]]:
    found = [param for param in loaded(name).params if param.param_type_name == "option" and param.opts[0] not in _SLOW]
    return [(param.opts[0], getattr(param, "metavar", None), bool(getattr(param, "is_flag", False))) for param in found]


def line(dice: random.Random) -> list[str]:
    """Make a command line."""
    name = dice.choice(list(LINES))
    words = list(LINES[name])
    for _ in range(dice.choice([1, 1, 2, 3])):
        option, metavar, flag = dice.choice(_options(name))
        value = dice.choice(PLACES if metavar in _PATHS and dice.random() < 0.8 else WORDS)
        if flag:
            words.append(option)
        elif metavar in _PATHS and option in {
            "--out",
            "--html",
            "--summary",
            "--save",
            "--catalogue",
            "--out-dir",
            "--ledger",
        }:
            words += [option, dice.choice(PLACES).replace("..", "up")]  # never out of the folder
        else:
            words += [option, value] if dice.random() < 0.9 else [f"{option}={value}"]
    return words


def fault(folder: Path, pristine: Path, seed: int) -> str | None:
    """Run a senseless command line on a copy of the sample; say what is wrong with what it did."""
    words = line(random.Random(f"options {seed}"))
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(pristine, folder)
    with chdir(folder):
        wrong = attempt(words).fault(findings=True)
    shown = [word if len(word) < 80 else f"{word[:20]}... ({len(word)})" for word in words]
    return None if wrong is None else f"options {seed}, {shown!r}: {wrong}"
