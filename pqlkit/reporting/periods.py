"""The period: a definition's rates by calendar quarter (or month) of the start, and what drifted since the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.definitions.model import Criterion, MeasureKind, WindowKind, leaves

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.analysis.looks import Looks
    from pqlkit.analysis.population import Population
    from pqlkit.definitions.model import Definition
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.drift import Drift, Period
    from pqlkit.statistics.rate import Rate

MONTHLY: Final = 100
"""Mature starts a month, in the median month, from which on periods are months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRates:
    """One period.

    Parameters
    ----------
    period
        ``2026-Q1`` or ``2026-03``, in the project's zone.
    starts
        Counted starts in it.
    rate
        The trigger view among the mature ones.
    look
        The look view, by the cutoff.
    mature
        Whether the last start that could be in it has had its horizon.
    reference
        Whether later periods are compared with this one.
    drift
        The comparison; None for the reference and for immature periods.
    """

    period: str
    starts: int
    rate: Rate
    look: Contingency
    mature: bool
    reference: bool
    drift: Drift | None


def periods(
    population: Population, definition: Definition, seen: Looks, met: NDArray[np.bool_], counted: pl.DataFrame
) -> tuple[PeriodRates, ...]:
    """Cut a definition's starts and looks by calendar period and compare each mature one with the first.

    Parameters
    ----------
    population, definition, seen
        As reported on.
    met
        Where the definition holds, one per look.
    counted
        Its counted starts.

    Returns
    -------
    tuple of PeriodRates
        In time order. The reference is the first mature period with a mature start and a look.
    """
    import polars as pl

    from pqlkit.statistics.drift import assess

    unit = "month" if _monthly(population, counted) else "quarter"
    started = counted.with_columns(_named(pl.col("on"), unit, population.world.zone).alias("period"))
    looked = seen.frame.select(
        _named(pl.col("cutoff"), unit, population.world.zone).alias("period"), "y", pl.Series("met", met)
    ).with_row_index("row")
    names = sorted(set(started.get_column("period").to_list()) | set(looked.get_column("period").to_list()))
    levels = _levels(population, definition, seen)
    parts = [_part(name, started, looked, levels) for name in names]
    mature = [_over(name, population, definition) for name in names]
    first = next(
        (i for i, part in enumerate(parts) if mature[i] and part.promise.denominator and part.table.total), None
    )
    later = [i for i in range(len(parts)) if first is not None and i > first and mature[i]]
    drifts = dict(zip(later, assess(parts[first], [parts[i] for i in later]), strict=True)) if first is not None else {}
    count = dict(started.group_by("period").len().iter_rows())
    return tuple(
        PeriodRates(
            period=name,
            starts=int(count.get(name, 0)),
            rate=parts[i].promise,
            look=parts[i].table,
            mature=mature[i],
            reference=i == first,
            drift=drifts.get(i),
        )
        for i, name in enumerate(names)
    )


def newest_verdict(found: Sequence[PeriodRates]) -> str | None:
    """Give the verdict of the newest mature period that was compared, or None."""
    verdicts = [one.drift.verdict.value for one in found if one.drift is not None]
    return verdicts[-1] if verdicts else None


def _monthly(population: Population, counted: pl.DataFrame) -> bool:
    import polars as pl

    named = counted.filter("mature").select(_named(pl.col("on"), "month", population.world.zone).alias("period"))
    middle = named.group_by("period").len().get_column("len").median()
    return isinstance(middle, float | int) and middle >= MONTHLY


def _named(at: pl.Expr, unit: str, zone: str) -> pl.Expr:
    import polars as pl

    local = pl.from_epoch(at, time_unit="us").dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    if unit == "month":
        return local.dt.strftime("%Y-%m")
    return local.dt.year().cast(pl.String) + "-Q" + local.dt.quarter().cast(pl.String)


def _part(name: str, started: pl.DataFrame, looked: pl.DataFrame, levels: Sequence[NDArray[np.uint8]]) -> Period:
    import polars as pl

    from pqlkit.analysis.trigger import trigger_rate
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.drift import Period

    part = looked.filter(pl.col("period") == name)
    y, met = part.get_column("y").to_numpy(), part.get_column("met").to_numpy()
    rows = part.get_column("row").to_numpy()
    return Period(
        table=Contingency.of(
            qualified=int(met.sum()), converted=int((met & y).sum()), entities=len(y), converters=int(y.sum())
        ),
        rate=trigger_rate(started.filter(pl.col("period") == name)),
        behaviours=tuple(_bins(column[rows]) for column in levels),
    )


def _bins(levels: NDArray[np.uint8]) -> tuple[float, ...]:
    """Count looks by value: 0, 1, 2, 3-4, 5-9, 10 and more."""
    from pqlkit.measures.behaviour import GRID

    edges = [0, *(GRID.index(value) + 1 for value in (1, 2, 3, 5, 10)), 256]
    return tuple(float(count) for count in np.histogram(levels, bins=edges)[0])


def _levels(population: Population, definition: Definition, seen: Looks) -> list[NDArray[np.uint8]]:
    """Measure each plain criterion (one event, no condition) at the looks, to see whether the behaviour itself moved."""
    from pqlkit.analysis.design import DesignKind
    from pqlkit.measures.cube import cube

    trailing = seen.design.kind is DesignKind.EVERY
    kind = WindowKind.TRAILING if trailing else WindowKind.WITHIN
    found = []
    for leaf in leaves(definition.qualify):
        if not isinstance(leaf, Criterion) or leaf.where or leaf.events is None or len(leaf.events) != 1:
            continue
        if leaf.measure.kind not in {MeasureKind.COUNT, MeasureKind.DAYS} or leaf.window.length is None:
            continue
        measured = cube(
            population.world,
            seen.frame.select("look", "entity", "cutoff"),
            kind=kind,
            windows=[leaf.window.length],
            measures=[leaf.measure],
            events=leaf.events,
        )
        column = np.zeros(measured.looks, dtype=np.uint8)
        for index, one in enumerate(measured.behaviours):
            if one.event == leaf.events[0]:
                rows, levels = measured.column(index)
                column[rows] = levels
        found.append(column)
    return found


def _over(name: str, population: Population, definition: Definition) -> bool:
    """Say whether every start that could fall in a period has had its horizon by `as_of`."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    outcome = definition.outcome
    wait = 0 if outcome is None else outcome.within.microseconds
    if outcome is not None and outcome.retained_for is not None:
        wait += outcome.retained_for.microseconds
    year, _, rest = name.partition("-")
    month = 3 * int(rest[1:]) if rest.startswith("Q") else int(rest)
    nextyear, nextmonth = (int(year) + 1, 1) if month == 12 else (int(year), month + 1)
    end = datetime(nextyear, nextmonth, 1, tzinfo=ZoneInfo(population.world.zone)).timestamp()
    return int(end) * 1_000_000 + wait <= population.as_of + 1
