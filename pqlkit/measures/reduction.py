"""The reduction: counts of looks by behaviour, level and group, the sufficient statistic of every table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from pqlkit.definitions.model import Measure, WindowKind
    from pqlkit.durations import Duration
    from pqlkit.measures.behaviour import Behaviour
    from pqlkit.measures.world import World


def histogram(
    world: World,
    looks: pl.DataFrame,
    *,
    groups: Sequence[str],
    kind: WindowKind,
    windows: Sequence[Duration],
    measures: Sequence[Measure],
    events: Sequence[str] | None = None,
) -> tuple[tuple[Behaviour, ...], pl.DataFrame]:
    """Count looks by behaviour, level and group, without holding a row per look and behaviour.

    Parameters
    ----------
    world, looks, kind, windows, measures, events
        As for `cube`; `looks` also holds the columns of `groups`.
    groups
        Columns of `looks` to count by: the outcome ``y``, a cohort, an age band. Few distinct combinations.

    Returns
    -------
    tuple
        The behaviours (in the cube's order), and a frame ``behaviour`` (Int32 position), ``level`` (UInt8, at least 1), the
        group columns, ``n`` (Int64). Level 0 is what is missing to the looks of a group. Sorted.
    """
    raise NotImplementedError
