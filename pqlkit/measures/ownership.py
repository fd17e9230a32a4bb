"""The ownership: whose an event is, an account's own or that of its user."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import narwhals as nw
import polars as pl

from pqlkit.columns import ACCOUNT_ID, AT, ENTITY, EVENT, USER_ID
from pqlkit.definitions.model import Criterion, Limit, MeasureKind, leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pqlkit.definitions.model import Definition
    from pqlkit.measures.world import World
    from pqlkit.typing import LazyFrame


def owned(world: World, events: LazyFrame, owners: pl.DataFrame | None = None) -> LazyFrame:
    """Add the owners to events, as `with_owners` does; with expansion outcomes drop those before ``since``.

    Parameters
    ----------
    world, events
        As for `with_owners`.
    owners
        ``entity`` and what to bring along; None = ``entity`` of all.
    """
    seen = with_owners(world, events, world.entities.select(ENTITY) if owners is None else owners)
    since = world.entities.select(ENTITY, "since").drop_nulls()
    if since.is_empty():
        return seen
    joined = seen.join(world.engine.lift(since), on=ENTITY, how="left")
    return joined.filter(nw.col("since").is_null() | (nw.col(AT) >= nw.col("since")))


def with_owners(world: World, events: LazyFrame, owners: pl.DataFrame) -> LazyFrame:
    """Join events with their owners: an event belongs to its own account, else to its user; others' events drop out.

    Parameters
    ----------
    world
        Says which user is of which entity.
    events
        With the id columns that the export has.
    owners
        ``entity`` and what to bring along.
    """
    names = world.events.collect_schema().names()
    if world.accounts is None or ACCOUNT_ID not in names:
        return _joined(world, events, world.members, USER_ID, owners)
    if USER_ID not in names:
        return _joined(world, events, world.accounts, ACCOUNT_ID, owners)
    own = _joined(world, events.filter(~nw.col(ACCOUNT_ID).is_null()), world.accounts, ACCOUNT_ID, owners)
    others = _joined(world, events.filter(nw.col(ACCOUNT_ID).is_null()), world.members, USER_ID, owners)
    return nw.concat([own, others], how="vertical")


def by_id(ids: Mapping[str, pl.DataFrame], frame: pl.DataFrame) -> pl.DataFrame:
    """Put the ids of the export for numbers of users and accounts; `ids` is that of a `World`. The row order stays."""
    for name, known in ids.items():
        if name in frame.columns:
            frame = frame.with_columns(_told(frame.get_column(name), known, name, "id").alias(name))
    return frame


def by_number(ids: Mapping[str, pl.DataFrame], frame: pl.DataFrame) -> pl.DataFrame:
    """Put numbers for the ids of users and accounts, where they have any: `by_id` backwards."""
    for name, known in ids.items():
        if name in frame.columns:
            frame = frame.with_columns(_told(frame.get_column(name), known, "id", name).alias(name))
    return frame


def _told(column: pl.Series, known: pl.DataFrame, given: str, wanted: str) -> pl.Series:
    """Put what one column of the table of numbers says for what the other does."""
    if column.equals(known.get_column(given), check_names=False):  # as a rule numbers ascend with the ids of users
        return known.get_column(wanted)
    asked = column.alias(given).to_frame()
    return asked.join(known, on=given, how="left", maintain_order="left").get_column(wanted)


def _joined(world: World, events: LazyFrame, ids: pl.DataFrame, key: str, owners: pl.DataFrame) -> LazyFrame:
    table = ids.select(key, ENTITY).join(owners, on=ENTITY, how="inner")
    return events.join(world.engine.lift(table), on=key, how="inner")


def narrowed(world: World, definition: Definition) -> World:
    """Give the world with the events of a definition's criteria alone, read once, for whoever measures them again and again.

    An event's user is the entity there, and so is a number. Where all events count, or who did them, or another file's
    milestone, it is the world itself.
    """
    parts = [leaf for leaf in leaves(definition.qualify) if isinstance(leaf, Criterion) and leaf.events is not None]
    plain = len(parts) == len(tuple(leaves(definition.qualify)))
    properties = {name for leaf in parts for name in _properties(leaf)}
    users = any(leaf.measure.kind is MeasureKind.USERS for leaf in parts)
    if not plain or users or not properties <= set(world.properties):
        return world
    kept = {name: world.properties[name] for name in sorted(properties)}
    names = sorted({name for leaf in parts for name in leaf.events or ()})
    own = world.events.filter(nw.col(EVENT).is_in(names), nw.col(AT) <= world.as_of)
    rows = with_owners(world, own, world.entities.select(ENTITY))
    rows = rows.select(nw.col(ENTITY).alias(USER_ID), EVENT, AT, *kept.values())
    numbers = world.entities.get_column(ENTITY)
    return replace(
        world,
        events=world.engine.keep(rows),
        members=pl.DataFrame({USER_ID: numbers, ENTITY: numbers}),
        accounts=None,
        properties=kept,
        summed_up=None,
    )


def _properties(leaf: Criterion) -> Iterator[str]:
    yield from (condition.name for condition in leaf.where)
    if leaf.measure.property is not None:
        yield leaf.measure.property
    for bound in (leaf.at_least, leaf.at_most):
        if isinstance(bound, Limit) and bound.property is not None:
            yield bound.property
