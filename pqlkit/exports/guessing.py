"""The guess: which column of an export is which, by its name, and how its times are written, by its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.exports.headers import folded
from pqlkit.exports.instants import instants
from pqlkit.exports.mapping import Column
from pqlkit.exports.synonyms import SYNONYMS

if TYPE_CHECKING:
    from collections.abc import Iterable

PATTERNS: Final = (
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%d-%m-%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d",
    "%Y%m%d",
    "%b %d, %Y",
    "%a, %d %b %Y %H:%M:%S %z",
)
"""Formats tried on texts that are not ISO 8601, in this order."""

_SECONDS: Final = (("epoch_s", 946_684_800, 4_102_444_800), ("epoch_ms", 946_684_800_000, 4_102_444_800_000))


def candidates(table: str, canonical: str, columns: Iterable[str]) -> list[str]:
    """List the columns whose header may stand for a canonical column, the likeliest first.

    Examples
    --------
    >>> candidates("conversions", "converted_at", ["Created (UTC)", "Plan", "Close Date"])
    ['Close Date', 'Created (UTC)']
    """
    columns = list(columns)
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(folded(column), column)
    exact = [canonical] if canonical in columns else []
    synonyms = SYNONYMS[table].get(canonical, ())
    return list(dict.fromkeys([*exact, *(by_name[name] for name in synonyms if name in by_name)]))


def guess_columns(table: str, columns: Iterable[str]) -> dict[str, str]:
    """Guess which column holds what: canonical name -> the export's column. Exact names win, then the list's order.

    Examples
    --------
    >>> guess_columns("users", ["object_id", "creation_time", "org_id"])
    {'user_id': 'object_id', 'account_id': 'org_id', 'signed_up_at': 'creation_time'}
    """
    columns = list(columns)
    guessed: dict[str, str] = {}
    for canonical in SYNONYMS[table]:
        # A column that bears another canonical name is that one.
        taken = {*guessed.values(), *(set(SYNONYMS[table]) - {canonical})}
        header = next((name for name in candidates(table, canonical, columns) if name not in taken), None)
        if header is not None:
            guessed[canonical] = header
    return guessed


def guess_format(values: pl.Series) -> tuple[str | None, str | None]:
    """Guess how times are written.

    Parameters
    ----------
    values
        Some of them, as the export has them.

    Returns
    -------
    tuple
        The format for `Column.format` (None: ISO 8601 or the type itself), and a sentence of doubt or None.
    """
    some = values.drop_nulls()
    if some.is_empty() or isinstance(some.dtype, pl.Datetime) or some.dtype == pl.Date:
        return None, None
    numbers = some.cast(pl.Float64, strict=False)
    if numbers.null_count() == 0:
        return _epoch(numbers), None
    if _share(some, None) >= 0.5:
        return None, None
    fits = [pattern for pattern in PATTERNS if _share(some, pattern) >= 0.95]
    if not fits:
        return None, f"times like {some[0]!r} are of no format that is known: state one, like %d-%m-%Y %H:%M"
    swapped = [other for other in fits[1:] if sorted(other) == sorted(fits[0])]
    doubt = f"times like {some[0]!r} could be {fits[0]} or {swapped[0]}: check it" if swapped else None
    return fits[0], doubt


def _epoch(numbers: pl.Series) -> str | None:
    middle = numbers.median()
    if not isinstance(middle, float):
        return None
    for name, low, high in _SECONDS:
        if low <= middle < high:
            return name
    return "epoch_us" if middle >= _SECONDS[1][2] else None


def _share(values: pl.Series, form: str | None) -> float:
    read, _ = instants(values, form=form, zone="UTC", dates_in="UTC")
    return 1 - read.null_count() / len(values)


def column(name: str, canonical: str, form: str | None) -> Column | None:
    """Make a mapping, or None where the canonical name says it all."""
    if name == canonical and form is None:
        return None
    return Column(names=(name,), format=form)
