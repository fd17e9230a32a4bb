"""The numbering: users and accounts of a dataset's events as small numbers, so that no question has to join them by their ids.

A number is given once and stays. Numbers of users ascend by their home and then by their id, as far as one load brings them: the
home is what lies together in the files of events, an account with all its users, or a user of no account. Accounts and the
homes of such users are numbered in one row. Numbers are 64 bits wide in files, as the plans read them: a file's statistics then tell
without a cast which rows may be a user's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ACCOUNT_ID, USER_ID
from pqlkit.exports.column_types import POLARS, ColumnType, as_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

NUMBER: Final = "number"
HOME: Final = "pqlkit:home"
"""The column of homes, under a name that no property has."""

_OWN: Final = "pqlkit:own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering:
    """Who has which number: `users` has ``number``, ``user_id`` and ``pqlkit:home``, `accounts` ``number`` and ``account_id``."""

    users: pl.DataFrame
    accounts: pl.DataFrame

    @classmethod
    def none(cls, columns: Mapping[str, ColumnType]) -> Numbering:
        """Give the numbering of nobody, for ids of the types of `columns`."""
        types = {name: POLARS[columns.get(name, ColumnType.TEXT)] for name in (USER_ID, ACCOUNT_ID)}
        return cls(
            users=pl.DataFrame(schema={NUMBER: pl.Int64, USER_ID: types[USER_ID], HOME: pl.Int32}),
            accounts=pl.DataFrame(schema={NUMBER: pl.Int64, ACCOUNT_ID: types[ACCOUNT_ID]}),
        )

    @classmethod
    def read(cls, users: Sequence[Path], accounts: Sequence[Path]) -> Numbering:
        """Read what `load` wrote."""
        return cls(users=pl.read_parquet(list(users), glob=False), accounts=pl.read_parquet(list(accounts), glob=False))

    @property
    def homes(self) -> int:
        """How many homes there are."""
        taken = pl.concat([self.users[HOME].cast(pl.Int64), self.accounts[NUMBER]])
        return int(taken.to_numpy().max(initial=-1)) + 1

    def typed(self, columns: Mapping[str, ColumnType]) -> Numbering:
        """Bring the ids to their types in all tables."""
        frames = {USER_ID: self.users, ACCOUNT_ID: self.accounts}
        for name, frame in frames.items():
            if name in columns and frame.schema[name] != POLARS[columns[name]]:
                frames[name] = frame.with_columns(as_type(pl.col(name), frame.schema[name], columns[name]).alias(name))
        return replace(self, users=frames[USER_ID], accounts=frames[ACCOUNT_ID])

    def with_new(self, pairs: Iterable[pl.DataFrame]) -> Numbering:
        """Give numbers to those who have none yet.

        Parameters
        ----------
        pairs
            Frames with ``user_id`` and ``account_id``, or one of them; the first that names a user's account tells its home, and
            of several accounts there the least.
        """
        known = [_pair(frame, self) for frame in pairs]
        if not known:
            return self
        ids = pl.concat([frame.select(ACCOUNT_ID) for frame in known]).drop_nulls().unique()
        new = ids.join(self.accounts, on=ACCOUNT_ID, how="anti").sort(ACCOUNT_ID)
        accounts = pl.concat([self.accounts, _counted(new, NUMBER, self.homes).select(self.accounts.columns)])
        homes = replace(self, accounts=accounts).homes
        told = pl.concat([frame.with_columns(rank=place) for place, frame in enumerate(known)]).drop_nulls(USER_ID)
        told = told.join(self.users, on=USER_ID, how="anti").sort(USER_ID, "rank", ACCOUNT_ID, nulls_last=True)
        # The account that is named first, even if other rows of the user come before it without one.
        whose = told.group_by(USER_ID, maintain_order=True).agg(pl.col(ACCOUNT_ID).drop_nulls().first())
        homed = accounts.select(ACCOUNT_ID, pl.col(NUMBER).cast(pl.Int32).alias(HOME))
        joined = whose.join(homed, on=ACCOUNT_ID, how="left").sort(HOME, USER_ID, nulls_last=True)
        alone = joined[HOME].null_count()
        own = pl.Series(HOME, range(homes, homes + alone), dtype=pl.Int32)
        housed = joined.with_columns(pl.concat([joined[HOME].head(joined.height - alone), own]).alias(HOME))
        users = _counted(housed, NUMBER, self.users.height).select(self.users.columns)
        return Numbering(users=pl.concat([self.users, users]), accounts=accounts)


def _pair(frame: pl.DataFrame, numbering: Numbering) -> pl.DataFrame:
    types = {USER_ID: numbering.users.schema[USER_ID], ACCOUNT_ID: numbering.accounts.schema[ACCOUNT_ID]}
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in types.items()
    )


def _counted(frame: pl.DataFrame, name: str, start: int) -> pl.DataFrame:
    return frame.with_columns(pl.int_range(start, start + pl.len(), dtype=pl.Int64).alias(name))


def numbered(rows: pl.LazyFrame, numbering: Numbering) -> pl.LazyFrame:
    """Put numbers for the ids of rows, and add their home; rows of nobody have none."""
    users = numbering.users.lazy().select(USER_ID, pl.col(NUMBER).alias(_OWN), HOME)
    columns = rows.collect_schema().names()
    rows = rows.join(users, on=USER_ID, how="left").with_columns(pl.col(_OWN).alias(USER_ID)).drop(_OWN)
    if ACCOUNT_ID in columns:
        accounts = numbering.accounts.lazy().select(ACCOUNT_ID, pl.col(NUMBER).alias(_OWN))
        rows = rows.join(accounts, on=ACCOUNT_ID, how="left").with_columns(pl.col(_OWN).alias(ACCOUNT_ID)).drop(_OWN)
        rows = rows.with_columns(pl.coalesce(HOME, pl.col(ACCOUNT_ID).cast(pl.Int32)).alias(HOME))
    return rows.select(*columns, HOME)


def with_ids(rows: pl.LazyFrame, numbers: Mapping[str, Sequence[str]]) -> pl.LazyFrame:
    """Put the ids back for the numbers of rows: `numbered` backwards.

    Parameters
    ----------
    rows
        With ``user_id``, ``account_id`` or both.
    numbers
        Which files say whose number is whose, of users and of accounts.
    """
    for name, paths in numbers.items():
        columns = rows.collect_schema().names()
        if name in columns:
            known = ids_of(paths, name).rename({name: _OWN, NUMBER: name})
            rows = rows.join(known, on=name, how="left").with_columns(pl.col(_OWN).alias(name)).select(columns)
    return rows


def by_number(rows: pl.LazyFrame, numbers: Mapping[str, Sequence[str]]) -> pl.LazyFrame:
    """Put the numbers for the ids of rows, and nothing for ids without one; `numbers` as in `with_ids`."""
    columns = rows.collect_schema().names()
    for name, paths in numbers.items():
        if name in columns:
            known = ids_of(paths, name).rename({NUMBER: _OWN})
            rows = rows.join(known, on=name, how="left").with_columns(pl.col(_OWN).alias(name)).select(columns)
    return rows


def ids_of(paths: Sequence[str], name: str) -> pl.LazyFrame:
    """Read ``number`` and the id that has it."""
    return pl.scan_parquet(list(paths), glob=False).select(NUMBER, name)
