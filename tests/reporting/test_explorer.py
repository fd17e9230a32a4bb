"""The explorer: its counts are those of `pqlkit try`, in the page's data as in a browser that moves a threshold."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from pqlkit.definitions.model import MeasureKind
from pqlkit.proposal.trying import try_
from pqlkit.reporting.next_command import Invocation
from pqlkit.reporting.pages import explorer
from pqlkit.reporting.pages.markup import fraction
from pqlkit.reporting.renderers.correlation import as_shown
from tests.reporting import worlds
from tests.reporting.test_pages import browsed, page
from tests.tools import needs

if TYPE_CHECKING:
    from pathlib import Path

    from pqlkit.analysis.association import Association
    from pqlkit.proposal.trying import Trial
    from pqlkit.statistics.rate import Rate


@cache
def counts() -> dict[str, Any]:
    """Count every behaviour of the small world, not only the two that its page shows."""
    analysis = worlds.results().analysis
    rows: dict[str | None, Association] = {}
    for row in as_shown(analysis.behaviours):
        if row.behaviour.event != "pricing" and row.behaviour.measure.kind is MeasureKind.COUNT:
            rows.setdefault(row.behaviour.event, row)
    return explorer.explorer(analysis, list(rows.values()), Invocation(given={"data": "data set"}))


def tried(*expressions: str) -> Trial:
    found = worlds.results().analysis.observed
    return try_(found.population, " and ".join(expressions), settings=found.settings)


def both(first: int, at: int, second: int, to: int) -> list[int]:
    """Sum the cells of a pair as the page's script does."""
    columns, cells = counts()["columns"], counts()["pairs"][f"{first},{second}"]
    wide = len(columns[second]["thresholds"])
    places = [i * wide + j for i in range(at, len(columns[first]["thresholds"])) for j in range(to, wide)]
    return [sum(part[place] for place in places) for part in cells]


def test_a_behaviour_alone_is_counted_as_try_counts_it() -> None:
    for place, part in enumerate(counts()["columns"]):
        at = (place * 5) % len(part["thresholds"])
        table = tried(part["expressions"][at]).table
        assert (part["met"][at], part["converted"][at]) == (table.n1, table.a), part["expressions"][at]
    assert (counts()["snapshots"], counts()["converted"]) == (1_800, 252)


def test_two_behaviours_are_counted_as_try_counts_them() -> None:
    columns, pairs = counts()["columns"], counts()["pairs"]
    assert len(pairs) > 50
    for number, key in enumerate(sorted(pairs)[::7]):
        first, second = map(int, key.split(","))
        at = number % len(columns[first]["thresholds"])
        to = (number * 3) % len(columns[second]["thresholds"])
        table = tried(columns[first]["expressions"][at], columns[second]["expressions"][to]).table
        assert both(first, at, second, to) == [table.n1, table.a], key


def test_windows_of_one_behaviour_are_not_crossed() -> None:
    for behaviour in counts()["behaviours"]:
        own = set(behaviour["columns"])
        assert not [key for key in counts()["pairs"] if set(map(int, key.split(","))) <= own]


def test_new_pqls_a_week_are_those_of_try_at_the_threshold_that_was_shown() -> None:
    known = [part for part in counts()["columns"] if part["chosen"] is not None]
    assert len(known) == len(counts()["behaviours"])
    for part in known[:3]:
        promised = tried(part["expressions"][part["chosen"]]).promised
        assert part["pqls_per_week"] == promised.pqls_per_week.median


def test_the_counts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = len(json.dumps(counts(), separators=(",", ":")))
    assert whole < explorer.LARGEST
    analysis = worlds.results().analysis
    rows = as_shown(analysis.behaviours)[:6]
    monkeypatch.setattr(explorer, "LARGEST", 3_000)
    small = explorer.explorer(analysis, rows, Invocation())
    assert len(json.dumps(small, separators=(",", ":"))) <= 3_000
    assert 0 < len(small["behaviours"]) < 6
    monkeypatch.setattr(explorer, "LARGEST", 10)
    assert explorer.explorer(analysis, rows, Invocation()) == {}
    assert explorer.explorer(analysis, [], Invocation()) == {}


def shown(rate: Rate) -> str:
    ends = re.sub(r"<[^>]+>", "", str(fraction(rate.rate, rate.low, rate.high)))
    return f"{rate.numerator:,} of {rate.denominator:,}: {ends}"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page whose explorer has more than the two behaviours that are associated in the small world."""
    path = tmp_path_factory.mktemp("explorer") / "page.html"
    plain = page("analysis", False)
    block = re.search(r'(<script type="application/json" id="counts">)(.*?)(</script>)', plain, re.S)
    assert block is not None
    text = json.dumps(counts()).replace("<", "\\u003c").replace(">", "\\u003e")
    path.write_text(plain[: block.start(2)] + text + plain[block.end(2) :], encoding="utf-8")
    return path


def explored(written: Path, folder: Path, **state: object) -> str:
    done = browsed(needs("chromium"), f"{written.as_uri()}#{urlencode(state)}", folder)
    assert "CONSOLE" not in done.stderr
    found = re.search(r'<div id="explorer"(.*?)<script', done.stdout, re.S)
    assert found is not None
    text = re.sub(r"<[^>]+>", " ", found[1])
    return re.sub(r"\s+", " ", text).replace("&gt;", ">").replace("&lt;", "<")


def test_a_browser_shows_the_figures_of_try_for_the_state_in_the_address(written: Path, tmp_path: Path) -> None:
    week = "in the first 7 days"
    state = {
        "behaviour": "invite",
        "at_least": 3,
        "window": week,
        "and": "login",
        "and_at_least": 2,
        "and_window": week,
    }
    text = explored(written, tmp_path, **state)
    table = tried("invite >= 3 in 7d", "login >= 2 in 7d").table
    assert f"converted within 30 days {shown(table.with_)}" in text
    assert f"do not {shown(table.without)}" in text
    assert f"share of snapshots that meet it {100 * (table.share.rate or 0):.1f}%" in text
    assert f"of 252 conversions {100 * (table.recall.rate or 0):.1f}%" in text
    assert "pqlkit try --data 'data set' 'invite >= 3 in 7d and login >= 2 in 7d'" in text
    assert "counted by the command below" in text


def test_a_browser_shows_the_threshold_of_the_page_first_and_keeps_to_it_where_the_address_makes_no_sense(
    written: Path, tmp_path: Path
) -> None:
    first = counts()["columns"][counts()["behaviours"][0]["columns"][0]]
    text = explored(written, tmp_path, behaviour="<b>nothing</b>", at_least="x")
    own = next(part for part in counts()["columns"] if part["chosen"] is not None)
    at = own["chosen"]
    assert f"{own['converted'][at]:,} of {own['met'][at]:,}: " in text
    assert f"from qualifying {own['pqls_per_week']:,.0f}" in text
    assert first["window"] in text


def test_without_scripts_the_page_says_where_the_figures_are() -> None:
    assert "The tables of this page show the same counts." in page("analysis", False)
