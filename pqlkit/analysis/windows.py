"""The advice about time: which horizon and which windows suit the delays that the data shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pqlkit.analysis.design import Design
    from pqlkit.analysis.looks import Looks
    from pqlkit.analysis.population import Population
    from pqlkit.durations import Duration
    from pqlkit.typing import Microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonOption:
    """One horizon: the share of the first 90 days' conversions that it holds, and of entities that it leaves mature."""

    horizon: Duration
    holds: float | None
    mature: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonAdvice:
    """The smallest of 14, 30, 60 and 90 days that holds >= 80 % and leaves >= 60 % mature; None = none does.

    `delays` holds the quantiles (fraction, days) of landmark to conversion among those with 90 days of follow-up; `n` is how many.
    """

    advised: Duration | None
    options: tuple[HorizonOption, ...]
    n: int
    delays: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """A day of age (0 = the first 24 hours) on which more than 30 % of all conversions fall: probably an automatic one."""

    day: int
    converted: int
    of: int


def horizon_advice(population: Population, landmark: Duration) -> HorizonAdvice:
    """Advise a horizon for looks at anchor + `landmark`."""
    raise NotImplementedError


def early_warning(population: Population, design: Design) -> str | None:
    """Warn when more than 30 % of the conversions of entities with their time over come before the landmark."""
    raise NotImplementedError


def spike(population: Population) -> Spike | None:
    """Find the day of age that holds more than 30 % of the conversions (of at least 20), or None."""
    raise NotImplementedError


def search_opens(looks: Looks, population: Population, needed: int = 50) -> Microseconds | None:
    """Say when `needed` usable converters will be there at the present pace.

    Returns
    -------
    int or None
        The moment (UTC microseconds); `as_of` itself when they are there already; None without a pace.
    """
    raise NotImplementedError
