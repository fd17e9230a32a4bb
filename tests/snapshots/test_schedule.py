"""Designs: what ``--snapshots`` may say, and the tiling."""

from __future__ import annotations

import zlib

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pqlkit.definitions.model import Outcome
from pqlkit.errors import UsageError
from pqlkit.exports.project import Project
from pqlkit.population.phases import monday, phases
from pqlkit.snapshots.schedule import parse_snapshots, shortened_in_words
from tests.analysis.canonical import days, in_memory


@pytest.mark.parametrize(
    ("text", "spelled", "windows", "conversion_window"),
    [
        ("once:14d", "once:14d", "3d 7d 14d", "30d"),
        ("once", "once:14d", "3d 7d 14d", "30d"),
        ("once:2w", "once:2w", "3d 7d 2w", "30d"),
        ("once:7d", "once:7d", "3d 7d", "30d"),
        ("once:30d", "once:30d", "3d 7d 14d 30d", "30d"),
        ("age", "age:1d,2d,3d,5d,7d,10d", "3d 7d 10d", "30d"),
        ("age:7d,1d,1d", "age:1d,7d", "3d 7d", "30d"),
        ("every", "every:28d", "7d 28d 84d", "28d"),
        ("every:2w", "every:2w", "7d 28d 84d", "2w"),
    ],
)
def test_designs_and_their_defaults(text, spelled, windows, conversion_window):
    design = parse_snapshots(text)
    assert (str(design), " ".join(map(str, design.windows)), str(design.conversion_window)) == (
        spelled,
        windows,
        conversion_window,
    )


def test_the_outcome_sets_the_conversion_window_and_the_command_line_wins():
    assert str(parse_snapshots("once", within=days("60d")).conversion_window) == "60d"
    assert str(parse_snapshots("once", within=days("60d"), conversion_window=days("10d")).conversion_window) == "10d"
    assert str(parse_snapshots("every", within=days("60d"))) == "every:56d"
    assert str(parse_snapshots("every", within=days("3d"))) == "every:7d"
    assert str(parse_snapshots("every", conversion_window=days("15d"))) == "every:14d"
    assert str(parse_snapshots("every:28d", within=days("60d")).conversion_window) == "28d"
    assert str(parse_snapshots("every:28d", conversion_window=days("4w")).conversion_window) == "28d"


@pytest.mark.parametrize(
    ("written", "text", "stated", "said"),
    [
        ("30d", "every", None, "says within: 30d; snapshots every:28d count conversions within 28d"),
        ("30d", "every:7d", None, "snapshots every:7d count conversions within 7d"),
        ("28d", "every", None, None),
        ("30d", "every", "28d", None),
        ("30d", "once", None, None),
        (None, "every", None, None),
    ],
)
def test_a_window_of_the_project_file_that_is_not_counted_is_said(written, text, stated, said):
    project = Project(outcome={} if written is None else {"within": written})
    outcome = Outcome(within=days(written or "30d"))
    people = in_memory([{"id": "a", "anchor": 0}], as_of=1, outcome=outcome, project=project)
    asked = None if stated is None else days(stated)
    design = parse_snapshots(text, conversion_window=asked, within=outcome.within)
    told = shortened_in_words(people, design, stated=asked)
    assert (told is None) if said is None else (told is not None and said in told)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("evry:28d", {}, "did you mean every?"),
        ("weekly", {}, "write auto, once:14d"),
        ("once:fortnight", {}, "is not a duration"),
        ("once:0d", {}, "0 is none"),
        ("once:3d,7d", {}, "write age:3d,7d"),
        ("every:30d", {}, "write every:28d"),
        ("every:28d,56d", {}, "every has one step"),
        ("every:28d", {"conversion_window": "30d"}, "leave --conversion-window out"),
        ("every", {"windows": "10d"}, "write 7d"),
        ("once:7d", {"windows": "3d 14d"}, "write --snapshots once:14d"),
        ("age:1d,3d", {"windows": "7d"}, "write --snapshots age:1d,7d"),
        ("once", {"gap": "30d"}, "leaves nothing of the conversion window"),
        ("once", {"conversion_window": "0d"}, "a conversion window of 0"),
        ("once", {"windows": "0d"}, "a window of 0"),
    ],
)
def test_designs_that_cannot_be(text, options, message):
    windows = [days(part) for part in options["windows"].split()] if "windows" in options else None
    rest = {name: days(value) for name, value in options.items() if name != "windows"}
    with pytest.raises(UsageError) as caught:
        parse_snapshots(text, windows=windows, **rest)
    assert message in str(caught.value)


def test_windows_without_an_age_set_it():
    assert str(parse_snapshots("once", windows=[days("3d"), days("10d")])) == "once:10d"


def test_phases_are_the_crc_of_salt_and_id():
    ids = ["a", "é", "", "😀", "a"]
    expected = [zlib.crc32(("pqlkit" + text).encode()) % 4 for text in ids]
    assert phases(pl.Series(ids), 4).to_list() == expected
    assert phases(pl.Series([7, 10]), 4).to_list() == phases(pl.Series(["7", "10"]), 4).to_list()
    assert phases(pl.Series(ids), 4, salt="x").to_list() != expected


@given(st.lists(st.one_of(st.none(), st.text(max_size=20), st.text(min_size=200, max_size=300)), max_size=12))
def test_phases_are_those_of_zlib_whatever_the_ids(ids):
    expected = [0 if text is None else zlib.crc32(("salt" + text).encode()) % 97 for text in ids]
    found = phases(pl.Series(ids, dtype=pl.String), 97, salt="salt")
    assert (found.name, found.to_list()) == ("phase", expected)
    assert found.dtype == pl.Int64


def test_phases_spread_evenly():
    counts = phases(pl.Series([f"user-{n}" for n in range(8000)]), 4).value_counts()["count"].to_list()
    assert min(counts) > 1880


def test_monday_of_the_zone():
    assert monday("Asia/Tokyo") == monday("UTC") - 9 * 3_600_000_000
