"""The source: where one table's export lies, which of its columns is which, and which of its rows are the table's."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pqlkit.exports.nulls import NULL_VALUES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pqlkit.exports.notation import Notation
    from pqlkit.typing import Microseconds


class Match(StrEnum):
    """How a conversion finds its owner."""

    USER_ID = "user_id"
    EMAIL = "email"
    DOMAIN = "domain"


class Unit(StrEnum):
    """In which unit of its currency an amount is written."""

    MAJOR = "major"
    MINOR = "minor"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowTest:
    """What is asked of one row; of the keys below `column` one is given, or several tests of which any may hold.

    Texts are compared without regard to case and surrounding blanks. A test of a column that the file lacks does not hold.

    Parameters
    ----------
    column
        The export's column, or several: the first that has a value in the row is asked.
    within, without
        The value is one of these; is none of these (an empty value is none of them).
    like
        The value fits one of these globs.
    above
        The number is larger. An empty one is not, unless `empty_kept`.
    filled
        Whether there must be a value, or None.
    after
        The time lies after the one in this column; a row without either passes.
    by_then
        The time is not after the moment up to which the export goes; an empty time passes.
    any_of
        Tests of which one must hold.
    when
        The test is asked only of rows for which this one holds.
    """

    column: tuple[str, ...] = ()
    within: tuple[str, ...] | None = None
    without: tuple[str, ...] | None = None
    like: tuple[str, ...] | None = None
    above: float | None = None
    filled: bool | None = None
    after: tuple[str, ...] | None = None
    by_then: bool = False
    empty_kept: bool = False
    any_of: tuple[RowTest, ...] = ()
    when: RowTest | None = None

    @property
    def columns(self) -> set[str]:
        """All columns that the test asks, those of `when` included."""
        asked = {*self.column, *(self.after or ())}.union(*(test.columns for test in self.any_of))
        return asked | (self.when.columns if self.when is not None else set())

    def askable(self, columns: set[str]) -> bool:
        """Tell whether a file with these columns can answer."""
        own = any(test.askable(columns) for test in self.any_of) if self.any_of else not columns.isdisjoint(self.column)
        other = self.after is None or not columns.isdisjoint(self.after)
        return own and other and (self.when is None or self.when.askable(columns))


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRule:
    """A rule that the table's rows fulfil; others are left out and counted under its `words`."""

    test: RowTest
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Where a canonical column's values come from.

    Parameters
    ----------
    names
        The export's columns: the first that is not null in the row counts.
    constant
        One text for every row, instead.
    latest
        Columns of times, instead: the latest of them counts.
    format
        For times: None (ISO 8601 or the file's own type), one of `pqlkit.exports.time_formats.FORMATS`, or a strptime pattern.
    notation
        How numbers are written in text; None = as the source says.
    unit, currency
        For amounts: whether they are in the currency's smallest unit, and the columns that name the currency.
    values, others
        The export's value -> ours; what any other value becomes (None: no value).
    when
        Rows for which this does not hold have no value.
    absent
        The export has no such column, whatever its headers say.
    """

    names: tuple[str, ...] = ()
    constant: str | None = None
    absent: bool = False
    latest: tuple[str, ...] = ()
    format: str | None = None
    notation: Notation | None = None
    unit: Unit | None = None
    currency: tuple[str, ...] = ()
    values: Mapping[str, str] | None = None
    others: str | None = None
    when: RowTest | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The export's columns that hold values of this one."""
        return (*self.names, *self.latest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explode:
    """A cell of several values, split at `separator`: one row for each. Of `column` the first that the file has counts."""

    column: tuple[str, ...]
    separator: str


class Spelling(StrEnum):
    """What ids have in common although they are written differently."""

    SALESFORCE = "salesforce"
    """Ids of 15 letters are those of 18 without the last three, which tell capitals from small ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """What lies in a second export: the row of `table` whose `key` is the value of `by` supplies `columns`.

    Of `by` the first that the file has counts.

    `columns` maps canonical columns to the table's, of several the first that is there; ``metadata.user_id`` reaches into JSON
    text.
    """

    table: str
    key: str
    by: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    same: Spelling | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """Several versions of a row: of those that share `key` the one with the latest `by` counts."""

    key: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One table's export.

    Parameters
    ----------
    path
        Files, folders or globs, absolute or relative to the working directory, or addresses of a store or web server;
        empty with a `connection`.
    format
        Name of a preset of ``configs/exports``, or None.
    columns
        Canonical column (or trait) -> where it comes from. Columns not named keep the export's names.
    rows, explode, lookup, newest
        Which rows are the table's, and how; what is given here replaces the preset's.
    lookups
        Name of a lookup's table -> its files.
    timezone
        IANA name of the zone of times without an offset: as stated, else the vendor's, else the project's.
    complete_through
        Last microsecond that the export is complete for, or None.
    match
        How a conversion finds its owner.
    encoding, separator
        Of CSV files; None = sniffed from the first bytes.
    null_values
        Texts that stand for no value in ids, times, numbers and e-mail addresses.
    notation
        How numbers are written in text; None = as programs write them.
    sheet
        Of a workbook; None = the only one.
    table, query
        What to ask a database; with neither, its only table.
    connection
        Name of the environment variable that holds a database server's address, or None.
    """

    path: tuple[str, ...]
    format: str | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    rows: tuple[RowRule, ...] = ()
    explode: Explode | None = None
    lookup: Lookup | None = None
    newest: Newest | None = None
    lookups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    timezone: str = "UTC"
    complete_through: Microseconds | None = None
    match: Match = Match.USER_ID
    encoding: str | None = None
    separator: str | None = None
    null_values: frozenset[str] = NULL_VALUES
    notation: Notation | None = None
    sheet: str | None = None
    table: str | None = None
    query: str | None = None
    connection: str | None = None

    @property
    def place(self) -> tuple[object, ...]:
        """Where the rows come from: sources of one place have the same rows."""
        return (self.path, self.sheet, self.table, self.query, self.connection)

    @property
    def reshaped(self) -> bool:
        """Whether rows are left out, split or looked up."""
        return bool(self.rows or self.explode or self.lookup or self.newest)
