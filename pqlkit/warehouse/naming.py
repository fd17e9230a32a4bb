"""The naming: which table and column of the warehouse is which, and what its properties hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sqlglot import exp
from sqlglot.errors import SqlglotError

from pqlkit.errors import UsageError, suggestion
from pqlkit.exports.maps import maps_of
from pqlkit.exports.tables import HISTORY
from pqlkit.inert import visible
from pqlkit.options.warehouse import ColumnType
from pqlkit.warehouse.listing import Listing
from pqlkit.warehouse.steps import column, identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pqlkit.exports.project import Project
    from pqlkit.options.warehouse import SqlDialect, SqlOptions

TABLES: Final = ("events", "users", "accounts", "conversions")
IDENTITIES: Final = "identities"


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """The names of one warehouse.

    Parameters
    ----------
    dialect
        In whose spelling `tables` are written.
    tables
        Canonical table -> its name as SQL writes it; a table without an entry is called as it is here.
    columns
        Canonical table -> canonical column, property or trait -> the column's name; one without an entry is called as it is here.
    types
        Property or trait -> what it holds, where that is stated.
    without
        Tables (``accounts``) and columns (``users.account_id``) that there are not.
    known
        Tables whose columns are known -> each, by its canonical name, with what it holds.
    """

    dialect: SqlDialect
    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    known: Mapping[str, Mapping[str, ColumnType | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, options: SqlOptions, project: Project) -> Naming:
        """Read the options, and what a dataset or the project's exports say of tables and columns.

        Tables that neither these nor an option names are not there.

        Raises
        ------
        UsageError
            One of them is not of its form, or names no table; or the project joins ids, which a query does not.
        """
        if options.data is None and IDENTITIES in project.exports and IDENTITIES not in options.without:
            raise UsageError(
                "the project joins ids by its identities, and a query reads ids as they stand in the tables",
                where=f"exports.{IDENTITIES}",
                hint=f"add --data DIR, a dataset of pqlkit load; or, where the tables hold joined ids, --without {IDENTITIES}",
            )
        listing = Listing.of(project, options.data)
        tables = {**listing.tables, **_pairs(options.table, "--table", "--table events=raw.product_events")}
        without = frozenset(options.without)
        for name in (*tables, *(_place(place)[0] for place in without - {IDENTITIES})):
            _check_table(name, "--table" if name in tables else "--without")
        types = {
            name: _type(name, written)
            for name, written in _pairs(options.type, "--type", "--type amount=number").items()
        }
        stated = _columns(options.map)
        columns = {name: {**listing.names.get(name, {}), **stated.get(name, {})} for name in {*listing.names, *stated}}
        named = {*project.exports, *listing.columns}.intersection(TABLES)
        missing = set(TABLES) - {*named, *tables, *stated} if named else set()
        made = cls(
            dialect=options.dialect,
            tables=tables,
            columns=columns,
            types=types,
            without=without | missing,
            known=listing.columns,
        )
        for name in tables:
            made.table(name)
        return made

    def has(self, table: str, name: str | None = None) -> bool:
        """Whether there is a table, or a column of it."""
        if table in self.without or (name is not None and f"{table}.{name}" in self.without):
            return False
        return name is None or table not in self.known or name in self.known[table] or self.maps(table, name)

    def maps(self, table: str, name: str) -> bool:
        """Whether a column is named for something."""
        return name in self.columns.get(table, {})

    def lists(self, name: str, *tables: str) -> str | None:
        """Name the first of some tables that is known to have a column; None = nothing is known of it."""
        named = (table for table in tables if self.has(table) and self.maps(table, name))
        listed = (table for table in tables if self.has(table) and name in self.known.get(table, {}))
        return next(named, None) or next(listed, None)

    def type_of(self, table: str, name: str) -> ColumnType | None:
        """Say what a property or trait holds: as stated, else as is known; None = nobody says."""
        return self.types.get(name) or self.known.get(table, {}).get(name)

    def is_date(self, table: str, name: str) -> bool:
        """Whether a column of times holds dates."""
        held = self.types.get(f"{table}.{name}") or self.known.get(table, {}).get(name)
        return held is ColumnType.DATE

    def table(self, name: str, alias: str | None = None) -> exp.Table:
        """Write a table.

        Raises
        ------
        UsageError
            Its name is not one of a table.
        """
        written = self.tables.get(name, name)
        try:
            whole = exp.to_table(written, dialect=str(self.dialect))
        except (SqlglotError, ValueError):
            whole = exp.Table()
        parts = {key for key, value in whole.args.items() if value}
        if not parts <= {"this", "db", "catalog"} or _bare(whole.sql(dialect=str(self.dialect))) != _bare(written):
            raise UsageError(
                f"--table: {visible(written)!r} is not the name of a table in {self.dialect}",
                hint=f'write --table {name}=schema.table, with quotes as SQL has them where it needs them: "My Table"',
            )
        return exp.alias_(whole, alias, table=True) if alias is not None else whole  # type: ignore[return-value]

    def quoted(self, name: str) -> str:
        """Write the name of one of the query's own columns."""
        return identifier(name).sql(dialect=str(self.dialect))

    def column(self, table: str, name: str, alias: str) -> exp.Column:
        """Write a column of a table that is called `alias` in the query."""
        return column(self.columns.get(table, {}).get(name, name), alias)


def _check_table(name: str, flag: str) -> None:
    """Refuse a table that there cannot be; ``history.TRAIT`` is one for every trait."""
    if name not in TABLES and not name.startswith(HISTORY):
        hint = suggestion(name, TABLES, "write one of " + ", ".join(TABLES))
        raise UsageError(f"there is no table {visible(name)!r}", where=flag, hint=hint)


def _place(written: str) -> tuple[str, str]:
    """Read a table, or a table and its column; the name of a history is of two parts."""
    parts = written.split(".")
    head = 2 if written.startswith(HISTORY) else 1
    return ".".join(parts[:head]), ".".join(parts[head:])


def _columns(texts: Sequence[str]) -> dict[str, dict[str, str]]:
    """Read ``--map``: table -> canonical column -> the column's name."""
    own = [text for text in texts if not text.startswith(HISTORY)]
    columns = {name: dict(named) for name, named in maps_of(own).items()}
    for place, name in _pairs(
        [text for text in texts if text not in own], "--map", "--map history.plan.valid_from=since"
    ).items():
        table, called = _place(place)
        columns.setdefault(table, {})[called] = name
    return columns


def _bare(name: str) -> str:
    """Take the quotes off a table's name, for a comparison with what was read of it."""
    return "".join(letter for letter in name if letter not in '"`').strip()


def _pairs(texts: Sequence[str], flag: str, example: str) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for name, _, value in pairs:
        if not name.strip() or not value.strip():
            raise UsageError(f"{flag}: {visible(name)!r} is not a name, = and a value", hint=f"write {example}")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _type(name: str, written: str) -> ColumnType:
    if written not in set(ColumnType):
        hint = suggestion(written, list(ColumnType), "write one of " + ", ".join(ColumnType))
        raise UsageError(f"--type: {visible(name)} holds no {visible(written)!r}", hint=hint)
    return ColumnType(written)
