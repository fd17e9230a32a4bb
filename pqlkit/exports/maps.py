"""The stated column: what ``--map TABLE.COLUMN=HEADER`` says, over what a project file or a guess does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pqlkit.errors import UsageError, suggestion
from pqlkit.exports.mapping import Column
from pqlkit.exports.tables import NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from pqlkit.exports.project import Project

    Maps: TypeAlias = Mapping[str, Mapping[str, str]]
    """Table -> canonical column (or trait) -> the export's header."""


def maps_of(texts: Sequence[str]) -> Maps:
    """Read ``conversions.converted_at=Close Date``.

    Raises
    ------
    UsageError
        A text is not of that form, or names no table.

    Examples
    --------
    >>> maps_of(["conversions.converted_at=Close Date"])
    {'conversions': {'converted_at': 'Close Date'}}
    """
    maps: dict[str, dict[str, str]] = {}
    for text in texts:
        place, equals, header = text.partition("=")
        table, dot, column = place.strip().partition(".")
        if not (equals and dot and column and header.strip()):
            raise UsageError(
                f"--map: {text!r} names no column", hint='write --map conversions.converted_at="Close Date"'
            )
        if table not in NAMES:
            hint = suggestion(table, NAMES, "write one of " + ", ".join(NAMES))
            raise UsageError(f"--map: there is no table {table!r}", hint=hint)
        maps.setdefault(table, {})[column.strip()] = header.strip()
    return maps


def with_maps(project: Project, maps: Maps) -> Project:
    """Map columns of a project's sources; what was stated about the time's format or the amount's unit stays.

    Raises
    ------
    UsageError
        Nothing says where a named table's export is.
    """
    exports = dict(project.exports)
    for table, columns in maps.items():
        if table not in exports:
            raise UsageError(
                f"--map names a column of the {table}, but no export of them is given", hint=f"add --{table} PATH"
            )
        source = exports[table]
        named = {
            name: replace(source.columns.get(name, Column()), names=(header,), constant=None, latest=())
            for name, header in columns.items()
        }
        exports[table] = replace(source, columns={**source.columns, **named})
    return replace(project, exports=exports)
