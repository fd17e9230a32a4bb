"""The snapshot: one entity at one cutoff, and whether it converted in the conversion window after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ANCHOR, AT, CONVERTED, CUTOFF, DELETED_AT, ENDED_AT, ENTITY, SNAPSHOT
from pqlkit.durations import DAY, Duration
from pqlkit.errors import UsageError
from pqlkit.options.schedule_kind import DesignKind
from pqlkit.population.recent_activity import active
from pqlkit.shown import Counted
from pqlkit.snapshots import automatic_schedule as choice
from pqlkit.snapshots.classes import (
    Classes,
    Dormant,
    EntityClass,
    Places,
    State,
    count_classes,
    count_places,
    entity_classes,
    is_alive,
    snapshot_state,
)
from pqlkit.snapshots.schedule import Design, first_cutoffs, parse_snapshots, schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.definitions.model import Condition
    from pqlkit.population.population import Population
    from pqlkit.statistics.contingency import Contingency

ACTIVE_WITHIN: Final = Duration(28, "d")
"""How recently an entity must have done something to be looked at by ``every``."""

AGE_BANDS: Final = ("< 28d", "< 84d", "< 1y", "older")
"""Age at the cutoff, half-open: 28, 84 and 365 days."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Snapshots(Counted):
    """The rows of every table of an analysis.

    Parameters
    ----------
    design
        What gave the cutoffs.
    text
        The design as ``--snapshots`` spells it.
    frame
        ``snapshot`` (Int64, 0..n-1, by entity then cutoff), ``entity``, ``anchor``, ``cutoff`` (Int64 UTC microseconds), ``y``
        (bool), ``delay`` (Int64 microseconds from cutoff to conversion, whenever it comes; null = never; not positive only
        with `until_conversion`), ``age_band`` (Int8, index into `AGE_BANDS`), ``block`` (Int32, calendar quarter of the cutoff counted from the earliest: 0, 1, ...).
    classes, places
        Where every entity and every first conversion went.
    dormant
        The snapshots left out because the entity was not active; zeros unless ``every``.
    reason
        Why ``auto`` chose this design, with its counts; None when it was stated.
    entity_classes
        ``entity``, ``class`` (text of product.md's `population`), ``place`` (of its first conversion, null = none).
    """

    design: Design
    text: str
    frame: pl.DataFrame
    classes: Classes
    places: Places
    dormant: Dormant
    reason: str | None
    entity_classes: pl.DataFrame

    def _many(self) -> int:
        return self.frame.height

    def table(
        self, met: NDArray[np.bool_], *, part: NDArray[np.bool_] | None = None, design_effect: float = 1.0
    ) -> Contingency:
        """Count the snapshots at which something holds, and those that converted.

        Parameters
        ----------
        met
            bool, one per snapshot.
        part
            bool, one per snapshot: count these alone; None = all.
        design_effect
            Snapshots per independent snapshot.
        """
        from pqlkit.statistics.contingency import Contingency

        y = self.frame.get_column("y").to_numpy()
        if part is not None:
            met, y = met[part], y[part]
        return Contingency.of(
            qualified=int(met.sum()),
            converted=int((met & y).sum()),
            entities=len(y),
            converters=int(y.sum()),
            design_effect=design_effect,
        )


