"""The effect: what is left of an association beside activity, calendar, age and fixed traits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqlkit.statistics.estimate import Estimate, Undefined

__all__ = ["Effect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What is left of a behaviour's or a rule's association beside activity, calendar and age.

    Parameters
    ----------
    odds_ratio
        Of the logistic model.
    relative_risk
        Of those who do it, against the same had they not, by that model.
    left_out
        Snapshots that say nothing: of quarters, age bands and the like in which nobody, or everybody, converted.
    penalised
        Whether it is Firth's, because a cell is empty and the plain odds ratio would be infinite.
    traits
        Fixed traits that it allows for too.
    without_traits
        The effect that does not allow for them; None where there are none.
    explained
        Whether the traits surely explain part of it: the relative risk is smaller with them by more than chance, and its interval lies
        below the one without. An interval that merely holds 1 explains nothing: with few converters most do.
    """

    odds_ratio: Estimate
    relative_risk: Estimate
    left_out: int = 0
    penalised: bool = False
    traits: tuple[str, ...] = ()
    without_traits: Effect | None = None
    explained: bool = False

    @property
    def untold(self) -> bool:
        """Whether what is clear without the traits is not clear with them, and they do not surely explain it either."""
        before = self.without_traits
        return (
            before is not None
            and not self.explained
            and (before.relative_risk.low or 0) > 1
            and (self.relative_risk.low or 0) <= 1
        )

    @classmethod
    def none(cls, why: Undefined) -> Effect:
        """Build one that does not exist, with the reason."""
        from pqlkit.statistics.estimate import Estimate

        return cls(odds_ratio=Estimate.none(why), relative_risk=Estimate.none(why))
