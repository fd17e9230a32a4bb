"""The cohort: entities that began together, share a trait or did the same, and how their conversions add up over time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import inf, isfinite
from typing import TYPE_CHECKING, Final

from pqlkit.columns import ANCHOR, AT, CONVERTED, ENTITY
from pqlkit.durations import DAY
from pqlkit.errors import UsageError, suggestion
from pqlkit.shown import Counted
from pqlkit.statistics.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import polars as pl

    from pqlkit.population.population import Population
    from pqlkit.snapshots.snapshots import Snapshots
    from pqlkit.statistics.survival import LifeTable

WEEK: Final = "signup_week"
MONTH: Final = "signup_month"
QUARTER: Final = "signup_quarter"
EVERYBODY: Final = "everybody"
TIMES: Final = (WEEK, MONTH, QUARTER)
DAYS: Final = (*range(1, 15), 21, 28, 30, 35, 42, 49, 56, 60, 70, 84, 90, 120, 150, 180, 270, 365, 545, 730)
"""Days of age at which the curve is read."""

FOLLOWED: Final = 10
"""A curve is drawn as long as this many entities, and one in ten of the cohort, are still followed."""

UNKNOWN: Final = "(unknown)"
MOST: Final = 200


class Start(StrEnum):
    """Where the days of a curve are counted from: the entity's beginning, or the snapshot."""

    ANCHOR = "anchor"
    CUTOFF = "cutoff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One day of a conversion curve: the share converted within so many days of the start, censoring respected."""

    day: int
    converted_share: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Cohort(Counted):
    """A group of entities, or of snapshots where a behaviour forms it.

    Parameters
    ----------
    by, cohort
        How it was formed (``signup_month``, a trait, or a behaviour as written), and its name.
    rate
        Converted snapshots of all its snapshots in the analysis: the cohorts' rates add up to the population's.
    entities
        Its entities with an anchor that were no customers before it; with a behaviour, its snapshots that are followed.
    curve
        Kaplan-Meier from the anchor, with a behaviour from the snapshot, drawn as far as the cohort has been seen.
    """

    by: str
    cohort: str
    rate: Rate
    entities: int
    curve: tuple[Point, ...]

    def _many(self) -> int:
        return self.entities


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Cohorts(Counted):
    """All cohorts of one kind, and whether their curves differ (log-rank; None with fewer than two).

    `start` is where their curves begin; `clustered` says that the test allows for snapshots that go together.
    """

    by: str
    cohorts: tuple[Cohort, ...]
    p_value: float | None
    start: Start = Start.ANCHOR
    clustered: bool = False

    def _many(self) -> int:
        return len(self.cohorts)


def cohorts(population: Population, snapshots: Snapshots, by: str, *, design_effect: float = 1.0) -> Cohorts:
    """Form cohorts and draw each one's conversion curve.

    Parameters
    ----------
    population
        Who exists; customers before their anchor are left out.
    snapshots
        The analysis, for the rates.
    by
        ``signup_week``, ``signup_month``, ``signup_quarter`` (in the project's zone), a fixed trait, or bands of one: ``seats:5,20``.
    design_effect
        Of the snapshots, for the rates.

    Returns
    -------
    Cohorts
        In time order, or by trait value (null as ``(unknown)``, last).

    Raises
    ------
    UsageError
        There is no such trait, or more than 200 cohorts would come out.
    """
    import polars as pl

    from pqlkit.statistics.survival import log_rank

    names = cohort_names(population, by)
    frame = _followed(population).join(names, on=ENTITY)
    counted = (
        snapshots.frame.select(ENTITY, "y")
        .join(names, on=ENTITY)
        .group_by("cohort")
        .agg(pl.len().alias("n"), pl.col("y").sum().alias("m"))
    )
    rates = {
        name: Rate.of(int(m), int(n), design_effect=design_effect)
        for name, n, m in counted.select("cohort", "n", "m").iter_rows()
    }
    parts = {str(key[0]): part for key, part in frame.partition_by("cohort", as_dict=True).items()}
    if len(parts) > MOST:
        raise UsageError(
            f"--by {by}: {len(parts)} cohorts are more than a person can read",
            hint=f"choose a coarser one, or bands of a number: --by {by}:5,20,100",
        )
    order = sorted(parts, key=cohort_order)
    tables = {name: _life_table(parts[name]) for name in order}
    p_value = log_rank([tables[name] for name in order]).p_value if len(order) > 1 else None
    return Cohorts(
        by=by,
        cohorts=tuple(
            Cohort(
                by=by,
                cohort=name,
                rate=rates.get(name, Rate.of(0, 0)),
                entities=parts[name].height,
                curve=conversion_curve(tables[name]),
            )
            for name in order
        ),
        p_value=p_value,
    )


def everybody(population: Population, snapshots: Snapshots, *, design_effect: float = 1.0) -> Cohort:
    """Draw the conversion curve of all entities together: a cohort of kind ``everybody``.

    Parameters
    ----------
    population, snapshots, design_effect
        As for `cohorts`.
    """
    frame, y = _followed(population), snapshots.frame.get_column("y")
    return Cohort(
        by=EVERYBODY,
        cohort=f"all {population.kind.value}s",
        rate=Rate.of(int(y.sum()), len(y), design_effect=design_effect),
        entities=frame.height,
        curve=conversion_curve(_life_table(frame)),
    )


