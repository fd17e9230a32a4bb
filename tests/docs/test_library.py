"""The library page is one session that runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.sample import write_sample

PAGE = Path(__file__).parents[2] / "docs" / "library.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def test_the_session_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    write_sample(tmp_path)
    monkeypatch.chdir(tmp_path)
    session: dict[str, object] = {}
    for block in BLOCKS:
        exec(compile(block, str(PAGE), "exec"), session)
    found, leads, report = session["found"], session["leads"], session["report"]
    assert found.behaviours[0].behaviour.event == "invite"  # type: ignore[attr-defined]
    assert leads.frame.height == 360  # type: ignore[attr-defined]
    assert 0 < report.funnel.pql_to_customer.rate < 1  # type: ignore[attr-defined]
    assert "invite" in capsys.readouterr().out


def test_frames_and_files_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import polars as pl

    import pqlkit as pq

    write_sample(tmp_path)
    monkeypatch.chdir(tmp_path)
    names = ("events", "users", "conversions")
    frames = pq.dataset_of(**{name: pl.scan_csv(f"{name}.csv") for name in names})  # type: ignore[arg-type]
    files = pq.open_dataset(**{name: f"{name}.csv" for name in names})  # type: ignore[arg-type]
    project, settings = pq.Project(), pq.Settings(snapshots="once:7d", conversion_window=pq.Duration.parse("14d"))
    one, other = (pq.as_record(pq.analyze(pq.population_of(data, project), settings)) for data in (frames, files))
    assert one == other


def test_frames_are_checked_like_files() -> None:
    import polars as pl

    import pqlkit as pq

    with pytest.raises(pq.DataError, match="timestamp"):
        pq.dataset_of(events=pl.DataFrame({"user_id": [1], "event": ["login"], "timestmp": ["2026-01-01"]}))


def test_the_page_names_only_what_is_public() -> None:
    import pqlkit

    used = set(re.findall(r"\bpq\.(\w+)", PAGE.read_text(encoding="utf-8")))
    assert used <= set(pqlkit.__all__)
    assert len(BLOCKS) == 6
