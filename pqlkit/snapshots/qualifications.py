"""The qualification: a start of a definition's spell that counts, what followed it, and how soon.

Both the proposal and the report count by this module alone, so that their rates agree to the unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ANCHOR, CONVERTED, ENTITY, OFF, ON
from pqlkit.definitions.model import Ref, WindowKind, leaves
from pqlkit.durations import DAY, WEEK
from pqlkit.population.entity_world import SIGNUP
from pqlkit.population.phases import monday
from pqlkit.snapshots.clusters import clusters, effect_of
from pqlkit.snapshots.snapshots import is_retained
from pqlkit.snapshots.spike import too_soon

if TYPE_CHECKING:
    from pqlkit.definitions.model import Definition
    from pqlkit.durations import Duration
    from pqlkit.population.population import Population
    from pqlkit.statistics.rate import Rate
    from pqlkit.typing import Microseconds


_MOVING: Final = (WindowKind.TRAILING, WindowKind.ROLLING)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeToConvert:
    """Time from the start to the conversion, among mature starts that converted within the conversion window, in days.

    `within_a_day` is the share of them that converted within 24 hours: too quick for a call. None = nobody converted.
    Quartiles interpolate linearly.
    """

    n: int
    median_days: float | None
    p25_days: float | None
    p75_days: float | None
    within_a_day: float | None

    @property
    def quick(self) -> str:
        """Within a day, as counts: ``4 of 104``, ``none of the 104``."""
        quick = round((self.within_a_day or 0.0) * self.n)
        return f"{quick:,} of {self.n:,}" if quick else f"none of the {self.n:,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PqlsPerWeek:
    """Starts per calendar week (Monday 00:00 of the zone), whole weeks only, weeks without a start included.

    `median` and `p90` interpolate linearly; None = not one whole week.
    """

    weeks: int
    median: float | None
    p90: float | None


def starts(
    population: Population,
    spells: pl.DataFrame,
    *,
    conversion_window: Duration,
    cooldown: Duration | None = None,
    retained_for: Duration | None = None,
    reaches_back: Duration | None = None,
    clustered: bool = True,
) -> pl.DataFrame:
    """Choose the starts that count, and say what followed each.

    Parameters
    ----------
    population
        Anchors, conversions and `as_of`.
    spells
        ``entity``, ``on``, ``off`` of the whole definition, as `pqlkit.measures` gives them; any order.
    conversion_window
        How long after a start a conversion counts.
    cooldown
        How long out of the state before a later spell counts; None = the conversion window.
    retained_for
        A conversion that ended before this long counts as none; maturity waits for it.
    reaches_back
        How far the definition's windows do (see `reach_of`): entities older than the events export have no start sooner after
        it begins. None = no such bound.
    clustered
        Give ``too_soon`` and ``cluster``, too. To find out who shares an account may take a pass over the events: not where no rate is taken.

    Returns
    -------
    DataFrame
        Sorted by ``on`` and ``entity``: ``entity``, ``on``, ``off``, ``mature`` (on + conversion window + retained_for <= as_of),
        ``y`` (converted in (on, on + conversion window], and stayed), ``delay`` (microseconds to the conversion, whenever; or null),
        ``too_soon`` (bool: complete, but over before the day on which conversions pile up, see `pqlkit.snapshots.spike`: not mature),
        ``cluster`` (Int64: equal for users who share an account, see `pqlkit.snapshots.clusters.clusters`).

    Notes
    -----
    The first spell counts. A later one counts if it starts at least `cooldown` after the spell before it (counted or not)
    ended, and after the last counted start + `conversion_window`. A start while already a customer (converted <= on) does not.

    A state that is on when the export begins looks like a start in its first days, while the window fills. Such a start is
    dropped after the others were chosen: the state went before them all the same.
    """
    reach = conversion_window.microseconds
    waits = reach + (retained_for.microseconds if retained_for is not None else 0)
    facts = population.entities.select(CONVERTED, retained=is_retained(retained_for))
    free = (
        spells.select(ENTITY, ON, OFF)
        .hstack(facts[spells.get_column(ENTITY)])
        .filter(pl.col(ON) <= population.as_of, pl.col(CONVERTED).is_null() | (pl.col(ON) < pl.col(CONVERTED)))
    )
    counted = _counted(free, reach, reach if cooldown is None else cooldown.microseconds)
    if reaches_back is not None:
        counted = counted.filter(_seen_to_begin(population, counted, reaches_back))
    came = population.outcome_at(counted[ENTITY], counted[ON], reach)
    delay = came - pl.col(ON)
    chosen = counted.select(
        ENTITY,
        ON,
        OFF,
        mature=pl.col(ON) + waits <= population.as_of,
        y=((delay <= reach) & pl.col("retained")).fill_null(value=False),
        delay=delay,
    ).sort(ON, ENTITY)
    if not clustered:
        return chosen
    soon = too_soon(population, chosen, conversion_window)
    chosen = chosen.with_columns(mature=pl.col("mature") & ~soon, too_soon=soon)
    labels = clusters(population, chosen.get_column(ENTITY).to_numpy())
    return chosen.with_columns(cluster=pl.Series(labels, dtype=pl.Int64))


def reach_of(definition: Definition) -> Duration | None:
    """Give the longest window of a definition that moves (``trailing`` and ``rolling``), milestones included; None without one."""
    durations = [
        reach_of(leaf.target) if isinstance(leaf, Ref) else leaf.window.length if leaf.window.kind in _MOVING else None
        for leaf in leaves(definition.qualify)
    ]
    return max((length for length in durations if length is not None), default=None)


def _seen_to_begin(population: Population, counted: pl.DataFrame, reach: Duration) -> pl.Series:
    """Say which starts lie in a life that the export has seen from its signup on, or have a whole window before them."""
    lives = population.world.entities
    signups = lives[SIGNUP if SIGNUP in lives.columns else ANCHOR].gather(counted[ENTITY])
    begin = population.history_from
    return (signups >= begin) | (counted[ON] >= begin + reach.microseconds)


def _counted(spells: pl.DataFrame, reach: int, cooldown: int) -> pl.DataFrame:
    """Keep the starts that count, in rounds: each takes every entity's first open start, so as many as the busiest has."""
    if spells.get_column(ENTITY).n_unique() == spells.height:
        return spells
    before = pl.col(OFF).shift(1).over(ENTITY, order_by=ON)
    first = pl.col(ON) == pl.col(ON).min().over(ENTITY)
    open_ = spells.filter(first | (pl.col(ON) >= before + cooldown))
    rounds = []
    while not open_.is_empty():
        newest = open_.filter(pl.col(ON) == pl.col(ON).min().over(ENTITY))
        rounds.append(newest)
        over = newest.select(ENTITY, over=pl.col(ON) + reach)
        open_ = open_.join(over, on=ENTITY).filter(pl.col(ON) > pl.col("over")).drop("over")
    return pl.concat(rounds) if rounds else spells.clear()


