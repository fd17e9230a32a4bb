"""Where the events export begins is one fact: every command that reads it counts the same people."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.rates.simulated import shell

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
EXPORTS = (
    "--events",
    "events.csv",
    "--users",
    "users.csv",
    "--conversions",
    "conversions.csv",
    "--as-of",
    "2026-08-01",
)
STATED = ("--events-from", "2026-01-01")


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """Two signups a day; the first 60 do nothing at all, then every second one acts; acting or not, every fifth or tenth pays."""
    tables: dict[str, list[list[str]]] = {
        "users": [["user_id", "signed_up_at"]],
        "events": [["user_id", "event", "timestamp"]],
        "conversions": [["user_id", "converted_at"]],
    }
    for i in range(200):
        at = BEGIN + timedelta(hours=12 * i)
        tables["users"].append([f"u{i}", at.isoformat()])
        acts = i >= 60 and i % 2 == 0
        if acts:
            tables["events"].append([f"u{i}", "act", (at + timedelta(days=2)).isoformat()])
        if (acts and i % 10 == 0) or (not acts and i % 20 == 1):
            tables["conversions"].append([f"u{i}", (at + timedelta(days=20)).isoformat()])
    for name, rows in tables.items():
        with (tmp_path / f"{name}.csv").open("w") as file:
            csv.writer(file).writerows(rows)
    rule = "pqlkit: 1\nname: x\nentity: user\nqualify: {event: act, within: 14d}\noutcome: {within: 30d}\n"
    (tmp_path / "x.yml").write_text(rule)
    return tmp_path


def told(product: Path, *arguments: str) -> Any:
    found = shell(product, *arguments, *EXPORTS, "--format", "json", "--quiet")
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def sides(record: Any) -> list[tuple[int, int]]:
    return [(record[side]["converted"], record[side]["snapshots"]) for side in ("with", "without")]


COUNTED = [(14, 70), (10, 130)]


def test_every_command_honours_what_the_command_line_says(product: Path) -> None:
    reported = told(product, "report", "-d", "x.yml", *STATED)["funnel"]
    assert sides(reported["snapshot"]) == COUNTED
    assert (reported["signups"], reported["pqls"], reported["customers"]) == (200, 70, 24)
    tried = told(product, "try", "act >= 1 in 14d", "--snapshots", "once:14d", *STATED)
    assert sides(tried) == COUNTED
    for command in (("score", "-d", "x.yml"), ("explain", "-d", "x.yml", "u70"), ("validate", "x.yml")):
        found = shell(product, *command, *EXPORTS, *STATED)
        assert found.returncode == 0, found.stderr


def test_who_is_left_out_is_said_and_in_no_figure(product: Path) -> None:
    told_ = told(product, "report", "-d", "x.yml")
    funnel = told_["funnel"]
    assert (funnel["signups"], funnel["pqls"]) == (136, 68)
    assert told_["qualifications"] == {
        "starts": 68,
        "entities": 68,
        "complete": 68,
        "in_progress": 0,
        "too_soon": 0,
        "unrated": 0,
    }
    assert funnel["left_out"] == [{"reason": "unobserved", "entities": 64, "customers": 5}]
    assert funnel["customers_without_use"] == {"never": 6, "dormant": 0}
    shown = shell(product, "report", "-d", "x.yml", *EXPORTS)
    assert "In neither funnel: 64 from before the events export could show a" in shown.stdout
    assert "Of the 6 who were never PQLs, 6 had no event before they converted" in shown.stdout
    everybody = told(product, "report", "-d", "x.yml", *STATED)["funnel"]
    assert everybody["left_out"] == []


def test_the_project_file_says_it_once_for_all(product: Path) -> None:
    stated = told(product, "report", "-d", "x.yml", *STATED)
    (product / "pqlkit.yml").write_text("pqlkit: 1\nevents_from: 2026-01-01\n")
    assert told(product, "report", "-d", "x.yml") == stated
    assert told(product, "analyze")["population"]["unobserved"] == 0
    # The command line wins over the project file, and so does the command's own section.
    later = told(product, "report", "-d", "x.yml", "--events-from", "2026-02-02")
    assert later["funnel"]["signups"] == 136
    (product / "pqlkit.yml").write_text("pqlkit: 1\nevents_from: 2026-01-01\nreport: {events_from: 2026-02-02}\n")
    assert told(product, "report", "-d", "x.yml") == later


def test_what_is_no_beginning_is_refused(product: Path) -> None:
    late = shell(product, "report", "-d", "x.yml", *EXPORTS, "--events-from", "2026-08-02")
    assert late.returncode == 2
    assert "--events-from: 2026-08-02 lies after the last moment that exists, on 2026-08-01" in late.stderr
    (product / "pqlkit.yml").write_text("pqlkit: 1\nevents_from: [2026]\n")
    wrong = shell(product, "report", "-d", "x.yml", *EXPORTS)
    assert wrong.returncode == 2
    assert "pqlkit.yml:2:14" in wrong.stderr
