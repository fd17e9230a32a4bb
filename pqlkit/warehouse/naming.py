"""The naming: which table and column of the warehouse is which, and what its properties hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sqlglot import exp
from sqlglot.errors import SqlglotError

from pqlkit.errors import UsageError, suggestion
from pqlkit.exports.maps import maps_of
from pqlkit.inert import visible
from pqlkit.options.warehouse import ColumnType
from pqlkit.warehouse.steps import column, identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pqlkit.exports.project import Project
    from pqlkit.options.warehouse import SqlDialect, SqlOptions

TABLES: Final = ("events", "users", "accounts", "conversions")


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
    """

    dialect: SqlDialect
    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    without: frozenset[str] = frozenset()

    @classmethod
    def of(cls, options: SqlOptions, project: Project) -> Naming:
        """Read the options; tables that a project file does not name among its exports are not there, unless an option names them.

        Raises
        ------
        UsageError
            One of them is not of its form, or names no table.
        """
        tables = _pairs(options.table, "--table", "--table events=raw.product_events")
        without = frozenset(options.without)
        for name in (*tables, *(place.partition(".")[0] for place in without)):
            if name not in TABLES:
                hint = suggestion(name, TABLES, "write one of " + ", ".join(TABLES))
                raise UsageError(
                    f"there is no table {visible(name)!r}",
                    where="--table" if name in tables else "--without",
                    hint=hint,
                )
        types = {
            name: _type(name, written)
            for name, written in _pairs(options.type, "--type", "--type amount=number").items()
        }
        columns = maps_of(options.map)
        known = {*project.exports, *tables, *columns}
        missing = {name for name in TABLES if name not in known} if project.exports else set()
        made = cls(dialect=options.dialect, tables=tables, columns=columns, types=types, without=without | missing)
        for name in tables:
            made.table(name)
        return made

    def has(self, table: str, name: str | None = None) -> bool:
        """Whether there is a table, or a column of it."""
        return table not in self.without and (name is None or f"{table}.{name}" not in self.without)

    def maps(self, table: str, name: str) -> bool:
        """Whether a column is named for something."""
        return name in self.columns.get(table, {})

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
