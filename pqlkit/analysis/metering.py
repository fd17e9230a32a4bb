"""The meter: an event that is what customers pay for by the piece, so that using it and paying are one thing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.columns import CONVERTED, CUTOFF, ENTITY
from pqlkit.definitions.model import Measure, MeasureKind, Window, WindowKind
from pqlkit.durations import DAY, Duration
from pqlkit.measures.behaviour import Behaviour

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.population.population import Population
    from pqlkit.typing import Microseconds

PERIOD: Final = Duration(30, "d")
"""The billing period, before the conversion or around it."""

NEARLY: Final = 0.9
"""Rank correlation of what was used with what was paid."""

FEWEST: Final = 20
"""Conversions with an amount, and some use."""

USING: Final = 0.5
"""Share of the conversions with an amount that used it at all."""

AMOUNTS: Final = 5
"""Different amounts: a price list of three plans orders nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """An event whose use is billed.

    Parameters
    ----------
    behaviour
        Its count, or the sum of one of its properties, in the billing period.
    correlation
        Spearman's, of that with the amount over conversions of those who used it; None where the project file declares it and there are too few.
    conversions
        How many that is of.
    days_ahead
        From the first use within a period before it to the conversion, the median: how far ahead of paying it can be seen.
    declared
        The project file says so.
    """

    behaviour: Behaviour
    correlation: float | None
    conversions: int
    days_ahead: float | None
    declared: bool

    @property
    def event(self) -> str:
        """Name the event."""
        return self.behaviour.event or ""


def meters(population: Population, events: Sequence[str], *, before: Microseconds | None = None) -> tuple[Meter, ...]:
    """Find the events that are billed: declared ones, and those whose use orders the customers nearly as their amounts do.

    Parameters
    ----------
    population
        Who exists.
    events
        The names to look at.
    before
        Only conversions before this moment; None = all.

    References
    ----------
    Spearman, C. (1904). The proof and measurement of association between two things. The American Journal of Psychology 15, 72-101.
    """
    import polars as pl

    declared = {name: note.meter for name, note in population.project.events.items() if note.meter is not None}
    paid = population.entities.filter(pl.col("amount") > 0, pl.col(CONVERTED).is_not_null())
    if before is not None:
        paid = paid.filter(pl.col(CONVERTED) < before)
    enough = paid.height >= FEWEST and paid.get_column("amount").n_unique() >= AMOUNTS
    looked_at = list(events) if enough else sorted(set(declared) & set(events))
    if not looked_at:
        return ()
    best: dict[str, Meter] = {}
    for behaviour, used, paid_for in _used(population, paid, looked_at, declared):
        meter = _judged(behaviour, used, paid_for, paid.height, declared)
        rival = None if meter is None else best.get(meter.event)
        if meter is not None and (rival is None or (meter.correlation or 0) > (rival.correlation or 0)):
            best[meter.event] = meter
    for event in sorted(set(declared) & set(events) - set(best)):
        best[event] = Meter(
            behaviour=_behaviour(event, declared[event]),
            correlation=None,
            conversions=0,
            days_ahead=None,
            declared=True,
        )
    ahead = _ahead(population, paid, sorted(best))
    return tuple(replace(best[event], days_ahead=ahead.get(event)) for event in sorted(best))


def _behaviour(event: str, name: str | None) -> Behaviour:
    measure = Measure() if name is None else Measure(kind=MeasureKind.SUM, property=name)
    return Behaviour(event=event, measure=measure, window=Window(kind=WindowKind.TRAILING, length=PERIOD))


