"""The drift: whether a definition does in a later period what it did when it was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.statistics.arrays import Floats, number, ratio
from pqlkit.statistics.change import StabilityIndex, risk_ratio_change, stability_index, two_proportions
from pqlkit.statistics.comparison import newcombe
from pqlkit.statistics.estimate import Estimate, Undefined
from pqlkit.statistics.multiplicity import holm
from pqlkit.statistics.power import detectable_fall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.rate import Rate

__all__ = ["Drift", "Period", "Verdict", "assess"]

LEVEL: Final = 0.05
"""Level of every test here, after Holm's correction over the periods."""
DECAY: Final = 0.8
"""The effect has decayed only if the relative risk is at most this part of the reference's."""
SHIFT: Final = 0.25
"""A share or a base rate has shifted only if it changed by more than this part of the reference's."""
BLIND: Final = 0.5
"""A period that could not even show the rate falling by this part says nothing."""


class Verdict(StrEnum):
    """What became of a definition in a period."""

    STABLE = "stable"
    EFFECT_DECAYED = "effect-decayed"
    BASE_RATE_SHIFT = "base-rate-shift"
    VOLUME_DRIFT = "volume-drift"
    TOO_FEW = "too-few"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What a definition did in one period.

    Parameters
    ----------
    table
        Qualified or not x converted or not (the look view).
    rate
        The promised rate of the period (the trigger view); the rate of the qualified in `table` when None.
    behaviours
        Entities in each bin of each criterion's behaviour, in one order for all periods; empty when not followed.
    """

    table: Contingency
    rate: Rate | None = None
    behaviours: tuple[tuple[float, ...], ...] = ()

    @property
    def promise(self) -> Rate:
        """The rate that is followed."""
        return self.table.with_ if self.rate is None else self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How one period compares with the reference.

    Parameters
    ----------
    verdict
        The finding that explains most; see `assess`.
    findings
        Every verdict that holds.
    p_value
        Of the change of the promised rate, after Holm's correction over the periods; None when untestable.
    rate_difference
        Promised rate now less then, with Newcombe's interval.
    effect_ratio, effect_p_value
        Relative risk now over then, and its p after Holm.
    share_ratio, share_p_value
        Share of the qualified now over then, and its p after Holm.
    base_ratio, base_p_value
        Rate of those not qualified now over then, and its p after Holm.
    detectable_fall
        Smallest fall of the rate that this period could show with 80 % power; None when not even a fall to 0.
    shifts
        Population stability index of each behaviour.
    """

    verdict: Verdict
    findings: tuple[Verdict, ...]
    p_value: float | None
    rate_difference: Estimate
    effect_ratio: Estimate
    effect_p_value: float | None
    share_ratio: float | None
    share_p_value: float | None
    base_ratio: float | None
    base_p_value: float | None
    detectable_fall: float | None
    shifts: tuple[StabilityIndex, ...]


def assess(reference: Period, periods: Sequence[Period]) -> tuple[Drift, ...]:
    """Compare later periods with the one in which a definition was chosen.

    Parameters
    ----------
    reference
        The period that the definition's evidence comes from.
    periods
        Later ones, mature, in order, of other entities.

    Returns
    -------
    tuple of Drift
        One a period. Every test is corrected over the periods (Holm, 5 %), and needs a size that matters besides.

    Notes
    -----
    The verdict is the first that holds:

    1. ``volume-drift``: the share of the qualified changed by more than a quarter, or one of the behaviours shifted by its
       population stability index (0.1 or more, and more than chance). First, because other people meeting the definition
       also changes its rate: the behaviours have to be looked at before the effect.
    2. ``effect-decayed``: the relative risk fell to 0.8 of the reference's or less; or the promised rate did, and fell as far
       below the rate of those not qualified (a change that both share is no decay), where enough have qualified to say so.
    3. ``base-rate-shift``: the rate of those *not* qualified changed by more than a quarter.
    4. ``too-few``: nothing found, and a fall of the rate to half would not have been seen with 80 % power.
    5. ``stable``: nothing found, and enough to have found it.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6, 65-70.

    Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions: comparison of eleven
    methods. Statistics in Medicine 17, 873-890.

    Altman, D. G. and Bland, J. M. (2003). Interaction revisited: the difference between two estimates. BMJ 326, 219.

    Examples
    --------
    >>> from pqlkit.statistics.contingency import Contingency
    >>> then = Period(table=Contingency(120, 280, 160, 7440))
    >>> now = [Contingency(60, 140, 80, 3720), Contingency(16, 184, 80, 3720), Contingency(1, 2, 2, 45)]
    >>> [drift.verdict.value for drift in assess(then, [Period(table=table) for table in now])]
    ['stable', 'effect-decayed', 'too-few']
    """
    then, changes = reference.table, [risk_ratio_change(period.table, reference.table) for period in periods]
    promises = [(period.promise.numerator, period.promise.denominator) for period in periods]
    known = reference.promise
    tests = {
        "rate": _compared(promises, (known.numerator, known.denominator)),
        "effect": holm([np.nan if p is None else p for _, p in changes]),
        "share": _compared([(p.table.n1, p.table.total) for p in periods], (then.n1, then.total)),
        "base": _compared([(p.table.c, p.table.n0) for p in periods], (then.c, then.n0)),
    }
    return tuple(
        _drift(reference, period, changes[place][0], {name: number(p[place]) for name, p in tests.items()})
        for place, period in enumerate(periods)
    )