def pql_conversion_rate(starts: pl.DataFrame) -> Rate:
    """Give conversions within the conversion window among mature starts; its interval knows of users who share accounts."""
    from pqlkit.statistics.rate import Rate

    mature = starts.filter(pl.col("mature"))
    labels = mature["cluster"]
    shared = bool((labels != mature[ENTITY]).any())
    effect = effect_of(mature["y"].to_numpy(), labels.to_numpy()) if shared else 1.0
    return Rate.of(int(mature["y"].sum()), mature.height, design_effect=effect)


def time_to_convert(starts: pl.DataFrame) -> TimeToConvert:
    """Give the time that a call would have had.

    Examples
    --------
    >>> day = 86_400_000_000
    >>> found = time_to_convert(pl.DataFrame({"mature": [True] * 3, "y": [True, True, False], "delay": [day, 3 * day, None]}))
    >>> found.n, found.median_days, found.within_a_day
    (2, 2.0, 0.5)
    """
    delays = starts.filter("mature", "y")["delay"]
    if delays.is_empty():
        return TimeToConvert(n=0, median_days=None, p25_days=None, p75_days=None, within_a_day=None)
    return TimeToConvert(
        n=len(delays),
        median_days=_quantile(delays / DAY, 0.5),
        p25_days=_quantile(delays / DAY, 0.25),
        p75_days=_quantile(delays / DAY, 0.75),
        within_a_day=int((delays <= DAY).sum()) / len(delays),
    )


def pqls_per_week(starts: pl.DataFrame, *, first: Microseconds, through: Microseconds, zone: str) -> PqlsPerWeek:
    """Count starts by whole calendar week within [first, through].

    Parameters
    ----------
    starts
        ``on``.
    first, through
        The period, both microseconds included.
    zone
        Where the weeks begin on Monday 00:00 (its offset of 2000-01-03 all year, so that every week lasts 7 d).
    """
    origin = monday(zone)
    begin = -((origin - first) // WEEK)
    end = (through + 1 - origin) // WEEK
    if end <= begin:
        return PqlsPerWeek(weeks=0, median=None, p90=None)
    week = starts.select(week=(pl.col(ON) - origin) // WEEK)
    counted = week.filter(pl.col("week").is_between(begin, end, closed="left")).group_by("week").len()
    every = pl.DataFrame({"week": pl.int_range(begin, end, eager=True)}, schema={"week": pl.Int64})
    counts = every.join(counted, on="week", how="left")["len"].fill_null(0)
    return PqlsPerWeek(weeks=end - begin, median=_quantile(counts, 0.5), p90=_quantile(counts, 0.9))


def between(starts: pl.DataFrame, first: Microseconds | None, before: Microseconds | None) -> pl.DataFrame:
    """Keep the starts with first <= on < before; None = open. Whether a start counts is decided before, over all time."""
    if first is not None:
        starts = starts.filter(pl.col(ON) >= first)
    return starts if before is None else starts.filter(pl.col(ON) < before)


def _quantile(values: pl.Series, share: float) -> float:
    value = values.quantile(share, interpolation="linear")
    return float(value) if value is not None else float("nan")
