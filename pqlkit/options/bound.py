"""The bound: a number of leads, or a multiple of the usual number."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A number of leads (``40``), or a multiple of the usual number (``3x``): exactly one is set."""

    number: int | None = None
    factor: float | None = None

    @classmethod
    def parse(cls, text: str) -> Bound:
        """Read ``40`` or ``3x``.

        Raises
        ------
        ValueError
            It is neither.

        Examples
        --------
        >>> Bound.parse("3x").factor, Bound.parse("40").number
        (3.0, 40)
        """
        if text.strip().endswith("x"):
            factor = float(text.strip()[:-1])
            if not 0 <= factor < 1e6:
                raise ValueError(text)
            return cls(factor=factor)
        number = int(text)
        if number < 0:
            raise ValueError(text)
        return cls(number=number)

    def of(self, nights: Sequence[int]) -> float | None:
        """Give the bound in leads; None where a multiple has nothing to be a multiple of.

        A median below 1 counts as 1: after quiet nights one lead is no flood.
        """
        if self.number is not None:
            return float(self.number)
        if not nights or self.factor is None:
            return None
        return self.factor * max(1.0, statistics.median(nights))

    def __str__(self) -> str:
        """Spell it as it was written."""
        return str(self.number) if self.number is not None else f"{self.factor:g}x"
