"""Screens and pages speak the words of people of the trade: labels that were shorthand stand nowhere, nor words that mislead there."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from pqlkit.exports.intake import Gap, Intake
from pqlkit.reporting.renderers import intake
from tests.cli.sample import SOURCES, write_sample
from tests.scoring.nights import pqlkit

GOLDEN = Path(__file__).parent / "golden"
LABELS = ("does", "M", "start", "trigger", "design", "cutoff", "front", "menu", "notice", "stable", "ceiling")
"""Shorthand that no label may be; within a sentence some are English."""

MISLEADING = {
    "qualification": r"\bqualifications?\b",  # a rep's call: a new PQL
    "schedule": r"\bschedules?\b",  # snapshot timing
    "holdout": r"\bholdouts?\b",  # the later test period; the contact arm is the control
    "optimism": r"\boptimism\b",  # the drop from where it was chosen
    "expired": r"\bexpired\b",  # stale
    "missed": r"\bmissed\b",  # the window is over
    "closed": r"\b(closed|open) windows?\b|\bwindows? (still |is |are )*(closed|open)\b",  # deals are: complete, in progress
    "upgrade": r"\bupgrad(e|es|ed|ing)\b",  # conversion
    "mechanical": r"\bmechanical\b",  # limit event
    "immature": r"\b(im)?mature\b",  # complete, in progress
}
HEADING = re.compile(r"^[A-Z][A-Z ]+\b")


def labels(screen: str) -> set[str]:
    """Give what stands as a label: at the head of a line before two blanks, in a cell or a column head, as a heading."""
    cells = set()
    for line in screen.splitlines():
        cells |= {cell.strip(" *!") for cell in re.split(r" {2,}|\|", line)}
        cells |= set(HEADING.findall(line))
    return cells


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.glob("*.txt")))
def test_no_screen_and_no_page_has_a_label_that_is_shorthand_or_a_word_that_misleads(name: str) -> None:
    held((GOLDEN / name).read_text(encoding="utf-8"))


def held(screen: str) -> None:
    assert labels(screen).isdisjoint(LABELS)
    wrong = [
        screen[max(0, place.start() - 40) : place.end() + 20]
        for pattern in MISLEADING.values()
        for place in re.finditer(pattern, screen, re.IGNORECASE)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "line",
    [
        ["score", "inviters.yml", *SOURCES],
        ["score", "inviters.yml", *SOURCES, "--format", "markdown"],
        ["explain", "u001", "-d", "inviters.yml", *SOURCES],
        ["explain", "--converters", *SOURCES],
        ["load", *SOURCES, "--out", "data"],
        ["init", "events.csv", "--users", "users.csv", "--conversions", "conversions.csv", "--out", "drafted.yml"],
        ["validate", "inviters.yml", "--describe"],
        ["propose", *SOURCES, "--conversion-window", "14d", "--permutations", "2", "--details"],
        ["propose", *SOURCES, "--conversion-window", "14d", "--permutations", "0", "--min-rate", "99%"],
        ["analyze", *SOURCES, "--conversion-window", "14d", "--by", "signup_month"],
    ],
    ids=lambda line: " ".join(word for word in line if "csv" not in word and word not in SOURCES)[:40],
)
def test_what_commands_say_of_the_sample_has_none_of_them(
    line: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sample(tmp_path)
    monkeypatch.chdir(tmp_path)
    done = pqlkit(*line)
    assert done.code == 0, done.err
    held(done.out + done.err)


def test_what_is_forbidden_would_be_seen() -> None:
    for screen in ("  does not  1", "a menu of rules", "x starts", "limits"):
        held(screen)
    for screen in (
        "  does   with  without",
        "| M |",
        "CEILING  5%".lower(),
        "528 with closed windows",
        "97 qualifications",
        "ceiling  5",
    ):
        with pytest.raises(AssertionError):
            held(screen)


@pytest.mark.parametrize(
    ("gaps", "said"),
    [
        ([("03", "03")], "no rows of events on 2026-03-03 (1 day)"),
        ([("03", "05")], "no rows of events from 2026-03-03 to 2026-03-05 (3 days)"),
        ([("03", "03"), ("05", "05")], "2 gaps of 1 day without events, the first 2026-03-03"),
        (
            [("03", "03"), ("05", "06"), ("09", "09")],
            "3 gaps of 1 to 2 days without events, the longest 2026-03-05 to 2026-03-06",
        ),
    ],
)
def test_gaps_are_one_line(gaps: list[tuple[str, str]], said: str) -> None:
    """A line each would bury what was loaded."""
    found = tuple(
        Gap(table="events", first=f"2026-03-{first}", last=f"2026-03-{last}", days=int(last) - int(first) + 1)
        for first, last in gaps
    )
    shown = io.StringIO()
    Console(file=shown, width=200).print(intake.as_table(Intake(gaps=found), width=200))
    assert sum("2026-03-" in line for line in shown.getvalue().splitlines()) == 1
    assert f"  {said}" in shown.getvalue()
