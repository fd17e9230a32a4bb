"""The period: a definition's rates by calendar quarter (or month) of the start, and what drifted since the baseline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import numpy as np

from pqlkit.definitions.model import Criterion, WindowKind, leaves
from pqlkit.durations import WEEK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.definitions.model import Definition
    from pqlkit.measures.world import World
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


MARKS_A_QUARTER: Final = 3
"""How often a quarter is judged."""


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
    per_week
        The same a week, over the part of it that the data hold.
    rate
        The qualification view among the mature ones.
    snapshot
        The snapshot view, by the cutoff.
    change
        Since the period before; None where this one is in progress, or one of them has no complete start.
    mature
        Whether the last start that could be in it has had its conversion window.
    judged
        How many complete starts the verdict rests on: those that were complete at its last mark.
    baseline
        Whether later periods are compared with this one (with all that are, taken together).
    basis
        Why it is a baseline; None for the others.
    drift
        The comparison; None for the baseline, and for whatever came before it.
    moved
        The events whose own frequency has moved since the baseline.
    """

    period: str
    starts: int
    per_week: float
    rate: Rate
    snapshot: Contingency
    change: Change | None
    mature: bool
    judged: int
    baseline: bool
    basis: Basis | None
    drift: Drift | None
    moved: tuple[str, ...]


