"""Whole commands: the same bytes from every engine, and hardly more that comes to this machine when events are ten times as many.

The events of both worlds are drawn anew: entities have the same habits and do what they do ten times as often, at other moments.
"""

from __future__ import annotations

import shutil
from contextlib import chdir
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from pqlkit.cli.app import run
from pqlkit.durations import DAY
from pqlkit.engines import ENGINES
from tests.cli.sample import START, write_sample
from tests.engines.servers import spark_remote, started

if TYPE_CHECKING:
    from pathlib import Path

OTHERS = [name for name in ENGINES if name != "polars"]
LENGTH = ("--conversion-window", "14d", "--format", "json")
TRAILING = ("--snapshots", "every:7d", "--windows", "7d,14d", "--format", "json")
LINES = {
    "analyze": ("analyze", *LENGTH),
    "try": ("try", "invite >= 2 in 7d", *LENGTH),
    "propose": ("propose", "--permutations", "0", *LENGTH),
    "score": ("score", "-d", "inviters.yml", "--format", "csv"),
    "report": ("report", "-d", "inviters.yml", "--format", "json"),
    "explain": ("explain", "u003", "-d", "inviters.yml"),
    "converters": ("explain", "--converters"),
    "validate": ("validate", "inviters.yml"),
    "analyze trailing": ("analyze", *TRAILING),
    "try trailing": ("try", "invite >= 2 in 7d", *TRAILING),
    "propose trailing": ("propose", "--permutations", "0", *TRAILING),
}
"""One line of each command that asks an engine."""


USERS = 150
HABITS = {"login": (0.9, 0.9), "invite": (0.9, 0.2), "export": (0.3, 0.3)}
"""Event -> the share of converters, and of all others, who do it at all."""


def draw_events(folder: Path, a_day: float, seed: int) -> pl.DataFrame:
    """Draw what the users of the sample do in their first four weeks: the habits are the same in every world, the moments are not."""
    converters = set(pl.read_csv(folder / "conversions.csv").get_column("user_id"))
    habits, dice = np.random.default_rng(1), np.random.default_rng(seed)
    parts = []
    for number in range(USERS):
        name, signup = f"u{number:03}", START + timedelta(hours=6 * number)
        for event, shares in HABITS.items():
            if habits.random() < shares[name not in converters]:
                moments = dice.integers(0, 28 * DAY, dice.poisson(28 * a_day))
                parts.append(
                    pl.DataFrame({"after": moments}).select(
                        user_id=pl.lit(name),
                        event=pl.lit(event),
                        timestamp=pl.lit(signup) + pl.duration(microseconds="after"),
                    )
                )
    return pl.concat(parts)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's users as `load` leaves them: those of ``data`` do each of their things five times a day, those of ``ten`` fifty times."""
    place = tmp_path_factory.mktemp("commands")
    write_sample(place, users=USERS)
    with chdir(place):
        for seed, (name, a_day) in enumerate((("data", 5), ("ten", 50))):
            draw_events(place, a_day, seed).write_parquet("events.parquet")
            sources = ("--events", "events.parquet", "--users", "users.csv", "--conversions", "conversions.csv")
            assert run(["load", *sources, "--out", name, "--quiet"]) == 0
    return place


@pytest.fixture
def asked(folder, monkeypatch, capsys):
    """Run a line on an engine, and give what it prints and how many bytes it collected."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SPARK_REMOTE", spark_remote())
    brought: list[int] = []
    for name in ENGINES:
        kind = type(started(name))
        monkeypatch.setattr(kind, "collect", _weighed(kind.collect, brought))

    def answer(line: str, engine: str, data: str = "data") -> tuple[str, int]:
        brought.clear()
        shutil.rmtree("definitions", ignore_errors=True)  # what an earlier proposal wrote
        code = run([*LINES[line], "--data", data, "--engine", engine])
        told = capsys.readouterr()
        assert code == 0, told.err
        return told.out.replace(f"--engine {engine}", "--engine polars"), sum(brought)  # the next command names it

    return answer


def _weighed(collect, brought):
    def weighed(self, frame):
        table = collect(self, frame)
        brought.append(table.estimated_size())
        return table

    return weighed


SEARCHED = [pytest.param(line, marks=pytest.mark.slow) if line.startswith("propose") else line for line in LINES]
"""The commands; a search on three engines takes many seconds."""


@pytest.mark.parametrize("line", SEARCHED)
def test_every_engine_prints_the_same_bytes(asked, line):
    expected = asked(line, "polars")[0]
    assert [name for name in OTHERS if asked(line, name)[0] != expected] == []


@pytest.mark.parametrize("line", SEARCHED)
@pytest.mark.parametrize("engine", ["duckdb", pytest.param("spark", marks=pytest.mark.slow)])
def test_ten_times_the_events_bring_hardly_more(asked, line, engine):
    few, many = (asked(line, engine, data)[1] for data in ("data", "ten"))
    assert many < 1.01 * few, (few, many)
