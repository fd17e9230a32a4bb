"""The candidate: one proposed rule, with what it did where it was chosen and where it was not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pqlkit.shown import Counted

if TYPE_CHECKING:
    import polars as pl

    from pqlkit.analysis.effect import Effect
    from pqlkit.definitions.model import Definition
    from pqlkit.measures.precursors import Precursor
    from pqlkit.proposal.comparable import Comparison
    from pqlkit.proposal.confounding import Confounder
    from pqlkit.proposal.fit_view import Qualified
    from pqlkit.proposal.gates import Gate
    from pqlkit.proposal.rule import Rule
    from pqlkit.proposal.stability import Stability
    from pqlkit.snapshots.contacts import Contacted
    from pqlkit.snapshots.qualifications import PqlsPerWeek, TimeToConvert
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.rate import Rate
    from pqlkit.statistics.stratified import Excess


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The rule in one group of snapshots (a calendar quarter, an age band): with and without."""

    name: str
    table: Contingency


@dataclass(frozen=True, slots=True, kw_only=True)
class ByTrait:
    """The rule by the values of one fixed trait, on the later snapshots.

    Parameters
    ----------
    name
        The trait.
    groups
        One per value; rare ones together.
    p_value, p_adjusted
        That the odds ratio is the same in all, and corrected for the number of traits; None where too few values say anything.
    only_for
        Values for which alone the rule holds; empty where that cannot be said.
    rest
        Where it differs: those of the other values who meet it against those who do not. None where it does not differ, or is clear
        for all.
    """

    name: str
    groups: tuple[Group, ...]
    p_value: float | None
    p_adjusted: float | None = None
    only_for: tuple[str, ...] = ()
    rest: Excess | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """The qualification view: starts of the definition's spells in a period, and the conversions within the conversion window of each.

    `starts` counts all of the period, `rate` the mature ones alone; `too_soon` of them have a window that is over before the day on
    which conversions pile up, and are in no rate.
    """

    starts: int
    too_soon: int
    rate: Rate
    time_to_convert: TimeToConvert
    pqls_per_week: PqlsPerWeek


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Candidate(Counted):
    """A rule of the menu.

    Parameters
    ----------
    definition
        As it is (or would be) written, evidence included.
    rule
        Its literals.
    read
        Its qualifications where it was chosen, as the choice counts them.
    fit, holdout
        The snapshot view: 2x2 tables over the snapshots that chose it, and the later ones.
    gate
        Whether its later qualifications bear it out.
    compared
        They against comparable others; None where there are none.
    recall
        Of the conversions of the later period, how many had qualified within the window before, and all.
    chosen, promised
        The qualification view in the fit and in the holdout period.
    by_period, by_age
        The snapshot view over all snapshots by calendar quarter and age band.
    by_trait
        By each fixed trait on the later snapshots; empty for all but the first.
    stability
        How often half the data choose the same; None for all but the first.
    ranges
        Criterion id -> thresholds that cannot be told apart.
    adjusted
        The effect of meeting the rule adjusted, on the later snapshots; None for all but the first.
    equivalents
        Rules that give (nearly) the same leads, in words.
    stands_for
        The plainest of them that names other events only, in words: the data cannot tell which matters. None if there is none.
    simpler
        The simplest rule that cannot be told apart, in words, with its holdout table; None if this is it.
    mechanical
        Whether an event precedes the upgrade by construction.
    over_capacity
        More new leads a week than asked for.
    precursors
        Events that mostly lead to one of the rule's within a minute: it stands for them too.
    contacted
        The complete qualifications of the later period by their first contact; None without a contacts table.
    spells
        When the formula holds, as `pqlkit.measures.evaluation.spells_of` gives it: of everybody, eligible or not.
    """

    definition: Definition
    rule: Rule
    read: Qualified
    fit: Contingency
    holdout: Contingency
    gate: Gate
    compared: Comparison | None
    recall: tuple[int, int]
    chosen: Promise
    promised: Promise
    by_period: tuple[Group, ...]
    by_age: tuple[Group, ...]
    by_trait: tuple[ByTrait, ...]
    stability: Stability | None
    ranges: dict[str, tuple[int, int]]
    adjusted: Effect | None
    equivalents: tuple[str, ...]
    stands_for: str | None
    simpler: tuple[str, Rate] | None
    mechanical: bool
    over_capacity: bool
    precursors: tuple[Precursor, ...]
    contacted: Contacted | None
    spells: pl.DataFrame = field(repr=False)

    def _many(self) -> int:
        return self.promised.starts

    @property
    def confounder(self) -> Confounder | None:
        """How strong an unmeasured factor would have to be to explain away what later snapshots show."""
        from pqlkit.proposal.confounding import confounder

        return confounder(self.holdout, self.adjusted.odds_ratio if self.adjusted is not None else None)

    def worth(self, value: float, cost: float) -> float | None:
        """Give what contacting 100 later leads brings, if every conversion of a lead came of it; None without a lead.

        Only conversions that would not have come anyway are worth anything: an upper bound, which an experiment would lower.
        """
        rate = self.promised.rate
        return 100 * (value * rate.numerator / rate.denominator - cost) if rate.denominator else None

    @property
    def optimism(self) -> float | None:
        """How much the rate of qualifications fell from where the rule was chosen to where it was not, as a fraction."""
        before, after = self.chosen.rate.rate, self.promised.rate.rate
        return None if before is None or after is None else before - after
