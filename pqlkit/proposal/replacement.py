"""The replacement: what a rule would change for those who work by a definition in use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pqlkit.columns import ENTITY
from pqlkit.proposal.decay import changes
from pqlkit.proposal.promise import started
from pqlkit.snapshots.qualifications import between
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    import polars as pl

    from pqlkit.definitions.model import Definition
    from pqlkit.proposal.brief import Brief
    from pqlkit.proposal.candidate import Candidate
    from pqlkit.proposal.decay import Change
    from pqlkit.proposal.fit_view import FitView

__all__ = ["Replacement", "replacement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """Who would be a lead, and who no longer, by the later period.

    Parameters
    ----------
    change
        Since when the definition in use does more, or less, than before; None where nothing sure is seen.
    both, only_new, only_old
        Complete leads of the proposed rule by entities that the definition in use finds in the same period too, and by others; and
        leads of the definition in use by entities that the rule does not find. None without a proposed rule.
    """

    change: Change | None
    both: Rate | None
    only_new: Rate | None
    only_old: Rate | None


def replacement(brief: Brief, view: FitView, definition: Definition, candidate: Candidate | None) -> Replacement:
    """Hold a definition in use against the proposed rule, and against what it did before.

    Parameters
    ----------
    brief, view
        Of the proposal.
    definition
        The one in use, with an outcome.
    candidate
        The proposed rule; None = there is none.
    """
    from pqlkit.population.definition_clock import clocked
    from pqlkit.snapshots.spells import qualifications

    population = clocked(brief.observed.population, definition)
    spells = qualifications(population, definition)
    counted = started(population, definition, spells=spells)
    # Whatever the rule was chosen on: the definition in use was in use before.
    begin = replace(brief, since=None).begin
    [change] = changes(brief, view.lives, view.activity, [(counted, spells)], begin=begin)
    change = change if change is not None and change.sure else None
    if candidate is None:
        return Replacement(change=change, both=None, only_new=None, only_old=None)
    old = between(counted, brief.holdout_from, None)
    new = started(brief.observed.population, candidate.definition, spells=candidate.spells)
    new = between(new, brief.holdout_from, None)
    return Replacement(
        change=change,
        both=_rate(new.join(old, on=ENTITY, how="semi")),
        only_new=_rate(new.join(old, on=ENTITY, how="anti")),
        only_old=_rate(old.join(new, on=ENTITY, how="anti")),
    )


def _rate(starts: pl.DataFrame) -> Rate:
    complete = starts.filter("mature")
    return Rate.of(int(complete["y"].sum()), complete.height)
