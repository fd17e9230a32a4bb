"""The kind of entity: users or accounts, as stated or as the data carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pqlkit.columns import ACCOUNT_ID, USER_ID
from pqlkit.definitions.model import EntityKind
from pqlkit.errors import DataError, UsageError
from pqlkit.exports.small_table import read_table
from pqlkit.measures.ownership import by_number

if TYPE_CHECKING:
    from pqlkit.definitions.model import Definition, Outcome
    from pqlkit.engines.base import Engine
    from pqlkit.exports.dataset import Dataset, Table
    from pqlkit.exports.project import Project
    from pqlkit.population.roster import Roster


def choose_kind(
    stated: str,
    dataset: Dataset,
    project: Project,
    definition: Definition | None,
    outcome: Outcome,
    roster: Roster,
    engine: Engine,
) -> EntityKind:
    """Choose what an entity is: as stated, as the definition or the project says, else by what the data carry.

    Parameters
    ----------
    stated
        ``--entity``: ``auto``, ``user`` or ``account``.
    dataset, project, definition
        The canonical tables, the project file, and the definition that is to be measured, or None.
    outcome
        What counts as a conversion; another definition names the entity too.
    roster, engine
        Who is listed, and where the plans run.
    """
    if definition is not None:
        if stated not in ("auto", definition.entity):
            raise UsageError(
                f"{definition.name} is about {definition.entity}s, not {stated}s",
                where="--entity",
                hint="leave --entity out",
            )
        return definition.entity
    for choice in (stated, project.entity):
        if choice != "auto":
            if choice not in tuple(EntityKind):
                raise UsageError(f"{choice!r} is not an entity", where="--entity", hint="write auto, user or account")
            return EntityKind(choice)
    if outcome.definition is not None:
        return outcome.definition.entity
    table = dataset.tables.get("conversions")
    if outcome.event is None and table is not None and _names_only_accounts(table, engine):
        return EntityKind.ACCOUNT
    return EntityKind.ACCOUNT if _mostly_accounts(roster, engine) else EntityKind.USER


def _mostly_accounts(roster: Roster, engine: Engine) -> bool:
    """Whether most events carry an account's id or come from a user who belongs to one."""
    if roster.accounts.is_empty():
        return False
    members = by_number(roster.ids, roster.users.filter(pl.col(ACCOUNT_ID).is_not_null()).select(USER_ID))
    seen = engine.collect(roster.seen)
    own = pl.col(USER_ID).is_in(members.get_column(USER_ID).implode())
    if ACCOUNT_ID in seen.columns:
        own |= pl.col(ACCOUNT_ID).is_not_null()
    return 2 * int(seen.filter(own).get_column("rows").sum()) > int(seen.get_column("rows").sum())


def check_kind(dataset: Dataset, kind: EntityKind, outcome: Outcome, roster: Roster, engine: Engine) -> None:
    """Refuse ids that cannot name this kind of entity.

    Parameters
    ----------
    dataset
        The canonical tables.
    kind
        What an entity is.
    outcome
        What counts as a conversion.
    roster, engine
        Who is listed, and where the plans run.
    """
    if outcome.definition is not None and outcome.definition.entity != kind:
        raise UsageError(
            f"the outcome {outcome.definition.name} is about {outcome.definition.entity}s, not {kind}s",
            where="--entity",
            hint=f"use --entity {outcome.definition.entity}",
        )
    if kind is EntityKind.ACCOUNT:
        if roster.accounts.is_empty() and roster.out_accounts.is_empty():
            raise DataError(
                "nothing in the data names an account",
                where="--entity",
                hint="map account_id in the users or events export, or use --entity user",
            )
        return
    table = dataset.tables.get("conversions")
    if table is None or outcome.event is not None or outcome.definition is not None:
        return
    if _names_only_accounts(table, engine):
        raise UsageError("--entity user, but conversions are of accounts", hint="write --entity account")


def _names_only_accounts(table: Table, engine: Engine) -> bool:
    """Whether rows carry accounts and not one carries a user."""
    if not table.rows or ACCOUNT_ID not in table.columns:
        return False
    return USER_ID not in table.columns or read_table(engine, table, [USER_ID])[USER_ID].null_count() == table.rows
