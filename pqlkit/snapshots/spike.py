"""The spike: a day on which conversions pile up by themselves, of each life (a trial's end, a course's) or of the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import polars as pl

from pqlkit.columns import ANCHOR, CONVERTED, ENTITY, ON
from pqlkit.durations import DAY, WEEK, Duration

if TYPE_CHECKING:
    from pqlkit.population.population import Population

__all__ = ["Spike", "spike", "too_soon", "too_soon_in_words", "unreached"]

SHARE: Final = 0.3
CONVERSIONS: Final = 20
SPAN: Final = 28 * DAY
"""Over so long a time the lives must have begun that convert on one day of the calendar."""
COVERED: Final = 0.95
"""The share of a spike's conversions that a conversion window must reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """A day that holds more than 30 % of all conversions: probably they come by themselves.

    Parameters
    ----------
    day
        The day of age (0 = the first 24 hours); None for a day of the calendar.
    date
        The day of the calendar, in the project's zone; None for a day of age.
    begins
        ``entity``, ``begins``: the first moment of that day for each.
    converted, of
        Conversions on that day, and all.
    covers
        The conversion window, in whole weeks, that reaches from its beginning on to the day of nearly all who convert then.
    """

    day: int | None
    date: date | None
    begins: pl.DataFrame
    converted: int
    of: int
    covers: Duration

    @property
    def when(self) -> str:
        """Say which day: ``day 56 after the start``, ``2026-01-15``."""
        return f"day {self.day} after the start" if self.date is None else str(self.date)

    def says(self, window: Duration) -> str:
        """Say it, and whether a conversion window covers it."""
        told = f"{self.converted:,} of {self.of:,} conversions ({self.converted / self.of:.0%}) fall on {self.when}"
        if window >= self.covers:
            return f"{told}, which the conversion window {window} covers"
        return f"{told}: where they come by themselves then (a trial's or a course's end), --conversion-window {self.covers} covers it"


def spike(population: Population) -> Spike | None:
    """Find the day that holds more than 30 % of the conversions (of at least 20): of age, else of the calendar.

    Counted are conversions at or after the anchor of valid, observed entities; of two equal days the earlier. A day of the calendar
    counts only where the lives that convert on it began over four weeks.
    """
    known = population.entities.filter(
        ~pl.col("invalid"),
        pl.col("at_risk"),
        pl.col(ANCHOR) >= population.history_from,
        pl.col(CONVERTED) >= pl.col(ANCHOR),
    ).select(ANCHOR, CONVERTED)
    if known.height < CONVERSIONS:
        return None
    age, count = _commonest(known.select(day=(pl.col(CONVERTED) - pl.col(ANCHOR)) // DAY))
    if count > SHARE * known.height:
        begins = population.entities.select(ENTITY, begins=pl.col(ANCHOR) + age * DAY)
        return Spike(
            day=age, date=None, begins=begins, converted=count, of=known.height, covers=_weeks((age + 1) * DAY)
        )
    zone = population.world.zone
    local = pl.from_epoch(CONVERTED, time_unit="us").dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.date()
    dates = known.select(ANCHOR, day=local.cast(pl.Int32))
    day, count = _commonest(dates)
    that = dates.filter(pl.col("day") == day)[ANCHOR]
    if count <= SHARE * known.height or not _apart(that):
        return None
    moment = date(1970, 1, 1) + timedelta(days=day)
    begins = population.entities.select(ENTITY, begins=pl.lit(_midnight(moment, zone), dtype=pl.Int64))
    end = _midnight(moment + timedelta(days=1), zone)
    reach = int((end - that).quantile(COVERED, interpolation="lower") or 0)
    return Spike(day=None, date=moment, begins=begins, converted=count, of=known.height, covers=_weeks(reach))


def unreached(population: Population, window: Duration) -> str | None:
    """Say on which day conversions pile up, where a conversion window does not reach it from the beginning on; else None."""
    piled = spike(population)
    return None if piled is None or window >= piled.covers else piled.says(window)


def too_soon(population: Population, starts: pl.DataFrame, window: Duration) -> pl.Series:
    """Tell which complete starts have a conversion window that ends before the day of the spike, and so say nothing yet.

    Parameters
    ----------
    population
        For its spike.
    starts
        ``entity``, ``on``, ``mature``, ``y``.
    window
        Their conversion window.

    Returns
    -------
    Series
        bool, one per start; true only where more of them convert on that day than all complete starts do in time: else the window
        tells more than the spike does.
    """
    nobody = pl.repeat(value=False, n=starts.height, dtype=pl.Boolean, eager=True)
    piled = spike(population)
    if piled is None:
        return nobody
    begins = starts.select(ENTITY).join(piled.begins, on=ENTITY, how="left", maintain_order="left")["begins"]
    early = starts["mature"] & (starts[ON] + window.microseconds < begins).fill_null(value=False)
    after = population.entities[CONVERTED].gather(starts[ENTITY]) - begins
    later = (early & (after >= 0) & (after < DAY)).sum()
    return early if later > (starts["mature"] & starts["y"]).sum() else nobody


def too_soon_in_words(population: Population, starts: pl.DataFrame, window: Duration) -> str | None:
    """Say which starts are in no rate because their window ends too soon, and what would put them into one; None without any."""
    early = starts.filter("too_soon")
    piled = spike(population) if early.height else None
    if piled is None:
        return None
    begins = early.select(ENTITY).join(piled.begins, on=ENTITY, how="left", maintain_order="left")["begins"]
    after = population.entities[CONVERTED].gather(early[ENTITY]) - begins
    return (
        f"the {window} of {early.height:,} new PQLs end before {piled.when}, on which {((after >= 0) & (after < DAY)).sum():,} of them "
        f"converted: they are in no rate; --conversion-window {piled.covers} covers it (in a definition: outcome, within)"
    )


def _apart(anchors: pl.Series) -> bool:
    """Whether lives began over weeks: else their common day of the calendar is one of age."""
    first, last = anchors.min(), anchors.max()
    return isinstance(first, int) and isinstance(last, int) and last - first >= SPAN


def _commonest(days: pl.DataFrame) -> tuple[int, int]:
    return days.group_by("day").len().sort("len", "day", descending=[True, False]).row(0)


def _weeks(span: int) -> Duration:
    return Duration(7 * -(-span // WEEK), "d")


def _midnight(day: date, zone: str) -> int:
    moment = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return int(moment.timestamp()) * 1_000_000
