"""The advice about time: which conversion window and which windows suit the delays that the data shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ANCHOR, CONVERTED, CUTOFF, ENTITY
from pqlkit.durations import DAY, Duration
from pqlkit.options.schedule_kind import DesignKind
from pqlkit.snapshots.schedule import first_cutoffs

if TYPE_CHECKING:
    from pqlkit.population.population import Population
    from pqlkit.snapshots.schedule import Design
    from pqlkit.snapshots.snapshots import Snapshots
    from pqlkit.typing import Microseconds

CONVERSION_WINDOWS: Final = tuple(Duration(days, "d") for days in (14, 30, 60, 90))
"""The conversion windows that are weighed; the longest is also the follow-up that the comparison needs."""

SHORTER: Final = tuple(Duration(days, "d") for days in (7, 3, 1))
"""Earlier landmarks to suggest, the longest first."""

HOLDS: Final = 0.8
MATURE: Final = 0.6
EARLY: Final = 0.3
ADVISED_FROM: Final = 20
"""With fewer conversions in the first 90 days a conversion window's share of them says little."""
QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """How long conversions took: how many, and the quantiles (fraction, days) at 10, 25, 50, 75 and 90 %; none of none."""

    n: int
    quantiles: tuple[tuple[float, float], ...]

    @property
    def median(self) -> float | None:
        """Days within which half of them came."""
        return dict(self.quantiles).get(0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionWindowOption:
    """One conversion window: how many of the first 90 days' conversions it holds, and how many of those at risk it leaves mature."""

    conversion_window: Duration
    held: int
    conversions: int
    old: int
    at_risk: int

    @property
    def holds(self) -> float | None:
        """The share of the first 90 days' conversions that it holds."""
        return _share(self.held, self.conversions)

    @property
    def mature(self) -> float | None:
        """The share of entities at risk that are old enough for it."""
        return _share(self.old, self.at_risk)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionWindowAdvice:
    """The smallest of 14, 30, 60 and 90 days that holds >= 80 % and leaves >= 60 % mature; None = none does.

    `delays` holds the quantiles (fraction, days) of landmark to conversion among those with 90 days of follow-up, however late;
    `n` is how many these are.
    """

    advised: Duration | None
    options: tuple[ConversionWindowOption, ...]
    n: int
    delays: tuple[tuple[float, float], ...]

    def says(self, conversion_window: Duration) -> str | None:
        """Say what the conversion window in force holds, and which would suit better; None where too few converted.

        Parameters
        ----------
        conversion_window
            The one in force.
        """
        known = {option.conversion_window: option for option in self.options}
        if self.options[-1].conversions < ADVISED_FROM:
            return None
        if self.advised is None:
            return (
                f"no conversion window of {CONVERSION_WINDOWS[0]} to {CONVERSION_WINDOWS[-1]} holds four in five of the conversions of the first {CONVERSION_WINDOWS[-1]} "
                "after the snapshot and leaves three in five of the snapshots old enough"
            )
        best, now = known[self.advised], known.get(conversion_window)
        held = f"{best.held:,} of {best.conversions:,} conversions of the first {CONVERSION_WINDOWS[-1]} after the snapshot"
        if self.advised == conversion_window:
            return f"the conversion window {conversion_window} holds {held}"
        beside = "" if now is None else f" ({conversion_window}: {now.held:,})"
        return f"--conversion-window {self.advised} would hold {held}{beside}, with {best.old:,} of {best.at_risk:,} snapshots old enough"


def conversion_window_advice(population: Population, landmark: Duration) -> ConversionWindowAdvice:
    """Advise a conversion window for snapshots at anchor + `landmark`.

    Entities count that are valid, were observed from their start, and had not converted by the landmark.
    """
    known = _known(population).with_columns(landmark=pl.col(ANCHOR) + landmark.microseconds)
    at_risk = known.filter(pl.col(CONVERTED).is_null() | (pl.col(CONVERTED) > pl.col("landmark")))
    longest = CONVERSION_WINDOWS[-1].microseconds
    followed = at_risk.filter(pl.col("landmark") + longest <= population.as_of)
    delays = followed.select(delay=pl.col(CONVERTED) - pl.col("landmark"))["delay"].drop_nulls()
    inside = int((delays <= longest).sum())
    options = tuple(
        ConversionWindowOption(
            conversion_window=conversion_window,
            held=int((delays <= conversion_window.microseconds).sum()),
            conversions=inside,
            old=int((at_risk["landmark"] + conversion_window.microseconds <= population.as_of).sum()),
            at_risk=at_risk.height,
        )
        for conversion_window in CONVERSION_WINDOWS
    )
    good = (
        option.conversion_window
        for option in options
        if (option.holds or 0) >= HOLDS and (option.mature or 0) >= MATURE
    )
    return ConversionWindowAdvice(advised=next(good, None), options=options, n=len(delays), delays=_quantiles(delays))


def conversion_ages(population: Population) -> Delays:
    """Give how long after its beginning each entity converted, among all that were no customers before it.

    Those who will convert later are not among them: the quantiles are of the conversions seen.
    """
    known = population.entities.filter(~pl.col("invalid"), "at_risk", pl.col(CONVERTED) >= pl.col(ANCHOR))
    ages = known.select(age=pl.col(CONVERTED) - pl.col(ANCHOR))["age"]
    return Delays(n=len(ages), quantiles=_quantiles(ages))


def early_warning(population: Population, design: Design) -> str | None:
    """Warn when more than 30 % of the conversions of entities with their time over come before their first snapshot.

    Returns
    -------
    str or None
        A sentence with the counts and, for ``once``, the longest landmark of 7, 3 and 1 days that loses at most 30 %.
    """
    first = first_cutoffs(population, design)
    known = _known(population).join(first, on=ENTITY)
    over = known.filter(pl.col("first") + design.conversion_window.microseconds <= population.as_of)
    early, total = int((over[CONVERTED] <= over["first"]).sum()), over[CONVERTED].drop_nulls().len()
    if not total or early / total <= EARLY:
        return None
    text = f"{early:,} of {total:,} conversions ({early / total:.0%}) come before the first snapshot"
    if design.kind is DesignKind.EVERY:
        return f"{text}: the product sells early; try --snapshots age"
    age = over[CONVERTED] - over[ANCHOR]
    better = (
        span
        for span in SHORTER
        if span < min(design.cutoffs) and int((age <= span.microseconds).sum()) <= EARLY * total
    )
    duration = next(better, None)
    hint = f"--snapshots once:{duration} or --snapshots age" if duration is not None else "--snapshots age"
    return f"{text}: the product sells before {min(design.cutoffs)}; try {hint}"


def search_opens(snapshots: Snapshots, population: Population, needed: int = 50) -> Microseconds | None:
    """Say when `needed` usable converters will be there at the present pace.

    Returns
    -------
    int or None
        The moment (UTC microseconds); `as_of` itself when they are there already; None without a pace.

    Notes
    -----
    The pace is the converters of the table over the time that its cutoffs span.
    """
    usable = snapshots.frame.filter("y")[ENTITY].n_unique()
    if usable >= needed:
        return population.as_of
    first, last = snapshots.frame.select(first=pl.col(CUTOFF).min(), last=pl.col(CUTOFF).max()).row(0)
    if not usable or first == last:
        return None
    return int(population.as_of + (needed - usable) * (last - first) // usable)


def _known(population: Population) -> pl.DataFrame:
    """Give the valid entities that were observed from their start and were not customers before it."""
    return population.entities.filter(
        ~pl.col("invalid"),
        pl.col("at_risk"),
        pl.col(ANCHOR) >= population.history_from,
        pl.col(CONVERTED).is_null() | (pl.col(CONVERTED) >= pl.col(ANCHOR)),
    ).select(ENTITY, ANCHOR, CONVERTED)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _quantiles(delays: pl.Series) -> tuple[tuple[float, float], ...]:
    if delays.is_empty():
        return ()
    days = delays / DAY
    return tuple((share, float(days.quantile(share, interpolation="linear") or 0.0)) for share in QUANTILES)
