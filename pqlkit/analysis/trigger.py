"""The trigger: a start of a definition's spell that counts, what followed it, and how soon.

Both the proposal and the report count by this module alone, so that their rates agree to the unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from pqlkit.analysis.population import Population
    from pqlkit.durations import Duration
    from pqlkit.statistics.rate import Rate
    from pqlkit.typing import Microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Time from the start to the conversion, among mature starts that converted within the horizon, in days.

    `within_a_day` is the share of them that converted within 24 hours: too quick for a call. None = nobody converted.
    Quartiles interpolate linearly.
    """

    n: int
    median_days: float | None
    p25_days: float | None
    p75_days: float | None
    within_a_day: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadsPerWeek:
    """Starts per calendar week (Monday 00:00 of the zone), whole weeks only, weeks without a start included."""

    weeks: int
    median: float | None
    p90: float | None


def starts(
    population: Population,
    spells: pl.DataFrame,
    *,
    horizon: Duration,
    cooldown: Duration | None = None,
    retained_for: Duration | None = None,
) -> pl.DataFrame:
    """Choose the starts that count, and say what followed each.

    Parameters
    ----------
    population
        Anchors, conversions and `as_of`.
    spells
        ``entity``, ``on``, ``off`` of the whole definition, as `pqlkit.measures` gives them; any order.
    horizon
        How long after a start a conversion counts.
    cooldown
        How long out of the state before a later spell counts; None = the horizon.
    retained_for
        A conversion that ended before this long counts as none; maturity waits for it.

    Returns
    -------
    DataFrame
        Sorted by ``on`` and ``entity``: ``entity``, ``on``, ``off``, ``mature`` (on + horizon + retained_for <= as_of),
        ``y`` (converted in (on, on + horizon], and stayed), ``delay`` (microseconds to the conversion, whenever; or null).

    Notes
    -----
    The first spell counts. A later one counts if it starts at least `cooldown` after the spell before it (counted or not)
    ended, and after the last counted start + `horizon`. A start while already a customer (converted <= on) does not.
    """
    raise NotImplementedError


def trigger_rate(starts: pl.DataFrame) -> Rate:
    """Give conversions within the horizon among mature starts."""
    raise NotImplementedError


def notice(starts: pl.DataFrame) -> Notice:
    """Give the time that a call would have had."""
    raise NotImplementedError


def leads_per_week(starts: pl.DataFrame, *, first: Microseconds, through: Microseconds, zone: str) -> LeadsPerWeek:
    """Count starts by whole calendar week within [first, through]."""
    raise NotImplementedError


def between(starts: pl.DataFrame, first: Microseconds | None, before: Microseconds | None) -> pl.DataFrame:
    """Keep the starts with first <= on < before; None = open. Whether a start counts is decided before, over all time."""
    raise NotImplementedError
