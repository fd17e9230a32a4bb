"""The match: how users, accounts, events and conversions find each other, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ACCOUNT_ID, USER_ID
from pqlkit.exports.intake import NAMED, Matching
from pqlkit.exports.numbering import by_number, ids_of, with_ids
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
_ID: Final = "pqlkit:id"
"""The column of ids as they stand in the exports, under a name that no property has."""
_SHORTENED: Final = r"^[0-9](?:\.[0-9]+)?E\+[0-9]{2}$"


class TableMatch:
    """How the tables of a dataset find each other. What several answers need is read once.

    Parameters
    ----------
    dataset
        The tables. Ids are compared as they are, by their numbers where the events have them.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._tables = dataset.tables
        self._numbers = dataset.tables[EVENTS].numbers
        self._seen = who_by_number(dataset.tables[EVENTS]).collect(engine="streaming")
        self._read: dict[tuple[str, str], pl.DataFrame] = {}

    def counts(self) -> Matching:
        """Count the ids that are known.

        A conversion is matched if its user is known (in the users, or without them in the events), else if its account is.
        """
        users, accounts, conversions = (self._tables.get(name) for name in (USERS, ACCOUNTS, CONVERSIONS))
        event_users = _rows_by(self._seen, USER_ID)
        known_users = self._keys(USERS, USER_ID) if users is not None else event_users.select(USER_ID)
        nobody: tuple[str, ...] = ()
        counts: dict[str, int | None] = {"event_users": event_users.height, **_without_user(self._seen)}
        if users is not None:
            counts |= _users(known_users, event_users)
        if accounts is not None:
            known = self._keys(ACCOUNTS, ACCOUNT_ID)
            counts |= _accounts(known, users, event_users, _rows_by(self._seen, ACCOUNT_ID), self._numbers)
        if conversions is not None:
            unknown = _unmatched(conversions, known_users, self._known_accounts(), self._numbers)
            counts |= {
                "conversions": conversions.rows,
                "conversions_matched": conversions.rows - len(unknown),
                "conversions_unknown": len(unknown),
            }
            nobody = tuple(unknown.drop_nulls().unique().sort().head(NAMED))
        return Matching(**counts, conversions_unknown_ids=nobody)

    def warnings(self) -> list[str]:
        """Say where ids of two tables would match if they were spelled alike, and where a spreadsheet has shortened them."""
        pairs = [(name, key) for key, first, others in _COMPARED for name in (first, *others) if self._has(name, key)]
        warnings = [warning for name, key in dict.fromkeys(pairs) for warning in self._shortened(name, key)]
        for key, first, others in _COMPARED:
            for name in others:
                if self._has(first, key) and self._has(name, key):
                    warnings += self._unlike(first, name, key)
        return list(dict.fromkeys(warnings))

    def _has(self, name: str, key: str) -> bool:
        table = self._tables.get(name)
        return table is not None and key in table.columns

    def _known_accounts(self) -> pl.DataFrame | None:
        for name in (ACCOUNTS, USERS, EVENTS):
            if self._has(name, ACCOUNT_ID):
                return self._keys(name, ACCOUNT_ID)
        return None

    def _keys(self, name: str, key: str) -> pl.DataFrame:
        """Give the different ids of a table, by their numbers where events have them."""
        if (name, key) not in self._read:
            table = self._tables[name]
            keys = self._seen.lazy() if name == EVENTS else by_number(table.scan().select(key), self._numbers)
            self._read[name, key] = keys.select(key).drop_nulls().unique().collect(engine="streaming")
        return self._read[name, key]

    def _texts(self, name: str, key: str) -> pl.LazyFrame:
        """Plan the different ids of a table as they stand in the exports."""
        table = self._tables[name]
        ids = with_ids(self._keys(name, key).lazy(), self._numbers) if name == EVENTS else table.scan().select(key)
        return ids.select(pl.col(key).cast(pl.String)).drop_nulls().unique()

    def _shortened(self, name: str, key: str) -> Iterator[str]:
        """Name an id that a spreadsheet has shortened."""
        # Everybody but the unknown customers has a number: where none of those ids is short, no table has to be read.
        if self._numbers and name != CONVERSIONS and not self._any_shortened(key):
            return
        first = self._texts(name, key).filter(pl.col(key).str.contains(_SHORTENED)).min().collect().item()
        if first is not None:
            yield (
                f"{key} of {name} holds {first}: a spreadsheet has shortened ids, and several may have become one;"
                " export them as text"
            )

    def _any_shortened(self, key: str) -> bool:
        place = ("", key)
        if place not in self._read:
            ids = ids_of(self._numbers[key], key).select(pl.col(key).cast(pl.String).str.contains(_SHORTENED).any())
            self._read[place] = ids.collect(engine="streaming")
        return bool(self._read[place].item())

    def _unlike(self, first: str, other: str, key: str) -> Iterator[str]:
        unknown = self._unknown(first, other, key)
        if unknown.is_empty():
            return
        known = self._texts(first, key).collect(engine="streaming")[key]
        pairs = _folded(unknown, other).join(_folded(known, first), on="folded").sort(other, first)
        if pairs.is_empty():
            return
        yield (
            f"ids of {other} that match none of {first} because they are spelled in another way: {pairs[other].n_unique():,};"
            f" {first} has {visible(pairs[first][0], 60)!r}, {other} has {visible(pairs[other][0], 60)!r}"
        )

    def _unknown(self, first: str, other: str, key: str) -> pl.Series:
        """Give the ids of a table, as text, that another does not have."""
        if other == EVENTS and self._numbers:
            numbers = self._keys(other, key).join(self._keys(first, key), on=key, how="anti")
            if numbers.is_empty():
                return pl.Series(key, [], dtype=pl.String)
            texts = with_ids(numbers.lazy(), self._numbers).select(pl.col(key).cast(pl.String))
            return texts.collect(engine="streaming")[key]
        values = self._texts(other, key).collect(engine="streaming")
        both = self._texts(first, key).join(values.lazy(), on=key, how="semi").collect(engine="streaming")
        return values.join(both, on=key, how="anti")[key]


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


