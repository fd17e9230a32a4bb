"""The table of a cluster: used where it lies, by its name or its address; what must be known of it is asked there.

Nothing is corrected on the way: rows are canonical as they stand, or a view makes them so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import narwhals as nw

from pqlkit.columns import ACCOUNT_ID, AT, EVENT, USER_ID
from pqlkit.engines.base import TABLE
from pqlkit.errors import DataError
from pqlkit.exports.column_types import ColumnType
from pqlkit.exports.mapping import Match
from pqlkit.exports.plausible_times import bounds
from pqlkit.exports.sources.address import WEB, scheme
from pqlkit.exports.tables import EVENTS, layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pqlkit.engines.base import Cluster
    from pqlkit.exports.mapping import Source
    from pqlkit.exports.tables import Layout

_VIEW: Final = "make a view with canonical columns on the cluster, and name that"
_KINDS: Final[Mapping[str, tuple[ColumnType, ...]]] = {
    "times": (ColumnType.INSTANT, ColumnType.DATE),
    "ids": (ColumnType.TEXT, ColumnType.INTEGER),
    "names": (ColumnType.TEXT,),
}


def by_name(source: Source) -> bool:
    """Whether a source is a table that only a cluster finds."""
    return (source.table is not None and not source.path and source.connection is None) or any(
        path.startswith(TABLE) for path in source.path
    )


def place_of(source: Source) -> str | None:
    """Say where on a cluster a source is: a table's name behind `TABLE`, or an address; None of what lies here."""
    if by_name(source):
        return TABLE + source.table if source.table is not None else source.path[0]
    [path, *more] = source.path or ("",)
    return path if lies_there(path) and not more and source.table is None else None


def lies_there(path: str) -> bool:
    """Whether a path is one that a cluster would look for: a table's name behind `TABLE`, or an address."""
    return path.startswith(TABLE) or scheme(path) not in {None, *WEB}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clustered:
    """What is known of a table of a cluster; the fields are those of `pqlkit.exports.dataset.Table`."""

    name: str
    paths: tuple[str, ...]
    columns: Mapping[str, ColumnType]
    rows: int
    first: int | None
    last: int | None
    dates_only: bool
    complete_through: int | None


def clustered(
    cluster: Cluster,
    sources: Mapping[str, Source],
    *,
    zone: str,
    clock: int,
    beside: Mapping[str, Mapping[str, ColumnType]] | None = None,
) -> dict[str, Clustered]:
    """Look at the tables of a cluster.

    Parameters
    ----------
    cluster
        Where they are.
    sources
        By table: all of them there.
    zone, clock
        The dataset's.
    beside
        Tables that are known already -> their columns; ids have one type in all.

    Raises
    ------
    DataError
        A table is elsewhere, is not there, may not be read, lacks a column, or has one of the wrong type or with faults.
    """
    tables: dict[str, Clustered] = {}
    for name, source in sources.items():
        place = place_of(source)
        if place is None:
            raise DataError(
                f"the {name} are not on the cluster, and the events are",
                where=", ".join(source.path),
                hint="bring them there, too, or load all of them here",
            )
        tables[name] = _table(cluster, layout(name), source, place, zone, clock)
    for key in (USER_ID, ACCOUNT_ID):
        columns = {**(beside or {}), **{name: table.columns for name, table in tables.items()}}
        kinds = {own[key]: name for name, own in columns.items() if key in own}
        if len(kinds) > 1:
            told = " and ".join(f"{kind} in {name}" for kind, name in sorted(kinds.items()))
            raise DataError(f"{key} is {told}", hint=f"cast it to one type: {_VIEW}")
    return tables


def _table(cluster: Cluster, layout: Layout, source: Source, place: str, zone: str, clock: int) -> Clustered:
    there = place.removeprefix(TABLE)
    if source.format is not None or source.notation or source.reshaped or source.match is not Match.USER_ID:
        raise DataError("a table of a cluster is used as it is", where=there, hint=f"instead of other keys: {_VIEW}")
    headers = {name: column.names[0] for name, column in source.columns.items() if len(column.names) == 1}
    if len(headers) < len(source.columns):
        raise DataError("of a table of a cluster each column has one name", where=there, hint=_VIEW)
    where, types = cluster.look(place, headers)
    _check(layout, types, there, zone)
    columns = {name: ColumnType(kind) for name, kind in types.items() if kind in set(ColumnType)}
    rows, first, last = _counted(cluster, layout, where, columns, there, clock)
    return Clustered(
        name=layout.name,
        paths=(where,),
        columns=columns,
        rows=rows,
        first=first,
        last=last,
        dates_only=columns.get(layout.time or "") is ColumnType.DATE,
        complete_through=source.complete_through,
    )


def _check(layout: Layout, types: Mapping[str, str], there: str, zone: str) -> None:
    """Refuse a table that lacks a column or has one of the wrong type."""
    lacking = [name for name in layout.required if name not in types]
    lacking += [" or ".join(group) for group in layout.one_of if not set(group) & set(types)]
    if lacking:
        raise DataError(
            f"the {layout.name} have no column {lacking[0]}",
            where=there,
            hint=f"say which column it is: columns: {{{lacking[0].split(' ')[0]}: NAME}}",
        )
    wanted = dict.fromkeys(layout.times, "times") | dict.fromkeys(layout.ids, "ids")
    if layout.name == EVENTS:
        wanted[EVENT] = "names"
    for name, what in wanted.items():
        if name in types and types[name] not in _KINDS[what]:
            fitting = " or ".join(kind.value for kind in _KINDS[what])
            raise DataError(f"{name} is {types[name]}, not {fitting}", where=there, hint=f"cast it: {_VIEW}")
    if zone != "UTC" and layout.time is not None and types.get(layout.time) == ColumnType.DATE:
        raise DataError(
            f"{layout.time} is dates without times, whose midnights on a cluster are those of UTC, not of {zone}",
            where=there,
            hint="timezone: UTC, or load the exports here",
        )


def _counted(
    cluster: Cluster, layout: Layout, where: str, columns: Mapping[str, ColumnType], there: str, clock: int
) -> tuple[int, int | None, int | None]:
    """Count the rows and find the ends of their time; refuse those that no reader could use."""
    needed = [name for name in layout.needed if name in columns]
    read = {name: f"c{place}" for place, name in enumerate(needed)}
    if layout.time in columns:
        read[str(layout.time)] = AT
    some = read or {next(iter(columns)): "c0"}
    nulls = [nw.col(column).null_count().cast(nw.Int64).alias(f"{column}_null") for column in read.values()]
    ends = [nw.col(AT).min().alias("first"), nw.col(AT).max().alias("last")] if AT in some.values() else []
    plan = cluster.scan([where], some).select(nw.len().cast(nw.Int64).alias("rows"), *nulls, *ends)
    told = cluster.collect(plan).row(0, named=True)
    for name in needed:
        if told[f"{read[name]}_null"]:
            raise DataError(f"{told[f'{read[name]}_null']:,} rows have no {name}", where=there, hint=_VIEW)
    first, last = told.get("first"), told.get("last")
    outer = bounds(clock)
    if first is not None and last is not None and (first < outer.outer_first or last > outer.outer_last):
        raise DataError(
            f"{layout.time} reaches beyond what can be: rows lie before the year 2000, or in the future",
            where=there,
            hint=f"leave them out: {_VIEW}",
        )
    return int(told["rows"]), first, last
