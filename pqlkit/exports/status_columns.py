"""Status columns: columns of a conversions export that may say which rows are upgrades, though no rule reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.exports.headers import folded
from pqlkit.exports.picked_column import text_of
from pqlkit.exports.small_table import read_table
from pqlkit.exports.synonyms import STATUS
from pqlkit.exports.tables import CONVERSIONS
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from pqlkit.engines.base import Engine
    from pqlkit.exports.dataset import Dataset
    from pqlkit.exports.mapping import Source
    from pqlkit.exports.project import Project

_MOST: Final = 20
"""Values that a status has; a column with more of them is none."""
_LISTED: Final = 6


def statuses(rows: pl.DataFrame, source: Source | None) -> dict[str, dict[str, int]]:
    """Find columns that look like a status, have several values, and stand in no rule or mapping: value -> rows."""
    if source is not None and source.format is not None:
        return {}  # the vendor's rules know its states
    used = _used(source)
    tallies: dict[str, dict[str, int]] = {}
    for name in rows.columns:
        if folded(name) not in STATUS or name in used or rows[name].dtype.is_nested():
            continue
        counts = text_of(rows[name].drop_nulls()).alias("value").value_counts(sort=True, name="rows")
        if 1 < counts.height <= _MOST:
            ordered = counts.sort(["rows", "value"], descending=[True, False])
            tallies[name] = {value: int(number) for value, number in ordered.iter_rows()}
    return tallies


def _used(source: Source | None) -> set[str]:
    if source is None:
        return set()
    asked = {name for rule in source.rows for name in rule.test.columns}
    return asked | {name for column in source.columns.values() for name in column.parts}


def status_text(name: str, counts: Mapping[str, int]) -> str:
    """List a status with its values.

    Examples
    --------
    >>> status_text("Status", {"active": 1200, "trialing": 3})
    'Status: active 1,200, trialing 3'
    """
    values = [f"{visible(value, 40)} {rows:,}" for value, rows in list(counts.items())[:_LISTED]]
    return f"{visible(name, 60)}: {', '.join(values)}{' ...' if len(counts) > _LISTED else ''}"


def status_notes(dataset: Dataset, project: Project, engine: Engine) -> list[str]:
    """Name the status columns of a dataset's conversions that neither a rule of rows nor the outcome uses."""
    table = dataset.tables.get(CONVERSIONS)
    if table is None:
        return []
    names = [name for name in table.columns if folded(name) in STATUS]
    where = project.outcome.get("where")
    names = [name for name in names if not isinstance(where, dict) or name not in where]
    if not names:
        return []
    rows = read_table(engine, table, names)
    return [
        f"conversions have a column that nothing uses, {status_text(name, counts)}. Are all of these rows conversions? If not,"
        " say which in pqlkit.yml: rows: of the conversions, or outcome: {where: ...}"
        for name, counts in statuses(rows, project.exports.get(CONVERSIONS)).items()
    ]
