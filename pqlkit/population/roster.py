"""The roster: the users and accounts that the exports list, as small tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import narwhals as nw
import polars as pl

from pqlkit.columns import ACCOUNT_ID, AT, DELETED_AT, EVENT, EVENT_ID, SIGNED_UP_AT, TIMESTAMP, USER_ID
from pqlkit.errors import DataError, suggestion
from pqlkit.exports.small_table import read_table
from pqlkit.measures.ownership import by_id, by_number
from pqlkit.measures.world import seen_of
from pqlkit.population.traits import condition_mask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pqlkit.definitions.model import Condition
    from pqlkit.engines.base import Engine
    from pqlkit.exports.dataset import Dataset, Table
    from pqlkit.exports.project import Project
    from pqlkit.typing import LazyFrame, Microseconds

LISTED: Final = (USER_ID, ACCOUNT_ID, SIGNED_UP_AT, DELETED_AT)
"""The columns of users and accounts that are not traits."""

_EVENTS: Final = (USER_ID, ACCOUNT_ID, EVENT, TIMESTAMP, EVENT_ID)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Roster:
    """Who the exports list at `as_of`, without those whom the population filter leaves out.

    Parameters
    ----------
    users
        ``user_id`` (unique, sorted), ``account_id`` (or null), ``signed_up_at``, ``deleted_at`` (Int64 or null) and the
        traits. Without a users table: the users of the events, whose clock starts at their first event.
    accounts
        ``account_id`` (unique, sorted), ``signed_up_at`` (its own, else its first user's), ``deleted_at`` and the traits (an
        account without a column has its first user's value). Empty where nothing names an account.
    members
        ``user_id``, ``account_id``: whose account a user belongs to.
    events
        Lazy ``user_id``, ``account_id`` (where the export has it), ``event``, ``at`` and the columns of `properties`.
    properties
        Export's property name -> column of `events`.
    seen
        `events` summed up by their ids, as `pqlkit.measures.world.World.seen`.
    out_users, out_accounts
        Ids that the population filter leaves out.
    ids
        Where `events` and `seen` name users or accounts by number, as `pqlkit.measures.world.World.ids`; all other frames have the
        ids of the exports.
    """

    users: pl.DataFrame
    accounts: pl.DataFrame
    members: pl.DataFrame
    events: LazyFrame
    properties: dict[str, str]
    seen: LazyFrame
    out_users: pl.Series
    out_accounts: pl.Series
    ids: Mapping[str, pl.DataFrame] = field(default_factory=dict)


def scan_events(engine: Engine, table: Table, as_of: Microseconds) -> tuple[LazyFrame, dict[str, str]]:
    """Scan the events that exist at `as_of`; give them and their properties' columns."""
    names = {name: name for name in (USER_ID, ACCOUNT_ID, EVENT) if name in table.columns} | {TIMESTAMP: AT}
    properties = {name: f"p{index}" for index, name in enumerate(sorted(set(table.columns) - set(_EVENTS)))}
    events = engine.scan(table.paths, names | properties)
    # A condition that all rows are known to meet would cost every pass a column.
    if table.last is None or table.last > as_of:
        events = events.filter(nw.col(AT) <= as_of)
    return events, properties


def read_ids(engine: Engine, table: Table) -> dict[str, pl.DataFrame]:
    """Read which user or account has which number, where events name them so."""
    return {
        name: engine.collect(engine.scan(paths, {"number": name, name: "id"})).sort(name)
        for name, paths in table.numbers.items()
    }


def scan_seen(engine: Engine, table: Table, as_of: Microseconds, events: LazyFrame) -> LazyFrame:
    """Sum up the events by their ids: from what `load` wrote down, where all of them exist at `as_of`."""
    if not table.who or table.last is None or table.last > as_of:
        return seen_of(events)
    keys = [name for name in (USER_ID, ACCOUNT_ID) if name in table.columns]
    return engine.scan(table.who, [*keys, "rows", "first", "last"])


def read_roster(dataset: Dataset, project: Project, engine: Engine, as_of: Microseconds) -> Roster:
    """Read who exists.

    Raises
    ------
    DataError
        The population filter names a trait that the data does not have.
    """
    events, properties = scan_events(engine, dataset.tables["events"], as_of)
    seen = scan_seen(engine, dataset.tables["events"], as_of, events)
    ids = read_ids(engine, dataset.tables["events"])
    users = _users(dataset, project, engine, events, seen, as_of, ids)
    members = _members(users, dataset, engine, seen, ids)
    listed = _listed(dataset, "accounts", ACCOUNT_ID, engine, as_of)
    out_users, out_accounts = _left_out(project.population, users, listed, members)
    if len(out_users):
        out = engine.lift(by_number(ids, out_users.to_frame()).drop_nulls())
        events, seen = (frame.join(out, on=USER_ID, how="anti") for frame in (events, seen))
    users = users.join(out_users.to_frame(), on=USER_ID, how="anti", maintain_order="left")
    members = members.join(out_users.to_frame(), on=USER_ID, how="anti")
    accounts = _accounts(listed, users, members, dataset, engine, seen, ids)
    return Roster(
        users=users,
        accounts=accounts.join(out_accounts.to_frame(), on=ACCOUNT_ID, how="anti", maintain_order="left"),
        members=members.join(out_accounts.to_frame(), on=ACCOUNT_ID, how="anti"),
        events=events,
        properties=properties,
        seen=seen,
        out_users=out_users,
        out_accounts=out_accounts,
        ids=ids,
    )


def _listed(dataset: Dataset, name: str, key: str, engine: Engine, as_of: Microseconds) -> pl.DataFrame | None:
    """Read users or accounts: one row each, the earliest signup first; those who signed up after `as_of` do not exist."""
    if name not in dataset.tables:
        return None
    frame = read_table(engine, dataset.tables[name]).filter(pl.col(key).is_not_null())
    for column in (SIGNED_UP_AT, DELETED_AT):
        if column not in frame.columns:
            frame = frame.with_columns(pl.lit(None, dtype=pl.Int64).alias(column))
    return (
        frame.filter(pl.col(SIGNED_UP_AT).is_null() | (pl.col(SIGNED_UP_AT) <= as_of))
        .with_columns(pl.when(pl.col(DELETED_AT) <= as_of).then(DELETED_AT))
        .sort(key, SIGNED_UP_AT, nulls_last=True)
        .unique(key, keep="first", maintain_order=True)
    )


def _users(
    dataset: Dataset,
    project: Project,
    engine: Engine,
    events: LazyFrame,
    seen: LazyFrame,
    as_of: Microseconds,
    ids: Mapping[str, pl.DataFrame],
) -> pl.DataFrame:
    listed = _listed(dataset, "users", USER_ID, engine, as_of)
    if listed is None:
        known = seen.filter(~nw.col(USER_ID).is_null())
        firsts = engine.collect(known.group_by(USER_ID).agg(nw.col("first").min()))
        if project.signup_event is not None:
            signups = events.filter(~nw.col(USER_ID).is_null(), nw.col(EVENT) == project.signup_event)
            starts = engine.collect(signups.group_by(USER_ID).agg(first=nw.col(AT).min()))
            firsts = firsts.select(USER_ID).join(starts, on=USER_ID, how="left")
        absent = pl.lit(None, dtype=pl.Int64)
        firsts = by_id(ids, firsts)
        listed = firsts.rename({"first": SIGNED_UP_AT}).with_columns(absent.alias(DELETED_AT)).sort(USER_ID)
    if ACCOUNT_ID not in listed.columns:
        listed = listed.with_columns(pl.lit(None, dtype=_account_type(dataset)).alias(ACCOUNT_ID))
    return listed


def _account_type(dataset: Dataset) -> type[pl.DataType]:
    for name in ("accounts", "events", "conversions"):
        table = dataset.tables.get(name)
        if table is not None and table.columns.get(ACCOUNT_ID) == "integer":
            return pl.Int64
    return pl.String


def _members(
    users: pl.DataFrame, dataset: Dataset, engine: Engine, seen: LazyFrame, ids: Mapping[str, pl.DataFrame]
) -> pl.DataFrame:
    """Pair users with their accounts; where the users table names none, by the events that carry both."""
    pairs = users.select(USER_ID, ACCOUNT_ID).drop_nulls()
    if pairs.is_empty() and ACCOUNT_ID in dataset.tables["events"].columns:
        both = seen.filter(~nw.col(USER_ID).is_null(), ~nw.col(ACCOUNT_ID).is_null())
        pairs = by_id(ids, engine.collect(both.select(USER_ID, ACCOUNT_ID).unique()))
        pairs = pairs.join(users.select(USER_ID), on=USER_ID, how="semi")
    return pairs.sort(USER_ID, ACCOUNT_ID)


def _accounts(
    listed: pl.DataFrame | None,
    users: pl.DataFrame,
    members: pl.DataFrame,
    dataset: Dataset,
    engine: Engine,
    seen: LazyFrame,
    ids: Mapping[str, pl.DataFrame],
) -> pl.DataFrame:
    """List the accounts with their own signup, else their first user's, and their own traits, else that user's."""
    if listed is None:
        absent = [pl.lit(None, dtype=pl.Int64).alias(name) for name in (SIGNED_UP_AT, DELETED_AT)]
        listed = members.select(ACCOUNT_ID).unique().sort(ACCOUNT_ID).with_columns(absent)
    by_age = members.join(users.drop(ACCOUNT_ID), on=USER_ID).sort(SIGNED_UP_AT, USER_ID, nulls_last=True)
    first = by_age.unique(ACCOUNT_ID, keep="first", maintain_order=True)
    if "users" not in dataset.tables and ACCOUNT_ID in dataset.tables["events"].columns:
        own = seen.filter(~nw.col(ACCOUNT_ID).is_null()).group_by(ACCOUNT_ID).agg(nw.col("first").min())
        first = by_id(ids, engine.collect(own)).rename({"first": SIGNED_UP_AT})
    lacking = [name for name in first.columns if name not in listed.columns and name not in LISTED]
    joined = listed.join(
        first.select(ACCOUNT_ID, SIGNED_UP_AT, *lacking),
        on=ACCOUNT_ID,
        how="left",
        suffix=" of first",
        maintain_order="left",
    )
    own_first = pl.coalesce(SIGNED_UP_AT, f"{SIGNED_UP_AT} of first").alias(SIGNED_UP_AT)
    return joined.with_columns(own_first).drop(f"{SIGNED_UP_AT} of first")


def _left_out(
    conditions: Sequence[Condition], users: pl.DataFrame, accounts: pl.DataFrame | None, members: pl.DataFrame
) -> tuple[pl.Series, pl.Series]:
    """Find the users and accounts that the population filter leaves out.

    A condition on a user's trait leaves out users, and accounts that have no other user; one on an account's trait leaves out
    accounts with their users.
    """
    user_names = set(users.columns) - set(LISTED)
    account_names = set(accounts.columns if accounts is not None else ()) - set(LISTED)
    for condition in conditions:
        if condition.name not in user_names | account_names:
            raise DataError(
                f"the population filter names a trait {condition.name!r} that neither users nor accounts have",
                hint=suggestion(condition.name, user_names | account_names, quoted=True),
            )
    of_users = [condition for condition in conditions if condition.name in user_names]
    of_accounts = [condition for condition in conditions if condition.name not in user_names]
    out = _failing(of_users, users)[USER_ID]
    others = members.join(out.to_frame(), on=USER_ID, how="anti")
    emptied = members.join(others, on=ACCOUNT_ID, how="anti")[ACCOUNT_ID]
    refused = emptied if accounts is None else pl.concat([emptied, _failing(of_accounts, accounts)[ACCOUNT_ID]])
    theirs = members.join(refused.to_frame(), on=ACCOUNT_ID, how="semi")[USER_ID] if of_accounts else out.clear()
    return pl.concat([out, theirs]).unique().sort(), refused.unique().sort()


def _failing(conditions: Sequence[Condition], frame: pl.DataFrame) -> pl.DataFrame:
    names = list(dict.fromkeys(condition.name for condition in conditions))
    columns = {name: f"t{index}" for index, name in enumerate(names)}
    table = pl.DataFrame({columns[name]: frame[name] for name in names})
    return frame.filter(~condition_mask(conditions, columns, table, frame.height))
