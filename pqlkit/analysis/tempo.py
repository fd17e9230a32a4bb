"""The pace of an event: what those did who lately do it more, as much or less often than they used to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pqlkit.measures.weekly import WEEKS, WHOLE, weekly

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pqlkit.analysis.observation import Observed
    from pqlkit.statistics.rate import Rate

FASTER: Final = 1.5
"""The last week holds so many times the mean of the weeks before, or more."""

SLOWER: Final = 0.5
"""It holds this part of it, or less."""

FEWEST: Final = 30
"""Snapshots of each pace that are told, at least."""

EVENTS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """One event at the snapshots at which it was done within the four weeks before the last; None = any event.

    Parameters
    ----------
    event
        Its name.
    faster, same, slower
        Snapshots and conversions of those whose last week holds at least 1.5 times the mean of the four weeks before, half of it or
        less, or what lies between.
    """

    event: str | None
    faster: Rate
    same: Rate
    slower: Rate


def paces(observed: Observed, events: Iterable[str]) -> tuple[Pace, ...]:
    """Describe the pace of any event and of a few others, in their order; nothing is tested.

    Parameters
    ----------
    observed
        The snapshots.
    events
        Their names, the most telling first; so many as `EVENTS` are read.

    Notes
    -----
    Only snapshots before which all five weeks are known count: none of the first weeks of a life, for what has just begun
    always grows.
    """
    import polars as pl

    from pqlkit.statistics.rate import Rate

    population, frame = observed.population, observed.snapshots.frame
    begins = population.entities.get_column("anchor").gather(frame.get_column("entity"))
    known = max(population.history_from, 0)
    whole = (frame.get_column("cutoff") - WHOLE.microseconds >= begins.clip(lower_bound=known)).fill_null(value=False)
    looked = frame.filter(whole).select(pl.int_range(pl.len(), dtype=pl.Int64).alias("snapshot"), "entity", "cutoff")
    if not looked.height:
        return ()
    y = observed.y[whole.to_numpy()]
    asked = list(dict.fromkeys(events))[:EVENTS]
    described = {}
    for event, week, before in weekly(population.world, looked, asked):
        did, mean = before > 0, before / WEEKS
        faster, slower = did & (week >= FASTER * mean), did & (week <= SLOWER * mean)
        rates = [
            Rate.of(int((met & y).sum()), int(met.sum()), design_effect=observed.design_effect)
            for met in (faster, did & ~faster & ~slower, slower)
        ]
        if min(rate.denominator for rate in rates) >= FEWEST:
            described[event] = Pace(event=event, faster=rates[0], same=rates[1], slower=rates[2])
    return tuple(described[event] for event in (None, *asked) if event in described)
