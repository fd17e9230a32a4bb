"""The power: how many leads an experiment needs, and what a sample can show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Arms",
    "detectable_difference",
    "detectable_fall",
    "detectable_relative_risk",
    "sample_size",
]

_NEVER: Final = 1e6
"""A relative risk beyond this is not a finding but an empty cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """The leads that an experiment needs.

    Parameters
    ----------
    control, treated
        Leads left alone, and leads contacted.
    """

    control: int
    treated: int

    @property
    def total(self) -> int:
        """All leads."""
        return self.control + self.treated


def _needed(control: float, treated: float, power: float, alpha: float, ratio: float) -> float:
    """Compute the control leads needed, as a fraction of leads; `ratio` = treated / control."""
    pooled = (control + ratio * treated) / (1 + ratio)
    chance = NormalDist().inv_cdf(1 - alpha / 2) * math.sqrt((1 + 1 / ratio) * pooled * (1 - pooled))
    real = NormalDist().inv_cdf(power) * math.sqrt(control * (1 - control) + treated * (1 - treated) / ratio)
    return ((chance + real) / (treated - control)) ** 2


def sample_size(control: float, treated: float, *, power: float = 0.8, alpha: float = 0.05, ratio: float = 1.0) -> Arms:
    r"""Count the leads that an experiment needs to tell two conversion rates apart.

    Parameters
    ----------
    control, treated
        Conversion rates without and with the contact, in [0, 1], different.
    power
        Chance of a significant result if the rates are these.
    alpha
        Two-sided level of the test.
    ratio
        Treated leads per control lead: 4 when 20 % are held out.

    Returns
    -------
    Arms
        Leads a side, rounded up.

    Raises
    ------
    ValueError
        The rates are equal or outside [0, 1], or `ratio` is not positive.

    Notes
    -----
    With equal arms, per arm:

    .. math:: n = \frac{(z_{1-\alpha/2}\sqrt{2\bar p\bar q} + z_{1-\beta}\sqrt{p_1 q_1 + p_0 q_0})^2}{(p_1-p_0)^2}

    References
    ----------
    Fleiss, J. L., Levin, B. and Paik, M. C. (2003). Statistical Methods for Rates and Proportions, 3rd edition. Wiley,
    Hoboken.

    Examples
    --------
    >>> [sample_size(0.28, treated).control for treated in (0.33, 0.31, 0.38)]
    [1330, 3627, 346]
    >>> sample_size(0.28, 0.33, ratio=4)
    Arms(control=840, treated=3359)
    """
    if not (0 <= control <= 1 and 0 <= treated <= 1) or control == treated or ratio <= 0:
        message = (
            f"two different rates within [0, 1] and a positive ratio are needed, not {control}, {treated}, {ratio}"
        )
        raise ValueError(message)
    needed = _needed(control, treated, power, alpha, ratio)
    return Arms(control=math.ceil(needed), treated=math.ceil(needed * ratio))


def detectable_difference(
    control: float, n_control: float, n_treated: float, *, power: float = 0.8, alpha: float = 0.05
) -> float | None:
    """Find the smallest rise in the conversion rate that an experiment of this size can show.

    Parameters
    ----------
    control
        Conversion rate without the contact, in [0, 1).
    n_control, n_treated
        Leads a side.
    power, alpha
        As in `sample_size`.

    Returns
    -------
    float or None
        Rise as a difference of rates; None if not even a rise to 1 could be shown.

    References
    ----------
    Fleiss, J. L., Levin, B. and Paik, M. C. (2003). Statistical Methods for Rates and Proportions, 3rd edition. Wiley,
    Hoboken.

    Examples
    --------
    >>> round(detectable_difference(0.28, 1330, 1330), 4)
    0.05
    """
    if min(n_control, n_treated) <= 0 or control >= 1:
        return None
    ratio = n_treated / n_control

    def surplus(treated: float) -> float:
        return n_control - _needed(control, treated, power, alpha, ratio)

    treated = _crossing(surplus, control, 1.0)
    return None if treated is None else treated - control


def detectable_fall(
    rate: float, n_baseline: float, n_period: float, *, power: float = 0.8, alpha: float = 0.05
) -> float | None:
    """Find the smallest fall of a rate that a later period of this size can show.

    Parameters
    ----------
    rate
        Rate of the baseline period, in (0, 1].
    n_baseline, n_period
        Entities behind the baseline and behind the later period.
    power, alpha
        As in `sample_size`.

    Returns
    -------
    float or None
        Fall as a difference of rates, positive; None if not even a fall to 0 could be shown.

    References
    ----------
    Fleiss, J. L., Levin, B. and Paik, M. C. (2003). Statistical Methods for Rates and Proportions, 3rd edition. Wiley,
    Hoboken.

    Examples
    --------
    >>> round(detectable_fall(0.28, 1330, 1330), 3), detectable_fall(0.05, 1000, 10) is None
    (0.047, True)
    """
    return detectable_difference(1 - rate, n_baseline, n_period, power=power, alpha=alpha)


def _crossing(surplus: Callable[[float], float], start: float, end: float) -> float | None:
    """Find where a function that is -inf at `start` and rises becomes 0; None if it stays below up to `end`."""
    from scipy.optimize import brentq

    nearest = start + 1e-9 * (end - start)
    if surplus(end) < 0:
        return None
    if surplus(nearest) >= 0:
        return nearest
    return float(brentq(surplus, nearest, end, xtol=1e-12, rtol=1e-12))


def detectable_relative_risk(converters: int, share: float, *, power: float = 0.8, alpha: float = 0.05) -> float | None:
    """Find the smallest relative risk that a handful of converters can show.

    Parameters
    ----------
    converters
        Usable conversions.
    share
        Share of all entities that show the behaviour, in (0, 1).
    power
        Chance of a significant result.
    alpha
        Two-sided level of the exact test.

    Returns
    -------
    float or None
        Relative risk (with / without); None when even the converters all doing it would prove nothing.

    Notes
    -----
    Conversions being rare, the converters who show the behaviour are binomial with share x RR / (share x RR + 1 - share).
    The power is that of the exact test randomised at its edge, which uses its level up: without, the answer jumps up and
    down between 3.0 and 4.0 from one converter to the next.

    References
    ----------
    Breslow, N. E. and Day, N. E. (1987). Statistical Methods in Cancer Research, Volume II: The Design and Analysis of
    Cohort Studies. International Agency for Research on Cancer, Lyon.

    Lehmann, E. L. and Romano, J. P. (2005). Testing Statistical Hypotheses, 3rd edition. Springer, New York.

    Examples
    --------
    >>> round(detectable_relative_risk(22, 0.25), 1)
    3.4
    """
    import numpy as np
    from scipy.special import bdtrc

    if converters <= 0 or not 0 < share < 1:
        return None
    # The test is significant above `edge`, and at `edge` itself in a part of the cases that fills the level.
    beyond = bdtrc(np.arange(converters + 1), converters, share)
    edge = int(np.argmax(beyond <= alpha / 2))
    here = (float(beyond[edge - 1]) if edge else 1.0) - float(beyond[edge])
    part = (alpha / 2 - float(beyond[edge])) / here

    def surplus(log_risk: float) -> float:
        risk = math.exp(log_risk)
        among = share * risk / (share * risk + 1 - share)
        more = float(bdtrc(edge, converters, among))
        least = float(bdtrc(edge - 1, converters, among)) if edge else 1.0
        return more + part * (least - more) - power

    logarithm = _crossing(surplus, 0.0, math.log(_NEVER))
    return None if logarithm is None else math.exp(logarithm)