def _unmatched(
    conversions: Table, users: pl.DataFrame, accounts: pl.DataFrame | None, numbers: Mapping[str, tuple[str, ...]]
) -> pl.Series:
    """Give the id, as the exports have it, of each conversion of nobody who is known; null where it has none."""
    known = pl.lit(value=False)
    ids = [pl.col(name).cast(pl.String) for name in (USER_ID, ACCOUNT_ID) if name in conversions.columns]
    lazy = by_number(conversions.scan().with_columns(pl.coalesce(*ids, pl.lit(None, pl.String)).alias(_ID)), numbers)
    if USER_ID in conversions.columns:
        known = known | pl.col(USER_ID).is_in(users[USER_ID].implode())
    if ACCOUNT_ID in conversions.columns and accounts is not None:
        known = known | pl.col(ACCOUNT_ID).is_in(accounts[ACCOUNT_ID].implode())
    return lazy.filter(~known.fill_null(value=False)).select(_ID).collect().to_series()


def _rows_by(seen: pl.DataFrame, name: str) -> pl.DataFrame:
    """Count events by id; nothing where they have no such column."""
    if name not in seen.columns:
        return pl.DataFrame(schema={name: pl.String, ROWS: pl.Int64})
    return seen.filter(pl.col(name).is_not_null()).group_by(name).agg(pl.col(ROWS).sum())


def _folded(values: pl.Series, name: str) -> pl.DataFrame:
    """Fold ids: case, brackets and dashes of UUIDs, leading zeros, and the marks that spreadsheets protect digits with."""
    bare = pl.col(name).str.to_lowercase().str.replace_all(r"[{}\-\s'\"=]", "").str.replace(r"^0+(.)", "$1")
    return values.alias(name).to_frame().with_columns(folded=bare)
