"""The page of a proposal: the rule, what the later test period says, whether it will hold, and the alternatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pqlkit.definitions.describing import qualifying
from pqlkit.reporting.next_command import Invocation
from pqlkit.reporting.pages.front import FRONT, LATER, PROPOSED, Place, front
from pqlkit.reporting.pages.intervals import Interval, rates
from pqlkit.reporting.pages.page import page
from pqlkit.reporting.records.proposal import record
from pqlkit.reporting.renderers.proposal import (
    SENTENCE,
    expected,
    from_qualifying,
    holding,
    later_test_period,
    score_command,
    sure,
    tonight_in_words,
)
from pqlkit.reporting.renderers.report_sentences import in_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from pqlkit.proposal.proposed import Proposal


def as_page(proposal: Proposal, files: dict[str, str] | None = None, call: Invocation | None = None) -> str:
    """Give the proposal as one HTML file.

    Parameters
    ----------
    proposal
        What was found.
    files
        Candidate name -> the file it was written to.
    call
        How the command was called: commands that are shown repeat it.
    """
    call = call or Invocation()
    words: dict[str, Any] = {"none": call.next("analyze"), "tried": call.next("try", "EVENT >= 3 in 14d")}
    if proposal.candidates:
        first = proposal.candidates[0]
        words |= {
            "answer": qualifying(first.definition),
            "facts": [*sure(proposal, first), *expected(first)],
            "next": score_command(first, (files or {}).get(first.definition.name), call),
            "tonight": tonight_in_words(proposal, first),
            "tested": later_test_period(proposal).capitalize(),
            "qualifying": from_qualifying(proposal, first),
            "holding": [row for rows in holding(proposal, first) for row in rows],
        }
    return html(record(proposal, files), words)


def html(figures: Mapping[str, Any], words: Mapping[str, Any]) -> str:
    """Show the figures of the JSON; `words` are those that it does not hold."""
    candidates = figures["candidates"]
    first: Mapping[str, Any] = candidates[0] if candidates else {"by_period": [], "by_age": []}
    return page(
        "proposal.html",
        f"Proposed definition {first['name']}" if candidates else "No definition proposed",
        figures,
        SENTENCE,
        words=words,
        window=in_words(figures["conversion_window"]),
        apart=figures["split"]["kind"] == "time",
        groups=[
            (said, [(row[key], row) for row in first[f"by_{key}"]], _groups(first[f"by_{key}"], key, said))
            for key, said in (("period", "calendar quarter"), ("age", "age"))
            if len(first[f"by_{key}"]) > 1
        ],
        front=_front(figures),
    )


def _groups(groups: Sequence[Mapping[str, Any]], key: str, words: str) -> Markup:
    points = [
        Interval(name=row[key], value=row[side]["rate"], low=row[side]["low"], high=row[side]["high"], group=group)
        for row in groups
        for group, side in (("meets the rule", "with"), ("does not", "without"))
        if row[side]["rate"] is not None
    ]
    says = f"Converted by {words}, snapshots that meet the rule and others, with 95 % intervals."
    return rates(points, axis="converted", says=says)


def _front(figures: Mapping[str, Any]) -> Markup:
    marked = [("", FRONT, row) for row in figures["pareto_front"]]
    for index, row in enumerate(figures["candidates"], start=1):
        marked += [(str(index), PROPOSED, row["fit"]), (str(index), LATER, row["holdout"])]
    places = [
        Place(mark=mark, recall=row["recall"], rate=row["rate"], kind=kind)
        for mark, kind, row in marked
        if row["rate"] is not None and row["recall"] is not None
    ]
    return front(places, figures["base_rate"]["fit"]["rate"])
