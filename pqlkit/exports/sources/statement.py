"""The statement: the one query that a source of a database stands for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pqlkit.errors import UsageError
from pqlkit.exports.zones import zone_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.exports.mapping import Source
    from pqlkit.typing import Microseconds

SINCE: Final = "{since}"
"""Stands in a query for the time of the newest row that was loaded before."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A query to run.

    Parameters
    ----------
    text
        One ``SELECT``.
    label
        How messages call what it gives: the table's name, or ``query``.
    zone
        IANA name: of times without an offset, and so of the session.
    """

    text: str
    label: str
    zone: str


def statement(
    source: Source, tables: Sequence[str], where: str, *, since: Microseconds | None, limit: int | None
) -> Statement:
    """Write the query of a source.

    Parameters
    ----------
    source
        With a query, a table, or neither: then the database must have one table alone.
    tables
        The names that the database has, where they are known.
    where
        How messages call the database.
    since
        The newest row loaded before, or None.
    limit
        The most rows to give, or None.

    Raises
    ------
    UsageError
        Nothing says which table.
    """
    if source.query is not None:
        text, label = source.query.strip().rstrip(";").replace(SINCE, f"'{_local(since, source.timezone)}'"), "query"
    else:
        label = source.table if source.table is not None else _only(tables, where)
        text = f"SELECT * FROM {quoted(label)}"
    if limit is not None:
        # The line ends before the bracket: a query may end in a comment.
        text = f"SELECT * FROM (\n{text}\n) AS pqlkit LIMIT {limit}"
    return Statement(text=text, label=label, zone=source.timezone)


def quoted(name: str) -> str:
    """Quote a table's name, its schema apart.

    Examples
    --------
    >>> quoted("analytics.Events")
    '"analytics"."Events"'
    """
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))


def _only(tables: Sequence[str], where: str) -> str:
    if len(tables) == 1:
        return tables[0]
    listed = ", ".join(tables[:12]) + (" ..." if len(tables) > 12 else "")
    raise UsageError(
        f"{len(tables)} tables ({listed})" if tables else "the database has no tables",
        where=where,
        hint=f"state table: NAME or query: SQL in pqlkit.yml, or {where}!NAME",
    )


def _local(since: Microseconds | None, zone: str) -> str:
    """Write a moment as databases compare it with their own times: in the session's zone, without an offset."""
    moment = _EPOCH + timedelta(microseconds=since or 0)
    return moment.astimezone(zone_of(zone)).strftime("%Y-%m-%d %H:%M:%S.%f")
