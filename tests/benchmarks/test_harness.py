"""The benchmarks' harness on a world of seconds: every way gives the same answer, and a wrong one is refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from pqlkit.cli.app import run
from tests.benchmarks import __main__ as bench
from tests.benchmarks import asked, rivals
from tests.benchmarks.answers import ANSWERS, main
from tests.benchmarks.by_hand import WAYS
from tests.benchmarks.make_events import make_events
from tests.benchmarks.peer_tools import f1, met_by
from tests.benchmarks.process import Cost, FailedError, measure
from tests.benchmarks.results import Results, Row, render


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    make_events(folder, 60_000)
    return folder


@pytest.mark.parametrize("criteria", asked.CRITERIA)
def test_the_lead_lists_are_the_same_to_the_byte(world, tmp_path, monkeypatch, criteria):
    outs = {name: tmp_path / f"{name}.csv" for name in ("pqlkit", "duckdb", "polars", "pandas")}
    assert run(asked.score(world, criteria, outs["pqlkit"])[1:]) == 0
    # Of the rivals the one that is installed where tests run; the others are held to the same when the benchmarks run.
    monkeypatch.setattr(sys, "argv", ["rivals", "pandas", criteria, str(world), str(outs["pandas"])])
    rivals.main()
    for name in ("duckdb", "polars"):
        WAYS[f"score-{name}-{criteria}"](world, outs[name])
    assert len({ANSWERS["score"](path) for path in outs.values()}) == 1
    assert outs["pqlkit"].read_text().count(",pql,") > 3


def test_the_counts_are_the_same_at_every_threshold(world, tmp_path):
    own = tmp_path / "pqlkit.json"
    assert run(asked.analyze(world, own)[1:]) == 0
    ways = [name for name in WAYS if name.startswith("analyze-")]
    for name in ways:
        WAYS[name](world, tmp_path / f"{name}.parquet")
    answers = {ANSWERS["analyze"](path) for path in (own, *(tmp_path / f"{name}.parquet" for name in ways))}
    assert len(answers) == 1


def test_a_list_that_differs_is_refused(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("user_id\nu1\n")
    (tmp_path / "b.csv").write_text("user_id\nu2\n")
    monkeypatch.setattr(sys, "argv", ["answers", "score", str(tmp_path / "a.csv"), str(tmp_path / "b.csv")])
    with pytest.raises(SystemExit, match="differ"):
        main()


def test_a_process_is_measured_stopped_and_its_failure_told(tmp_path):
    cost = measure([sys.executable, "-c", "b'x' * 300_000_000"], log=tmp_path / "log")
    assert 0 < cost.cpu <= 2 * cost.wall + 1
    assert cost.gigabytes > 0.29
    with pytest.raises(FailedError, match="oh no"):
        measure([sys.executable, "-c", "raise SystemExit('oh no')"], log=tmp_path / "log")
    with pytest.raises(FailedError, match="in time"):
        measure([sys.executable, "-c", "import time; time.sleep(30)"], log=tmp_path / "log", timeout=0.3)


def test_results_come_back_and_say_what_was_not_reached(tmp_path):
    fast, slow = (Cost(wall=w, cpu=w, gigabytes=1.5, load=0.0) for w in (1.0, 2.0))
    made = Results(
        races={
            "score, rare, 5M events": (
                "2 answers agree",
                [Row(way="pqlkit", cost=slow), Row(way="DuckDB SQL", cost=fast)],
            )
        }
    )
    made.write(tmp_path / "results.json")
    page = render(Results.read(tmp_path / "results.json"))
    assert "| score, rare, 5M events | 1 x DuckDB SQL | 2.00 x | 2.00 x | no | 1.50 | 1 | no |" in page


def test_snapshots_at_calendar_moments_are_held_against_one_snapshot_to_a_user(world, tmp_path):
    race = bench.every(world, tmp_path, "60k events")
    for one in race.contenders:
        assert run(one.command[1:]) == 0
    costs = (Cost(wall=w, cpu=w, gigabytes=1.5, load=0.0) for w in (3.0, 2.0))
    race.found = dict(zip((one.name for one in race.contenders), costs, strict=True))
    page = render(Results(races={race.title: ("", bench.rows(race))}))
    assert "| every, 60k events | 2 x pqlkit, snapshots once:14d | 1.50 x | 1.50 x | yes | 1.50 | 3 | yes |" in page
    assert "Ratios are to snapshots once:14d." in page


def test_a_foreign_rule_is_recounted():
    levels = np.array([[0, 3], [2, 1], [2, 4], [5, 0]])
    met = met_by(levels, [(0, ">=", 2), (1, "<", 4)])
    assert met.tolist() == [False, True, False, True]
    assert f1(met, np.array([False, True, True, False])) == 0.5
