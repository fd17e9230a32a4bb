"""The conversion curve: who has converted by when; nobody counts for longer than they were watched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pqlkit.statistics.arrays import Z95, Floats, Numbers, exp, floats, log, number, ratio, together
from pqlkit.statistics.estimate import Estimate, Undefined
from pqlkit.statistics.newton import whitening
from pqlkit.statistics.rate import Rate, wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Curve",
    "Disagreement",
    "LifeTable",
    "LogRank",
    "disagreement",
    "kaplan_meier",
    "log_rank",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LifeTable:
    """What happened after how long, in counts. Tables of disjoint groups add.

    Build it with `LifeTable.of`.

    Parameters
    ----------
    times
        Distinct durations, ascending, in any one unit.
    events
        Conversions at each.
    censored
        Entities last seen at each: they are at risk there, and conversions of that very moment come first.
    """

    times: Floats
    events: Floats
    censored: Floats

    @classmethod
    def of(cls, times: Numbers, events: Numbers, censored: Numbers) -> LifeTable:
        """Build one from counts in any order; rows of one time are added up.

        Examples
        --------
        >>> LifeTable.of([2, 1, 2], [1, 1, 1], [0, 3, 4]).censored
        array([3., 4.])
        """
        distinct, place = np.unique(floats(times), return_inverse=True)
        columns = together(events, censored, times)[:2]
        summed = [floats(np.bincount(place, weights=column, minlength=len(distinct))) for column in columns]
        return cls(times=distinct, events=summed[0], censored=summed[1])

    def __add__(self, other: LifeTable) -> LifeTable:
        """Merge with the table of a disjoint group."""
        return LifeTable.of(
            np.concatenate([self.times, other.times]),
            np.concatenate([self.events, other.events]),
            np.concatenate([self.censored, other.censored]),
        )

    def thinned(self, design_effect: float) -> LifeTable:
        """Count rows that go together as so many fewer: the curve stays, its intervals are those of n / `design_effect`.

        Examples
        --------
        >>> table = LifeTable.of([1, 2], [10, 0], [0, 90])
        >>> one, two = (kaplan_meier(part).converted_by(1) for part in (table, table.thinned(2.0)))
        >>> one.value == two.value, one.low > two.low
        (True, True)
        """
        return LifeTable(
            times=self.times,
            events=self.events / design_effect,
            censored=self.censored / design_effect,
        )

    @property
    def entities(self) -> int:
        """All entities of the table."""
        return int((self.events + self.censored).sum())

    @property
    def at_risk(self) -> Floats:
        """Entities that had not converted or been lost to sight just before each time."""
        gone = self.events + self.censored
        return floats(gone[::-1].cumsum()[::-1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """The share converted by each time, with 95 % intervals.

    Parameters
    ----------
    times
        Distinct durations, ascending.
    at_risk
        Entities still observed and unconverted just before each.
    converted
        Share converted at or before each; it holds until the next.
    error
        Its standard error (Greenwood).
    low, high
        Ends of its interval on the log(-log) scale; while nobody, or once everybody, has converted that scale does not
        exist, and Wilson's interval of those at risk stands in.
    """

    times: Floats
    at_risk: Floats
    converted: Floats
    error: Floats
    low: Floats
    high: Floats

    def at(self, times: Numbers) -> tuple[Floats, Floats, Floats]:
        """Read the share converted, with its interval, at some times.

        Parameters
        ----------
        times
            In the unit of the curve. A conversion at exactly that time is in.

        Returns
        -------
        tuple of Floats
            Share, lower and upper end; NaN beyond the last time at which anybody was observed.

        Examples
        --------
        >>> curve = kaplan_meier(LifeTable.of([1, 2, 3], [1, 0, 1], [0, 1, 1]))
        >>> curve.at([0, 1, 2.5, 9])[0]
        array([0.  , 0.25, 0.25,  nan])
        """
        asked = floats(times)
        place = np.searchsorted(self.times, asked, side="right")
        seen = asked <= (self.times[-1] if len(self.times) else -np.inf)
        start = wilson(0, self.at_risk[0] if len(self.times) else 0)
        columns = [(self.converted, 0.0), (self.low, start[0]), (self.high, start[1])]
        read = [np.where(seen, np.concatenate([[first], column])[place], np.nan) for column, first in columns]
        return read[0], read[1], read[2]

    def converted_by(self, time: float) -> Estimate:
        """Read the share converted by one time; undefined beyond what was observed.

        Examples
        --------
        >>> kaplan_meier(LifeTable.of([1, 3], [1, 0], [0, 3])).converted_by(2).value
        0.25
        """
        share, low, high = self.at(time)
        return Estimate.none(Undefined.NOT_REACHED) if np.isnan(share) else Estimate.of(share, low, high)

    def quantile(self, share: float) -> Estimate:
        """Find the time by which a share of all entities has converted.

        Parameters
        ----------
        share
            In (0, 1): 0.5 for the median.

        Returns
        -------
        Estimate
            First time at which the curve reaches `share`, and the times at which the ends of its interval do (None when they
            do not). Undefined, ``not-reached``, when the curve stays below.

        References
        ----------
        Brookmeyer, R. and Crowley, J. (1982). A confidence interval for the median survival time. Biometrics 38, 29-41.

        Examples
        --------
        >>> kaplan_meier(LifeTable.of([1, 2, 3], [1, 1, 1], [0, 0, 0])).quantile(0.5).value
        2.0
        """
        value = self._reaches(self.converted, share)
        if value is None:
            return Estimate(value=None, low=self._reaches(self.high, share), undefined=Undefined.NOT_REACHED)
        return Estimate(value=value, low=self._reaches(self.high, share), high=self._reaches(self.low, share))

    def _reaches(self, column: Floats, share: float) -> float | None:
        # Products of fractions that are exactly one half end 1e-16 beside it.
        there = np.flatnonzero(column >= share - 1e-12)
        return float(self.times[there[0]]) if len(there) else None


def kaplan_meier(table: LifeTable) -> Curve:
    r"""Estimate the share converted by each time, from entities observed for different lengths of time.

    Parameters
    ----------
    table
        Counts by time.

    Returns
    -------
    Curve
        Right if how long an entity was observed says nothing about whether it converts.

    Notes
    -----
    .. math:: 1 - \prod_{t_j \le t} (1 - d_j / n_j), \quad
        \widehat{Var} \ln S = \sum_{t_j \le t} \frac{d_j}{n_j (n_j - d_j)}

    References
    ----------
    Kaplan, E. L. and Meier, P. (1958). Nonparametric estimation from incomplete observations. Journal of the American
    Statistical Association 53, 457-481.

    Greenwood, M. (1926). The natural duration of cancer. Reports on Public Health and Medical Subjects 33. His Majesty's
    Stationery Office, London.

    Kalbfleisch, J. D. and Prentice, R. L. (2002). The Statistical Analysis of Failure Time Data, 2nd edition. Wiley,
    Hoboken.

    Examples
    --------
    >>> curve = kaplan_meier(LifeTable.of([1, 2, 3], [1, 0, 1], [0, 1, 1]))
    >>> curve.converted
    array([0.25 , 0.25 , 0.625])
    """
    at_risk = table.at_risk
    left = np.cumprod(1 - ratio(table.events, at_risk))
    summed = np.cumsum(np.nan_to_num(ratio(table.events, at_risk * (at_risk - table.events))))
    return _curve(table, floats(1 - left), floats(left**2 * summed))


def _curve(table: LifeTable, converted: Floats, variance: Floats) -> Curve:
    """Add the interval on the log(-log) scale of the share not converted."""
    # Sums of shares that are exactly 1 end 1e-16 below it.
    converted = np.where(converted > 1 - 1e-12, 1.0, converted)
    left, error, at_risk = 1 - converted, np.where(converted < 1, np.sqrt(variance), 0.0), table.at_risk
    inside = (left > 0) & (converted > 0)
    safe = np.where(inside, left, 0.5)
    low_scaled, high_scaled = _log_log(safe, error)
    edges = wilson(np.where(converted > 0, at_risk, 0), at_risk)
    low = np.where(inside, low_scaled, edges[0])
    high = np.where(inside, high_scaled, edges[1])
    return Curve(times=table.times, at_risk=at_risk, converted=converted, error=error, low=low, high=high)


def _log_log(left: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Spread the share not converted by its error on the log(-log) scale; ends of the share converted.

    A curve is flat between conversions: each of its steps is computed once.
    """
    fresh = np.append(True, (np.diff(left) != 0) | (np.diff(error) != 0))[: len(left)]
    step, logs = np.cumsum(fresh) - 1, log(left[fresh])
    power = exp(np.minimum(Z95 * ratio(error[fresh], -left[fresh] * logs), 500.0))
    return (1 - exp(logs / power))[step], (1 - exp(logs * power))[step]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRank:
    """A test whether groups convert along one curve.

    Parameters
    ----------
    statistic
        Chi-squared, with `degrees` degrees of freedom; large: the curves differ.
    degrees
        Groups with anybody at risk at a conversion, less one.
    p_value
        Chance of a statistic as large if all groups had one curve; None when there is nothing to compare.
    """

    statistic: float | None
    degrees: int
    p_value: float | None


