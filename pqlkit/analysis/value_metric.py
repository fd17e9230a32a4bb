"""The value metric: how well one event tells who converts, how many converters it covers, and whether it holds everywhere.

Several of them beside each other answer "do we count videos posted, or views?" (``analyze --compare``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.analysis.associations import LEVELS
from pqlkit.errors import UsageError, suggestion
from pqlkit.measures.behaviour import GRID
from pqlkit.shown import Counted
from pqlkit.statistics.estimate import Estimate
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.analysis.observation import Observed
    from pqlkit.definitions.model import Node
    from pqlkit.measures.behaviour import Behaviour

FEWEST: Final = 20
"""A rung of the ladder needs so many snapshots, and a part so many converters and others in all."""
LEAST: Final = 5
"""A part needs so many converters and so many others."""
LEVEL: Final = 0.05

PERIOD: Final = "period"
AGE: Final = "age"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """The rate of snapshots at or above one threshold."""

    threshold: int
    rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The metric in one period, age band or segment; `area` is undefined where too few converted, or did not."""

    by: str
    name: str
    rate: Rate
    area: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """Whether the areas of all parts of one kind can be one and the same (Cochran's Q); None with fewer than two."""

    by: str
    p_value: float | None

    @property
    def stable(self) -> bool | None:
        """No difference beyond chance (at 5 %); None where it cannot be told."""
        return None if self.p_value is None else self.p_value >= LEVEL


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ValueMetric(Counted):
    """One event, as a value metric.

    Parameters
    ----------
    behaviour
        What was measured: the first of the measures, in the longest window. Nothing is chosen by its result.
    area
        How often a converter stands above another snapshot, ties counting half (AUC), with its 95 % interval.
    difference
        The best metric's area less this one's, with the interval of the paired difference; None for the best.
    recall
        Converted snapshots that do it at all, among all converted snapshots.
    share
        Snapshots that do it at all.
    ladder
        Rates by threshold: those that at least `FEWEST` snapshots reach and that leave out a tenth of the rung before.
    breaks_at
        The first threshold from which on the rate is lower than just below it, beyond chance (5 %, Bonferroni over the
        rungs); None if the ladder never falls.
    parts, stability
        By calendar quarter of the snapshot, by age where snapshots have several, and by each trait and behaviour asked for.
    """

    behaviour: Behaviour
    area: Estimate
    difference: Estimate | None
    recall: Rate
    share: Rate
    ladder: tuple[Rung, ...]
    breaks_at: int | None
    parts: tuple[Part, ...]
    stability: tuple[Stability, ...]

    def _many(self) -> int:
        return len(self.ladder)

    @property
    def monotonic(self) -> bool:
        """More of it never goes with a lower rate, beyond chance."""
        return self.breaks_at is None


def compare(
    observed: Observed, events: Sequence[str], *, behaviours: Mapping[str, Node] | None = None
) -> tuple[ValueMetric, ...]:
    """Compare events as value metrics.

    Parameters
    ----------
    observed
        The snapshots and what was measured at them.
    events
        Names; each is read through the first measure and the longest window.
    behaviours
        Those of the settings' ``--by`` that are behaviours, with their formulas.

    Returns
    -------
    tuple of ValueMetric
        The largest area first, ties by name.

    Raises
    ------
    UsageError
        No snapshot did an event of that name, or it is left out.
    """
    chosen = [_behaviour(observed, event) for event in dict.fromkeys(events)]
    columns = [_column(observed, index) for index in chosen]
    groups = _groups(observed, behaviours or {}) if chosen else []
    value_metrics = [
        _metric(observed, observed.cube.behaviours[index], column, groups)
        for index, column in zip(chosen, columns, strict=True)
    ]
    order = sorted(
        range(len(value_metrics)),
        key=lambda i: (-(value_metrics[i].area.value or 0.0), value_metrics[i].behaviour.event or ""),
    )
    best = columns[order[0]] if order else None
    return tuple(
        value_metrics[i] if best is None or i == order[0] else _beside(observed, value_metrics[i], best, columns[i])
        for i in order
    )


def _behaviour(observed: Observed, event: str) -> int:
    """Find the event's column: the first measure asked for, the longest window."""
    wanted = observed.settings.measures[0]
    rows = [
        index
        for index, behaviour in enumerate(observed.cube.behaviours)
        if behaviour.event == event and behaviour.measure == wanted and behaviour.window.length is not None
    ]
    if not rows:
        known = {behaviour.event for behaviour in observed.cube.behaviours if behaviour.event is not None}
        raise UsageError(
            f"--compare {event}: no snapshot has such an event",
            hint=suggestion(event, sorted(known), "pqlkit analyze lists the events"),
        )
    return max(rows, key=lambda index: _length(observed.cube.behaviours[index]))


def _length(behaviour: Behaviour) -> int:
    return behaviour.window.length.microseconds if behaviour.window.length is not None else 0


def _column(observed: Observed, index: int) -> NDArray[np.uint8]:
    rows, levels = observed.cube.column(index)
    column = np.zeros(observed.cube.snapshots, dtype=np.uint8)
    column[rows] = levels
    return column


def _metric(
    observed: Observed,
    behaviour: Behaviour,
    column: NDArray[np.uint8],
    groups: Sequence[tuple[str, str, NDArray[np.bool_]]],
) -> ValueMetric:
    y, effect = observed.y, observed.design_effect
    positive, negative = _histogram(column[y]), _histogram(column[~y])
    parts = tuple(_part(observed, column, *group) for group in groups)
    ladder, breaks_at = _ladder(positive, negative, effect)
    doing = int(positive[1:].sum())
    return ValueMetric(
        behaviour=behaviour,
        area=_area(positive, negative, effect),
        difference=None,
        recall=Rate.of(doing, int(positive.sum()), design_effect=effect),
        share=Rate.of(doing + int(negative[1:].sum()), len(column), design_effect=effect),
        ladder=ladder,
        breaks_at=breaks_at,
        parts=parts,
        stability=tuple(_stability(by, parts) for by in dict.fromkeys(part.by for part in parts)),
    )


