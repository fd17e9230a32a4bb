"""Very many entities: refused where this machine cannot hold them, and a share of them looked at where all say no more."""

from __future__ import annotations

import json
import zlib

import pytest

from pqlkit.cli.app import run
from pqlkit.population import machine_memory, sampling
from tests.cli.sample import SOURCES, write_sample

LENGTH = ("--conversion-window", "14d", "--format", "json")


@pytest.fixture(autouse=True)
def sample(tmp_path, monkeypatch):
    write_sample(tmp_path)
    monkeypatch.chdir(tmp_path)


def test_the_memory_of_a_container_is_what_there_is(tmp_path, monkeypatch):
    whole = machine_memory.memory()
    assert whole is None or whole > 100_000_000
    bound = tmp_path / "memory.max"
    monkeypatch.setattr(machine_memory, "_CONTAINER", bound)
    bound.write_text("1000000\n")
    assert machine_memory.memory() == 1_000_000
    bound.write_text("max\n")
    assert machine_memory.memory() != 1_000_000


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
@pytest.mark.parametrize("line", [("score", "-d", "inviters.yml"), ("analyze", *LENGTH), ("explain", "--converters")])
def test_more_entities_than_fit_are_refused(monkeypatch, capsys, line, engine):
    monkeypatch.setattr(machine_memory, "memory", lambda: 100_000)
    assert run([*line, *SOURCES, "--engine", engine]) == 2
    told = capsys.readouterr().err
    assert "error: 360 entities take about 0.0 GB of memory, and this machine has 0.0 GB\n" in told
    assert "run it where there is more memory; analyze, try and propose look at a share of them: --sample 27%" in told


def test_a_share_that_fits_is_looked_at(monkeypatch, capsys):
    monkeypatch.setattr(machine_memory, "memory", lambda: 100_000)
    assert run(["analyze", *LENGTH, *SOURCES, "--sample", "27%"]) == 0
    assert json.loads(capsys.readouterr().out)["population"]["entities"] < 200


def test_of_very_many_entities_a_share_is_analyzed_and_that_is_said(monkeypatch, capsys):
    assert run(["analyze", *LENGTH, *SOURCES, "--sample", "0.4166"]) == 0
    expected = capsys.readouterr()
    monkeypatch.setattr(sampling, "MOST", 150)
    assert run(["analyze", *LENGTH, *SOURCES]) == 0
    told = capsys.readouterr()
    drawn = sum(zlib.crc32(f"pqlkit-sampleu{number:03}".encode()) % 10_000 < 4_166 for number in range(360))
    assert f"warning: of 360 users {drawn} are looked at, drawn by a hash of their ids" in told.err
    assert "--sample 100% looks at all" in told.err
    found, same = json.loads(told.out), json.loads(expected.out)
    assert found["population"] == same["population"]
    assert found["behaviours"] == same["behaviours"]
    assert run(["analyze", *LENGTH, *SOURCES, "--sample", "100%"]) == 0
    assert "are looked at" not in capsys.readouterr().err


def test_a_list_of_leads_leaves_nobody_out(monkeypatch, capsys):
    monkeypatch.setattr(sampling, "MOST", 150)
    assert run(["score", "-d", "inviters.yml", *SOURCES, "--format", "csv"]) == 0
    told = capsys.readouterr()
    assert len(told.out.splitlines()) == 361
    assert "are looked at" not in told.err