def log_rank(tables: Sequence[LifeTable]) -> LogRank:
    """Test whether groups convert along one curve.

    Parameters
    ----------
    tables
        One a group, in the same unit of time.

    Returns
    -------
    LogRank
        Undefined with fewer than two groups or no conversion.

    References
    ----------
    Mantel, N. (1966). Evaluation of survival data and two new rank order statistics arising in its consideration. Cancer
    Chemotherapy Reports 50, 163-170.

    Peto, R. and Peto, J. (1972). Asymptotically efficient rank invariant test procedures. Journal of the Royal Statistical
    Society, Series A 135, 185-207.

    Examples
    --------
    >>> slow, fast = LifeTable.of([5, 6, 7, 8], 1, 0), LifeTable.of([1, 2, 3, 4], 1, 0)
    >>> round(log_rank([slow, fast]).p_value, 4)
    0.0067
    """
    from scipy.special import chdtrc

    times = np.unique(np.concatenate([[], *(table.times[table.events > 0] for table in tables)]))
    risk = np.array([_at_risk(table, times) for table in tables]).reshape(len(tables), len(times))
    events = np.array([_events(table, times) for table in tables]).reshape(len(tables), len(times))
    present = risk.sum(axis=1) > 0
    degrees = int(present.sum()) - 1
    if degrees < 1:
        return LogRank(statistic=None, degrees=max(0, degrees), p_value=None)
    risk, events = risk[present], events[present]
    n, d = risk.sum(axis=0), events.sum(axis=0)
    share = risk / n
    excess = (events - share * d).sum(axis=1)[:-1]
    spread = d * np.nan_to_num(ratio(n - d, n - 1))
    covariance = (np.diag((share * spread).sum(axis=1)) - (share * spread) @ share.T)[:-1, :-1]
    white = whitening(covariance)
    if white is None:
        return LogRank(statistic=None, degrees=degrees, p_value=None)
    statistic = float(((excess @ white) ** 2).sum())
    return LogRank(statistic=statistic, degrees=degrees, p_value=float(chdtrc(degrees, statistic)))


