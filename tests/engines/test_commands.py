"""Whole commands: the same bytes from every engine, and hardly more that comes to this machine when events are ten times as many."""

from __future__ import annotations

import shutil
from contextlib import chdir
from typing import TYPE_CHECKING

import pytest

from pqlkit.cli.app import run
from pqlkit.engines import ENGINES
from tests.cli.sample import write_sample
from tests.engines.servers import spark_remote, started

if TYPE_CHECKING:
    from pathlib import Path

OTHERS = [name for name in ENGINES if name != "polars"]
LENGTH = ("--conversion-window", "14d", "--format", "json")
LINES = {
    "analyze": ("analyze", *LENGTH),
    "try": ("try", "invite >= 2 in 7d", *LENGTH),
    "propose": ("propose", "--permutations", "0", *LENGTH),
    "score": ("score", "-d", "inviters.yml", "--format", "csv"),
    "report": ("report", "-d", "inviters.yml", "--format", "json"),
    "explain": ("explain", "u003", "-d", "inviters.yml"),
    "converters": ("explain", "--converters"),
    "validate": ("validate", "inviters.yml"),
}
"""One line of each command that asks an engine."""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample as `load` leaves it, with each event ten times (``data``) and a hundred times (``ten``), microseconds apart."""
    place = tmp_path_factory.mktemp("commands")
    write_sample(place, users=150)
    head, *rows = (place / "events.csv").read_text().splitlines()
    with chdir(place):
        for name, times in (("data", 10), ("ten", 100)):
            lines = [f"{row[:-1]}.{number:06d}Z" for row in rows for number in range(times)]
            (place / "events.csv").write_text("\n".join([head, *lines]) + "\n")
            sources = ("--events", "events.csv", "--users", "users.csv", "--conversions", "conversions.csv")
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
        return told.out, sum(brought)

    return answer


def _weighed(collect, brought):
    def weighed(self, frame):
        table = collect(self, frame)
        brought.append(table.estimated_size())
        return table

    return weighed


SEARCHED = [pytest.param(line, marks=pytest.mark.slow) if line == "propose" else line for line in LINES]
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
