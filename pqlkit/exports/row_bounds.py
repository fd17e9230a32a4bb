"""The row's bounds: where rows lie in a chunk of bytes, and why some of them are none.

Everything is found on whole arrays; a chunk whose quotes are not proper is left to a reader that goes row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.exports.batch import LONGEST_ROW
from pqlkit.exports.text_stream import is_utf8

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NEWLINE: Final = 10
_RETURN: Final = 13
_QUOTE: Final = 34


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Where rows lie in a chunk: byte ranges, number of fields, and lines before each row; `used` bytes hold them."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    fields: NDArray[np.int64]
    lines: NDArray[np.int64]
    used: int


def find_rows(data: bytes, separator: int, *, last: bool) -> Rows | None:
    """Find the rows of a chunk, or give None where quotes are not proper and NumPy cannot tell."""
    array = np.frombuffer(data, np.uint8)
    newlines = np.flatnonzero(array == _NEWLINE)
    separators = np.flatnonzero(array == separator)
    ends = newlines
    if b'"' in data:
        quotes = np.flatnonzero(array == _QUOTE)
        if not _proper(array, quotes, separator) or (last and quotes.size % 2):
            return None
        ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
        separators = separators[np.searchsorted(quotes, separators) % 2 == 0]
    ends = ends + 1
    used = len(data) if last else int(ends[-1]) if ends.size else 0
    if last and (not ends.size or ends[-1] != len(data)) and data:
        ends = np.append(ends, len(data))
    if not ends.size and len(data) > LONGEST_ROW:
        return None
    bounds = np.concatenate([np.zeros(1, np.int64), ends.astype(np.int64)])
    return Rows(
        starts=bounds[:-1],
        ends=bounds[1:],
        fields=np.diff(np.searchsorted(separators, bounds)) + 1,
        lines=np.searchsorted(newlines, bounds[:-1]),
        used=used,
    )


def _proper(array: NDArray[np.uint8], quotes: NDArray[np.int64], separator: int) -> bool:
    """Tell whether every quote opens at a field's start, closes at its end, or is doubled inside."""
    before = np.where(quotes[::2] > 0, array[quotes[::2] - 1], _NEWLINE)
    opens = (before == separator) | (before == _NEWLINE) | (before == _QUOTE)
    following = quotes[1::2] + 1
    after = np.where(following < array.size, array[np.minimum(following, array.size - 1)], _NEWLINE)
    closes = (after == separator) | (after == _NEWLINE) | (after == _RETURN) | (after == _QUOTE)
    return bool(opens.all() and closes.all())


def blank_rows(data: bytes, rows: Rows) -> NDArray[np.bool_]:
    """Mark lines that hold nothing."""
    blank = np.zeros(rows.starts.size, bool)
    for i in np.flatnonzero(rows.ends - rows.starts <= 2):
        blank[i] = not data[rows.starts[i] : rows.ends[i]].strip(b"\r\n")
    return blank


def reasons_of(data: bytes, rows: Rows, columns: int) -> dict[int, str]:
    """Say of each unusable row why it is."""
    reasons = {int(i): count_reason(columns, int(rows.fields[i])) for i in np.flatnonzero(rows.fields != columns)}
    if b"\0" in data:
        array = np.frombuffer(data, np.uint8)
        for i in np.unique(np.searchsorted(rows.ends, np.flatnonzero(array == 0), side="right")):
            reasons[int(i)] = _NUL
    if not is_utf8(data):
        array = np.frombuffer(data, np.uint8)
        for i in np.unique(np.searchsorted(rows.ends, np.flatnonzero(array > 127), side="right")):
            if i < rows.ends.size and not is_utf8(data[rows.starts[i] : rows.ends[i]]):
                reasons[int(i)] = _ENCODING
    for i in np.flatnonzero(rows.ends - rows.starts > LONGEST_ROW):
        reasons[int(i)] = _LONG
    return {i: reason for i, reason in reasons.items() if i < rows.ends.size}


_NUL: Final = "a NUL byte"
_ENCODING: Final = "not UTF-8"
_LONG: Final = f"the row is longer than {LONGEST_ROW // 1024 // 1024} MB"


def bytes_reason(record: bytes) -> str | None:
    """Say why bytes cannot be a row, or None."""
    if b"\0" in record:
        return _NUL
    if len(record) > LONGEST_ROW:
        return _LONG
    return None if is_utf8(record) else _ENCODING


def count_reason(expected: int, actual: int) -> str:
    """Say that a row has too few fields or too many."""
    return f"{actual} field{'' if actual == 1 else 's'} where the header has {expected}"


def kept_bytes(data: bytes, rows: Rows, good: NDArray[np.bool_]) -> bytes:
    """Give the bytes of the good rows alone."""
    if good.all():
        return data[: rows.used]
    mask = np.repeat(good, rows.ends - rows.starts)
    return np.frombuffer(data, np.uint8)[: mask.size][mask].tobytes()
