"""The confounder: how strong a trait that nobody measured would have to be to explain a rule's association away."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.estimate import Estimate

__all__ = ["Confounder", "Scale", "confounder"]


class Scale(StrEnum):
    """Which figure stands for the relative risk."""

    RISK = "relative-risk"
    """That of the later snapshots, nothing allowed for."""
    ODDS = "adjusted-odds-ratio"
    """The odds ratio adjusted: near the relative risk where the outcome is rare."""
    ROOT = "square-root-of-adjusted-odds-ratio"
    """The same where the outcome is common, and the odds ratio lies far from the relative risk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confounder:
    """An E-value: the risk ratio that such a trait would need with both the rule and the upgrade.

    `value` is for the figure itself, `limit` for the end of its interval nearest 1 (1 = the interval holds 1; None = it has no
    such end); `scale` says which figure.
    """

    value: float
    limit: float | None
    scale: Scale


def confounder(table: Contingency, adjusted: Estimate | None) -> Confounder | None:
    """Give the E-value of a rule: of what is left adjusted, or of its relative risk where nothing was to be allowed for.

    Parameters
    ----------
    table
        The rule on the later snapshots.
    adjusted
        Its odds ratio adjusted there; None where none was asked for.

    Returns
    -------
    Confounder or None
        None where nothing can be compared, where the ratio has no upper end, and where the adjusted figure does not exist: what
        was measured may explain the plain ratio already.
    """
    from pqlkit.statistics.evalue import COMMON, e_value, e_value_limit, risk_ratio_of_odds

    outcome = table.base.rate
    if adjusted is not None and outcome is not None:
        scale = Scale.ROOT if outcome > COMMON else Scale.ODDS
        ends = [
            risk_ratio_of_odds(end, outcome) if end else None for end in (adjusted.value, adjusted.low, adjusted.high)
        ]
    else:
        risk, scale = table.relative_risk(), Scale.RISK
        ends = [risk.value, risk.low, risk.high]
    value, low, high = ends
    if not value:
        return None
    limit = e_value_limit(low, high) if low and high else None
    return Confounder(value=e_value(value), limit=limit, scale=scale)
