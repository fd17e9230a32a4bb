"""The gate: what the later qualifications of a rule must show before it is proposed."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from pqlkit.proposal.objective import HIGH_BASE_RATE, RELATIVE_RISK
from pqlkit.statistics.stratified import conditional_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.proposal.comparable import Comparison
    from pqlkit.statistics.stratified import Excess

MENU: Final = 5
"""Rules that may be tested at once: the level is divided by this, however many there are."""

LEVEL: Final = 0.05
NARROW: Final = 3.5
"""A z below this passed narrowly: what it shows reads high."""

_FEWEST_CLUSTERS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for, as far as later qualifications must bear it out; None = nothing.

    Parameters
    ----------
    value, cost
        Of a conversion and of a lead.
    capacity
        The most new ones a week.
    """

    value: float | None = None
    cost: float | None = None
    capacity: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Whether a rule passed.

    Parameters
    ----------
    passed
        Nothing failed.
    relative_risk
        Rate of the leads / rate of comparable others; None where none of them converted (then it is boundless).
    z, p_value
        How far beyond chance, and the one-sided chance of that or more; None where there is nothing to compare.
    conditional
        The relative risk allowing for having passed narrowly; None where it passed clearly, or not.
    reasons
        What failed, in words; empty if it passed.
    """

    passed: bool
    relative_risk: float | None
    z: float | None
    p_value: float | None
    conditional: float | None
    reasons: tuple[str, ...]


def gate(
    comparison: Comparison | None,
    *,
    starts: int,
    weeks: float,
    asked: Asked | None = None,
    level: float = LEVEL / MENU,
    faults: Sequence[str] = (),
) -> Gate:
    """Judge a rule by its later qualifications.

    Parameters
    ----------
    comparison
        Complete ones against comparable others; None = there are none.
    starts, weeks
        All new ones of the later period, and how long it is.
    asked
        What else they must keep.
    level
        Of the one-sided test.
    faults
        What else is known against it, in words.

    Notes
    -----
    The relative risk must reach 1.5; where more than 40 % of the others convert anyway, (1 - rate without) / (1 - rate with)
    may instead. With fewer than ten conversions on either side the normal is no guide: the chance of so many is the
    Poisson-binomial one of the rates expected (see `pqlkit.statistics.stratified.mid_p`), counts divided by the design effect, and at least five clusters must have
    converted. The newest qualifications fail a rule only if they are surely worse than 1.5: a point below it would fail one steady
    rule in three.
    """
    asked = asked or Asked()
    if comparison is None or comparison.active.n == 0:
        return _failed(*(faults or ["no later lead is complete yet: there is nothing to judge by"]))
    excess = comparison.active
    if excess.others == 0:
        return _failed("nobody later is comparable: as active, and without it")
    p_value = _chance(excess)
    reasons = [*_too_small(excess, p_value, level), *_fallen(comparison.newest), *faults]
    if asked.value is not None and asked.cost is not None and asked.value * excess.converted <= asked.cost * excess.n:
        reasons.append(
            f"its later leads cost more than they bring: {excess.converted:,} of {excess.n:,} convert, and a lead pays for itself "
            f"from {asked.cost / asked.value:.1%} on"
        )
    least = max(0.0, starts - 1.96 * sqrt(starts)) / weeks
    if asked.capacity is not None and least > asked.capacity:
        reasons.append(f"{starts / weeks:.0f} new leads a week later, more than {asked.capacity:g}")
    z = -NormalDist().inv_cdf(p_value) if 0 < p_value < 1 else excess.z
    return Gate(
        passed=not reasons,
        relative_risk=excess.relative_risk,
        z=excess.z,
        p_value=p_value,
        conditional=_conditional(excess, z, level) if not reasons and z < NARROW else None,
        reasons=tuple(reasons),
    )


def _failed(*reasons: str) -> Gate:
    return Gate(passed=False, relative_risk=None, z=None, p_value=None, conditional=None, reasons=reasons)


def _too_small(excess: Excess, p_value: float, level: float) -> list[str]:
    """Say what is too little of an excess."""
    reasons = []
    with_, without = excess.rate or 0.0, excess.others_rate or 0.0
    spared = without > HIGH_BASE_RATE and 1 - without >= RELATIVE_RISK * (1 - with_)
    if excess.converted == 0:
        reasons.append("no later lead converted")
    elif with_ < RELATIVE_RISK * without and not spared:
        reasons.append(
            f"its later leads convert {with_:.1%}, comparable others {without:.1%}: {with_ / without:.1f} times as often, less than "
            f"{RELATIVE_RISK:g}"
        )
    if p_value > level:
        reasons.append(f"chance alone does as well with p = {p_value:.2g}, more than {level:g}")
    elif excess.mid_p is not None and excess.clusters_converted < _FEWEST_CLUSTERS:
        reasons.append(f"only {excess.clusters_converted} of those who converted later are independent")
    return reasons


def _chance(excess: Excess) -> float:
    """Give the one-sided chance of so large an excess."""
    return NormalDist().cdf(-excess.z) if excess.mid_p is None else excess.mid_p


def _fallen(newest: Excess | None) -> list[str]:
    """Say whether the newest leads surely do no better than others any more."""
    if newest is None or newest.high is None or newest.high >= RELATIVE_RISK:
        return []
    return [
        f"its newest leads no longer stand out: {newest.converted:,} of {newest.n:,} convert, at most {newest.high:.1f} times as "
        "often as comparable others"
    ]


def _conditional(excess: Excess, z: float, level: float) -> float | None:
    """Give the relative risk that would be seen on average where only what passes is seen."""
    if not excess.relative_risk or excess.relative_risk <= 0 or z <= 0:
        return None
    mean = max(0.0, conditional_mean(z, -NormalDist().inv_cdf(level)))
    return exp(log(excess.relative_risk) * mean / z)
