"""The need: what a value must reach or stay under for a bound to hold, in whole millionths."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Final

import narwhals as nw

from pqlkit.definitions.model import SCALE, Limit

if TYPE_CHECKING:
    from pqlkit.definitions.model import Bound

NEVER: Final = 2**63 - 1
"""Millionths that no value reaches; its negative is one that no value stays under."""

_PERCENT: Final = 10_000
_ROOM: Final = 9 * 10**18


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One bound, made comparable.

    Parameters
    ----------
    upper
        Whether it is an `at_most`.
    constant
        The value in millionths, the same for everybody; None when it depends on a property or trait.
    percent
        Ten-thousandths of a percent of the limit (finer percentages are rounded to that).
    property, trait
        Where the limit stands.
    """

    upper: bool
    constant: int | None = None
    percent: int = 0
    property: str | None = None
    trait: str | None = None

    @classmethod
    def of(cls, bound: Bound | None, *, upper: bool) -> Need | None:
        """Read a bound of a criterion; None where there is none.

        Examples
        --------
        >>> Need.of(2.5, upper=False).constant
        2500000
        >>> Need.of(Limit(percent=80, number=10_000), upper=False).constant
        8000000000
        """
        if bound is None:
            return None
        if not isinstance(bound, Limit):
            return cls(upper=upper, constant=_millionths(Fraction(str(bound)), upper=upper))
        if bound.number is not None:
            if bound.number <= 0:
                return cls(upper=upper, constant=-NEVER if upper else NEVER)
            share = Fraction(str(bound.percent)) * Fraction(str(bound.number)) / 100
            return cls(upper=upper, constant=_millionths(share, upper=upper))
        percent = round(Fraction(str(bound.percent)) * _PERCENT)
        return cls(upper=upper, percent=percent, property=bound.property, trait=bound.trait)

    def of_limit(self, limit: nw.Expr) -> nw.Expr:
        """Turn a limit (Int64 millionths) into the need: null where the limit is missing or not positive.

        value x 100 >= percent x limit holds exactly when value >= the need (for an `at_most`: <=), without a product that
        could overflow.
        """
        known = nw.when(limit > 0).then(limit).otherwise(nw.lit(None, nw.Int64))
        whole = known // SCALE
        rest = known % SCALE
        if self.percent > SCALE:
            most = _ROOM // self.percent
            whole = nw.when(whole > most).then(nw.lit(most, nw.Int64)).otherwise(whole)
        part = rest * self.percent + (0 if self.upper else SCALE - 1)
        return whole * self.percent + part // SCALE


def _millionths(value: Fraction, *, upper: bool) -> int:
    exact = value * SCALE
    return max(-NEVER, min(NEVER, floor(exact) if upper else ceil(exact)))
