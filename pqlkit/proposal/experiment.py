"""The experiment: the plan that would show whether working the leads makes more of them convert."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pqlkit.proposal.candidate import Promise

GAINS: Final = (0.03, 0.05, 0.10)
SHARES: Final = (0.2, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """To see a rise of `gain` (in rate) with this share of leads held out: leads per arm, and weeks at the present pace."""

    gain: float
    control_share: float
    control: int
    contacted: int
    weeks: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """Leads randomised by account to contact or hold-out when they qualify, intention to treat, conversion in the conversion window.

    Parameters
    ----------
    rate
        Of leads that nobody contacts: the PQL conversion rate of the holdout.
    pqls_per_week
        Median.
    arms
        For a rise by 3, 5 and 10 points, with 20 % and 50 % held out; at 80 % power and 5 % two-sided.
    """

    rate: float
    pqls_per_week: float | None
    arms: tuple[Arm, ...]


def experiment(promised: Promise) -> Experiment | None:
    """Plan the experiment for a definition, or None where its rate is not known."""
    rate = promised.rate.rate
    if rate is None or not 0 < rate < 1 - max(GAINS):
        return None
    weekly = promised.pqls_per_week.median
    return Experiment(
        rate=rate,
        pqls_per_week=weekly,
        arms=tuple(_arm(rate, gain, share, weekly) for gain in GAINS for share in SHARES),
    )


def _arm(rate: float, gain: float, share: float, weekly: float | None) -> Arm:
    from pqlkit.statistics.power import sample_size

    arms = sample_size(rate, rate + gain, ratio=(1 - share) / share)
    leads = arms.control + arms.treated
    return Arm(
        gain=gain,
        control_share=share,
        control=arms.control,
        contacted=arms.treated,
        weeks=math.ceil(leads / weekly) if weekly else None,
    )