def _at_risk(table: LifeTable, times: Floats) -> Floats:
    """Count those still observed and unconverted just before each time."""
    return floats(np.append(table.at_risk, 0.0)[np.searchsorted(table.times, times, side="left")])


def _events(table: LifeTable, times: Floats) -> Floats:
    """Count the conversions at each time."""
    running = np.concatenate([[0.0], np.cumsum(table.events)])
    last, first = (np.searchsorted(table.times, times, side=side) for side in ("right", "left"))
    return floats(running[last] - running[first])


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Two estimates of one conversion rate, compared.

    Parameters
    ----------
    difference
        Curve less rate: positive when the entities not yet seen through convert better.
    error
        Standard error of the difference.
    drift
        True when they differ by more than two standard errors: newer entities convert differently.
    """

    difference: float
    error: float
    drift: bool


def disagreement(curve: Curve, rate: Rate, time: float) -> Disagreement | None:
    """Compare the curve, which uses everybody, with the plain rate of those seen through.

    Parameters
    ----------
    curve
        Kaplan-Meier over all entities, those of `rate` among them; thinned by the design effect of `rate` where rows go
        together.
    rate
        Converted by `time`, among the entities observed that long.
    time
        The conversion window, in the unit of the curve.

    Returns
    -------
    Disagreement or None
        None when either is undefined, or when the curve has used nothing beyond the rate.

    Notes
    -----
    The rate uses a part of the curve's data, and the curve uses its data fully: then the variance of their difference is
    the *difference* of their variances. Both are right if newer entities convert as the older did; if not, they part.

    References
    ----------
    Hausman, J. A. (1978). Specification tests in econometrics. Econometrica 46, 1251-1271.

    Examples
    --------
    >>> old = LifeTable.of([10, 30], [40, 0], [0, 360])
    >>> new = LifeTable.of([10, 15], [0, 0], [0, 400])
    >>> disagreement(kaplan_meier(old + new), Rate.of(40, 400), 30).drift
    True
    """
    share, place = number(curve.at(time)[0]), int(np.searchsorted(curve.times, time, side="right")) - 1
    if share is None or rate.rate is None or place < 0:
        return None
    # Both variances at the curve's share, as if there were no drift: at two shares their difference may be negative.
    variance = share * (1 - share) * rate.design_effect / rate.denominator - float(curve.error[place]) ** 2
    difference = share - rate.rate
    # Rounding leaves 1e-20 where both have used the same entities.
    if variance <= 1e-15:
        return None
    error = float(np.sqrt(variance))
    return Disagreement(difference=difference, error=error, drift=abs(difference) > 2 * error)
