"""Damaged datasets, ledgers and archives: every command ends well, or says in one line what is damaged."""

from __future__ import annotations

import io
import os
import random
import shutil
import sqlite3
import zipfile
from contextlib import chdir, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.cli.sample import SOURCES, write_sample
from tests.fuzz import damage
from tests.fuzz.attempt import attempt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DATA: Final = ("--data", "damaged", "--format", "json")
WINDOW: Final = ("--conversion-window", "14d")
COMMANDS: Final[dict[str, Sequence[str]]] = {
    "score": ("score", "-d", "inviters.yml", *DATA),
    "validate": ("validate", "inviters.yml", *DATA),
    "try": ("try", "invite >= 2 in 7d", *DATA, *WINDOW),
    "report": ("report", "-d", "inviters.yml", *DATA),
    "analyze": ("analyze", *DATA, *WINDOW),
    "explain": ("explain", "u001", "-d", "inviters.yml", *DATA),
    "append": ("load", *SOURCES, "--append", "--out", "damaged"),
    "propose": ("propose", *DATA, *WINDOW, "--permutations", "0", "--max-rules", "100000"),
}
ZIPPED: Final = b"user_id,event,timestamp\n" + b"".join(
    b"u%d,login,2026-01-0%dT00:00:00Z\n" % (n, n % 9 + 1) for n in range(40)
)


@dataclass(frozen=True, slots=True)
class Bench:
    """A folder with a sample product's exports, its dataset and its ledger, to be copied and damaged."""

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> Bench:
        """Make it."""
        write_sample(folder, users=120)
        with chdir(folder):
            assert attempt(["load", *SOURCES, "--out", "data"]).code == 0
            scored = attempt(
                ["score", "-d", "inviters.yml", "--data", "data", "--ledger", "whole.ledger", "--out", "leads.csv"]
            )
            assert scored.code == 0, scored.said
        return cls(folder)

    def dataset(self, seed: int, name: str) -> str | None:
        """Damage a file of the dataset and run a command on it; say what is wrong with what it did."""
        dice = random.Random(f"dataset {seed}")
        damaged = self.folder / "damaged"
        shutil.rmtree(damaged, ignore_errors=True)
        shutil.copytree(self.folder / "data", damaged)
        files = sorted(path for path in damaged.rglob("*") if path.is_file())
        chosen = dice.choice([path for path in files if path.name == "manifest.json"] * 3 + files)
        how = damage.file(chosen, dice)
        with chdir(self.folder):
            done = attempt(COMMANDS[name])
        assert "Usage:" not in done.said, done.said  # a command that the command line refuses tries nothing
        wrong = done.fault()
        return None if wrong is None else f"dataset {seed}, {name}, {chosen.relative_to(damaged)} {how}: {wrong}"

    def ledger(self, seed: int) -> str | None:
        """Damage the ledger and score with it."""
        dice = random.Random(f"ledger {seed}")
        path = self.folder / "damaged.ledger"
        path.unlink(missing_ok=True) if not path.is_dir() else path.rmdir()
        shutil.copy(self.folder / "whole.ledger", path)
        if dice.random() < 0.4:
            how = _statement(path, dice)
        else:
            how = damage.file(path, dice)
        with chdir(self.folder):
            line = ["score", "-d", "inviters.yml", "--data", "data", "--ledger", path.name, "--out", "out.csv"]
            wrong = attempt([*line, "--format", "csv"]).fault()
        return None if wrong is None else f"ledger {seed}, {how}: {wrong}"

    def archive(self, seed: int) -> str | None:
        """Load a ZIP archive that is damaged, or packed in a way that is not read."""
        dice = random.Random(f"archive {seed}")
        path = self.folder / "events.zip"
        packed = io.BytesIO()
        with zipfile.ZipFile(
            packed, "w", dice.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
        ) as made:
            for number in range(dice.choice([1, 1, 2])):
                made.writestr(f"events-{number}.csv", ZIPPED)
        content = bytearray(packed.getvalue())
        if dice.random() < 0.5:
            _mark(content, dice)
        else:
            content = bytearray(damage.bytes_of(bytes(content), dice))
        path.write_bytes(content)
        with chdir(self.folder):
            wrong = attempt(["load", "--events", path.name, "--out", f"unpacked-{os.getpid()}"]).fault()
        return None if wrong is None else f"archive {seed}: {wrong}"


def _mark(content: bytearray, dice: random.Random) -> None:
    """Change the flags (encrypted ...) or the method of packing, in both of an archive's places."""
    value = dice.choice([9, 12, 14, 93, 95, 96, 97, 98, 99, 1, 6]) if dice.random() < 0.6 else None
    flags = dice.randrange(65536)
    for magic, flag, method in ((b"PK\x03\x04", 6, 8), (b"PK\x01\x02", 8, 10)):
        at = content.find(magic)
        while at >= 0:
            place, number = (at + method, value) if value is not None else (at + flag, flags)
            content[place : place + 2] = number.to_bytes(2, "little")
            at = content.find(magic, at + 4)


def _statement(path: Path, dice: random.Random) -> str:
    """Change what the ledger holds, by SQL that pqlkit never runs."""
    statement = dice.choice(
        (
            "DROP TABLE runs",
            "DROP TABLE starts",
            "DROP TABLE memories",
            "DROP TABLE outbox",
            "DELETE FROM memories",
            "UPDATE memories SET known = x'00'",
            "UPDATE memories SET known = zeroblob(1000)",
            "UPDATE runs SET hash = CAST(x'fffe' AS TEXT)",
            "UPDATE starts SET id = CAST(x'ff' AS TEXT)",
            "UPDATE runs SET as_of = -9223372036854775808",
            "UPDATE runs SET as_of = 9223372036854775807",
            "UPDATE starts SET arm = 'nobody'",
            "UPDATE runs SET finished = 0",
            "UPDATE runs SET file_hash = NULL",
            "ALTER TABLE runs DROP COLUMN hash",
            "ALTER TABLE starts RENAME COLUMN id TO who",
            "PRAGMA user_version = 99",
            "PRAGMA application_id = 7",
            "UPDATE runs SET new = 9223372036854775807",
            "CREATE TEMP TABLE again AS SELECT * FROM runs; UPDATE again SET run = run + 1, entity = 'account';"
            " INSERT INTO runs SELECT * FROM again",
            "INSERT INTO outbox VALUES ('k', 1, 1, x'ff', 0)",
        )
    )
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(statement)
        connection.commit()
    return statement
