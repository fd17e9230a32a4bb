"""The guess: which column of an export is which, by its name, and how its times are written, by its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.exports.headers import folded
from pqlkit.exports.instants import instants
from pqlkit.exports.mapping import Column
from pqlkit.exports.nulls import NULL_VALUES, without_nulls
from pqlkit.exports.synonyms import SYNONYMS
from pqlkit.exports.time_formats import EXCEL, NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

_DATES: Final = (
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d.%m.%y",
    "%d-%m-%y",
)
_CLOCKS: Final = (
    "",
    " %H:%M:%S",
    " %H:%M",
    " %I:%M:%S %p",
    " %I:%M %p",
    ", %I:%M:%S %p",
    ", %I:%M %p",
    ", %H:%M:%S",
    " %H:%M:%S%.f",
)
PATTERNS: Final = (*(date + clock for date in _DATES for clock in _CLOCKS), "%Y%m%d", "%Y%m%d %H:%M:%S", "%Y%m%d%H%M%S")
"""Formats tried on texts that are not read without one, in this order."""

_DIGITS: Final = ("%Y%m%d", "%Y%m%d%H%M%S")
"""Patterns of times that are whole numbers."""
_COUNTS: Final = (
    ("epoch_s", 946_684_800, 4_102_444_800),
    ("epoch_ms", 946_684_800_000, 4_102_444_800_000),
    ("epoch_us", 946_684_800_000_000, 4_102_444_800_000_000),
    (NANOSECONDS, 946_684_800_000_000_000, 4_102_444_800_000_000_000),
    (EXCEL, 25_569, 73_050),
)
"""Counts of time, from where to where they are believed: years from 1970 or 2000 to 2100."""
_FIRST_LOOK: Final = 50
_ALMOST: Final = 0.95


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """How times are written.

    `form` is for `Column.format` (None: ISO 8601 or the type itself); `other` reads as many of them, with day and month the
    other way round. `doubt` is a sentence for a person, or None.
    """

    form: str | None = None
    other: str | None = None
    doubt: str | None = None


def guess_format(values: pl.Series) -> Guess:
    """Guess how times are written, from some of them as the export has them.

    A format that reads all of them wins over one that reads nearly all.
    """
    some = without_nulls(values, NULL_VALUES).drop_nulls() if values.dtype == pl.String else values.drop_nulls()
    if some.is_empty() or isinstance(some.dtype, pl.Datetime) or some.dtype == pl.Date:
        return Guess()
    numbers = some.cast(pl.Float64, strict=False)
    if numbers.null_count() == 0:
        return _guess_number(some, numbers)
    plain = _share(some, None)
    if plain == 1:
        return Guess()
    shares = {form: _share(some, form) for form in PATTERNS if _share(some.head(_FIRST_LOOK), form) > 0}
    best = max(shares.values(), default=0.0)
    if plain >= max(best, 0.5):
        return Guess()
    if best < _ALMOST:
        return Guess(doubt=f"times like {some[0]!r} are of no format that is known: state one, like %d-%m-%Y %H:%M")
    fits = [form for form, share in shares.items() if share == best]
    other = swapped(fits[0])
    if other not in fits:
        return Guess(form=fits[0])
    return Guess(form=fits[0], other=other, doubt=f"times like {some[0]!r} could be {fits[0]} or {other}: check it")


def swapped(form: str) -> str | None:
    """Give a pattern with day and month the other way round, or None where it does not have both as numbers.

    Examples
    --------
    >>> swapped("%d/%m/%Y %H:%M"), swapped("%b %d, %Y"), swapped("epoch_s")
    ('%m/%d/%Y %H:%M', None, None)
    """
    if "%d" not in form or "%m" not in form or form.startswith("%Y"):
        return None
    return form.replace("%d", "%-").replace("%m", "%d").replace("%-", "%m")


def _guess_number(some: pl.Series, numbers: pl.Series) -> Guess:
    for pattern in _DIGITS:
        if _share(some, pattern) == 1:
            return Guess(form=pattern)
    middle = numbers.median()
    form = next((name for name, low, high in _COUNTS if isinstance(middle, float) and low <= middle < high), None)
    if form == EXCEL:
        return Guess(form=form, doubt=f"times like {some[0]!r} are read as a spreadsheet's days since 1899: check it")
    return Guess(form=form)


def _share(values: pl.Series, form: str | None) -> float:
    """Tell which share of times a format reads, as years that exports are about."""
    read, _ = instants(values, form=form, zone="UTC", dates_in="UTC")
    return float(read.dt.year().is_between(1970, 2100).sum()) / len(values)


def column(name: str, canonical: str, form: str | None) -> Column | None:
    """Make a mapping, or None where the canonical name says it all."""
    if name == canonical and form is None:
        return None
    return Column(names=(name,), format=form)
