"""The association: how one behaviour, at each threshold, goes with converting."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pqlkit.shown import Counted

if TYPE_CHECKING:
    from pqlkit.analysis.effect import Effect
    from pqlkit.measures.behaviour import Behaviour
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.estimate import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One threshold of a behaviour's ladder; `effect` as for an `Association`, where it was fitted."""

    threshold: int
    table: Contingency
    effect: Effect | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Association(Counted):
    """One event x measure x window at its best threshold (largest absolute phi, ties to the smaller).

    Parameters
    ----------
    behaviour
        What was measured.
    threshold, table
        The best threshold and its 2x2 table over all snapshots of the analysis.
    design_effect
        At least 1; intervals are those of n / this many rows.
    auc
        Of the value on the threshold grid, ties as midranks; None when one class is empty.
    p_value
        Of the best threshold, corrected for the number of thresholds (Bonferroni).
    q_value
        By Benjamini and Hochberg over all tests of the analysis, these and others; None where it was not among several.
    order
        The behaviour's coefficient in the joint ridge, which only orders; None when it was not fitted.
    effect
        What is left of it beside activity by other behaviours, calendar block, age and fixed traits; None when not fitted.
    flags
        ``rare``, ``mechanical``, ``meter``, ``automatic``, ``activity``, ``part-of-outcome``, and reasons of suspicion.
    curve
        Every threshold of the grid up to the largest value seen, always including 1.
    dependable
        The best of the thresholds that enough snapshots and converters reach (the floors in heads): what people are shown, for
        the largest phi of all may be two snapshots' luck. None where no threshold does (flag ``rare``).
    alike
        Events that cannot be told apart from this one (proxy pairs).
    """

    behaviour: Behaviour
    threshold: int
    table: Contingency
    design_effect: float
    auc: float | None
    p_value: float | None
    q_value: float | None = None
    order: float | None = None
    effect: Effect | None = None
    flags: tuple[str, ...] = ()
    curve: tuple[Step, ...] = ()
    dependable: Step | None = None
    alike: tuple[str, ...] = field(default=())

    def _many(self) -> int:
        return self.table.n1

    def as_shown(self) -> Association | None:
        """Give the row at its dependable threshold; p and q stay, which are corrected for all thresholds."""
        step = self.dependable
        return (
            None
            if step is None
            else replace(
                self,
                threshold=step.threshold,
                table=step.table,
                effect=step.effect,
            )
        )

    @property
    def adjusted(self) -> Estimate | None:
        """Give the odds ratio of `effect`; None when not fitted."""
        return None if self.effect is None else self.effect.odds_ratio
