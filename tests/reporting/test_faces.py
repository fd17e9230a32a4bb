"""Results in a notebook: short in a REPL, the screen when printed, a table of the answer as HTML, and frames of any library."""

from __future__ import annotations

import json
import re
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest

import pqlkit as pq
from pqlkit.reporting.renderers import analysis as render
from pqlkit.reporting.renderers.correlation import answer_of, risk
from tests.analysis.canonical import in_memory
from tests.cli.sample import write_sample
from tests.reporting import worlds


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> pq.Analysis:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    data = pq.open_dataset(**{name: str(folder / f"{name}.csv") for name in ("events", "users", "conversions")})  # type: ignore[arg-type]
    return pq.analyze(pq.population_of(data, pq.Project()), snapshots="once:7d", conversion_window="14d")


def test_a_result_is_a_line_in_a_repl_and_its_screen_when_printed(found: pq.Analysis) -> None:
    assert repr(found).startswith("<Analysis users=")
    assert "top='invite " in repr(found)
    assert len(repr(found)) < 200
    assert str(found).startswith("Users with ")
    assert max(map(len, str(found).splitlines())) <= 80
    people = found.observed.population
    trial = pq.try_(people, "invite >= 2 in 7d", conversion_window="14d")
    assert repr(trial).startswith("<Trial text='invite >= 2 in 7d' with=")
    assert repr(people).startswith("<Population users=")
    leads = pq.score(people, trial.definition)
    assert repr(leads) == f"<Leads definition=hypothesis users={leads.frame.height}>"
    assert repr(pq.report(people, trial.definition)).startswith("<Report definition=hypothesis periods=")


def test_records_within_a_result_are_their_name_and_how_many_they_count(found: pq.Analysis) -> None:
    observed = found.observed
    assert repr(observed) == f"Observed({len(observed.y)})"
    assert repr(observed.snapshots) == f"Snapshots({observed.snapshots.frame.height})"
    assert repr(observed.cube) == f"Cube({len(observed.cube.behaviours)})"
    assert repr(found.behaviours[0]) == f"Association({found.behaviours[0].table.n1})"
    results = worlds.results()
    for nested in (*results.analysis.cohorts, *results.analysis.comparison, *results.proposal.candidates):
        assert re.fullmatch(r"\w+\(\d+\)", repr(nested)), repr(nested)
    assert repr(results.proposal.search).startswith("Search(")


def test_a_table_is_a_frame_with_the_columns_of_the_csv(found: pq.Analysis) -> None:
    table = found.table()
    assert table.columns == render.as_csv(found).splitlines()[0].split(",")
    assert table.height == len(found.behaviours)
    assert table["with.rate"].dtype == pl.Float64


def test_a_notebook_gets_no_script_and_names_that_are_text() -> None:
    day = 86_400_000_000
    paid = {n for n in range(400) if (n % 4 == 0 and n % 3) or n % 25 == 1}
    users = [{"id": f"u{n}", "anchor": n, "converted": n + 20 * day if n in paid else None} for n in range(400)]
    events = [(f"u{n}", worlds.SCRIPT if n % 4 == 0 else "login", day) for n in range(400)]
    found = pq.analyze(in_memory(users, events, as_of=200 * day), snapshots="once:14d")
    page = found._repr_html_()
    assert "<script" not in page
    assert "&lt;script" in page
    assert page.count("<tr>") >= 2
    assert "An association: it says who converts, not why." in page


def test_intervals_in_objects_are_those_of_the_screen(found: pq.Analysis) -> None:
    best = answer_of(found)
    assert best is not None
    assert best.table.relative_risk() == risk(best)
    assert best.table.design_effect == best.design_effect
    row = next(row for row in json.loads(render.as_json(found))["behaviours"] if row["event"] == best.behaviour.event)
    assert row["with"]["snapshots"] > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"conversion_window": 14}, "conversion_window: 14 has no unit"),
        ({"conversion_window": "14"}, "conversion_window: 14 has no unit"),
        ({"snapshot": "once:7d"}, "there is no option 'snapshot'"),
        ({"snapshots": "sometimes"}, "'sometimes' is not a design of snapshots"),
        ({"measures": "cuont"}, "cuont"),
    ],
)
def test_what_cannot_be_read_is_refused(found: pq.Analysis, options: dict[str, Any], message: str) -> None:
    for step in (pq.analyze, pq.propose):
        with pytest.raises(pq.PqlkitError, match=message):
            step(found.observed.population, **options)
    with pytest.raises(pq.PqlkitError, match=message):
        pq.try_(found.observed.population, "invite >= 2", **options)


def test_options_are_spelled_as_on_the_command_line() -> None:
    made = pq.ProposeOptions(capacity="50/week", min_rate="15%")  # type: ignore[arg-type]
    assert (made.capacity, made.min_rate) == (50.0, 0.15)
    settings = pq.Settings(windows=["3d", "7d"], measures="count,days", conversion_window="2w")  # type: ignore[arg-type]
    assert [str(window) for window in settings.windows or ()] == ["3d", "7d"]
    assert settings.conversion_window == pq.Duration.parse("14d")


def test_frames_of_any_library_are_taken() -> None:
    plain = pl.DataFrame(
        {"user_id": ["u1", "u2"], "event": ["login", "invite"], "timestamp": ["2026-01-02T10:00:00Z"] * 2}
    )
    pandas = pd.DataFrame(plain.to_dict(as_series=False))
    kinds: list[Any] = [plain, plain.lazy(), pandas, plain.to_arrow(), duckdb.from_arrow(plain.to_arrow())]
    for frame in kinds:
        data = pq.dataset_of(events=frame)
        assert data.intake.tables["events"].kept == 2, type(frame)
    with pytest.raises(pq.UsageError, match="events: list is no frame"):
        pq.dataset_of(events=[1, 2])  # type: ignore[arg-type]