def _used(
    population: Population, paid: pl.DataFrame, events: Sequence[str], declared: dict[str, str]
) -> Iterator[tuple[Behaviour, NDArray[np.float64], NDArray[np.float64]]]:
    """Give for each way to measure an event what was used around the conversions, and the amounts of those who used it.

    A bill may be of the month before, or of the month in which the conversion falls: both stretches are read.
    """
    import narwhals as nw
    import polars as pl

    from pqlkit.columns import AT, EVENT
    from pqlkit.measures.kinds import kinds
    from pqlkit.measures.numbers import number
    from pqlkit.measures.scope import scope_of

    scope, engine = scope_of(population.world), population.world.engine
    amounts = {(kind.event, kind.property) for kind in kinds(population.world, events) if kind.value is None}
    amounts |= {(event, name) for event, name in declared.items() if name in population.world.properties}
    columns = {name: scope.property(name) for name in sorted({name for _, name in amounts})}
    rows = scope.events([EVENT, *columns.values()]).filter(nw.col(EVENT).is_in(list(events)))
    moments = engine.lift(paid.select(ENTITY, pl.col(CONVERTED).alias(CUTOFF)))
    rows = scope.owned(rows, []).join(moments, on=ENTITY, how="inner")
    rows = rows.with_columns((nw.col(AT) - nw.col(CUTOFF)).alias("wait"))
    rows = rows.filter(nw.col("wait") >= -PERIOD.microseconds, nw.col("wait") < PERIOD.microseconds)
    ways = {None: nw.lit(1.0)} | {name: number(column, scope.dtypes[column]) for name, column in columns.items()}
    sums = {}
    for place, value in enumerate(ways.values()):
        sums[f"around{place}"] = value
        sums[f"before{place}"] = nw.when(nw.col("wait") < 0).then(value).otherwise(nw.lit(None, nw.Float64))
    rows = rows.select(ENTITY, EVENT, **sums).group_by(ENTITY, EVENT).agg(*(nw.col(name).sum() for name in sums))
    used = engine.collect(rows).join(paid.select(ENTITY, "amount"), on=ENTITY).sort(EVENT, ENTITY)
    for (event,), part in used.partition_by(EVENT, as_dict=True, maintain_order=True).items():
        for place, name in enumerate(ways):
            if name is None or (event, name) in amounts:
                for stretch in ("before", "around"):
                    own = part.filter(pl.col(f"{stretch}{place}") > 0)
                    values = own.get_column(f"{stretch}{place}").cast(pl.Float64).to_numpy()
                    yield _behaviour(str(event), name), values, own.get_column("amount").to_numpy()


def _judged(
    behaviour: Behaviour,
    used: NDArray[np.float64],
    paid_for: NDArray[np.float64],
    conversions: int,
    declared: dict[str, str],
) -> Meter | None:
    from pqlkit.statistics.collinearity import spearman_matrix

    event, stated = behaviour.event or "", behaviour.event in declared
    if stated and behaviour.measure.property != declared[event]:
        return None
    known = used.size >= max(FEWEST, conversions * USING) and np.ptp(used) > 0 and np.ptp(paid_for) > 0
    correlation = float(spearman_matrix(np.column_stack([used, paid_for]))[0, 1]) if known else None
    if not stated and (correlation is None or correlation < NEARLY):
        return None
    return Meter(behaviour=behaviour, correlation=correlation, conversions=used.size, days_ahead=None, declared=stated)


def _ahead(population: Population, paid: pl.DataFrame, events: Sequence[str]) -> dict[str, float]:
    """Give the median of days from the first use within the period to the conversion, by event."""
    import narwhals as nw
    import polars as pl

    from pqlkit.columns import AT, EVENT
    from pqlkit.measures.scope import scope_of

    if not events or paid.is_empty():
        return {}
    scope = scope_of(population.world)
    rows = scope.events([EVENT]).filter(nw.col(EVENT).is_in(list(events)))
    seen = population.world.engine.collect(scope.owned(rows, []).select(ENTITY, EVENT, AT))
    seen = seen.join(paid.select(ENTITY, CONVERTED), on=ENTITY, how="inner")
    seen = seen.with_columns((pl.col(CONVERTED) - pl.col(AT)).alias("ahead"))
    seen = seen.filter(pl.col("ahead") > 0, pl.col("ahead") <= PERIOD.microseconds)
    first = seen.group_by(ENTITY, EVENT).agg(pl.col("ahead").max())
    medians = first.group_by(EVENT).agg(pl.col("ahead").median() / DAY)
    return {str(event): float(days) for event, days in medians.iter_rows()}