def _histogram(levels: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.bincount(levels, minlength=LEVELS)


def _area(positive: NDArray[np.int64], negative: NDArray[np.int64], effect: float) -> Estimate:
    from pqlkit.statistics.discrimination import area_interval
    from pqlkit.statistics.ranks import auc, auc_error

    area = auc(positive, negative)
    low, high = area_interval(area, auc_error(positive, negative) * np.sqrt(effect))
    return Estimate.of(area, low, high)


def _beside(observed: Observed, metric: ValueMetric, best: NDArray[np.uint8], own: NDArray[np.uint8]) -> ValueMetric:
    from dataclasses import replace

    from pqlkit.statistics.discrimination import area_difference

    both = best.astype(np.int64) * LEVELS + own
    sides = [np.bincount(both[rows], minlength=LEVELS**2).reshape(LEVELS, LEVELS) for rows in (observed.y, ~observed.y)]
    gap = area_difference(sides[0], sides[1], design_effect=observed.design_effect)
    return replace(metric, difference=Estimate.of(*gap))


def _ladder(
    positive: NDArray[np.int64], negative: NDArray[np.int64], effect: float
) -> tuple[tuple[Rung, ...], int | None]:
    """Give the rungs, and the first threshold at and above which fewer convert than just below it."""
    from pqlkit.statistics.comparison import p_value

    above = np.cumsum(positive[::-1])[::-1], np.cumsum(negative[::-1])[::-1]
    size = above[0] + above[1]
    levels: list[int] = []
    for level in range(1, LEVELS):
        enough = size[level] >= FEWEST
        if enough and (not levels or 10 * size[level] <= 9 * size[levels[-1]]):
            levels.append(level)
    rungs = tuple(
        Rung(
            threshold=GRID[level - 1],
            rate=Rate.of(int(above[0][level]), int(size[level]), design_effect=effect),
        )
        for level in levels
    )
    for before, level in zip([0, *levels], levels, strict=False):
        a, b = above[0][level], above[1][level]
        c, d = above[0][before] - a, above[1][before] - b
        falls = a * (c + d) < c * (a + b)
        if falls and float(p_value(a, b, c, d, design_effect=effect)) * len(levels) < LEVEL:
            return rungs, GRID[level - 1]
    return rungs, None


def _part(observed: Observed, column: NDArray[np.uint8], by: str, name: str, rows: NDArray[np.bool_]) -> Part:
    from pqlkit.statistics.estimate import Undefined

    y = observed.y[rows]
    rate = Rate.of(int(y.sum()), len(y), design_effect=observed.design_effect)
    if min(rate.numerator, rate.denominator - rate.numerator) < LEAST:
        return Part(by=by, name=name, rate=rate, area=Estimate.none(Undefined.TOO_FEW))
    levels = column[rows]
    area = _area(_histogram(levels[y]), _histogram(levels[~y]), observed.design_effect)
    return Part(by=by, name=name, rate=rate, area=area)


def _stability(by: str, parts: Sequence[Part]) -> Stability:
    """Compare the areas of the parts on the logit scale, where their intervals are symmetric."""
    from pqlkit.statistics.arrays import Z95
    from pqlkit.statistics.discrimination import heterogeneity

    ends = [
        (part.area.low, part.area.high)
        for part in parts
        if part.by == by and part.area.low is not None and part.area.high is not None
    ]
    if len(ends) < 2:
        return Stability(by=by, p_value=None)
    low, high = (np.array(side) for side in zip(*ends, strict=True))
    logits = np.log(low / (1 - low)), np.log(high / (1 - high))
    p_value = heterogeneity((logits[0] + logits[1]) / 2, (logits[1] - logits[0]) / (2 * Z95))
    return Stability(by=by, p_value=None if np.isnan(p_value) else p_value)


def _groups(observed: Observed, behaviours: Mapping[str, Node]) -> list[tuple[str, str, NDArray[np.bool_]]]:
    """Cut the snapshots by calendar quarter, by age where snapshots have several, and by each trait and behaviour of ``--by``."""
    import polars as pl

    from pqlkit.analysis.behaviour_cohorts import did
    from pqlkit.analysis.cohorts import TIMES, cohort_names
    from pqlkit.snapshots.snapshots import AGE_BANDS

    frame, population = observed.snapshots.frame, observed.population
    local = (
        pl.from_epoch("cutoff", time_unit="us").dt.replace_time_zone("UTC").dt.convert_time_zone(population.world.zone)
    )
    quarter = local.dt.year().cast(pl.String) + "-Q" + local.dt.quarter().cast(pl.String)
    groups = _cut(PERIOD, frame.select(quarter.alias("name")).get_column("name"))
    bands = frame.get_column("age_band").to_numpy()
    if len(np.unique(bands)) > 1:
        groups += [(AGE, name, bands == band) for band, name in enumerate(AGE_BANDS) if (bands == band).any()]
    for by in observed.settings.by:
        if by in behaviours:
            groups += _cut(by, did(observed, by, behaviours[by]))
        elif by not in TIMES:
            named = frame.select("entity").join(
                cohort_names(population, by), on="entity", how="left", maintain_order="left"
            )
            groups += _cut(by, named.get_column("cohort").fill_null("(unknown)"))
    return groups


def _cut(by: str, names: pl.Series) -> list[tuple[str, str, NDArray[np.bool_]]]:
    return [(by, str(name), (names == name).to_numpy()) for name in names.unique().sort().to_list()]
