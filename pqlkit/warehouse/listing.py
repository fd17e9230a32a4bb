"""The listing: which columns each table has and what they hold, from a dataset, or from the project's exports as they lie here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pqlkit.columns import EVENT_ID
from pqlkit.errors import DataError
from pqlkit.exports.column_types import ColumnType as ExportType
from pqlkit.exports.manifest import read_manifest
from pqlkit.exports.mapping import Match
from pqlkit.exports.project import sources_of
from pqlkit.exports.sources.address import scheme
from pqlkit.exports.staging import first_canonical
from pqlkit.exports.tables import EVENTS, layout
from pqlkit.options.warehouse import ColumnType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pqlkit.exports.mapping import Source
    from pqlkit.exports.project import Project

_TYPES: Final = {
    ExportType.TEXT: ColumnType.TEXT,
    ExportType.INTEGER: ColumnType.NUMBER,
    ExportType.NUMBER: ColumnType.NUMBER,
    ExportType.BOOLEAN: ColumnType.BOOLEAN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What is known of a warehouse's tables without asking it.

    Parameters
    ----------
    columns
        Table -> canonical column -> what it holds; None = a time, or nobody knows. A table without an entry may have any.
    names
        Table -> canonical column -> what it is called, where that is another name.
    tables
        Table -> its name, where an export is a table of a database.
    """

    columns: Mapping[str, Mapping[str, ColumnType | None]] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, project: Project, data: Path | None = None) -> Listing:
        """List the tables of a folder that `load` wrote, as they are there; else those that the project file names.

        Of exports that lie here the first rows are read. An export whose rows or columns pqlkit makes itself (a vendor's, one that
        leaves out rows) cannot be what lies in the warehouse: its table has the canonical columns.

        Raises
        ------
        DataError
            The folder is no dataset.
        """
        if data is not None:
            manifest = read_manifest(data)
            columns = {
                name: _held(name, entry.columns, dates=entry.dates_only) for name, entry in manifest.tables.items()
            }
            # Every event stands there once.
            columns[EVENTS].pop(EVENT_ID, None)
            return cls(columns=columns)
        sources = sources_of(project)
        plain = {name: source for name, source in sources.items() if _is_plain(source)}
        return cls(
            columns={name: held for name, source in sources.items() if (held := _first_rows(name, source))},
            names={name: _renamed(source) for name, source in plain.items()},
            tables={name: source.table for name, source in plain.items() if source.table is not None},
        )


def _held(name: str, columns: Mapping[str, ExportType | None], *, dates: bool) -> dict[str, ColumnType | None]:
    """Say what columns hold; `dates` = the table's own times are dates alone."""
    held = {column: None if kind is None else _TYPES.get(kind) for column, kind in columns.items()}
    time = layout(name).time
    return held | ({time: ColumnType.DATE} if dates and time is not None else {})


def _is_plain(source: Source) -> bool:
    made = source.format is not None or source.query is not None or source.reshaped
    return not made and source.match is Match.USER_ID


def _renamed(source: Source) -> dict[str, str]:
    """Give the columns that hold one column of the export as it is."""
    return {
        name: made.names[0]
        for name, made in source.columns.items()
        if len(made.parts) == len(made.names) == 1 and made.values is None and made.when is None
    }


def _first_rows(name: str, source: Source) -> dict[str, ColumnType | None]:
    """Look at the first rows of an export that lies here; nothing is known of others."""
    if not source.path or any(scheme(path) is not None for path in source.path):
        return {}
    try:
        rows = first_canonical(layout(name), source)
    except DataError:
        return {}
    return _held(name, rows.types, dates=rows.dates > 0 and not rows.times)
