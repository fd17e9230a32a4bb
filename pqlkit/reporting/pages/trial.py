"""The page of a trial: a written hypothesis against the others, its ladders and its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pqlkit.reporting.pages.criteria import criteria
from pqlkit.reporting.pages.ladders import ladders
from pqlkit.reporting.pages.page import page
from pqlkit.reporting.records.trial import record
from pqlkit.reporting.renderers.correlation import SENTENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from pqlkit.proposal.trying import Trial


def as_page(trial: Trial, file: str | None = None) -> str:
    """Give the trial as one HTML file.

    Parameters
    ----------
    trial
        What was tested.
    file
        Where its definition was written.
    """
    return html(record(trial, file))


def html(figures: Mapping[str, Any]) -> str:
    """Show the figures of the JSON."""
    return page(
        "trial.html",
        "A hypothesis, tested",
        figures,
        SENTENCE,
        criteria_drawing=criteria(figures["criteria"]),
        ladders=[(row, _ladder(row)) for row in figures["ladders"]],
    )


def _ladder(row: Mapping[str, Any]) -> Markup:
    rungs = [{"threshold": rung["threshold"], **rung["with"]} for rung in row["rungs"]]
    return ladders([(row["id"], rungs)], axis="converted, of snapshots that meet it")
