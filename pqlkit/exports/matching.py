"""The match: how users, accounts, events and conversions find each other, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ACCOUNT_ID, USER_ID
from pqlkit.exports.intake import Matching
from pqlkit.exports.numbering import by_number, with_ids
from pqlkit.exports.summaries import ROWS, who_by_number
from pqlkit.exports.tables import ACCOUNTS, CONVERSIONS, EVENTS, USERS
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pqlkit.exports.dataset import Dataset, Table

_COMPARED: Final = (
    (USER_ID, USERS, (CONVERSIONS, EVENTS)),
    (ACCOUNT_ID, ACCOUNTS, (USERS, CONVERSIONS, EVENTS)),
    (ACCOUNT_ID, USERS, (CONVERSIONS, EVENTS)),
)
_SHORTENED: Final = r"^[0-9](?:\.[0-9]+)?E\+[0-9]{2}$"


def matching(dataset: Dataset) -> Matching:
    """Count how the tables of a dataset match.

    Ids are compared as they are, by their numbers where the events have them. A conversion is matched if its user is known (in the users, or without them in the
    events), else if its account is.
    """
    tables = dataset.tables
    users, accounts, conversions = tables.get(USERS), tables.get(ACCOUNTS), tables.get(CONVERSIONS)
    numbers = tables[EVENTS].numbers
    seen = who_by_number(tables[EVENTS]).collect(engine="streaming")
    event_users = _rows_by(seen, USER_ID)
    known_users = _keys(users, USER_ID, numbers) if users is not None else event_users.select(USER_ID)
    known_accounts = _known_accounts(dataset)
    counts: dict[str, int | None] = {"event_users": event_users.height, **_without_user(seen)}
    if users is not None:
        counts |= _users(known_users, event_users)
    if accounts is not None:
        known = _keys(accounts, ACCOUNT_ID, numbers)
        counts |= _accounts(known, users, event_users, _rows_by(seen, ACCOUNT_ID), numbers)
    if conversions is not None:
        matched = _matched(conversions, known_users, known_accounts, numbers)
        counts |= {
            "conversions": conversions.rows,
            "conversions_matched": matched,
            "conversions_unknown": conversions.rows - matched,
        }
    return Matching(**counts)


def _without_user(seen: pl.DataFrame) -> dict[str, int | None]:
    """Count events without a user: those of an account are the account's, the others of nobody who is known."""
    rows = seen.filter(pl.col(USER_ID).is_null())
    if ACCOUNT_ID not in seen.columns:
        return {"events_anonymous": int(rows[ROWS].sum())}
    of_accounts = rows.filter(pl.col(ACCOUNT_ID).is_not_null())
    return {
        "events_anonymous": int(rows[ROWS].sum()) - int(of_accounts[ROWS].sum()),
        "events_of_accounts": int(of_accounts[ROWS].sum()),
        "event_accounts": of_accounts.height,
    }


def _users(known: pl.DataFrame, event_users: pl.DataFrame) -> dict[str, int | None]:
    active = known.join(event_users, on=USER_ID, how="semi").height
    unknown = event_users.join(known, on=USER_ID, how="anti")
    return {
        "users": known.height,
        "users_with_events": active,
        "users_without_events": known.height - active,
        "event_users_unknown": unknown.height,
        "events_of_unknown_users": int(unknown[ROWS].sum()),
    }


def _accounts(
    known: pl.DataFrame,
    users: Table | None,
    event_users: pl.DataFrame,
    event_accounts: pl.DataFrame,
    numbers: Mapping[str, tuple[str, ...]],
) -> dict[str, int | None]:
    """Count accounts with events: those that carry their id, else those of their users."""
    active = [event_accounts.select(ACCOUNT_ID)]
    if users is not None and ACCOUNT_ID in users.columns:
        members = by_number(users.scan().select(USER_ID, ACCOUNT_ID), numbers).drop_nulls().collect()
        active.append(members.join(event_users, on=USER_ID, how="semi").select(ACCOUNT_ID))
    with_events = known.join(
        pl.concat([frame.cast(known.schema) for frame in active]), on=ACCOUNT_ID, how="semi"
    ).height
    return {
        "accounts": known.height,
        "accounts_with_events": with_events,
        "accounts_without_events": known.height - with_events,
    }