def _followed(population: Population) -> pl.DataFrame:
    """Give who began as no customer, with the days until it converted or was last seen, and which of the two it was."""
    import polars as pl

    began = pl.col(ANCHOR).is_not_null() & (pl.col(CONVERTED).is_null() | (pl.col(CONVERTED) >= pl.col(ANCHOR)))
    return (
        population.entities.select(ENTITY, ANCHOR, CONVERTED)
        .filter(began)
        .with_columns(
            ((pl.coalesce(CONVERTED, pl.lit(population.as_of)) - pl.col(ANCHOR)) / DAY).alias("duration"),
            pl.col(CONVERTED).is_not_null().alias("observed"),
        )
    )


def _life_table(part: pl.DataFrame) -> LifeTable:
    from pqlkit.statistics.survival import LifeTable

    observed = part.get_column("observed").to_numpy()
    return LifeTable.of(part.get_column("duration").to_numpy(), observed, ~observed)


def conversion_curve(table: LifeTable, *, design_effect: float = 1.0) -> tuple[Point, ...]:
    """Draw a conversion curve as far as enough are followed.

    Parameters
    ----------
    table
        In days.
    design_effect
        The intervals are those of n / this.
    """
    import numpy as np

    from pqlkit.statistics.survival import kaplan_meier

    curve = kaplan_meier(table.thinned(design_effect))
    needed = min(max(FOLLOWED, table.entities // 10), table.entities)
    points = []
    for day in DAYS if table.entities else ():
        followed = int(table.at_risk[np.searchsorted(table.times, day)]) if day <= table.times[-1] else 0
        if followed < needed:
            break
        share = curve.converted_by(float(day))
        if share.value is None:
            break
        points.append(Point(day=day, converted_share=share.value, low=share.low, high=share.high))
    return tuple(points)


def cohort_names(population: Population, by: str) -> pl.DataFrame:
    """Name each entity's cohort.

    Parameters
    ----------
    population
        Who exists.
    by
        A time of signup, a trait, or bands of a numeric trait: ``seats:5,20`` (see `bands_of`).

    Returns
    -------
    DataFrame
        ``entity``, ``cohort`` (text).

    Raises
    ------
    UsageError
        There is no such trait, or it is no number.
    """
    import polars as pl

    if by in TIMES:
        local = (
            pl.from_epoch(ANCHOR, time_unit="us")
            .dt.replace_time_zone("UTC")
            .dt.convert_time_zone(population.world.zone)
        )
        week = local.dt.iso_year().cast(pl.String) + "-W" + local.dt.week().cast(pl.String).str.zfill(2)
        quarter = local.dt.year().cast(pl.String) + "-Q" + local.dt.quarter().cast(pl.String)
        text = {WEEK: week, MONTH: local.dt.strftime("%Y-%m"), QUARTER: quarter}[by]
        known = population.entities.filter(pl.col(ANCHOR).is_not_null())
        return known.select(ENTITY, text.alias("cohort"))
    kinds = population.traits.kinds
    bands = bands_of(by, kinds)
    trait, edges = (by, ()) if bands is None else bands
    if trait not in kinds:
        raise UsageError(
            f"--by {by}: no such trait", hint=suggestion(by, [*TIMES, *kinds], f"write one of {', '.join(TIMES)}")
        )
    population.traits.refuse_current([trait], population.trusted)
    moments = population.entities.filter(pl.col(ANCHOR).is_not_null()).select(ENTITY, pl.col(ANCHOR).alias(AT))
    values = population.traits.at(moments, [trait])
    if not edges:
        return values.select(ENTITY, pl.col(trait).cast(pl.String).fill_null(UNKNOWN).alias("cohort"))
    numbers = values.get_column(trait).cast(pl.String).cast(pl.Float64, strict=False)
    if numbers.null_count() == len(numbers) and values.get_column(trait).null_count() < len(numbers):
        raise UsageError(f"--by {by}: the values of {trait} are no numbers", hint=f"write --by {trait}")
    named = pl.lit(band_names(edges)[0])
    for edge, name in zip(edges, band_names(edges)[1:], strict=True):
        named = pl.when(pl.col("number") >= edge).then(pl.lit(name)).otherwise(named)
    cohort = pl.when(pl.col("number").is_null()).then(pl.lit(UNKNOWN)).otherwise(named)
    return values.select(ENTITY, number=numbers).select(ENTITY, cohort=cohort)


def bands_of(by: str, traits: Collection[str]) -> tuple[str, tuple[float, ...]] | None:
    """Read the bands of a numeric trait; None where a text means none.

    Examples
    --------
    >>> bands_of("seats:5,20", ["seats"]), bands_of("seats", ["seats"]), bands_of("country:DE", ["country"])
    (('seats', (5.0, 20.0)), None, None)
    """
    trait, _, written = by.rpartition(":")
    if by in traits or trait not in traits:
        return None
    try:
        edges = tuple(float(edge) for edge in written.split(","))
    except ValueError:
        return None
    return (trait, tuple(sorted(set(edges)))) if all(map(isfinite, edges)) else None


def band_names(edges: Sequence[float]) -> list[str]:
    """Name the bands between edges, each of which begins a band.

    Examples
    --------
    >>> band_names([5, 20])
    ['under 5', '5 to under 20', '20 or more']
    """
    said = [f"{edge:g}" for edge in edges]
    return [
        f"under {said[0]}",
        *(f"{low} to under {high}" for low, high in pairwise(said)),
        f"{said[-1]} or more",
    ]


def cohort_order(name: str) -> tuple[int, float, str]:
    """Give the place of a cohort among others: bands by their numbers, what is not known last."""
    number, _, rest = name.partition(" ")
    if name == UNKNOWN:
        return 2, 0.0, name
    if number == "under":
        return 0, -inf, name
    if rest == "or more" or rest.startswith("to under "):
        return 0, float(number), name
    return 1, 0.0, name
