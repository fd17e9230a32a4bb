"""The match: how users, accounts, events and conversions find each other, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pqlkit.columns import ACCOUNT_ID, USER_ID
from pqlkit.exports.intake import Matching
from pqlkit.exports.tables import ACCOUNTS, CONVERSIONS, EVENTS, USERS

if TYPE_CHECKING:
    from pqlkit.exports.dataset import Dataset, Table


def matching(dataset: Dataset) -> Matching:
    """Count how the tables of a dataset match.

    Ids are compared as they are. A conversion is matched if its user is known (in the users, or without them in the
    events), else if its account is.
    """
    tables = dataset.tables
    users, accounts, conversions = tables.get(USERS), tables.get(ACCOUNTS), tables.get(CONVERSIONS)
    rows = _rows_by(tables[EVENTS], USER_ID)
    event_users = rows.drop_nulls()
    known_users = _ids(users, USER_ID) if users is not None else event_users.select(USER_ID)
    known_accounts = _known_accounts(dataset)
    counts: dict[str, int | None] = {
        "event_users": event_users.height,
        "events_anonymous": int(rows.filter(pl.col(USER_ID).is_null())["rows"].sum()),
    }
    if users is not None:
        counts |= _users(known_users, event_users)
    if accounts is not None:
        counts |= _accounts(_ids(accounts, ACCOUNT_ID), dataset, event_users)
    if conversions is not None:
        matched = _matched(conversions, known_users, known_accounts)
        counts |= {
            "conversions": conversions.rows,
            "conversions_matched": matched,
            "conversions_unknown": conversions.rows - matched,
        }
    return Matching(**counts)


def _users(known: pl.DataFrame, event_users: pl.DataFrame) -> dict[str, int | None]:
    active = known.join(event_users, on=USER_ID, how="semi").height
    unknown = event_users.join(known, on=USER_ID, how="anti")
    return {
        "users": known.height,
        "users_with_events": active,
        "users_without_events": known.height - active,
        "event_users_unknown": unknown.height,
        "events_of_unknown_users": int(unknown["rows"].sum()),
    }


def _accounts(known: pl.DataFrame, dataset: Dataset, event_users: pl.DataFrame) -> dict[str, int | None]:
    """Count accounts with events: those that carry their id, else those of their users."""
    active = [_rows_by(dataset.tables[EVENTS], ACCOUNT_ID).drop_nulls().select(ACCOUNT_ID)]
    users = dataset.tables.get(USERS)
    if users is not None and ACCOUNT_ID in users.columns:
        members = pl.scan_parquet(list(users.paths), glob=False).select(USER_ID, ACCOUNT_ID).drop_nulls().collect()
        active.append(members.join(event_users, on=USER_ID, how="semi").select(ACCOUNT_ID))
    found = known.join(pl.concat([one.cast(known.schema) for one in active]), on=ACCOUNT_ID, how="semi").height
    return {"accounts": known.height, "accounts_with_events": found, "accounts_without_events": known.height - found}


def _known_accounts(dataset: Dataset) -> pl.DataFrame | None:
    for name in (ACCOUNTS, USERS, EVENTS):
        table = dataset.tables.get(name)
        if table is not None and ACCOUNT_ID in table.columns:
            return _ids(table, ACCOUNT_ID)
    return None


def _matched(conversions: Table, users: pl.DataFrame, accounts: pl.DataFrame | None) -> int:
    known = pl.lit(value=False)
    lazy = pl.scan_parquet(list(conversions.paths), glob=False)
    if USER_ID in conversions.columns:
        known = known | pl.col(USER_ID).is_in(users[USER_ID].implode())
    if ACCOUNT_ID in conversions.columns and accounts is not None:
        known = known | pl.col(ACCOUNT_ID).is_in(accounts[ACCOUNT_ID].implode())
    return int(lazy.select(known.fill_null(value=False).sum()).collect().item())


def _ids(table: Table, name: str) -> pl.DataFrame:
    lazy = pl.scan_parquet(list(table.paths), glob=False)
    return lazy.select(name).drop_nulls().unique().collect(engine="streaming")


def _rows_by(table: Table, name: str) -> pl.DataFrame:
    """Count a table's rows by id, null included; nothing where it has no such column."""
    if name not in table.columns:
        return pl.DataFrame(schema={name: pl.String, "rows": pl.UInt32})
    lazy = pl.scan_parquet(list(table.paths), glob=False)
    return lazy.group_by(name).agg(rows=pl.len()).collect(engine="streaming")
