"""The page of a trial: a written hypothesis against the others, its ladders and its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pqlkit.reporting.next_command import Invocation
from pqlkit.reporting.pages.criteria import criteria
from pqlkit.reporting.pages.ladders import ladders
from pqlkit.reporting.pages.page import page
from pqlkit.reporting.records.trial import record
from pqlkit.reporting.renderers.correlation import SENTENCE
from pqlkit.reporting.renderers.report_sentences import in_words
from pqlkit.reporting.renderers.trial import headline, next_of, sureness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from pqlkit.proposal.trying import Trial


def as_page(trial: Trial, file: str | None = None, call: Invocation | None = None) -> str:
    """Give the trial as one HTML file.

    Parameters
    ----------
    trial
        What was tested.
    file
        Where its definition was written.
    call
        How the command was called: commands that are shown repeat it.
    """
    words = {
        "answer": headline(trial),
        "sure": sureness(trial) if trial.table.n1 and trial.table.n0 else None,
        "next": next_of(trial, file, call or Invocation()),
    }
    return html(record(trial, file), words)


def html(figures: Mapping[str, Any], words: Mapping[str, Any]) -> str:
    """Show the figures of the JSON; `words` are those that it does not hold."""
    return page(
        "trial.html",
        "A hypothesis, tested",
        figures,
        SENTENCE,
        words=words,
        window=in_words(figures["conversion_window"]),
        criteria_drawing=criteria(figures["criteria"]),
        ladders=[(row, _ladder(row)) for row in figures["ladders"]],
    )


def _ladder(row: Mapping[str, Any]) -> Markup:
    rungs = [{"threshold": rung["threshold"], **rung["with"]} for rung in row["rungs"]]
    return ladders([(row["id"], rungs)], axis="converted, of snapshots that meet it")
