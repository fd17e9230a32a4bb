"""The decay: whether what leads of a rule do beyond comparable others has changed, and since when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from pqlkit.columns import AT, ENTITY, OFF, ON
from pqlkit.proposal.comparable import strata
from pqlkit.statistics.rate import Rate
from pqlkit.statistics.stratified import Moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pqlkit.proposal.brief import Brief
    from pqlkit.proposal.comparable import Activity
    from pqlkit.proposal.lives import Lives
    from pqlkit.typing import Microseconds

LEVEL: Final = 0.05
MOMENTS: Final = 200_000
"""Moments of activity that are compared with; of more, those of a share of the entities."""

__all__ = ["Change", "changes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Since when the leads of a rule do more, or less, than before.

    Parameters
    ----------
    since
        The first lead after the change.
    quarter
        Its quarter: ``2025-Q4``.
    before, after
        Of complete leads, converted.
    fell
        Whether it is less.
    p_value, p_adjusted
        That it is chance, and corrected for all rules that were looked at (Holm).
    """

    since: Microseconds
    quarter: str
    before: Rate
    after: Rate
    fell: bool
    p_value: float
    p_adjusted: float | None = None

    @property
    def sure(self) -> bool:
        """Whether it is more than chance."""
        return self.p_adjusted is not None and self.p_adjusted <= LEVEL

    def __str__(self) -> str:
        """Say it: ``The effect fell since 2025-Q4 (25% -> 9%): refit from then``."""
        rates = " -> ".join(f"{rate.rate or 0.0:.0%}" for rate in (self.before, self.after))
        return f"The effect {'fell' if self.fell else 'rose'} since {self.quarter} ({rates}): refit from then"


def changes(
    brief: Brief,
    lives: Lives,
    activity: Activity,
    rules: Sequence[tuple[pl.DataFrame, pl.DataFrame]],
    *,
    begin: Microseconds,
) -> tuple[Change | None, ...]:
    """Look for one change of each rule, its leads against comparable others: seasons change both.

    Parameters
    ----------
    brief
        Of the proposal.
    lives, activity
        What followed whom, and moments of activity.
    rules
        Of each rule its starts (``entity``, ``on``, ``mature``) and its spells (``entity``, ``on``, ``off``).
    begin
        Leads from here on are looked at.

    Returns
    -------
    tuple of Change or None
        In order; None where there are too few conversions to see one. Only `sure` ones are more than chance.
    """
    from pqlkit.statistics.multiplicity import holm

    population = brief.observed.population
    at, entity = activity.at, activity.entity
    kept = (at >= begin) & (at + lives.waits <= population.as_of) & lives.able[entity]
    moments = activity.take(kept & (at < lives.converted[entity]))
    share = -(-len(moments.at) // MOMENTS)
    # The sequence of entities says nothing of them; a share is as good as all.
    moments = moments.take(moments.entity % share == 0) if share > 1 else moments
    looked = [_change(brief, lives, moments, starts.filter(pl.col(ON) >= begin), spells) for starts, spells in rules]
    adjusted = holm([np.nan if change is None else change.p_value for change in looked])
    return tuple(
        None if change is None else replace(change, p_adjusted=float(p))
        for change, p in zip(looked, adjusted, strict=True)
    )


def _change(brief: Brief, lives: Lives, moments: Activity, starts: pl.DataFrame, spells: pl.DataFrame) -> Change | None:
    from pqlkit.statistics.change_point import change_point

    leads = starts.filter("mature").sort(ON, ENTITY)
    entity, on = (leads.get_column(name).to_numpy() for name in (ENTITY, ON))
    others = moments.take(~_met(spells, moments))
    if not len(entity) or not len(others.at):
        return None

    def described(entity: NDArray[np.int64], at: NDArray[np.int64]) -> Moments:
        return Moments(y=lives.followed(entity, at), cluster=lives.cluster[entity], strata=strata(lives, entity, at))

    kind = described(entity, on)
    point = change_point(kind, described(others.entity, others.at), seed=brief.wishes.seed)
    if point is None:
        return None
    since = int(on[point.place])
    sides = (kind.y[: point.place], kind.y[point.place :])
    before, after = (Rate.of(int(y.sum()), len(y)) for y in sides)
    return Change(
        since=since,
        quarter=_quarter(since, brief.observed.population.world.zone),
        before=before,
        after=after,
        fell=point.z > 0,
        p_value=point.p_value,
    )


def _met(spells: pl.DataFrame, moments: Activity) -> NDArray[np.bool_]:
    """Tell at which moments a rule is met just after: by the spells that cover them."""
    asked = pl.DataFrame({ENTITY: moments.entity, AT: moments.at}).with_row_index("row").sort(AT)
    last = asked.join_asof(
        spells.select(ENTITY, ON, OFF).sort(ON),
        left_on=AT,
        right_on=ON,
        by=ENTITY,
        strategy="backward",
        check_sortedness=False,
    )
    held = pl.col(ON).is_not_null() & (pl.col(OFF).is_null() | (pl.col(OFF) > pl.col(AT)))
    met: NDArray[np.bool_] = last.sort("row").select(held=held.fill_null(value=False))["held"].to_numpy()
    return met


def _quarter(moment: Microseconds, zone: str) -> str:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    day = datetime.fromtimestamp(moment / 1_000_000, tz=UTC).astimezone(ZoneInfo(zone))
    return f"{day.year}-Q{(day.month + 2) // 3}"
