"""The period: a definition's rates by calendar quarter (or month) of the start, and what drifted since the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np

from pqlkit.definitions.model import Criterion, WindowKind, leaves

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.definitions.model import Definition
    from pqlkit.population.population import Population
    from pqlkit.snapshots.snapshots import Snapshots
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.drift import Drift, Period
    from pqlkit.statistics.estimate import Estimate
    from pqlkit.statistics.rate import Rate
    from pqlkit.typing import Microseconds

MONTHLY: Final = 300
"""Mature starts a month, in the median month, from which on periods are months: fewer would not show by themselves, and
corrected for a year of months, that a rate fell to half."""

ENOUGH: Final = 300
"""Mature starts that a baseline without evidence should have."""


class Basis(StrEnum):
    """Why a period is the baseline: the definition's evidence comes from it, or it is among the first."""

    EVIDENCE = "evidence"
    FIRST = "first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A period's rate less that of the one before (`since`), with Newcombe's interval; both complete."""

    since: str
    by: Estimate


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
        The qualification view among the mature ones.
    snapshot
        The snapshot view, by the cutoff.
    change
        Since the period before; None where this one is in progress, or one of them has no complete start.
    mature
        Whether the last start that could be in it has had its conversion window.
    baseline
        Whether later periods are compared with this one (with all that are, taken together).
    basis
        Why it is a baseline; None for the others.
    drift
        The comparison; None for the baseline, whatever came before it, and in progress periods.
    moved
        The events whose own frequency has moved since the baseline.
    """

    period: str
    starts: int
    rate: Rate
    snapshot: Contingency
    change: Change | None
    mature: bool
    baseline: bool
    basis: Basis | None
    drift: Drift | None
    moved: tuple[str, ...]


def periods(
    population: Population, definition: Definition, seen: Snapshots, met: NDArray[np.bool_], counted: pl.DataFrame
) -> tuple[PeriodRates, ...]:
    """Cut a definition's starts and snapshots by calendar period and compare each later one with the baseline.

    Parameters
    ----------
    population, definition, seen
        As reported on.
    met
        Where the definition holds, one per snapshot.
    counted
        Its counted starts.

    Returns
    -------
    tuple of PeriodRates
        In time order.

    Notes
    -----
    The baseline is what the definition's ``evidence.data`` was gathered in: the mature periods whose middle lies within its
    dates, taken together, if a mature period follows them. Where there is no evidence, or nothing after it yet, it is the
    first mature periods, taken together until they have 300 mature starts, but at most half of them (rounded up), and only as
    long as the next one has not itself drifted from those before it: a change must not hide within the baseline. Rates of
    the evidence's periods are a little better than what was to be expected, because the definition was chosen on a part of
    them.

    Who met the definition at one snapshot often meets it at the next, whether or not outcomes depend on each other: shares and
    behaviours carry a design effect by entity (or account), rates of outcomes where snapshots overlap or users share accounts.

    References
    ----------
    Viele, K., Berry, S., Neuenschwander, B., Amzal, B., Chen, F., Enas, N., Hobbs, B., Ibrahim, J. G., Kinnersley, N.,
    Lindborg, S., Micallef, S., Roychoudhury, S. and Thompson, L. (2014). Use of historical control data for assessing
    treatment effects in clinical trials. Pharmaceutical Statistics 13, 41-54.
    """
    import polars as pl

    from pqlkit.snapshots.clusters import clusters, go_together
    from pqlkit.statistics.drift import assess

    unit = "month" if _monthly(population, counted) else "quarter"
    zone = population.world.zone
    started = counted.with_columns(_named(pl.col("on"), unit, zone).alias("period"))
    looked = seen.frame.select(
        _named(pl.col("cutoff"), unit, zone).alias("period"), "y", pl.Series("met", met)
    ).with_row_index("row")
    names = sorted(set(started.get_column("period").to_list()) | set(looked.get_column("period").to_list()))
    levels = _levels(population, definition, seen)
    labels = clusters(population, seen.frame.get_column("entity").to_numpy())
    dependent = go_together(seen, labels)
    parts = [_part(name, started, looked, list(levels.values()), labels, dependent=dependent) for name in names]
    mature = [i for i, name in enumerate(names) if _over(name, population, definition)]
    chosen, basis = _baseline([names[i] for i in mature], [parts[i] for i in mature], definition, zone)
    baseline = [mature[i] for i in chosen]
    later = [i for i in mature if baseline and i > baseline[-1]]
    drifts = dict(
        zip(later, assess(_pooled([parts[i] for i in baseline]), [parts[i] for i in later]), strict=True)
        if later
        else ()
    )
    count = dict(started.group_by("period").len().iter_rows())
    return tuple(
        PeriodRates(
            period=name,
            starts=int(count.get(name, 0)),
            rate=parts[i].promise,
            snapshot=parts[i].table,
            change=_changed(names[i - 1], parts[i - 1], parts[i]) if i and i in mature else None,
            mature=i in mature,
            baseline=i in baseline,
            basis=basis if i in baseline else None,
            drift=drifts.get(i),
            moved=_moved(drifts.get(i), list(levels)),
        )
        for i, name in enumerate(names)
    )


def _changed(since: str, then: Period, now: Period) -> Change | None:
    """Compare a complete period with the one before it, which is complete then as well."""
    from pqlkit.statistics.comparison import newcombe
    from pqlkit.statistics.estimate import Estimate

    before, after = then.promise, now.promise
    if not before.denominator or not after.denominator:
        return None
    effect = max(before.design_effect, after.design_effect)
    cells = (after.numerator, after.denominator, before.numerator, before.denominator)
    return Change(since=since, by=Estimate.of(*newcombe(*cells, design_effect=effect)))


def _baseline(
    names: Sequence[str], parts: Sequence[Period], definition: Definition, zone: str
) -> tuple[list[int], Basis]:
    """Choose, among mature periods, those that make the baseline."""
    data = definition.evidence.data if definition.evidence is not None else None
    if data is not None and data.start is not None and data.through is not None:
        inside = [i for i, name in enumerate(names) if data.start <= _middle(name, zone) <= data.through]
        # A baseline without a lead or without a snapshot compares with nothing.
        if inside and inside[-1] + 1 < len(names) and _usable([parts[i] for i in inside]):
            return inside, Basis.EVIDENCE
    first = next((i for i, part in enumerate(parts) if _usable([part])), None)
    if first is None:
        return [], Basis.FIRST
    end, most = first + 1, first + (len(parts) - first + 1) // 2
    while end < most and not _enough(parts[first:end], parts[end]):
        end += 1
    return list(range(first, end)), Basis.FIRST


def _enough(parts: Sequence[Period], following: Period) -> bool:
    """Say whether the first periods make a baseline, because they hold enough or because the next one differs."""
    from pqlkit.statistics.drift import assess

    baseline = _pooled(parts)
    return baseline.promise.denominator >= ENOUGH or assess(baseline, [following])[0].drifted


def _usable(parts: Sequence[Period]) -> bool:
    return any(part.promise.denominator for part in parts) and any(part.table.total for part in parts)


def _middle(name: str, zone: str) -> date:
    first, end = _bounds(name, zone)
    return datetime.fromtimestamp((first + end) / 2_000_000, tz=UTC).astimezone(ZoneInfo(zone)).date()


def _pooled(parts: Sequence[Period]) -> Period:
    """Take periods together."""
    from functools import reduce
    from operator import add

    return reduce(add, parts)


def _moved(drift: Drift | None, events: Sequence[str]) -> tuple[str, ...]:
    if drift is None:
        return ()
    return tuple(
        dict.fromkeys(
            event for event, stability_index in zip(events, drift.shifts, strict=True) if stability_index.shifted
        )
    )


def newest_verdict(period_rateses: Sequence[PeriodRates]) -> str | None:
    """Give the verdict of the newest mature period that was compared, or None."""
    verdicts = [period_rates.drift.verdict.value for period_rates in period_rateses if period_rates.drift is not None]
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


def _part(
    name: str,
    started: pl.DataFrame,
    looked: pl.DataFrame,
    levels: Sequence[NDArray[np.uint8]],
    labels: NDArray[np.int64],
    *,
    dependent: bool,
) -> Period:
    import polars as pl

    from pqlkit.snapshots.clusters import effect_of, effect_of_bins
    from pqlkit.snapshots.qualifications import pql_conversion_rate
    from pqlkit.statistics.contingency import Contingency
    from pqlkit.statistics.drift import Period
    from pqlkit.statistics.histogram import COUNT_BINS

    part = looked.filter(pl.col("period") == name)
    y, met = part.get_column("y").to_numpy(), part.get_column("met").to_numpy()
    rows = part.get_column("row").to_numpy()
    own = labels[rows]
    bins = [_bins(column[rows]) for column in levels]
    return Period(
        table=Contingency.of(
            qualified=int(met.sum()),
            converted=int((met & y).sum()),
            entities=len(y),
            converters=int(y.sum()),
            design_effect=effect_of(y, own) if dependent else 1.0,
        ),
        rate=pql_conversion_rate(started.filter(pl.col("period") == name)),
        behaviours=tuple(tuple(map(float, np.bincount(levels, minlength=len(COUNT_BINS)))) for levels in bins),
        share_effect=effect_of(met, own),
        behaviour_effects=tuple(effect_of_bins(levels, own) for levels in bins),
    )


def _bins(levels: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Say into which of `COUNT_BINS` each snapshot's value falls."""
    from pqlkit.measures.behaviour import GRID
    from pqlkit.statistics.histogram import COUNT_BINS

    edges = [GRID.index(int(value)) + 1 for value in COUNT_BINS[1:]]
    return np.searchsorted(edges, levels, side="right")