def _known_accounts(dataset: Dataset) -> pl.DataFrame | None:
    for name in (ACCOUNTS, USERS, EVENTS):
        table = dataset.tables.get(name)
        if table is not None and ACCOUNT_ID in table.columns:
            return _keys(table, ACCOUNT_ID, dataset.tables[EVENTS].numbers)
    return None


def _matched(
    conversions: Table, users: pl.DataFrame, accounts: pl.DataFrame | None, numbers: Mapping[str, tuple[str, ...]]
) -> int:
    known = pl.lit(value=False)
    lazy = by_number(conversions.scan(), numbers)
    if USER_ID in conversions.columns:
        known = known | pl.col(USER_ID).is_in(users[USER_ID].implode())
    if ACCOUNT_ID in conversions.columns and accounts is not None:
        known = known | pl.col(ACCOUNT_ID).is_in(accounts[ACCOUNT_ID].implode())
    return int(lazy.select(known.fill_null(value=False).sum()).collect().item())


def _keys(table: Table, name: str, numbers: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    """Give the different ids of a table, by their numbers where events have them."""
    keys = who_by_number(table) if table.name == EVENTS else by_number(table.scan().select(name), numbers)
    return keys.select(name).drop_nulls().unique().collect(engine="streaming")


def _ids(table: Table, name: str) -> pl.DataFrame:
    """Give the different ids of a table as they stand in the exports."""
    return with_ids(_keys(table, name, {}).lazy(), table.numbers).collect(engine="streaming")


def _rows_by(seen: pl.DataFrame, name: str) -> pl.DataFrame:
    """Count events by id; nothing where they have no such column."""
    if name not in seen.columns:
        return pl.DataFrame(schema={name: pl.String, ROWS: pl.Int64})
    return seen.filter(pl.col(name).is_not_null()).group_by(name).agg(pl.col(ROWS).sum())


def spelling_warnings(dataset: Dataset) -> list[str]:
    """Say where ids of two tables would match if they were spelled alike, and where a spreadsheet has shortened them."""
    ids: dict[tuple[str, str], pl.Series] = {}
    for key, first, others in _COMPARED:
        for name in (first, *others):
            table = dataset.tables.get(name)
            if table is not None and key in table.columns and (name, key) not in ids:
                ids[name, key] = _ids(table, key)[key].cast(pl.String)
    warnings = [warning for (name, key), values in ids.items() for warning in _shortened(name, key, values)]
    for key, first, others in _COMPARED:
        for name in others:
            if (first, key) in ids and (name, key) in ids:
                warnings += _unlike(first, ids[first, key], name, ids[name, key])
    return list(dict.fromkeys(warnings))


def _shortened(name: str, key: str, values: pl.Series) -> Iterator[str]:
    some = values.filter(values.str.contains(_SHORTENED))
    if len(some):
        yield (
            f"{key} of {name} holds {some[0]}: a spreadsheet has shortened ids, and several may have become one;"
            " export them as text"
        )


def _unlike(first: str, known: pl.Series, other: str, values: pl.Series) -> Iterator[str]:
    unknown = values.filter(~values.is_in(known.implode()))
    if unknown.is_empty():
        return
    pairs = _folded(unknown, other).join(_folded(known, first), on="folded").sort(other, first)
    if pairs.is_empty():
        return
    yield (
        f"ids of {other} that match none of {first} because they are spelled in another way: {pairs[other].n_unique():,};"
        f" {first} has {visible(pairs[first][0], 60)!r}, {other} has {visible(pairs[other][0], 60)!r}"
    )


def _folded(values: pl.Series, name: str) -> pl.DataFrame:
    """Fold ids: case, brackets and dashes of UUIDs, leading zeros, and the marks that spreadsheets protect digits with."""
    bare = pl.col(name).str.to_lowercase().str.replace_all(r"[{}\-\s'\"=]", "").str.replace(r"^0+(.)", "$1")
    return values.alias(name).to_frame().with_columns(folded=bare)
