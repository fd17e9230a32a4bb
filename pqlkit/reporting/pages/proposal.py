"""The page of a proposal: the rule, what later snapshots did, the front, and the menu."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pqlkit.definitions.describing import phrase
from pqlkit.reporting.pages.front import FRONT, LATER, PROPOSED, Place, front
from pqlkit.reporting.pages.intervals import Interval, rates
from pqlkit.reporting.pages.page import page
from pqlkit.reporting.records.proposal import record
from pqlkit.reporting.renderers.proposal import SENTENCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from pqlkit.proposal.proposed import Proposal


def as_page(proposal: Proposal, files: dict[str, str] | None = None) -> str:
    """Give the proposal as one HTML file.

    Parameters
    ----------
    proposal
        What was found.
    files
        Candidate name -> the file it was written to.
    """
    first = proposal.candidates[0].definition.criteria if proposal.candidates else ()
    return html(record(proposal, files), [phrase(part) for part in first])


def html(figures: Mapping[str, Any], rule: Sequence[str]) -> str:
    """Show the figures of the JSON; `rule` is the first candidate in words."""
    candidates = figures["candidates"]
    first: Mapping[str, Any] = candidates[0] if candidates else {"by_period": [], "by_age": []}
    return page(
        "proposal.html",
        f"Proposal: {first['name']}" if candidates else "Proposal: none",
        figures,
        SENTENCE,
        rule=rule,
        apart=figures["split"]["kind"] == "time",
        groups=[
            (words, [(row[key], row) for row in first[f"by_{key}"]], _groups(first[f"by_{key}"], key, words))
            for key, words in (("period", "calendar quarter"), ("age", "age"))
            if len(first[f"by_{key}"]) > 1
        ],
        front=_front(figures),
    )


def _groups(groups: Sequence[Mapping[str, Any]], key: str, words: str) -> Markup:
    points = [
        Interval(name=row[key], value=row[side]["rate"], low=row[side]["low"], high=row[side]["high"], group=group)
        for row in groups
        for group, side in (("meet it", "with"), ("others", "without"))
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
