"""Every format of every result, held against a file that people read before it is committed.

`PQLKIT_GOLDEN=write pytest tests/reporting/test_golden.py` writes them anew; the difference is then what changed for users.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from pqlkit.cli.output import plain
from pqlkit.reporting.renderers import analysis, intake, proposal, report, trial
from tests.reporting import worlds

GOLDEN = Path(__file__).parent / "golden"
SECONDS = re.compile(r'("seconds": )[\d.]+|(\bseconds,|, )\d+\.\d+ s\b')
LONG = 40_000
"""The JSON of an analysis beyond this many characters is kept up to its second behaviour."""


def rendered(name: str) -> str:
    found, loaded = worlds.results(), worlds.intake()
    texts = {
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
        "report.csv": lambda: report.as_csv(found.report),
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
    "cohorts.txt",
    "reports.txt",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_output_is_what_it_was(name: str) -> None:
    text = SECONDS.sub(r"\g<1>0", rendered(name))
    if len(text) > LONG and '"curve"' in text:
        text = text[: text.index('"event"', text.index('"curve"'))]
    path = GOLDEN / name
    if os.environ.get("PQLKIT_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8", newline="")
    assert text == path.read_bytes().decode()


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == set(NAMES)
