"""The automatic schedule: which design of snapshots `auto` takes, and the counts that say why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pqlkit.columns import ANCHOR, AT, CONVERTED, ENTITY
from pqlkit.options.schedule_kind import DesignKind
from pqlkit.snapshots.schedule import CONVERSION_WINDOW, LANDMARK, parse_snapshots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.definitions.model import Condition
    from pqlkit.durations import Duration
    from pqlkit.population.population import Population


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """Where first conversions fall around anchor + 14 d: up to it, in the conversion window after it, or later."""

    before: int
    inside: int
    after: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.before + self.inside + self.after

    @property
    def kind(self) -> DesignKind:
        """``once`` if it can use half; else ``age`` if more come before the landmark than after the conversion window."""
        if self.total and 2 * self.inside >= self.total:
            return DesignKind.ONCE
        return DesignKind.AGE if self.before > self.after else DesignKind.EVERY


def choose(
    population: Population,
    *,
    conversion_window: Duration | None,
    eligible: Sequence[Condition] = (),
) -> tuple[str, str]:
    """Choose the design of `auto`; give its text and a sentence with the counts."""
    within = conversion_window or population.outcome.within
    reach = within if conversion_window is not None else CONVERSION_WINDOW
    fall = falls(population, reach, eligible=eligible)
    design = parse_snapshots(fall.kind, conversion_window=conversion_window, within=within)
    days = (LANDMARK.days, (LANDMARK.microseconds + reach.microseconds) / 86_400_000_000)
    if not fall.total:
        return str(design), f"no first conversion of an entity that is {days[1]:g} days old and was seen from its start"
    return str(design), (
        f"of {fall.total:,} first conversions, once:{LANDMARK} + {reach} could use {fall.inside:,}"
        f" ({fall.inside / fall.total:.0%}); {fall.before:,} come up to day {days[0]:g}, {fall.after:,} after day {days[1]:g}"
    )


def falls(
    population: Population,
    conversion_window: Duration,
    *,
    eligible: Sequence[Condition] = (),
) -> Fall:
    """Count first conversions around anchor + 14 d.

    Counted are those of valid, eligible entities whose anchor lies in the observed history, is not after the conversion, and
    is older than 14 d + `conversion_window` at `as_of`.
    """
    landmark, reach = LANDMARK.microseconds, conversion_window.microseconds
    anchor, converted = pl.col(ANCHOR), pl.col(CONVERTED)
    known = population.entities.filter(
        ~pl.col("invalid"),
        pl.col("at_risk"),
        anchor >= population.history_from,
        anchor + landmark + reach < population.as_of,
        converted >= anchor,
    )
    if eligible:
        probe = pl.min_horizontal(anchor + landmark - 1, converted - 1)
        known = known.filter(population.traits.holds(eligible, known.select(ENTITY, probe.alias(AT))))
    age = known[CONVERTED] - known[ANCHOR]
    before = int((age <= landmark).sum())
    inside = int((age <= landmark + reach).sum()) - before
    return Fall(before=before, inside=inside, after=len(age) - before - inside)