def periods(
    population: Population,
    definition: Definition,
    seen: Snapshots,
    met: NDArray[np.bool_],
    counted: pl.DataFrame,
    measured: World,
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
    measured
        The population's world, in which the criteria are measured; see `pqlkit.measures.ownership.narrowed`.

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

    A period in progress is judged by its complete part, at marks (`last_mark`): what was complete by then. So verdicts change 12
    times a year at most, however often somebody asks for them.

    Starts and snapshots are compared at the same ages: by the week in the first twelve weeks, by four weeks later.

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

    zone, waits = population.world.zone, _waits(definition)
    unit = "month" if _monthly(population, counted) else "quarter"
    anchors = population.entities.get_column("anchor")
    started = _cut(counted, "on", unit, zone, anchors)
    looked = _cut(
        seen.frame.select("entity", "cutoff", "y").with_columns(pl.Series("met", met)).with_row_index("row"),
        "cutoff",
        unit,
        zone,
        anchors,
    )
    names = sorted(set(started.get_column("period").to_list()) | set(looked.get_column("period").to_list()))
    marks = {name: last_mark(name, population.as_of, waits, zone) for name in names}
    started, looked = (frame.with_columns(_looked_up("period", marks).alias("mark")) for frame in (started, looked))
    labels = clusters(population, seen.frame.get_column("entity").to_numpy())
    levels = _levels(measured, definition, seen)
    cutter = _Cutter(
        bins=[_bins(column) for column in levels.values()], labels=labels, dependent=go_together(seen, labels)
    )
    shown = [cutter.part(started, looked, name) for name in names]
    known = cutter.at(
        started.filter("mature", pl.col("on") + waits < pl.col("mark")),
        looked.filter(pl.col("cutoff") + waits < pl.col("mark")),
        names,
    )
    mature = [_bounds(name, zone)[1] + waits <= population.as_of + 1 for name in names]
    closed = [i for i, over in enumerate(mature) if over]
    chosen, basis = _baseline([names[i] for i in closed], [known[i] for i in closed], definition, zone)
    baseline = [closed[i] for i in chosen]
    later = range(baseline[-1] + 1, len(names)) if baseline else range(0)
    drifts = dict(
        zip(later, assess(_pooled([known[i] for i in baseline]), [known[i] for i in later]), strict=True)
        if later
        else ()
    )
    count = dict(started.group_by("period").len().iter_rows())
    return tuple(
        PeriodRates(
            period=name,
            starts=int(count.get(name, 0)),
            per_week=int(count.get(name, 0)) / _weeks(name, population),
            rate=shown[i].promise,
            snapshot=shown[i].table,
            change=_changed(names[i - 1], shown[i - 1], shown[i]) if i and mature[i] else None,
            mature=mature[i],
            judged=known[i].promise.denominator,
            baseline=i in baseline,
            basis=basis if i in baseline else None,
            drift=_told(drifts.get(i), closed=mature[i]),
            moved=_moved(drifts.get(i), list(levels)),
        )
        for i, name in enumerate(names)
    )


def last_mark(name: str, as_of: Microseconds, waits: Microseconds, zone: str) -> Microseconds:
    """Give the newest moment up to `as_of` at which a period is judged: when it is complete, and 4 and 8 weeks before (a quarter).

    A month is judged once. Before its first mark a period has none: 0.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> def told(night):
    ...     at = int(datetime(*night, tzinfo=UTC).timestamp()) * 1_000_000
    ...     mark = last_mark("2026-Q3", at - 1, 28 * 24 * 3_600_000_000, "UTC")
    ...     return f"{datetime.fromtimestamp(mark / 1_000_000, tz=UTC):%b %d}" if mark else "none"
    >>> [told(night) for night in ((2026, 9, 2), (2026, 9, 3), (2026, 10, 2), (2026, 11, 1))]
    ['none', 'Sep 03', 'Oct 01', 'Oct 29']
    """
    complete = _bounds(name, zone)[1] + waits
    early = range(MARKS_A_QUARTER) if "Q" in name else range(1)
    return next((mark for ago in early if (mark := complete - ago * 4 * WEEK) <= as_of + 1), 0)


def _looked_up(column: str, values: Mapping[str, int]) -> pl.Expr:
    import polars as pl

    # Without a value it would be left what it is, a text.
    return pl.col(column).replace_strict(values, return_dtype=pl.Int64) if values else pl.lit(0, dtype=pl.Int64)


def _told(drift: Drift | None, *, closed: bool) -> Drift | None:
    """Say of a period of which too little is complete to tell anything that it is in progress."""
    from pqlkit.statistics.drift import Verdict

    if drift is None or closed or drift.verdict is not Verdict.TOO_FEW:
        return drift
    return replace(drift, verdict=Verdict.IN_PROGRESS, findings=(Verdict.IN_PROGRESS,))


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


def newest_judged(period_rateses: Sequence[PeriodRates]) -> PeriodRates | None:
    """Give the newest period of which enough is complete to say something, or None."""
    told = [rates for rates in period_rateses if rates.drift is not None and rates.drift.verdict.value != "in-progress"]
    return told[-1] if told else None


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


def _cut(frame: pl.DataFrame, at: str, unit: str, zone: str, anchors: pl.Series) -> pl.DataFrame:
    """Add the ``period`` of a moment, and its ``age`` band: weeks below twelve, then four weeks each."""
    import polars as pl

    age = pl.col(at) - anchors.gather(frame.get_column("entity"))
    return frame.with_columns(
        _named(pl.col(at), unit, zone).alias("period"),
        age=pl.when(age < 12 * WEEK).then(age // WEEK).otherwise(9 + age // (4 * WEEK)),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Cutter:
    """Counts parts of the snapshots and starts: the bins of each behaviour and the cluster of every snapshot."""

    bins: Sequence[NDArray[np.intp]]
    labels: NDArray[np.int64]
    dependent: bool

    def at(self, started: pl.DataFrame, looked: pl.DataFrame, names: Sequence[str]) -> list[Period]:
        """Count periods, each by age as well."""
        ages = sorted(set(started.get_column("age").to_list()) | set(looked.get_column("age").to_list()))
        return [self._aged(started, looked, name, ages) for name in names]

    def part(self, started: pl.DataFrame, looked: pl.DataFrame, name: str) -> Period:
        """Count a period."""
        import polars as pl

        from pqlkit.snapshots.clusters import effect_of, effect_of_bins
        from pqlkit.snapshots.qualifications import pql_conversion_rate

        part = looked.filter(pl.col("period") == name)
        own = self.labels[part.get_column("row").to_numpy()]
        counted = self._counted(part, started.clear())
        effect = effect_of(part.get_column("y").to_numpy(), own) if self.dependent else 1.0
        return replace(
            counted,
            table=replace(counted.table, design_effect=effect),
            rate=pql_conversion_rate(started.filter(pl.col("period") == name)),
            share_effect=effect_of(part.get_column("met").to_numpy(), own),
            behaviour_effects=tuple(effect_of_bins(bins[part.get_column("row").to_numpy()], own) for bins in self.bins),
        )

    def _aged(self, started: pl.DataFrame, looked: pl.DataFrame, name: str, ages: Sequence[int]) -> Period:
        import polars as pl

        starts, snapshots = (
            frame.filter(pl.col("period") == name).partition_by("age", as_dict=True) for frame in (started, looked)
        )
        bands = tuple(
            self._counted(snapshots.get((age,), looked.clear()), starts.get((age,), started.clear())) for age in ages
        )
        return replace(self.part(started, looked, name), ages=bands)

    def _counted(self, looked: pl.DataFrame, started: pl.DataFrame) -> Period:
        from pqlkit.statistics.contingency import Contingency
        from pqlkit.statistics.drift import Period
        from pqlkit.statistics.histogram import COUNT_BINS
        from pqlkit.statistics.rate import Rate

        y, met = looked.get_column("y").to_numpy(), looked.get_column("met").to_numpy()
        rows = looked.get_column("row").to_numpy()
        return Period(
            table=Contingency.of(
                qualified=int(met.sum()), converted=int((met & y).sum()), entities=len(y), converters=int(y.sum())
            ),
            rate=Rate.of(int(started.get_column("y").sum()), started.height),
            behaviours=tuple(
                tuple(map(float, np.bincount(bins[rows], minlength=len(COUNT_BINS)))) for bins in self.bins
            ),
        )


def _bins(levels: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Say into which of `COUNT_BINS` each snapshot's value falls."""
    from pqlkit.measures.behaviour import GRID
    from pqlkit.statistics.histogram import COUNT_BINS

    edges = [GRID.index(int(value)) + 1 for value in COUNT_BINS[1:]]
    return np.searchsorted(edges, levels, side="right")


def _levels(world: World, definition: Definition, seen: Snapshots) -> dict[str, NDArray[np.uint8]]:
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
            world,
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


def _waits(definition: Definition) -> Microseconds:
    """Say how long after a start it is complete."""
    outcome = definition.outcome
    if outcome is None:
        return 0
    return outcome.within.microseconds + (outcome.retained_for.microseconds if outcome.retained_for is not None else 0)


def _weeks(name: str, population: Population) -> float:
    """Give the weeks of a period that the data hold: a moment at least."""
    first, end = _bounds(name, population.world.zone)
    return max(1, min(end, population.as_of + 1) - max(first, population.history_from)) / WEEK


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