def _levels(population: Population, definition: Definition, seen: Snapshots) -> dict[str, NDArray[np.uint8]]:
    """Measure the event of each plain criterion (one event, no condition) at the snapshots, to see whether it moved itself."""
    from pqlkit.measures.cube import cube

    columns: dict[str, NDArray[np.uint8]] = {}
    for leaf in leaves(definition.qualify):
        if not isinstance(leaf, Criterion) or leaf.where or leaf.events is None or len(leaf.events) != 1:
            continue
        event, window = leaf.events[0], leaf.window
        if not leaf.measure.kind.facts.times_alone or window.length is None or event in columns:
            continue
        measured = cube(
            population.world,
            seen.frame.select("snapshot", "entity", "cutoff"),
            kind=WindowKind.WITHIN if window.kind is WindowKind.WITHIN else WindowKind.TRAILING,
            windows=[window.length],
            measures=[leaf.measure],
            events=[event],
        )
        column = np.zeros(measured.snapshots, dtype=np.uint8)
        for index, behaviour in enumerate(measured.behaviours):
            if behaviour.event == event:
                rows, levels = measured.column(index)
                column[rows] = levels
        columns[event] = column
    return columns


def _over(name: str, population: Population, definition: Definition) -> bool:
    """Say whether every start that could fall in a period has had its conversion window by `as_of`."""
    outcome = definition.outcome
    wait = 0 if outcome is None else outcome.within.microseconds
    if outcome is not None and outcome.retained_for is not None:
        wait += outcome.retained_for.microseconds
    return _bounds(name, population.world.zone)[1] + wait <= population.as_of + 1


def _bounds(name: str, zone: str) -> tuple[Microseconds, Microseconds]:
    """Give a period's first microsecond, and the first after it."""
    year, _, rest = name.partition("-")
    months = 3 if rest.startswith("Q") else 1
    begin = (int(rest[1:]) - 1) * 3 if rest.startswith("Q") else int(rest) - 1
    moments = [int(year) * 12 + begin, int(year) * 12 + begin + months]
    first, end = (
        int(datetime(month // 12, month % 12 + 1, 1, tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000
        for month in moments
    )
    return first, end
