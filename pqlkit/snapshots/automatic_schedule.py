"""The automatic schedule: which design of snapshots `auto` takes, and the counts that say why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pqlkit.columns import ANCHOR, AT, CONVERTED, ENTITY
from pqlkit.durations import DAY, WEEK, Duration
from pqlkit.options.schedule_kind import DesignKind
from pqlkit.snapshots.schedule import CONVERSION_WINDOW, LANDMARK, WITHIN, Design, parse_snapshots
from pqlkit.snapshots.spike import spike

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.definitions.model import Condition
    from pqlkit.population.population import Population
    from pqlkit.snapshots.spike import Spike


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A design as ``--snapshots`` spells it, the windows and the conversion window that go with it (None = its defaults), and why."""

    text: str
    reason: str
    windows: tuple[Duration, ...] | None = None
    conversion_window: Duration | None = None


def choose(
    population: Population,
    *,
    conversion_window: Duration | None,
    eligible: Sequence[Condition] = (),
) -> Choice:
    """Choose the design of `auto`, with a sentence that gives the counts.

    Notes
    -----
    Where conversions pile up on one day the snapshots lie early in the life, and the conversion window, unless it was stated, reaches
    that day: at calendar snapshots whoever had finished early looks inactive, and every behaviour comes out reversed.
    """
    within = conversion_window or population.outcome.within
    reach = within if conversion_window is not None else CONVERSION_WINDOW
    fall = falls(population, reach, eligible=eligible)
    design = parse_snapshots(fall.kind, conversion_window=conversion_window, within=within)
    piled = spike(population)
    if piled is not None and (fall.kind is DesignKind.EVERY or within < piled.covers):
        stated = conversion_window is not None or "within" in population.project.outcome
        return _reaching(population, fall, piled, within if stated else None, eligible)
    days = (LANDMARK.days, (LANDMARK.microseconds + reach.microseconds) / DAY)
    if not fall.total:
        reason = f"no first conversion of an entity that is {days[1]:g} days old and was seen from its start"
        return Choice(text=str(design), reason=reason)
    return Choice(
        text=str(design),
        reason=f"of {fall.total:,} first conversions, once:{LANDMARK} + {reach} could use {fall.inside:,}"
        f" ({fall.inside / fall.total:.0%}); {fall.before:,} come up to day {days[0]:g}, {fall.after:,} after day {days[1]:g}",
    )


def _reaching(
    population: Population, fall: Fall, piled: Spike, stated: Duration | None, eligible: Sequence[Condition]
) -> Choice:
    """Choose snapshots from which the day of a spike is seen."""
    window = stated or max(CONVERSION_WINDOW, piled.covers)
    reason = f"{piled.converted:,} of {piled.of:,} first conversions fall on {piled.when}"
    if window < piled.covers:
        reason += f" (--conversion-window {piled.covers} would reach it from the beginning on)"
    if fall.kind is DesignKind.AGE:
        text = str(parse_snapshots(fall.kind, within=window))
    elif piled.day is not None:
        # As early as the window allows.
        first = Duration.of((piled.day + 1) * DAY - window.microseconds)
        text = f"{DesignKind.ONCE}:{max(LANDMARK, first)}"
    elif 2 * falls(population, window, eligible=eligible).inside >= piled.of:
        text = f"{DesignKind.ONCE}:{LANDMARK}"
    else:
        return _over_the_life(piled, stated or Duration.of(4 * WEEK), reason)
    return Choice(
        text=text, reason=f"{reason}: {text} with {window} to convert takes them in", conversion_window=window
    )


def _over_the_life(piled: Spike, step: Duration, reason: str) -> Choice:
    """Read what was done early again and again: a day of the calendar comes at another age of each, and no one window reaches it."""
    ages = range(LANDMARK.microseconds, piled.covers.microseconds + 1, step.microseconds)
    cutoffs = tuple(map(Duration.of, ages)) or (LANDMARK,)
    design = Design(kind=DesignKind.AGE, cutoffs=cutoffs, windows=WITHIN, conversion_window=step)
    said = f"{reason}: what was done in the first {WITHIN[-1]} is read every {step} of the life"
    return Choice(text=str(design), reason=said, windows=WITHIN, conversion_window=step)


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
