"""Tables for a terminal, a spreadsheet and a document: they fit, they parse, and names in them are inert."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt
from rich.cells import cell_len

from pqlkit.cli.output import plain
from pqlkit.inert import uncell
from pqlkit.reporting.renderers import analysis, intake, proposal, report, trial
from tests.reporting import worlds

if TYPE_CHECKING:
    from rich.console import RenderableType

KINDS = ("analysis", "cohorts", "proposal", "trial", "report", "reports", "intake")
NEVER = re.compile(r"\b(drives?|causes?|aha moment|certified|will convert)\b", re.IGNORECASE)
BOTH = pytest.mark.parametrize("hostile", [False, True], ids=["plain", "hostile"])


def table(kind: str, hostile: bool) -> RenderableType:
    found = worlds.results(hostile)
    return {
        "analysis": lambda: analysis.as_table(found.analysis),
        "cohorts": lambda: analysis.as_table(found.analysis, by=True),
        "proposal": lambda: proposal.as_table(found.proposal),
        "trial": lambda: trial.as_table(found.trial),
        "report": lambda: report.as_table(found.report),
        "reports": lambda: report.several([found.report, found.other]),
        "intake": lambda: intake.as_table(worlds.intake(hostile)),
    }[kind]()


def text(kind: str, form: str, hostile: bool) -> str:
    found = worlds.results(hostile)
    return {
        ("analysis", "csv"): lambda: analysis.as_csv(found.analysis),
        ("proposal", "csv"): lambda: proposal.as_csv(found.proposal),
        ("trial", "csv"): lambda: trial.as_csv(found.trial),
        ("report", "csv"): lambda: report.as_csv([found.report]),
        ("intake", "csv"): lambda: intake.as_csv(worlds.intake(hostile)),
        ("analysis", "md"): lambda: analysis.as_markdown(found.analysis),
        ("proposal", "md"): lambda: proposal.as_markdown(found.proposal),
        ("trial", "md"): lambda: trial.as_markdown(found.trial),
        ("report", "md"): lambda: report.as_markdown(found.report),
        ("intake", "md"): lambda: intake.as_markdown(worlds.intake(hostile)),
    }[kind, form]()


@BOTH
@pytest.mark.parametrize("kind", KINDS)
def test_no_row_is_wider_than_a_terminal(kind: str, hostile: bool) -> None:
    wide = plain(table(kind, hostile), width=5000).splitlines()
    assert [line for line in wide if cell_len(line) > 80] == []
    for width in (80, 120):
        assert plain(table(kind, hostile), width=width).splitlines() == wide


@pytest.mark.parametrize("kind", ["analysis", "proposal", "trial", "report"])
def test_a_result_is_about_one_screen_and_says_what_it_does_not_say(kind: str) -> None:
    lines = plain(table(kind, hostile=False)).splitlines()
    # An analysis and a report go on with their tables, and what each team is measured by: the answer stands in the first lines.
    assert len(lines) <= {"report": 84, "analysis": 68}.get(kind, 52)
    said = [line for line in lines if line.startswith(("An association: it says who", "Says who upgrades, not why"))]
    assert len(said) == 1
    assert kind != "analysis" or said[0] in lines[:9]


def test_cohorts_stand_in_a_terminal_where_they_were_asked_for() -> None:
    lines = plain(table("cohorts", hostile=False)).splitlines()
    heads = [line for line in lines if line.startswith("COHORTS")]
    assert heads == ["COHORTS by signup_month", "COHORTS by channel", "COHORTS by invite >= 3 in 7d"]
    at = lines.index(heads[2])
    assert lines[at + 1].split() == ["snapshots", "converted", "by", "day", "30", "day", "90"]
    assert [line.split()[:-6] for line in lines[at + 2 : at + 4]] == [["did", "720"], ["did", "not", "1,080"]]
    below = lines[at + 4 :].index("           snapshots  converted within 30 days") + at + 5
    assert [line.split()[:-3] for line in lines[below : below + 2]] == [
        ["did", "720", "216:"],
        ["did", "not", "1,080", "36:"],
    ]
    assert "COHORTS" not in plain(table("analysis", hostile=False))


@BOTH
@pytest.mark.parametrize("kind", KINDS)
def test_a_terminal_gets_no_orders_from_names(kind: str, hostile: bool) -> None:
    shown = plain(table(kind, hostile))
    kinds = {unicodedata.category(one) for one in shown if one not in "\n\u200d"}
    assert not kinds & {"Cc", "Cf", "Cs", "Co"}


@BOTH
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_promises_more_than_was_counted(kind: str, hostile: bool) -> None:
    assert not NEVER.search(plain(table(kind, hostile)))
    if kind not in {"reports", "cohorts"}:
        assert not NEVER.search(text(kind, "md", hostile))


@BOTH
@pytest.mark.parametrize("kind", ["analysis", "proposal", "trial", "report", "intake"])
def test_csv_is_rfc_4180_and_runs_no_formula(kind: str, hostile: bool) -> None:
    written = text(kind, "csv", hostile)
    csv.field_size_limit(1 << 24)  # a name of 10,000 characters in a list of rules
    rows = list(csv.reader(io.StringIO(written), strict=True))
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(set(rows[0])) == len(rows[0])
    for row in rows:
        for cell in row:
            number = re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", cell)
            assert number or not re.match(r"[=+\-@\t\r]", cell), cell


def test_a_csv_cell_gives_the_name_back() -> None:
    rows = list(csv.DictReader(io.StringIO(text("analysis", "csv", hostile=True))))
    events = {uncell(row["event"]) for row in rows}
    assert {worlds.HOSTILE[name] for name in ("invite", "login", "export", "report", "search", "long")} <= events


@BOTH
@pytest.mark.parametrize("kind", ["analysis", "proposal", "trial", "report", "intake"])
def test_markdown_tables_are_whole_and_names_in_them_are_text(kind: str, hostile: bool) -> None:
    written = text(kind, "md", hostile)
    for block in re.findall(r"(?:^\|.*\|\n)+", written, re.M):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(written)
    tags = set(re.findall(r"<(/?[a-zA-Z]+)", page))
    assert tags <= {
        f"{slash}{tag}" for tag in ("p", "table", "thead", "tbody", "tr", "th", "td", "code") for slash in ("", "/")
    }
    assert "<table>" in page
