"""The 2x2 table: did it or not, converted or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqlkit.statistics.arrays import Floats, Numbers
    from pqlkit.statistics.estimate import Estimate
    from pqlkit.statistics.rate import Rate


@dataclass(frozen=True, slots=True)
class Contingency:
    """a: did and converted; b: did, did not convert; c: did not, converted; d: neither. Tables of disjoint groups add."""

    a: int
    b: int
    c: int
    d: int
    # n1 = a+b, n0 = c+d, m1 = a+c, total; with_, without, share, coverage, base: Rate (properties)
    # lift, phi, p_value, risk_ratio (uncorrected): float | None (properties)
    # relative_risk(), risk_difference(), odds_ratio(), agresti_caffo(): Estimate
    # f_beta(beta), kappa, youden, net_benefit(tau): float | None ; mid_p(): one-sided exact mid-p (holdout gate)
    # Contingency.of(qualified=, converted=, entities=, converters=): from n1, a, N, m1


# Arrays; a, b, c, d columns -> columns, NaN = undefined:
# lift(a,b,c,d) risk_ratio(a,b,c,d) relative_risk(a,b,c,d)->(value, low, high, corrected) risk_difference(..)->(value, low, high)
# odds_ratio(..)->(value, low, high, corrected) phi(..) p_value(..)  mid_p(..)
# Arrays for the search, from (tp, fp, positives, total): f_beta(tp, fp, positives, total, beta=1) kappa(...) youden(...) net_benefit(..., tau=) phi_score(...)
