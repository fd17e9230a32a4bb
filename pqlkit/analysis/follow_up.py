"""The follow-up: every snapshot that is at risk at its cutoff, watched until it converts or is lost to sight.

The rate of an analysis counts snapshots whose conversion window is over. Their curve also uses those whose conversion window is not, as far as they
have been seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import polars as pl

from pqlkit.columns import ANCHOR, CONVERTED, CUTOFF, ENTITY
from pqlkit.durations import DAY
from pqlkit.options.schedule_kind import DesignKind
from pqlkit.options.settings import Exposure
from pqlkit.snapshots.classes import EntityClass
from pqlkit.statistics.estimate import Estimate, Undefined

if TYPE_CHECKING:
    from pqlkit.analysis.observation import Observed
    from pqlkit.statistics.survival import Curve, LifeTable

__all__ = ["CurveRate", "Unread", "curve_rate", "disagreement_in_words", "follow_up", "life_table"]


class Unread(StrEnum):
    """Why the rate of the snapshots cannot be read off a curve."""

    REPEATED = "repeated-snapshots"
    """An entity has several snapshots, each followed for one conversion window: the curve would end at the plain rate."""
    EXPOSURE = "until-conversion"
    """The snapshots have those who converted before the cutoff."""
    GAP = "gap"
    """Conversions inside the gap do not count: the outcome is not one moment."""
    RETENTION = "retention"
    """Conversions count once they have lasted: the outcome is not one moment."""
    NOT_REACHED = "not-reached"
    """Nobody has been followed for the whole conversion window."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurveRate:
    """The share converted by the conversion window as the curve has it (Kaplan-Meier), with those whose conversion window is not over.

    `snapshots` is how many were followed; `unread` says why there is no `rate`, and is None where there is one. `curve` is what it
    was read off, in days from the cutoff.
    """

    rate: Estimate
    snapshots: int
    unread: Unread | None
    curve: Curve | None = None


def follow_up(observed: Observed) -> pl.DataFrame:
    """Follow every snapshot from its cutoff.

    Returns
    -------
    DataFrame
        ``entity``, ``cutoff``, ``days`` (Float64: to the conversion, or as long as seen), ``done`` (bool: converted then). Snapshots
        at one age are followed until `as_of`, those whose conversion window is not over among them; snapshots of ``age`` and ``every`` for
        their conversion window, since the next snapshot of the entity begins then. Whoever has converted by the cutoff is not at risk.

    Notes
    -----
    A known deletion ends no follow-up: whoever left stays among those who did not convert.
    """
    design, population = observed.snapshots.design, observed.population
    if design.kind is not DesignKind.ONCE:
        frame, reach = observed.snapshots.frame, design.conversion_window.microseconds
        done = (pl.col("delay") <= reach).fill_null(value=False)
        days = pl.min_horizontal(pl.col("delay"), pl.lit(reach)) / DAY
        return frame.select(ENTITY, CUTOFF, days.alias("days"), done.alias("done"))
    kept = (EntityClass.IN_PROGRESS, EntityClass.CONVERTED, EntityClass.NOT_CONVERTED)
    converted, end = pl.col(CONVERTED), pl.lit(population.as_of)
    frame = (
        population.entities.join(observed.snapshots.entity_classes, on=ENTITY, maintain_order="left")
        .with_columns((pl.col(ANCHOR) + design.cutoffs[0].microseconds).alias(CUTOFF))
        .filter(
            pl.col("class").is_in(kept),
            pl.col(CUTOFF) <= population.as_of,
            converted.is_null() | (converted > pl.col(CUTOFF)),
        )
        .select(
            ENTITY,
            CUTOFF,
            ((pl.coalesce(converted, end) - pl.col(CUTOFF)) / DAY).alias("days"),
            converted.is_not_null().alias("done"),
        )
    )
    given = observed.settings.given
    if given is None:
        return frame
    from pqlkit.snapshots.matches import holds_at

    return frame.filter(pl.Series(holds_at(population, given, frame)))


def life_table(followed: pl.DataFrame) -> LifeTable:
    """Count a follow-up by days, one row a snapshot."""
    from pqlkit.statistics.survival import LifeTable

    done = followed.get_column("done").to_numpy()
    return LifeTable.of(followed.get_column("days").to_numpy(), done, ~done)


def curve_rate(observed: Observed) -> CurveRate:
    """Read the share converted by the conversion window off the curve of all snapshots at one age, the newest among them."""
    from pqlkit.statistics.survival import kaplan_meier

    why = _unread(observed)
    if why is not None:
        return CurveRate(rate=Estimate.none(Undefined.NOT_REACHED), snapshots=0, unread=why)
    followed = follow_up(observed)
    curve = kaplan_meier(life_table(followed).thinned(observed.design_effect))
    rate = curve.converted_by(observed.snapshots.design.conversion_window.microseconds / DAY)
    unread = Unread.NOT_REACHED if rate.value is None else None
    return CurveRate(rate=rate, snapshots=followed.height, unread=unread, curve=curve)


def disagreement_in_words(observed: Observed, read: CurveRate | None = None) -> str | None:
    """Warn where the curve, which uses the newest entities too, parts from the plain rate of the mature ones.

    Parameters
    ----------
    observed
        The snapshots.
    read
        Their curve, if it is drawn already.

    Returns
    -------
    str or None
        A sentence; None where both agree within two standard errors of their difference, or the rate is not on the curve.
    """
    from pqlkit.statistics.survival import disagreement

    base, conversion_window = observed.base, observed.snapshots.design.conversion_window
    curve = (read or curve_rate(observed)).curve
    gap = None if curve is None else disagreement(curve, base, conversion_window.microseconds / DAY)
    if gap is None or not gap.drift or base.rate is None:
        return None
    return (
        f"the conversion curve with the newest entities reaches {base.rate + gap.difference:.1%} in {conversion_window}, the plain "
        f"rate of the mature ones is {base.rate:.1%}: newer entities convert {'better' if gap.difference > 0 else 'worse'} "
        "than older ones did"
    )


def _unread(observed: Observed) -> Unread | None:
    design = observed.snapshots.design
    rules = (
        (Unread.REPEATED, design.kind is not DesignKind.ONCE),
        (Unread.EXPOSURE, observed.settings.exposure is Exposure.UNTIL_CONVERSION),
        (Unread.GAP, design.gap.microseconds > 0),
        (Unread.RETENTION, observed.population.outcome.retained_for is not None),
    )
    return next((why for why, fits in rules if fits), None)
