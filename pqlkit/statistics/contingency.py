"""The 2x2 table: did it or not, converted or not.

The formulas are those of `pqlkit.statistics.comparison` and `pqlkit.statistics.agreement`, which take whole columns of
tables; here NaN becomes None, with the reason where an interval belongs to the number.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pqlkit.statistics import agreement, comparison
from pqlkit.statistics.arrays import number
from pqlkit.statistics.estimate import Estimate, Undefined
from pqlkit.statistics.rate import Rate

__all__ = ["Contingency"]


@dataclass(frozen=True, slots=True)
class Contingency:
    """One 2x2 table. Tables of disjoint groups add.

    Parameters
    ----------
    a, b
        Entities (or snapshots) that did it: converted, not converted.
    c, d
        Those that did not: converted, not converted.
    design_effect
        Rows per independent row, at least 1: every interval and test is that of so many fewer rows, the counts are not.

    Raises
    ------
    ValueError
        A cell is negative.

    Examples
    --------
    >>> table = Contingency(30, 70, 70, 830)
    >>> table.with_.rate, round(table.without.rate, 4), round(table.relative_risk().value, 2)
    (0.3, 0.0778, 3.86)
    >>> table + Contingency(1, 0, 0, 0)
    Contingency(a=31, b=70, c=70, d=830)
    """

    a: int
    b: int
    c: int
    d: int
    design_effect: float = field(default=1.0, kw_only=True, repr=False)

    def __post_init__(self) -> None:
        """Refuse negative cells."""
        if min(self.cells) < 0:
            message = f"the cells of a 2x2 table are counts, not {self.cells}"
            raise ValueError(message)

    @classmethod
    def of(
        cls, *, qualified: int, converted: int, entities: int, converters: int, design_effect: float = 1.0
    ) -> Contingency:
        """Build a table from its margins.

        Parameters
        ----------
        qualified
            Entities that did it (n1).
        converted
            Those of them that converted (a).
        entities, converters
            All entities (N), and all that converted (m1).
        design_effect
            Rows per independent row.

        Examples
        --------
        >>> Contingency.of(qualified=100, converted=30, entities=1000, converters=100)
        Contingency(a=30, b=70, c=70, d=830)
        """
        rest = converters - converted
        return cls(
            int(converted),
            int(qualified - converted),
            int(rest),
            int(entities - qualified - rest),
            design_effect=design_effect,
        )

    def __add__(self, other: Contingency) -> Contingency:
        """Merge with the table of a disjoint group; of two design effects the larger stands."""
        effect = max(self.design_effect, other.design_effect)
        return Contingency(self.a + other.a, self.b + other.b, self.c + other.c, self.d + other.d, design_effect=effect)

    @property
    def independent(self) -> Contingency:
        """The table of as many rows as are independent, each cell divided by the design effect and rounded, for exact tests.

        Examples
        --------
        >>> Contingency(30, 70, 70, 830, design_effect=5.0).independent
        Contingency(a=6, b=14, c=14, d=166)
        """
        return Contingency(*(round(cell / max(self.design_effect, 1.0)) for cell in self.cells))

    def _effect(self, stated: float | None) -> float:
        return self.design_effect if stated is None else stated

    @property
    def cells(self) -> tuple[int, int, int, int]:
        """The four counts in order."""
        return self.a, self.b, self.c, self.d

    @property
    def n1(self) -> int:
        """Entities that did it."""
        return self.a + self.b

    @property
    def n0(self) -> int:
        """Entities that did not."""
        return self.c + self.d

    @property
    def m1(self) -> int:
        """Entities that converted."""
        return self.a + self.c

    @property
    def total(self) -> int:
        """All entities."""
        return self.n1 + self.n0

    @property
    def with_(self) -> Rate:
        """Converted among those that did it."""
        return Rate.of(self.a, self.n1, design_effect=self.design_effect)

    @property
    def without(self) -> Rate:
        """Converted among those that did not."""
        return Rate.of(self.c, self.n0, design_effect=self.design_effect)

    @property
    def base(self) -> Rate:
        """Converted among all."""
        return Rate.of(self.m1, self.total, design_effect=self.design_effect)

    @property
    def share(self) -> Rate:
        """Those that did it among all."""
        return Rate.of(self.n1, self.total, design_effect=self.design_effect)

    @property
    def recall(self) -> Rate:
        """Those that did it among the converters (recall)."""
        return Rate.of(self.a, self.m1, design_effect=self.design_effect)

    @property
    def _undefined(self) -> Undefined | None:
        if min(self.n1, self.n0) == 0:
            return Undefined.EMPTY_GROUP
        return Undefined.NO_CONVERTERS if self.m1 == 0 else None

    @property
    def lift(self) -> float | None:
        """Rate of those that did it over the base rate; None if nobody did it or nobody converted (see `pqlkit.statistics.comparison.lift`)."""
        return number(comparison.lift(*self.cells)[0])

    @property
    def phi(self) -> float | None:
        """Phi; 0 when a margin is 0, None for an empty table (see `pqlkit.statistics.comparison.phi`)."""
        return number(comparison.phi(*self.cells))

    @property
    def p_value(self) -> float | None:
        """Two-sided p: Fisher's if an expected cell is below 5, else chi-squared; None when a margin is 0 (see `pqlkit.statistics.comparison.p_value`)."""
        return number(comparison.p_value(*self.cells, design_effect=self.design_effect))

    def relative_risk(self, *, design_effect: float | None = None) -> Estimate:
        """Relative risk with its 95 % interval (see `pqlkit.statistics.comparison.relative_risk`).

        Where nobody of the others converted it is ``boundless``: no value and no upper end, "at least `low` times".
        """
        if self._undefined:
            return Estimate.none(self._undefined)
        value, low, high = comparison.relative_risk(*self.cells, design_effect=self._effect(design_effect))
        if self.c == 0:
            return Estimate(value=None, low=number(low), undefined=Undefined.BOUNDLESS)
        return Estimate.of(value, low, high)

    def risk_difference(self, *, design_effect: float | None = None) -> Estimate:
        """Risk difference with Newcombe's 95 % interval; None only if a side is empty (see `pqlkit.statistics.comparison.risk_difference`)."""
        if min(self.n1, self.n0) == 0:
            return Estimate.none(Undefined.EMPTY_GROUP)
        return Estimate.of(*comparison.risk_difference(*self.cells, design_effect=self._effect(design_effect)))

    def odds_ratio(self, *, design_effect: float | None = None) -> Estimate:
        """Odds ratio with Woolf's 95 % interval (see `pqlkit.statistics.comparison.odds_ratio`)."""
        why = self._undefined or (Undefined.ALL_CONVERTED if self.m1 == self.total else None)
        if why:
            return Estimate.none(why)
        value, low, high, corrected = comparison.odds_ratio(*self.cells, design_effect=self._effect(design_effect))
        return Estimate.of(value, low, high, corrected=bool(corrected))

    @property
    def kappa(self) -> float | None:
        """Agreement beyond chance (see `pqlkit.statistics.agreement.kappa`)."""
        return number(agreement.kappa(self.a, self.b, self.m1, self.total))

    @property
    def youden(self) -> float | None:
        """Recall less the share of the others that did it (see `pqlkit.statistics.agreement.youden`)."""
        return number(agreement.youden(self.a, self.b, self.m1, self.total))

    def f_beta(self, beta: float = 1.0) -> float | None:
        """Harmonic mean of rate and recall (see `pqlkit.statistics.agreement.f_beta`)."""
        return number(agreement.f_beta(self.a, self.b, self.m1, self.total, beta=beta))
