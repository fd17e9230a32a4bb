"""Trait tables: every entity's traits, gathered from the users, accounts and histories that were exported."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from pqlkit.columns import ACCOUNT_ID, AT, ENTITY, USER_ID, VALID_FROM
from pqlkit.definitions.model import EntityKind
from pqlkit.exports.small_table import read_table
from pqlkit.measures.ownership import by_id
from pqlkit.population.roster import LISTED
from pqlkit.population.traits import TraitKind, Traits, required_traits, trait_kinds

if TYPE_CHECKING:
    from pqlkit.definitions.model import Definition
    from pqlkit.exports.dataset import Dataset
    from pqlkit.exports.project import Project
    from pqlkit.measures.world import World
    from pqlkit.population.roster import Roster


def gather_traits(dataset: Dataset, project: Project, roster: Roster, world: World, listed: pl.DataFrame) -> Traits:
    """Gather the traits of the entities; a user has its account's where it has none of that name itself.

    Parameters
    ----------
    dataset, project
        The canonical tables, and which traits the project file calls fixed, current or kept as a history.
    roster, world
        Who is listed, with their columns, and who of them is an entity.
    listed
        ``entity`` and ``id`` of every entity.
    """
    if world.kind is EntityKind.USER:
        values, key = roster.users, USER_ID
        lacking = [name for name in roster.accounts.columns if name not in values.columns]
        if lacking:
            theirs = roster.accounts.select(ACCOUNT_ID, *lacking)
            values = values.join(theirs, on=ACCOUNT_ID, how="left", maintain_order="left")
    else:
        values, key = roster.accounts, ACCOUNT_ID
    names = sorted(set(values.columns) - set(LISTED))
    kinds = trait_kinds(names, project)
    kept = [name for name in names if kinds[name] is not TraitKind.HISTORY]
    values = values.select(key, *kept)
    # As a rule nobody was left out, and they stand in the same order.
    if listed.get_column("id").equals(values.get_column(key), check_names=False):
        ordered = values.with_columns(listed.get_column(ENTITY))
    else:
        ordered = listed.select(ENTITY, "id").join(
            values, left_on="id", right_on=key, how="left", maintain_order="left"
        )
    histories = {
        name: _history(dataset, name, roster, world)
        for name, kind in kinds.items()
        if kind is TraitKind.HISTORY and f"history.{name}" in dataset.tables
    }
    known = {name: kind for name, kind in kinds.items() if name in kept or name in histories}
    return Traits(kinds=known, values=ordered.select(ENTITY, *kept), histories=histories)


def _history(dataset: Dataset, name: str, roster: Roster, world: World) -> pl.DataFrame:
    """Read a trait's history; of several rows at one instant the largest value stays."""
    table = dataset.tables[f"history.{name}"]
    frame = read_table(world.engine, table).filter(pl.col(VALID_FROM) <= world.as_of)
    if ACCOUNT_ID in frame.columns and world.accounts is not None:
        owned_rows = frame.join(by_id(world.ids, world.accounts), on=ACCOUNT_ID)
    elif USER_ID in frame.columns:
        owned_rows = frame.join(by_id(world.ids, world.members.select(USER_ID, ENTITY)), on=USER_ID)
    else:
        members = by_id(world.ids, world.members.select(USER_ID, ENTITY))
        users = roster.members.join(members, on=USER_ID).select(ACCOUNT_ID, ENTITY)
        owned_rows = frame.join(users, on=ACCOUNT_ID)
    rows = owned_rows.select(ENTITY, VALID_FROM, pl.col(name).alias("value"))
    return rows.group_by(ENTITY, VALID_FROM).agg(pl.col("value").max()).sort(ENTITY, VALID_FROM)


def with_traits(world: World, traits: Traits, definition: Definition | None) -> World:
    """Give the world the traits that limits may refer to, as numbers; a history's value is the newest before `as_of`."""
    named = required_traits(definition) if definition is not None else ()
    numeric = [name for name in traits.values.columns if name != ENTITY and traits.values[name].dtype.is_numeric()]
    names = sorted({*numeric, *(name for name in named if name in traits.kinds)})
    columns = {name: f"t{index}" for index, name in enumerate(names)}
    at = world.entities.select(ENTITY, pl.lit(world.as_of, dtype=pl.Int64).alias(AT))
    values = traits.at(at, names).select(pl.col(name).alias(column) for name, column in columns.items())
    return replace(world, entities=world.entities.hstack(values.get_columns()), traits=columns)


def first_plans(traits: Traits, moments: pl.DataFrame) -> pl.Series:
    """Give the plan in which each entity began, where the trait ``plan`` has a history or ``signup_plan`` is fixed; else null."""
    if traits.kinds.get("plan") is TraitKind.HISTORY:
        return traits.at(moments, ["plan"])["plan"].cast(pl.String)
    if traits.kinds.get("signup_plan") is TraitKind.FIXED:
        return traits.at(moments, ["signup_plan"])["signup_plan"].cast(pl.String)
    return pl.repeat(None, moments.height, dtype=pl.String, eager=True)


def traits_per_stay(traits: Traits, origin: pl.Series) -> Traits:
    """Repeat traits for each stay; `origin` is the entity that each stay was cut from."""
    index = pl.DataFrame({"origin": origin}).with_row_index("stay").with_columns(pl.col("stay").cast(pl.Int64))
    return replace(
        traits,
        values=traits.values[origin].with_columns(index["stay"].alias(ENTITY)),
        histories={
            name: frame.join(index, left_on=ENTITY, right_on="origin")
            .select(pl.col("stay").alias(ENTITY), VALID_FROM, "value")
            .sort(ENTITY, VALID_FROM)
            for name, frame in traits.histories.items()
        },
    )
