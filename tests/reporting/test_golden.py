"""Every format of every result, held against a file that people read before it is committed.

`PQLKIT_GOLDEN=write pytest tests/reporting/test_golden.py` writes them anew; the difference is then what changed for users.
"""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pqlkit.cli.output import plain
from pqlkit.reporting.pages import analysis as analysis_page
from pqlkit.reporting.pages import proposal as proposal_page
from pqlkit.reporting.pages import report as report_page
from pqlkit.reporting.pages import trial as trial_page
from pqlkit.reporting.renderers import analysis, intake, proposal, report, trial
from tests.reporting import worlds

GOLDEN = Path(__file__).parent / "golden"
LONG = 40_000
"""The JSON of an analysis beyond this many characters is kept up to its second behaviour."""


class Sight(HTMLParser):
    """What a person sees of a page, a line for each block: drawings by what they say to whoever does not see them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"style", "script", "svg"}:
            self.hidden.append(tag)
        elif tag not in {"span", "b", "bdi", "data", "time"}:
            self.text += " | " if tag in {"td", "th"} else "\n"
        if said := dict(attrs).get("aria-label"):
            self.text += f"[{said}]"

    def handle_endtag(self, tag: str) -> None:
        if self.hidden and self.hidden[-1] == tag:
            self.hidden.pop()

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.text += re.sub(r"\s+", " ", data)


def seen(page: str) -> str:
    sight = Sight()
    sight.feed(page)
    lines = (re.sub(r" +", " ", line).strip() for line in sight.text.splitlines())
    return "\n".join(line for line in lines if line) + "\n"


def rendered(name: str) -> str:
    found, loaded = worlds.results(), worlds.intake()
    texts = {
        "analysis.page.txt": lambda: seen(analysis_page.as_page(found.analysis)),
        "proposal.page.txt": lambda: seen(proposal_page.as_page(found.proposal)),
        "trial.page.txt": lambda: seen(trial_page.as_page(found.trial)),
        "report.page.txt": lambda: seen(report_page.as_page([found.report])),
        "reports.page.txt": lambda: seen(report_page.as_page([found.report, found.other])),
        "analysis.txt": lambda: plain(analysis.as_table(found.analysis)),
        "cohorts.txt": lambda: plain(analysis.as_table(found.analysis, by=True)),
        "analysis.json": lambda: analysis.as_json(found.analysis),
        "analysis.csv": lambda: analysis.as_csv(found.analysis),
        "analysis.md": lambda: analysis.as_markdown(found.analysis),
        "proposal.txt": lambda: plain(proposal.as_table(found.proposal)),
        "proposal.json": lambda: proposal.as_json(found.proposal, {"first": "definitions/first.yml"}),
        "proposal.csv": lambda: proposal.as_csv(found.proposal),
        "proposal.md": lambda: proposal.as_markdown(found.proposal),
        "trial.txt": lambda: plain(trial.as_table(found.trial)),
        "trial.json": lambda: trial.as_json(found.trial),
        "trial.csv": lambda: trial.as_csv(found.trial),
        "trial.md": lambda: trial.as_markdown(found.trial),
        "report.txt": lambda: plain(report.as_table(found.report)),
        "report.json": lambda: report.as_json(found.report),
        "report.csv": lambda: report.as_csv([found.report]),
        "report.md": lambda: report.as_markdown(found.report),
        "reports.txt": lambda: plain(report.several([found.report, found.other])),
        "intake.txt": lambda: plain(intake.as_table(loaded)),
        "intake.json": lambda: intake.as_json(loaded),
        "intake.csv": lambda: intake.as_csv(loaded),
        "intake.md": lambda: intake.as_markdown(loaded),
    }
    return texts[name]()


NAMES = [
    *(
        f"{kind}.{form}"
        for kind in ("analysis", "proposal", "trial", "report", "intake")
        for form in ("txt", "json", "csv", "md")
    ),
    *(f"{kind}.page.txt" for kind in ("analysis", "proposal", "trial", "report", "reports")),
    "cohorts.txt",
    "reports.txt",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_output_is_what_it_was(name: str) -> None:
    text = rendered(name)
    if len(text) > LONG and '"curve"' in text:
        text = text[: text.index('"event"', text.index('"curve"'))]
    path = GOLDEN / name
    if os.environ.get("PQLKIT_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8", newline="")
    assert text == path.read_bytes().decode()


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == set(NAMES)
