"""Screens at 80, 120 and 160 columns: no name of up to 60 characters is cut, no line is wider, a wide terminal is used."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from pqlkit.analysis.analyzing import analyze
from pqlkit.cli.output import plain
from pqlkit.definitions.expression import expression
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import Settings
from pqlkit.proposal.proposing import propose
from pqlkit.proposal.trying import try_
from pqlkit.reporting.renderers import analysis, lead, proposal, trial
from pqlkit.scoring.converters import converters
from tests.analysis.hand_made import part
from tests.reporting import worlds

NAMES = {name: f"{name}_{'of_the_longest_kind_that_products_send_today_' * 2}"[:60] for name in worlds.PLAIN}
WIDTHS = (80, 120, 160)


@pytest.fixture(scope="module")
def screens() -> dict[str, dict[int, str]]:
    people = worlds.population(NAMES)
    settings = Settings(snapshots="once:14d")
    by = (NAMES["channel"], expression(part(NAMES["invite"], 3, days=7)))
    asked = worlds.definition(NAMES, 3)
    analyzed = analyze(people, Settings(by=by, snapshots="once:14d"))
    proposed = propose(people, settings, ProposeOptions(permutations=0, out_dir=Path("nowhere")))
    tried = try_(people, f"{NAMES['invite']} >= 3 in 14d", asked.qualify, settings)
    told = converters(people)
    return {
        "analyze": {width: plain(analysis.as_table(analyzed, by=True, width=width), width) for width in WIDTHS},
        "propose": {width: plain(proposal.as_table(proposed, width=width, details=True), width) for width in WIDTHS},
        "try": {width: plain(trial.as_table(tried, width=width), width) for width in WIDTHS},
        "explain": {width: plain(lead.converters_as_table(told, width=width), width) for width in WIDTHS},
    }


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["analyze", "propose", "try", "explain"])
def test_names_are_whole_and_lines_fit(screens: dict[str, dict[int, str]], name: str, width: int) -> None:
    screen = screens[name][width]
    assert NAMES["invite"] in screen
    assert "…" not in screen
    # A command is copied whole: what stands in quotes is not broken.
    wide = [line for line in screen.splitlines() if cell_len(line) > width]
    assert not wide, wide


@pytest.mark.parametrize("name", ["analyze", "propose", "explain"])
def test_a_wide_terminal_is_used(screens: dict[str, dict[int, str]], name: str) -> None:
    longest = [max(map(cell_len, screens[name][width].splitlines())) for width in WIDTHS]
    assert longest[0] <= 80 < longest[1] <= 120
    lines = [screens[name][width].count("\n") for width in WIDTHS]
    assert lines[0] > lines[1] >= lines[2]
