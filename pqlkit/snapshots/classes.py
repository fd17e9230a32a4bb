"""The class: where each entity and each first conversion of an analysis went, so that nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

import polars as pl

from pqlkit.columns import ANCHOR, CONVERTED, CUTOFF, DELETED_AT, ENTITY

if TYPE_CHECKING:
    from pqlkit.population.outcome import ConversionRows


class State(IntEnum):
    """What became of one scheduled snapshot; of several snapshots the largest decides for the entity."""

    INELIGIBLE = 0
    DELETED = 1
    IN_PROGRESS = 2
    DORMANT = 3
    NOT_CONVERTED = 4
    CONVERTED = 5


class EntityClass(StrEnum):
    """Where an entity went: the first that fits, in this order."""

    INVALID = "invalid"
    INELIGIBLE = "ineligible"
    UNOBSERVED = "unobserved"
    CUSTOMER_ALREADY = "customer_already"
    EARLY = "early"
    DELETED = "deleted"
    IN_PROGRESS = "in_progress"
    DORMANT = "dormant"
    CONVERTED = "converted"
    NOT_CONVERTED = "not_converted"


class Place(StrEnum):
    """Where a first conversion went."""

    USED = "used"
    BEFORE_HISTORY = "before_history"
    BEFORE_FIRST_SNAPSHOT = "before_first_snapshot"
    GAP = "gap"
    NOT_RETAINED = "not_retained"
    DORMANT = "dormant"
    LATER = "later"
    IN_PROGRESS = "in_progress"
    INELIGIBLE = "ineligible"
    CUSTOMER_ALREADY = "customer_already"
    INVALID = "invalid"
    DELETED = "deleted"


ANALYSED = (EntityClass.DORMANT, EntityClass.CONVERTED, EntityClass.NOT_CONVERTED)
"""The classes whose conversions are placed snapshot by snapshot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """Counts of entities: `invalid` to `not_converted` are exclusive and sum to `entities`.

    `converted_later` is part of `not_converted`, `without_events` of `entities`; `snapshots` counts rows of the table.
    """

    entities: int
    invalid: int
    ineligible: int
    unobserved: int
    customer_already: int
    early: int
    deleted: int
    in_progress: int
    dormant: int
    converted: int
    not_converted: int
    converted_later: int
    snapshots: int
    without_events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Counts of first conversions: `used` to `deleted` are exclusive and sum to `first`."""

    rows: int
    first: int
    repeats: int
    filtered: int
    unknown_entity: int
    used: int
    before_history: int
    before_first_snapshot: int
    gap: int
    not_retained: int
    dormant: int
    later: int
    in_progress: int
    ineligible: int
    customer_already: int
    invalid: int
    deleted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dormant:
    """Snapshots of entities that were not active: one printed row, in no table."""

    entities: int
    snapshots: int
    converted: int


def entity_classes(entities: pl.DataFrame, judged: pl.DataFrame) -> pl.DataFrame:
    """Give each entity its class and its conversion's place.

    Parameters
    ----------
    entities
        ``entity``, ``anchor``, ``converted``, ``deleted_at``, ``invalid``, and what the design says of each: ``first`` (its
        first cutoff), ``unobserved``, ``early`` (bool: converted by its first cutoff), ``probe`` (bool: eligible at its first cutoff, or the moment before its
        conversion or the end of the data if those come first).
    judged
        Its scheduled snapshots, at or before `as_of` and before the conversion: ``entity``, ``state``, ``delay`` (microseconds to
        the conversion or null), ``reach`` (the conversion window in microseconds), ``gap`` (bool: the conversion falls into the gap).

    Returns
    -------
    DataFrame
        ``entity``, ``class``, ``place`` (null without a conversion), in entity order.
    """
    best = judged.group_by(ENTITY).agg(best=pl.col("state").max())
    holding = judged.filter(pl.col("delay") <= pl.col("reach"))
    held = holding.group_by(ENTITY).agg(held=pl.col("state").max(), gap=pl.col("gap").all())
    return (
        entities.join(best, on=ENTITY, how="left", maintain_order="left")
        .join(held, on=ENTITY, how="left", maintain_order="left")
        .with_columns(_entity_class().alias("class"))
        .select(ENTITY, "class", place=pl.when(pl.col(CONVERTED).is_not_null()).then(_place()))
    )


def _entity_class() -> pl.Expr:
    best, converted = pl.col("best"), pl.col(CONVERTED)
    ineligible = pl.col(ANCHOR).is_null() | (best == State.INELIGIBLE) | (best.is_null() & ~pl.col("probe"))
    deleted = (best == State.DELETED) | (best.is_null() & (pl.col(DELETED_AT) <= pl.col("first")))
    rules = (
        (EntityClass.INVALID, pl.col("invalid")),
        (EntityClass.INELIGIBLE, ineligible),
        (EntityClass.UNOBSERVED, pl.col("unobserved")),
        (EntityClass.CUSTOMER_ALREADY, converted < pl.col(ANCHOR)),
        (EntityClass.EARLY, pl.col("early")),
        (EntityClass.DELETED, deleted),
        (EntityClass.IN_PROGRESS, best.is_null() | (best == State.IN_PROGRESS)),
        (EntityClass.DORMANT, best == State.DORMANT),
        (EntityClass.CONVERTED, best == State.CONVERTED),
    )
    return _first_that_fits(rules, EntityClass.NOT_CONVERTED)


def _place() -> pl.Expr:
    """Places of those analysed go by the snapshot that holds the conversion; all others go with their class."""
    held, named = pl.col("held"), pl.col("class")
    analysed = named.is_in(list(ANALYSED))
    rules = (
        (Place.BEFORE_HISTORY, named == EntityClass.UNOBSERVED),
        (Place.BEFORE_FIRST_SNAPSHOT, named == EntityClass.EARLY),
        (Place.INVALID, named == EntityClass.INVALID),
        (Place.INELIGIBLE, (named == EntityClass.INELIGIBLE) | (analysed & (held == State.INELIGIBLE))),
        (Place.CUSTOMER_ALREADY, named == EntityClass.CUSTOMER_ALREADY),
        (Place.DELETED, (named == EntityClass.DELETED) | (analysed & (held == State.DELETED))),
        (Place.IN_PROGRESS, (named == EntityClass.IN_PROGRESS) | (held == State.IN_PROGRESS)),
        (Place.LATER, held.is_null()),
        (Place.DORMANT, held == State.DORMANT),
        (Place.USED, held == State.CONVERTED),
        (Place.GAP, pl.col("gap")),
    )
    return _first_that_fits(rules, Place.NOT_RETAINED)


def _first_that_fits(rules: tuple[tuple[StrEnum, pl.Expr], ...], rest: StrEnum) -> pl.Expr:
    expression: pl.Expr = pl.lit(str(rest))
    for name, fits in reversed(rules):
        expression = pl.when(fits).then(pl.lit(str(name))).otherwise(expression)
    return expression


def count_classes(classes: pl.DataFrame, *, snapshots: int, without_events: int) -> Classes:
    """Count the result of `entity_classes`; `snapshots` and `without_events` are passed through."""
    counts = _counts(classes["class"])
    later = classes.filter(
        (pl.col("class") == EntityClass.NOT_CONVERTED)
        & pl.col("place").is_not_null()
        & ~pl.col("place").is_in([Place.GAP, Place.NOT_RETAINED])
    ).height
    return Classes(
        entities=classes.height,
        converted_later=later,
        snapshots=snapshots,
        without_events=without_events,
        **{str(name): counts.get(name, 0) for name in EntityClass},
    )


def count_places(classes: pl.DataFrame, rows: ConversionRows) -> Places:
    """Count where the first conversions went, beside where all rows went."""
    counts = _counts(classes["place"].drop_nulls())
    return Places(
        rows=rows.rows,
        first=rows.first,
        repeats=rows.repeats,
        filtered=rows.filtered,
        unknown_entity=rows.unknown_entity,
        **{str(name): counts.get(name, 0) for name in Place},
    )


def _counts(names: pl.Series) -> dict[str, int]:
    return dict(names.value_counts(name="n").iter_rows())


def snapshot_state(*, eligible: pl.Expr, alive: pl.Expr, mature: pl.Expr, active: pl.Expr, y: pl.Expr) -> pl.Expr:
    """Say what becomes of a snapshot, from five booleans: the first that fails names the state.

    Parameters
    ----------
    eligible, alive, mature, active, y
        Whether it was eligible, not deleted, whether its conversion window is over, whether anything was done lately, and whether it
        converted in the conversion window.
    """
    return (
        pl.when(~eligible)
        .then(State.INELIGIBLE)
        .when(~alive)
        .then(State.DELETED)
        .when(~mature)
        .then(State.IN_PROGRESS)
        .when(~active)
        .then(State.DORMANT)
        .when(y)
        .then(State.CONVERTED)
        .otherwise(State.NOT_CONVERTED)
        .cast(pl.UInt8)
    )


def is_alive() -> pl.Expr:
    """Not deleted at or before the cutoff (columns ``deleted_at``, ``cutoff``)."""
    return pl.col(DELETED_AT).is_null() | (pl.col(DELETED_AT) > pl.col(CUTOFF))
