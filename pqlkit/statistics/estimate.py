"""The estimate: a number with its 95 % interval, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pqlkit.statistics.arrays import number

if TYPE_CHECKING:
    from pqlkit.typing import Json

__all__ = ["Estimate", "Undefined"]


class Undefined(StrEnum):
    """Why a number does not exist."""

    EMPTY_GROUP = "empty-group"
    """Nobody on one side of the comparison."""
    NO_CONVERTERS = "no-converters"
    """Nobody converted, so nothing can be compared."""
    ALL_CONVERTED = "all-converted"
    """Everybody converted, so nothing can be compared."""
    BOUNDLESS = "boundless"
    """Nobody on the other side converted: the ratio has a lower end and no upper one."""
    SEPARATION = "separation"
    """The behaviour, or a mix of behaviours, splits converters from the others without error: the odds ratio is infinite."""
    COLLINEAR = "collinear"
    """A column is a sum of the others: its own effect cannot be told apart."""
    NOT_CONVERGED = "not-converged"
    """The fit did not settle."""
    TOO_FEW = "too-few"
    """Too few rows for the calculation to mean anything."""
    NOT_REACHED = "not-reached"
    """The curve has not come down (or up) to the level asked for within the time observed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its 95 % interval.

    Parameters
    ----------
    value, low, high
        The number and the ends of its interval; None when undefined. An end may be None alone when the data do not
        bound that side.
    corrected
        True when half counts were added because a cell was empty: say so beside the number.
    undefined
        Why `value` is None; None when it is not.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    corrected: bool = False
    undefined: Undefined | None = None

    @classmethod
    def of(cls, value: object, low: object, high: object, *, corrected: bool = False) -> Estimate:
        """Build one from array cells, NaN becoming None.

        Examples
        --------
        >>> Estimate.of(1.5, 1.0, 2.0).value
        1.5
        """
        return cls(value=number(value), low=number(low), high=number(high), corrected=bool(corrected))

    @classmethod
    def none(cls, why: Undefined) -> Estimate:
        """Build one that does not exist, with the reason.

        Examples
        --------
        >>> Estimate.none(Undefined.EMPTY_GROUP).undefined.value
        'empty-group'
        """
        return cls(value=None, undefined=why)

    def to_json(self) -> dict[str, Json]:
        """Give `value`, `low`, `high` as JSON keys.

        Examples
        --------
        >>> Estimate(value=2.0, low=1.0, high=4.0).to_json()
        {'value': 2.0, 'low': 1.0, 'high': 4.0}
        """
        return {"value": self.value, "low": self.low, "high": self.high}