def snapshots_of(
    population: Population,
    design: Design | str = "auto",
    *,
    windows: Sequence[Duration] | None = None,
    conversion_window: Duration | None = None,
    gap: Duration | None = None,
    active_within: Duration = ACTIVE_WITHIN,
    eligible: Sequence[Condition] = (),
    until_conversion: bool = False,
) -> Snapshots:
    """Look at a population by a design.

    Parameters
    ----------
    population
        Who exists.
    design
        A design, its text, or ``auto`` (with `windows`: ``once`` at the longest of them).
    windows, conversion_window, gap
        As stated on the command line, when `design` is a text; None = the design's defaults.
    active_within
        For ``every``: an entity is in the table at s if it has an event that is not automatic in [s - this, s).
    eligible
        Conditions on traits, judged as of the microsecond before each cutoff.
    until_conversion
        ``--exposure until-conversion``, for ``once`` alone: nobody is early; those who converted at or after their anchor and
        before the cutoff stay, with y = true and a negative `delay`. Their clock stops at the conversion, so converters were
        watched for a shorter time.

    Returns
    -------
    Snapshots
        A snapshot at s uses no row at or after s, except for `y`, `delay` and the classes.

    Raises
    ------
    UsageError
        The design cannot be read, a condition needs a current trait that is not trusted, or `until_conversion` is asked of
        another design than ``once`` or with a gap.
    """
    population.traits.refuse_current((condition.name for condition in eligible), population.trusted)
    reason = None
    if isinstance(design, str):
        stated = "once" if design == "auto" and windows else design
        if stated == "auto":
            chosen = choice.choose(population, conversion_window=conversion_window, eligible=eligible)
            stated, reason = chosen.text, chosen.reason
            windows, conversion_window = chosen.windows, chosen.conversion_window or conversion_window
        design = parse_snapshots(
            stated, windows=windows, conversion_window=conversion_window, gap=gap, within=population.outcome.within
        )
    if until_conversion and (design.kind is not DesignKind.ONCE or design.gap.microseconds):
        raise UsageError(
            f"until-conversion is for snapshots at one age and without a gap, not {design}",
            where="--exposure",
            hint="use --snapshots once:14d",
        )
    frame = schedule(population, design, until_conversion=until_conversion)
    lively = active(population, frame, active_within) if design.kind is DesignKind.EVERY else None
    judged = _judged(population, design, frame, lively, eligible)
    entities = _entities(population, design, eligible)
    if until_conversion:
        entities = entities.with_columns(early=pl.lit(value=False))
    classes = entity_classes(entities, judged)
    inside = classes.select(ENTITY, inside=~pl.col("class").is_in([EntityClass.INVALID, EntityClass.UNOBSERVED]))
    rows = judged.filter(pl.col("state") >= State.DORMANT, inside["inside"].gather(judged[ENTITY]))
    frame = _frame(population, rows.filter(pl.col("state") > State.DORMANT))
    return Snapshots(
        design=design,
        text=str(design),
        frame=frame,
        classes=count_classes(classes, snapshots=frame.height, without_events=population.without_events),
        places=count_places(classes, population.conversions),
        dormant=_dormant(rows.filter(pl.col("state") == State.DORMANT)),
        reason=reason,
        entity_classes=classes,
    )


def _judged(
    population: Population,
    design: Design,
    frame: pl.DataFrame,
    lively: pl.Series | None,
    eligible: Sequence[Condition],
) -> pl.DataFrame:
    """Judge every scheduled snapshot: ``entity``, ``cutoff``, ``state``, ``delay``, ``reach``, ``gap``, ``y``."""
    entity, entities = frame[ENTITY], population.entities
    reach, gap = design.conversion_window.microseconds, design.gap.microseconds
    retained_for = population.outcome.retained_for
    waits = reach + (retained_for.microseconds if retained_for is not None else 0)
    kept = entities.select(retained=is_retained(retained_for))["retained"]
    delay, converted = pl.col("delay"), entities[CONVERTED].gather(entity)
    came = population.outcome_at(entity, frame[CUTOFF], reach)
    judged_at = pl.select(pl.min_horizontal(frame[CUTOFF], converted) - 1).to_series()
    # A delay counts from the gap on; with until-conversion those from before the cutoff are there and count too.
    after_gap = (delay > gap) | (delay <= 0)
    return (
        frame.with_columns(
            delay=came - frame[CUTOFF],
            deleted_at=entities[DELETED_AT].gather(entity),
            retained=kept.gather(entity),
            eligible=_eligible(population, eligible, entity, judged_at),
            active=pl.lit(value=True) if lively is None else lively,
        )
        .with_columns(
            y=(after_gap & (delay <= reach) & pl.col("retained")).fill_null(value=False),
            gap=(delay > 0) & (delay <= gap),
            reach=pl.lit(reach, dtype=pl.Int64),
        )
        .with_columns(
            state=snapshot_state(
                eligible=pl.col("eligible"),
                alive=is_alive(),
                mature=pl.col(CUTOFF) + waits <= population.as_of,
                active=pl.col("active"),
                y=pl.col("y"),
            )
        )
        .select(ENTITY, CUTOFF, "state", "delay", "reach", "gap", "y")
    )


