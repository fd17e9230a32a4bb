"""The value of customers: what those who were PQLs first pay and how long they stay, against the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pqlkit.columns import AMOUNT, CONVERTED, ENDED_AT, ENTITY, KIND
from pqlkit.durations import DAY, Duration
from pqlkit.population.stays import EXPANSION, is_expansion
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    import polars as pl

    from pqlkit.population.population import Population
    from pqlkit.statistics.estimate import Estimate

WINDOWS: Final = tuple(Duration(days, "d") for days in (365, 180, 90, 30))
"""How long customers are followed from converting: the longest that half of either side have had."""

CONTRACTION: Final = "contraction"

_FIRST = "first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A mean over so many customers, with its interval."""

    n: int
    mean: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure of customers who were PQLs first, of the others, and the difference, with intervals.

    Parameters
    ----------
    what
        ``amount``, ``retained``, ``days_paid``, ``expanded``, ``expansion`` or ``paid``.
    window
        From converting; None for the amount of the first conversion.
    pql_born, others
        A share, or a mean.
    difference
        PQL-born less the others: Newcombe's interval of shares, Welch's of means.
    """

    what: str
    window: Duration | None
    pql_born: Rate | Quantity
    others: Rate | Quantity
    difference: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerValue:
    """What kind of customers: PQL-born are those of the funnel that were PQLs before they converted.

    Parameters
    ----------
    pql_born, others
        How many there are.
    window
        How long they are followed from converting; None where too few have been customers for the shortest.
    followed
        Of either, those that converted so long ago: all figures over the window are of these.
    lines
        What the export knows: amounts need ``amount``, staying ``ended_at``, expansion ``kind``.
    """

    pql_born: int
    others: int
    window: Duration | None
    followed: tuple[int, int]
    lines: tuple[Line, ...]

    def line(self, what: str) -> Line | None:
        """Give a figure by its name; None where the export does not know it."""
        return next((line for line in self.lines if line.what == what), None)


def customer_value(population: Population, signups: pl.DataFrame) -> CustomerValue | None:
    """Compare what became of customers that were PQLs first with what became of the others.

    Parameters
    ----------
    population
        Of the definition.
    signups
        From `pqlkit.rates.funnel.lives`: ``entity``, ``pql``, ``customer``.

    Returns
    -------
    CustomerValue or None
        None without a conversions export, or where the outcome is no purchase or an expansion itself.

    Notes
    -----
    All conversion rows of a customer from its conversion on count, up to the end of the window. It is paid for while any row is
    on: from its ``converted_at`` to its ``ended_at``, or without end. ``paid`` adds up the amounts of all rows, contractions
    subtracted; ``expansion`` is the amounts of rows of kind ``expansion`` less those of kind ``contraction``.
    """
    import polars as pl

    from pqlkit.population.outcome import rows_of

    outcome, table = population.outcome, population.dataset.tables.get("conversions")
    if table is None or outcome.event is not None or outcome.definition is not None or is_expansion(outcome):
        return None
    customers = population.entities.select(ENTITY, AMOUNT, pl.col(CONVERTED).alias(_FIRST)).join(
        signups.filter("customer").select(ENTITY, "pql"), on=ENTITY, maintain_order="left"
    )
    window = next((span for span in WINDOWS if _enough(population, customers, span)), None)
    lines = []
    if AMOUNT in table.columns:
        lines.append(_line("amount", None, customers.filter(pl.col(AMOUNT).is_not_null()), AMOUNT))
    followed = customers.clear()
    if window is not None:
        followed = _followed(population, customers, window)
        rows = rows_of(table, population.world).join(followed.select(ENTITY, _FIRST), on=ENTITY)
        facts = _facts(followed, rows, window)
        named = [
            ("retained", ENDED_AT),
            ("days_paid", ENDED_AT),
            ("expanded", KIND),
            ("expansion", KIND),
            ("paid", AMOUNT),
        ]
        lines += [_line(what, window, facts, what) for what, column in named if column in table.columns]
    sides = (int(side) for side in (followed.get_column("pql").sum(), (~followed.get_column("pql")).sum()))
    born = int(customers.get_column("pql").sum())
    return CustomerValue(
        pql_born=born,
        others=customers.height - born,
        window=window,
        followed=(next(sides), next(sides)),
        lines=tuple(lines),
    )


def _followed(population: Population, customers: pl.DataFrame, window: Duration) -> pl.DataFrame:
    import polars as pl

    return customers.filter(pl.col(_FIRST) + window.microseconds <= population.as_of)


def _enough(population: Population, customers: pl.DataFrame, window: Duration) -> bool:
    """Say whether half of the customers of either side, and at least one, have been customers for so long."""
    followed = _followed(population, customers, window)
    for side in (True, False):
        had, of = (int((frame.get_column("pql") == side).sum()) for frame in (followed, customers))
        if of and 2 * had < of:
            return False
    return followed.height > 0


def _facts(followed: pl.DataFrame, rows: pl.DataFrame, window: Duration) -> pl.DataFrame:
    """Give of each followed customer what it did in the window: ``retained``, ``days_paid``, ``expanded``, ``expansion``, ``paid``."""
    import polars as pl

    end = pl.col(_FIRST) + window.microseconds
    inside = rows.filter(pl.col(CONVERTED) >= pl.col(_FIRST), pl.col(CONVERTED) < end)
    over = pl.col(ENDED_AT).fill_null(2**62)
    reached = over.cum_max().shift(1).over(ENTITY, order_by=CONVERTED)
    paid_for = pl.min_horizontal(over, end) - pl.max_horizontal(CONVERTED, reached)
    amount = pl.col(AMOUNT).fill_null(0.0)
    kind = pl.col(KIND).fill_null("")
    signed = (
        pl.when(kind == EXPANSION).then(amount).when(kind == CONTRACTION).then(-amount.abs()).otherwise(pl.lit(0.0))
    )
    added = (
        inside.with_columns(paid_for=paid_for.clip(lower_bound=0), signed=signed)
        .sort(ENTITY, CONVERTED, AMOUNT, KIND, ENDED_AT)
        .group_by(ENTITY, maintain_order=True)
        .agg(
            retained=(over >= end).any(),
            days_paid=pl.col("paid_for").sum() / DAY,
            expanded=(kind == EXPANSION).any(),
            expansion=pl.col("signed").sum(),
            paid=pl.when(kind == CONTRACTION).then(-amount.abs()).otherwise(amount).sum(),
        )
    )
    return followed.select(ENTITY, "pql").join(added, on=ENTITY, how="left", maintain_order="left")


def _line(what: str, window: Duration | None, customers: pl.DataFrame, column: str) -> Line:
    import polars as pl

    from pqlkit.statistics.comparison import newcombe
    from pqlkit.statistics.estimate import Estimate, Undefined
    from pqlkit.statistics.mean import difference_of_means, mean

    sides = [customers.filter(pl.col("pql") == side).get_column(column) for side in (True, False)]
    if customers.schema[column] == pl.Boolean:
        shares = [Rate.of(int(side.sum()), len(side)) for side in sides]
        both = all(share.denominator for share in shares)
        cells = [count for share in shares for count in (share.numerator, share.denominator)]
        difference = Estimate.of(*newcombe(*cells)) if both else Estimate.none(Undefined.EMPTY_GROUP)
        return Line(what=what, window=window, pql_born=shares[0], others=shares[1], difference=difference)
    values = [side.to_numpy() for side in sides]
    born, others = (Quantity(n=len(side), mean=mean(side)) for side in values)
    return Line(what=what, window=window, pql_born=born, others=others, difference=difference_of_means(*values))
