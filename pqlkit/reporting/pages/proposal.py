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
            (words, [(one[key], one) for one in first[f"by_{key}"]], _groups(first[f"by_{key}"], key, words))
            for key, words in (("period", "calendar quarter"), ("age", "age"))
            if len(first[f"by_{key}"]) > 1
        ],
        front=_front(figures),
    )


def _groups(groups: Sequence[Mapping[str, Any]], key: str, words: str) -> Markup:
    points = [
        Interval(name=one[key], value=one[side]["rate"], low=one[side]["low"], high=one[side]["high"], group=group)
        for one in groups
        for group, side in (("meet it", "with"), ("others", "without"))
        if one[side]["rate"] is not None
    ]
    says = f"Upgraded by {words}, snapshots that meet the rule and others, with 95 % intervals."
    return rates(points, axis="upgraded", says=says)


def _front(figures: Mapping[str, Any]) -> Markup:
    marked = [("", FRONT, one) for one in figures["pareto_front"]]
    for index, one in enumerate(figures["candidates"], start=1):
        marked += [(str(index), PROPOSED, one["fit"]), (str(index), LATER, one["holdout"])]
    places = [
        Place(mark=mark, recall=one["recall"], rate=one["rate"], kind=kind)
        for mark, kind, one in marked
        if one["rate"] is not None and one["recall"] is not None
    ]
    return front(places, figures["base_rate"]["fit"]["rate"])
