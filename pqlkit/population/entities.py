"""The people: numbered entities, their clocks and their conversions brought together in one frame."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ACCOUNT_ID, ANCHOR, AT, CONVERTED, DELETED_AT, ENTITY, SIGNED_UP_AT, USER_ID
from pqlkit.definitions.model import EntityKind
from pqlkit.errors import DataError
from pqlkit.population.outcome import read_rows
from pqlkit.population.stays import stays_at_risk
from pqlkit.population.trait_tables import first_plans

if TYPE_CHECKING:
    from pqlkit.definitions.model import Anchor, Outcome
    from pqlkit.exports.dataset import Dataset
    from pqlkit.measures.world import World
    from pqlkit.population.outcome import ConversionRows
    from pqlkit.population.roster import Roster
    from pqlkit.population.traits import Traits

ID: Final = "id"
SINCE: Final = "since"


def with_conversions(world: World, listed: pl.DataFrame, clock: Anchor, conversions: pl.DataFrame) -> pl.DataFrame:
    """Bring clocks and conversions together: the columns of `Population.entities`."""
    frame = world.entities.select(ENTITY, ANCHOR).hstack(listed.select(ID, DELETED_AT))
    return (
        frame.join(conversions, on=ENTITY, how="left", maintain_order="left")
        .with_columns(pl.lit(None, dtype=pl.Int64).alias(SINCE), at_risk=pl.lit(value=True))
        .with_columns(invalid=_faulty(clock))
    )


def with_stays(
    world: World,
    dataset: Dataset,
    outcome: Outcome,
    roster: Roster,
    traits: Traits,
    listed: pl.DataFrame,
    clock: Anchor,
) -> tuple[pl.DataFrame, ConversionRows]:
    """Bring clocks and expansions together: one row per stay at risk, ``origin`` = the entity before it was cut.

    Parameters
    ----------
    world, dataset
        The bare world, and the canonical tables it stands on.
    outcome
        The expansion that counts.
    roster, traits
        Who is listed, and what is known of them: the first plan among it.
    listed
        One row per entity before it is cut: ``id``, ``deleted_at``.
    clock
        When a clock starts.
    """
    if "conversions" not in dataset.tables:
        raise DataError(
            "expansion needs a conversions export", where="outcome", hint="name it under exports.conversions"
        )
    rows, excluded = read_rows(dataset.tables["conversions"], outcome, world.engine, roster, world, world.as_of)
    whole = world.entities.select(ENTITY, ANCHOR).hstack(listed.select(ID, DELETED_AT))
    faulty = whole.select(invalid=_faulty(clock))["invalid"]
    plans = first_plans(traits, whole.select(ENTITY, pl.col(ANCHOR).alias(AT)))
    stays, counts = stays_at_risk(whole.with_columns(first_plan=plans), rows, outcome)
    people = (
        stays.rename({ENTITY: "origin"})
        .with_row_index(ENTITY)
        .with_columns(
            pl.col(ENTITY).cast(pl.Int64),
            pl.coalesce(SINCE, whole[ANCHOR].gather(stays[ENTITY])).alias(ANCHOR),
            whole[ID].gather(stays[ENTITY]),
            at_risk=pl.col(SINCE).is_not_null(),
            invalid=faulty.gather(stays[ENTITY]),
        )
    )
    return people, replace(counts, excluded=excluded)


def not_before_signup(people: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Keep conversions that are only known by their date from coming before a signup of the same date."""
    same = _date(CONVERTED, zone) == _date(ANCHOR, zone)
    moved = pl.when(same).then(pl.max_horizontal(CONVERTED, ANCHOR)).otherwise(CONVERTED)
    return people.with_columns(moved.alias(CONVERTED))


def _date(column: str, zone: str) -> pl.Expr:
    return pl.from_epoch(column, time_unit="us").dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.date()


def _faulty(clock: Anchor) -> pl.Expr:
    """Clock faults. An event that never happened starts no clock, but is no fault."""
    faulty = pl.col(DELETED_AT) < pl.col(ANCHOR)
    return (faulty | pl.col(ANCHOR).is_null() if clock.kind == "signup" else faulty).fill_null(value=False)


def numbered(roster: Roster, kind: EntityKind) -> pl.DataFrame:
    """Give the entities their numbers, in sorted id order: ``entity``, ``id``, ``anchor``, ``deleted_at`` and the traits."""
    frame, key = (roster.users, USER_ID) if kind is EntityKind.USER else (roster.accounts, ACCOUNT_ID)
    own = frame.select(pl.col(key).alias(ID), pl.col(SIGNED_UP_AT).alias(ANCHOR), DELETED_AT).sort(ID)
    return own.with_row_index(ENTITY).with_columns(pl.col(ENTITY).cast(pl.Int64))
