"""The cube: the level of every behaviour at every look."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from pqlkit.definitions.model import Measure, WindowKind
    from pqlkit.durations import Duration
    from pqlkit.measures.behaviour import Cube
    from pqlkit.measures.world import World


def cube(
    world: World,
    looks: pl.DataFrame,
    *,
    kind: WindowKind,
    windows: Sequence[Duration],
    measures: Sequence[Measure],
    events: Sequence[str] | None = None,
) -> Cube:
    """Measure every event in every window at every look.

    Parameters
    ----------
    world
        The population.
    looks
        ``look`` (Int64, 0..n-1), ``entity``, ``cutoff`` (Int64 microseconds): any number per entity.
    kind
        `WITHIN`: events in [anchor, min(anchor + w, cutoff)); `TRAILING`: in [cutoff - w, cutoff); both strictly before the
        conversion.
    windows
        Lengths.
    measures
        count, days, users, and measures of properties (`last` only within).
    events
        The event names to look at; None = all that occur. The pseudo-behaviour event=None ("any event") is always there
        for count and days.

    Returns
    -------
    Cube
        Behaviours that are at level 1 or above at one look at least, sorted by event (None first), measure, window.
    """
    raise NotImplementedError