def _compared(counts: Sequence[tuple[int, int]], then: tuple[int, int]) -> Floats:
    """Test the rate of every period against the reference's, with Holm's correction."""
    columns = np.array(counts, dtype=np.float64).reshape(-1, 2)
    return holm(two_proportions(columns[:, 0], columns[:, 1], *then))


def _drift(reference: Period, period: Period, effect: Estimate, p: dict[str, float | None]) -> Drift:
    then, now, known, seen = reference.table, period.table, reference.promise, period.promise
    share, base = _change(now.share, then.share), _change(now.without, then.without)
    fall = None
    if known.rate:
        fall = detectable_fall(known.rate, known.denominator, seen.denominator)
    shifts = tuple(map(stability_index, reference.behaviours, period.behaviours))
    blind = known.rate is None or fall is None or fall > BLIND * known.rate
    # So few that a fall to half would not show are too few for a test of rates by the normal approximation.
    promise = None if blind else _change(seen, known)
    found = _findings(p, effect, share, base, promise, moved=any(shift.shifted for shift in shifts))
    findings = found or ((Verdict.TOO_FEW,) if blind else (Verdict.STABLE,))
    both = seen.denominator > 0 and known.denominator > 0
    difference = newcombe(seen.numerator, seen.denominator, known.numerator, known.denominator)
    return Drift(
        verdict=findings[0],
        findings=findings,
        p_value=p["rate"],
        rate_difference=Estimate.of(*difference) if both else Estimate.none(Undefined.EMPTY_GROUP),
        effect_ratio=effect,
        effect_p_value=p["effect"],
        share_ratio=share,
        share_p_value=p["share"],
        base_ratio=base,
        base_p_value=p["base"],
        detectable_fall=fall,
        shifts=shifts,
    )


def _findings(
    p: dict[str, float | None],
    effect: Estimate,
    share: float | None,
    base: float | None,
    promise: float | None,
    *,
    moved: bool,
) -> tuple[Verdict, ...]:
    """List what is both significant and large, what explains most first."""
    decayed = effect.value is not None and effect.value <= DECAY and _significant(p["effect"])
    fallen = promise is not None and promise <= DECAY * min(1.0, 1.0 if base is None else base)
    held = {
        Verdict.VOLUME_DRIFT: moved or (_shifted(share) and _significant(p["share"])),
        Verdict.EFFECT_DECAYED: decayed or (fallen and _significant(p["rate"])),
        Verdict.BASE_RATE_SHIFT: _shifted(base) and _significant(p["base"]),
    }
    return tuple(verdict for verdict, holds in held.items() if holds)


def _change(now: Rate, then: Rate) -> float | None:
    return number(ratio(np.nan if now.rate is None else now.rate, np.nan if then.rate is None else then.rate))


def _shifted(change: float | None) -> bool:
    return change is not None and abs(change - 1) > SHIFT


def _significant(p: float | None) -> bool:
    return p is not None and p <= LEVEL
