"""The objective: what the search makes as large as it can, and the bounds that a rule must keep."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.errors import UsageError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

RELATIVE_RISK: Final = 1.5
"""The least relative risk (with / without) of a rule, on fit and on the holdout."""

HIGH_BASE_RATE: Final = 0.4
"""Base rate above which (1 - without) / (1 - with) may reach the least relative risk instead."""

_BETA: Final = {"f1": 1.0, "f0.5": 0.5, "f2": 2.0}
_NET_BENEFIT: Final = re.compile(r"nb:([0-9]+(?:\.[0-9]+)?)x", re.ASCII)
_ROUNDING: Final = 1e-9


class ObjectiveKind(StrEnum):
    """How ``--objective`` spells it; `CAPACITY` is what ``--capacity`` makes of any of them."""

    KAPPA = "kappa"
    F1 = "f1"
    F05 = "f0.5"
    F2 = "f2"
    YOUDEN = "youden"
    NET_BENEFIT = "nb"
    CAPACITY = "capacity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A score that never falls with more true positives and never rises with more false ones.

    Parameters
    ----------
    kind
        Which.
    threshold
        For `NET_BENEFIT`: the break-even rate, in (0, 1). None otherwise.
    """

    kind: ObjectiveKind = ObjectiveKind.KAPPA
    threshold: float | None = None

    def score(
        self,
        hits: NDArray[np.float64],
        misses: NDArray[np.float64],
        *,
        converters: float | NDArray[np.float64],
        snapshots: float | NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Score rules by their converted (`hits`) and not converted (`misses`) snapshots, elementwise; any shape.

        Parameters
        ----------
        hits, misses
            Snapshots that meet the rule and did, did not convert.
        converters, snapshots
            Of all snapshots, one number or one per rule; where either outcome is empty every score is 0 (kappa, Youden) or by its formula.

        Returns
        -------
        NDArray
            The larger the better. Kappa is Cohen's, 1 = the rule is the outcome, 0 = chance; F is 0 where nobody meets the
            rule; net benefit is per snapshot; capacity is recall less a fraction that prefers fewer misses among equals.

        References
        ----------
        Cohen (1960), A coefficient of agreement for nominal scales. Youden (1950), Index for rating diagnostic tests.
        Vickers, van Calster & Steyerberg (2019), A simple, step-by-step guide to interpreting decision curve analysis.

        Examples
        --------
        >>> tp, fp = np.array([20.0]), np.array([5.0])
        >>> Objective().score(tp, fp, converters=30, snapshots=50).round(3).tolist()
        [0.4]
        """
        qualified = hits + misses
        others = snapshots - converters
        match self.kind:
            case ObjectiveKind.KAPPA:
                agreement = 2.0 * (hits * snapshots - qualified * converters)
                return _ratio(agreement, qualified * others + converters * (snapshots - qualified))
            case ObjectiveKind.F1 | ObjectiveKind.F05 | ObjectiveKind.F2:
                square = _BETA[self.kind] ** 2
                return _ratio((1.0 + square) * hits, square * converters + qualified)
            case ObjectiveKind.YOUDEN:
                return hits / np.maximum(converters, 1.0) - misses / np.maximum(others, 1.0)
            case ObjectiveKind.NET_BENEFIT:
                threshold = 0.5 if self.threshold is None else self.threshold
                return (hits - misses * (threshold / (1.0 - threshold))) / snapshots
            case ObjectiveKind.CAPACITY:
                return (hits - misses / (snapshots + 1.0)) / np.maximum(converters, 1.0)


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divide, giving 0 where the divisor is 0."""
    return np.divide(above, below, out=np.zeros(np.shape(above)), where=np.asarray(below) != 0)


def parse_objective(
    text: str = "kappa",
    *,
    base_rate: float,
    value: float | None = None,
    cost: float | None = None,
    capacity: bool = False,
) -> Objective:
    """Read ``--objective``, ``--value``, ``--cost`` and whether ``--capacity`` was given.

    Parameters
    ----------
    text
        ``kappa``, ``f1``, ``f0.5``, ``f2``, ``youden`` or ``nb:2x`` (net benefit at twice the base rate).
    base_rate
        Of the fit part.
    value, cost
        Of a conversion and of a lead, both or none: net benefit at cost / value.
    capacity
        The most conversions within the share that `Constraints.max_share` states, whatever `text` says.

    Raises
    ------
    UsageError
        The text cannot be read, only one of value and cost is given, or the break-even rate is not in (0, 1).

    Examples
    --------
    >>> parse_objective("nb:2x", base_rate=0.04).threshold
    0.08
    >>> parse_objective(value=100, cost=5, base_rate=0.04).threshold
    0.05
    """
    named = _named(text, base_rate)
    if (value is None) != (cost is None):
        missing = "--cost" if cost is None else "--value"
        raise UsageError(
            f"{missing} is missing: what a conversion is worth and what a lead costs go together",
            hint="give both: --value V --cost C",
        )
    if capacity:
        return Objective(kind=ObjectiveKind.CAPACITY)
    if value is not None and cost is not None:
        return _net_benefit(cost, value)
    return named


def _net_benefit(cost: float, value: float) -> Objective:
    if not (math.isfinite(value) and math.isfinite(cost) and 0 < cost < value):
        raise UsageError(
            f"a lead that costs {cost:g} for a conversion worth {value:g} never pays: --cost must lie between 0 and --value",
            where="--cost",
            hint="write a --cost above 0 and below --value",
        )
    return Objective(kind=ObjectiveKind.NET_BENEFIT, threshold=cost / value)


def _named(text: str, base_rate: float) -> Objective:
    plain = [kind.value for kind in ObjectiveKind if kind not in {ObjectiveKind.NET_BENEFIT, ObjectiveKind.CAPACITY}]
    if text in plain:
        return Objective(kind=ObjectiveKind(text))
    match = _NET_BENEFIT.fullmatch(text)
    if match is None:
        near = nearest(text, [*plain, "nb:2x"])
        raise UsageError(
            f"{text!r} is no objective: {', '.join(plain)} or nb:2x",
            where="--objective",
            hint=f"did you mean {near}?" if near else None,
        )
    threshold = float(match[1]) * base_rate
    if not 0 < threshold < 1:
        raise UsageError(
            f"{text} is a break-even rate of {threshold:.4g} at a base rate of {base_rate:.4g}: it must lie between 0 and 1",
            where="--objective",
            hint="write a smaller multiple, such as nb:2x",
        )
    return Objective(kind=ObjectiveKind.NET_BENEFIT, threshold=threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What a rule must keep to count in the search; fractions, None = no bound.

    Parameters
    ----------
    min_share, max_share
        Of snapshots that meet the rule.
    min_recall
        Of converters that meet it.
    min_rate
        Of those who meet it, converted.
    relative_risk
        Least relative risk on fit.
    converters
        Least number of converters among those who meet it.
    """

    min_share: float | None = None
    max_share: float | None = None
    min_recall: float | None = None
    min_rate: float | None = None
    relative_risk: float = RELATIVE_RISK
    converters: int = 10

    @classmethod
    def of(cls, converters: int) -> Constraints:
        """Set the gate on converters: max(10, min(30, 20 % of them), rounded up).

        Examples
        --------
        >>> [Constraints.of(n).converters for n in (20, 101, 5000)]
        [10, 21, 30]
        """
        return cls(converters=max(10, min(30, math.ceil(converters / 5))))

    def keep(
        self, hits: NDArray[np.float64], misses: NDArray[np.float64], *, converters: float, snapshots: float
    ) -> NDArray[np.bool_]:
        """Tell which rules keep every bound, elementwise."""
        qualified = hits + misses
        return self.possible(hits, misses, qualified, qualified, converters=converters, snapshots=snapshots)

    def possible(
        self,
        hits: NDArray[np.float64],
        misses: NDArray[np.float64],
        least: NDArray[np.float64],
        most: NDArray[np.float64],
        *,
        converters: float,
        snapshots: float,
    ) -> NDArray[np.bool_]:
        """Tell which rules may keep every bound, if they have at most `hits`, at least `misses`, and `least` to `most` snapshots.

        Parameters
        ----------
        hits, misses
            The most converters, and the fewest others, that a rule may still reach.
        least, most
            The fewest and the most snapshots that may meet it.
        converters, snapshots
            All of them.
        """
        qualified = hits + misses
        slack = _ROUNDING * snapshots
        kept = (hits >= self.converters) & self._stands_out(hits, misses, converters, snapshots)
        if self.min_share is not None:
            kept &= most >= self.min_share * snapshots - slack
        if self.max_share is not None:
            kept &= least <= self.max_share * snapshots + slack
        if self.min_recall is not None:
            kept &= hits >= self.min_recall * converters - slack
        if self.min_rate is not None:
            kept &= hits >= self.min_rate * qualified - slack
        return kept

    def _stands_out(
        self, hits: NDArray[np.float64], misses: NDArray[np.float64], converters: float, snapshots: float
    ) -> NDArray[np.bool_]:
        """Tell where the relative risk suffices, without dividing: nobody without a conversion is boundless, not undefined."""
        qualified = hits + misses
        rest = snapshots - qualified
        with_, without = hits * rest, (converters - hits) * qualified
        enough = with_ >= self.relative_risk * without
        if converters > HIGH_BASE_RATE * snapshots:
            spared, lost = (rest - (converters - hits)) * qualified, misses * rest
            enough |= spared >= self.relative_risk * lost
        # Where everybody meets a rule, or everybody or nobody converts, nothing stands out.
        return enough & (qualified > 0) & (rest > 0) & (0 < converters < snapshots)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a good rule is: what is best, what it must keep, and of how many criteria it may be at most (1 to 3)."""

    objective: Objective = Objective()
    constraints: Constraints = Constraints()
    max_criteria: int = 3