def is_retained(retained_for: Duration | None) -> pl.Expr:
    """Whether the conversion was kept for as long as the outcome asks: one that ends exactly then was."""
    ended = pl.col(ENDED_AT)
    if retained_for is None:
        return ended.is_null() | True
    return ended.is_null() | (ended >= pl.col(CONVERTED) + retained_for.microseconds)


def _eligible(population: Population, conditions: Sequence[Condition], entity: pl.Series, at: pl.Series) -> pl.Series:
    """Judge eligibility at moments; conditions on fixed traits once per entity."""
    able = population.entities["at_risk"]
    if not conditions:
        return able.gather(entity)
    if any(condition.name in population.traits.histories for condition in conditions):
        held = population.traits.holds(conditions, pl.DataFrame({ENTITY: entity, AT: at}))
        return able.gather(entity) & held
    once = population.entities.select(ENTITY, pl.lit(population.as_of, dtype=pl.Int64).alias(AT))
    return (able & population.traits.holds(conditions, once)).gather(entity)


def _entities(population: Population, design: Design, eligible: Sequence[Condition]) -> pl.DataFrame:
    """Gather what the classes ask of each entity, beside its snapshots."""
    anchor, converted = pl.col(ANCHOR), pl.col(CONVERTED)
    if design.kind is DesignKind.EVERY:
        unobserved = converted < population.history_from + design.longest.microseconds
    else:
        unobserved = anchor < population.history_from
    frame = population.entities.with_columns(
        first=first_cutoffs(population, design)["first"],
        unobserved=unobserved.fill_null(value=False),
    ).with_columns(early=converted <= pl.col("first"))
    probe = frame.select(pl.min_horizontal(pl.col("first") - 1, converted - 1, pl.lit(population.as_of)))
    return frame.with_columns(probe=_eligible(population, eligible, frame[ENTITY], probe.to_series()))


def _frame(population: Population, rows: pl.DataFrame) -> pl.DataFrame:
    """Give the rows of the table, which are sorted, their names, age bands and calendar blocks."""
    anchor = population.entities[ANCHOR]
    return (
        rows.select(
            pl.int_range(pl.len(), dtype=pl.Int64).alias(SNAPSHOT),
            ENTITY,
            anchor.gather(rows[ENTITY]).alias(ANCHOR),
            CUTOFF,
            "y",
            "delay",
        )
        .with_columns(age_band=age_band(pl.col(CUTOFF) - pl.col(ANCHOR)), block=_quarter(population.world.zone))
        .with_columns(block=pl.col("block") - pl.col("block").min())
    )


def age_band(age: pl.Expr) -> pl.Expr:
    """Index an age in microseconds into `AGE_BANDS`."""
    ends = [28 * DAY, 84 * DAY, 365 * DAY]
    return pl.sum_horizontal((age >= end).cast(pl.Int8) for end in ends).cast(pl.Int8)


def _quarter(zone: str) -> pl.Expr:
    local = pl.from_epoch(CUTOFF, time_unit="us").dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    return local.dt.year() * 4 + local.dt.quarter().cast(pl.Int32)


def _dormant(rows: pl.DataFrame) -> Dormant:
    return Dormant(entities=rows[ENTITY].n_unique(), snapshots=rows.height, converted=int(rows["y"].sum()))
