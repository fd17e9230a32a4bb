"""The owner: which columns of a conversions export lead to known users and accounts, and for how many of its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ACCOUNT_ID, CONVERTED_AT, USER_ID
from pqlkit.exports.domains import FREE_MAILERS, domain_of
from pqlkit.exports.guessing import candidates
from pqlkit.exports.mapping import Column, Match
from pqlkit.exports.mismatch import mismatch, shown
from pqlkit.exports.staging import first_canonical
from pqlkit.exports.tables import ACCOUNTS, CONVERSIONS, DOMAIN, EMAIL, EVENTS, USERS, layout
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pqlkit.exports.dataset import Dataset
    from pqlkit.exports.mapping import Source
    from pqlkit.exports.preset import Variant

_OWNERS: Final = (USER_ID, ACCOUNT_ID, EMAIL, DOMAIN)
_UNKNOWN: Final = {
    USER_ID: "these may be ids of another tool",
    ACCOUNT_ID: "these may be ids of another tool",
    EMAIL: "nobody signed up with these",
    DOMAIN: "nobody signed up from these",
}
_NOBODYS: Final = "the other exports have nothing of the kind"
_ANY_TIME: Final = "2026-01-01"
"""Owners are asked for before it is known which column is the time of upgrading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A way from conversions to their owners: a canonical column, the export's, and how many of the first rows it finds."""

    column: str
    header: str
    matched: int
    rows: int
    values: pl.Series


def known_ids(dataset: Dataset) -> dict[str, pl.Series]:
    """Collect what conversions can be found by: ids of users and accounts, addresses and domains, as text."""
    known = {name: pl.Series(name, [], dtype=pl.String) for name in _OWNERS}
    for table in (EVENTS, USERS, ACCOUNTS):
        if table not in dataset.tables or (table == EVENTS and USERS in dataset.tables):
            continue
        there = dataset.tables[table]
        lazy = there.scan()
        for name in _OWNERS:
            if name in there.columns:
                ids = lazy.select(pl.col(name).cast(pl.String)).drop_nulls().unique().collect(engine="streaming")
                known[name] = pl.concat([known[name], ids[name]]).unique()
    known[EMAIL] = known[EMAIL].str.strip_chars().str.to_lowercase()
    hosts = domain_of(known[DOMAIN])
    if ACCOUNT_ID in dataset.tables.get(USERS, dataset.tables[EVENTS]).columns:
        hosts = pl.concat([hosts, domain_of(known[EMAIL])])
    hosts = hosts.drop_nulls()
    known[DOMAIN] = hosts.filter(~hosts.is_in(list(FREE_MAILERS))).unique()
    return known


def owners(
    source: Source, columns: Iterable[str], variant: Variant | None, known: Mapping[str, pl.Series]
) -> list[Owner]:
    """Try every column that may lead to an owner, the best first."""
    columns = list(columns)
    tried: list[Owner] = []
    for name in _OWNERS:
        vendors = variant.columns[name].parts if variant is not None and name in variant.columns else ()
        mapped = source.columns[name].parts if name in source.columns else ()
        headers = list(dict.fromkeys((*mapped, *vendors, *candidates(CONVERSIONS, name, columns))))
        ways = [(header, Column(names=(header,))) for header in headers if header in columns]
        if variant is not None and variant.lookup is not None and variant.lookup.table in source.lookups:
            ways += [("a second export", Column())] if name in variant.lookup.columns else []
        tried += [_tried(source, name, header, way, known[name]) for header, way in ways]
    order = {name: place for place, name in enumerate(_OWNERS)}
    return sorted(tried, key=lambda owner: (-owner.matched, order[owner.column]))


def _tried(source: Source, name: str, header: str, way: Column, known: pl.Series) -> Owner:
    columns: dict[str, Column] = {**source.columns, CONVERTED_AT: Column(constant=_ANY_TIME)}
    columns = {**columns, name: way} if way.names else {key: item for key, item in columns.items() if key != name}
    rows = first_canonical(layout(CONVERSIONS), replace(source, columns=columns))
    values = rows.frame[name].cast(pl.String) if name in rows.frame.columns else pl.Series(dtype=pl.String)
    matched = int(values.is_in(known.implode()).sum())
    height = rows.frame.height + sum(bad.height for bad in rows.bad.values())
    return Owner(column=name, header=header, matched=matched, rows=height, values=values)


def owned(source: Source, tried: list[Owner], variant: Variant | None) -> Source:
    """Map the owners that are found, and match by what finds the most."""
    best = {owner.column: owner for owner in reversed(tried) if owner.matched}
    columns = dict(source.columns)
    for name in (USER_ID, ACCOUNT_ID, EMAIL, DOMAIN):
        ways = [owner for owner in tried if owner.column == name]
        theirs = variant.columns[name].parts if variant is not None and name in variant.columns else ()
        if name in best and best[name].header not in (*theirs, "a second export", name):
            columns[name] = Column(names=(best[name].header,))
        elif name in (USER_ID, ACCOUNT_ID) and ways and name not in best and best:
            # An id that finds nobody would stand in the way of one that does.
            columns.pop(name, None)
            if theirs or any(owner.header == name for owner in ways):
                columns[name] = Column(absent=True)
    ids = max((best[name].matched for name in (USER_ID, ACCOUNT_ID) if name in best), default=0)
    match = source.match
    for name, kind in ((EMAIL, Match.EMAIL), (DOMAIN, Match.DOMAIN)):
        if name in best and best[name].matched > ids:
            match, ids = kind, best[name].matched
    if not best and not columns.keys() & {USER_ID, ACCOUNT_ID} and any(owner.column == EMAIL for owner in tried):
        match = Match.EMAIL
    return replace(source, columns=columns, match=match)


def owner_notes(tried: list[Owner], known: Mapping[str, pl.Series]) -> list[str]:
    """Say how many rows each way finds, and why one that finds few does."""
    if not tried:
        return ["no column of the conversions looks like a user, an account, an e-mail address or a domain"]
    rates = [
        f"{owner.column} from {visible(owner.header, 60)!r} finds {owner.matched:,} of {owner.rows:,}"
        for owner in tried
    ]
    notes = ["owners of the conversions: " + "; ".join(rates)]
    best = tried[0]
    if 2 * best.matched < best.rows:
        for owner in tried:
            theirs = known[owner.column]
            missing = owner.values.filter(~owner.values.is_in(theirs.implode()))
            if missing.drop_nulls().len():
                why = mismatch(missing, theirs) or _UNKNOWN[owner.column]
                others = f"the other exports' {owner.column} are {shown(theirs.sort())}" if len(theirs) else _NOBODYS
                notes.append(f"{visible(owner.header, 60)!r} has {shown(missing)}; {others}: {why}")
    return notes
