"""The objective: what the search makes as large as it can, and the bounds that a rule must keep."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RELATIVE_RISK: Final = 1.5
"""The least relative risk (with / without) of a rule, on fit and on the holdout."""

HIGH_BASE_RATE: Final = 0.4
"""Base rate above which (1 - without) / (1 - with) may reach the least relative risk instead."""


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
        self, hits: NDArray[np.float64], misses: NDArray[np.float64], *, converters: float, looks: float
    ) -> NDArray[np.float64]:
        """Score rules by their converted (`hits`) and not converted (`misses`) looks, elementwise; any shape."""
        raise NotImplementedError


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
    """
    raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What a rule must keep to count in the search; fractions, None = no bound.

    Parameters
    ----------
    min_share, max_share
        Of looks that meet the rule.
    min_coverage
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
    min_coverage: float | None = None
    min_rate: float | None = None
    relative_risk: float = RELATIVE_RISK
    converters: int = 10

    @classmethod
    def of(
        cls,
        converters: int,
        *,
        min_share: float | None = None,
        max_share: float | None = None,
        min_coverage: float | None = None,
        min_rate: float | None = None,
    ) -> Constraints:
        """Set the gate on converters by the fit part: max(10, min(30, 20 % of its converters))."""
        raise NotImplementedError

    def keep(
        self, hits: NDArray[np.float64], misses: NDArray[np.float64], *, converters: float, looks: float
    ) -> NDArray[np.bool_]:
        """Tell which rules keep every bound, elementwise."""
        raise NotImplementedError
