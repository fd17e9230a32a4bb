"""The delimited file: CSV as rows of text, with true line numbers and a reason for every row that is none.

Rows are found on the bytes: a newline outside quotes ends a row. Where a chunk's quotes are proper (each opens at the
start of a field and closes at its end) NumPy finds the rows and Polars reads them; a chunk with stray quotes is read row by
row with the rules of Python's `csv`, so that one bad quote costs its own row and not the file.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Final

import numpy as np
import polars as pl

from pqlkit.exports.batch import LONGEST_ROW, Batch, Rejected, shown
from pqlkit.exports.raw import EmptyExportError
from pqlkit.exports.row_bounds import Rows, blank_rows, bytes_reason, count_reason, find_rows, kept_bytes, reasons_of
from pqlkit.exports.text_stream import line_chunks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


SEPARATORS: Final = (",", ";", "\t", "|")
_SAMPLE: Final = 20
_LOOK: Final = 256 * 1024
_STATED: Final = re.compile(rb'"?sep=(?P<separator>[^\r\n])"?\r?\n', re.IGNORECASE)
"""A first line that tells spreadsheets the separator."""
_ESCAPED: Final = re.compile(rb'\\\\|\\"')


def read_delimited(
    stream: IO[bytes], name: str, *, separator: str | None = None, encoding: str | None = None
) -> Iterator[Batch]:
    """Yield a file's rows in order, all values text; empty fields are null, blank lines are no rows.

    Parameters
    ----------
    stream
        The decompressed bytes.
    name
        How errors call the file.
    separator, encoding
        None: told from the first bytes.

    Raises
    ------
    DataError
        The file has no row but blank ones.
    """
    reader: _Reader | None = None
    rest, line = b"", 1
    for chunk, last in line_chunks(stream, encoding):
        data = rest + chunk
        if reader is None:
            if not data.strip() and not last:
                line, data = line + data.count(b"\n"), b""
                continue
            reader, used = _start(data, name, separator)
            line += data[:used].count(b"\n")
            data = data[used:]
        batch, used = reader.read(data, line, last=last)
        line += data[:used].count(b"\n")
        rest = data[used:]
        yield batch


def _start(data: bytes, name: str, separator: str | None) -> tuple[_Reader, int]:
    start = len(data) - len(data.lstrip(b"\r\n"))
    stated = _STATED.match(data, start)
    if stated is not None:
        separator, start = separator or stated["separator"].decode(), stated.end()
    separator = separator or sniff_separator(data[start : start + _LOOK].decode("utf-8", "replace"))
    start = _after_titles(data, start, separator)
    end = _header_end(data, start)
    fields = _fields(data[start:end], separator)
    if not any(fields):
        raise EmptyExportError("the file is empty", where=name)
    return _Reader(columns=_columns(fields, name), separator=separator), end


def _fields(row: bytes, separator: str) -> list[str]:
    text = row.decode("utf-8", "replace").rstrip("\r\n")
    return next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])


def _after_titles(data: bytes, start: int, separator: str) -> int:
    """Give where the header starts: after lines of one cell that stand above a table of several columns."""
    places = [start]
    widths: list[tuple[int, int]] = []
    while places[-1] < min(len(data), start + _LOOK) and len(widths) < _SAMPLE:
        end = _header_end(data, places[-1])
        fields = _fields(data[places[-1] : end], separator)
        widths.append((len(fields), sum(1 for field in fields if field.strip())))
        places.append(end)
    usual = max((width for width, filled in widths if filled > 1), default=1)
    for place, (width, filled) in zip(places, widths, strict=False):
        if filled > 1:
            return place
        if usual == 1 or width not in (0, 1, usual):
            break
    return start


def _header_end(data: bytes, start: int) -> int:
    position = start
    while True:
        end = data.find(b"\n", position) + 1 or len(data)
        if end == len(data) or data.count(b'"', start, end) % 2 == 0:
            return end
        position = end


def _columns(names: Sequence[str], where: str) -> list[str]:
    columns = [name.strip() or f"column_{place}" for place, name in enumerate(names, start=1)]
    counts = Counter(columns)
    # Which of two is meant cannot be told: each is called by its place, and one that is needed is asked for.
    return [numbered(name, place) if counts[name] > 1 else name for place, name in enumerate(columns, start=1)]


def numbered(name: str, place: int) -> str:
    """Name a column whose header stands several times.

    Examples
    --------
    >>> numbered("plan", 3)
    'plan (column 3)'
    """
    return f"{name} (column {place})"


def sniff_separator(head: str) -> str:
    r"""Tell the separator: of ``, ; tab |`` the one that most lines hold equally often outside quotes.

    Examples
    --------
    >>> sniff_separator('user_id;amount\na;"1,5"\nb;"2,5"\n')
    ';'
    """
    lines = [line for line in _unquoted(head).splitlines()[:_SAMPLE] if line.strip()]
    if not lines:
        return ","

    def fit(separator: str) -> tuple[float, int]:
        # Titles above the header have none; of equally common numbers the first is the header's.
        counts = Counter(count for line in lines if (count := line.count(separator)))
        usual, times = counts.most_common(1)[0] if counts else (0, 0)
        return (times / len(lines), usual)

    return max(SEPARATORS, key=fit)


def _unquoted(text: str) -> str:
    return "".join(part for place, part in enumerate(text.split('"')) if place % 2 == 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads chunks of one file whose header is known."""

    columns: list[str]
    separator: str

    def read(self, data: bytes, line: int, *, last: bool) -> tuple[Batch, int]:
        """Read the whole rows of `data`; give them and how many bytes they took."""
        quick = self._quick(data, line, last=last)
        if quick is not None:
            return quick
        if not re.search(rb'\\"[^"\r\n' + re.escape(self.separator.encode()) + b"]", data):
            return self._slow(data, line, last=last)
        # A quote after a backslash and before a letter: the backslash is what protects it.
        data = _doubled(data)
        batch, used = self._quick(data, line, last=last) or self._slow(data, line, last=last)
        texts = pl.all().str.replace_all("\\\\", "\\", literal=True)
        return replace(batch, frame=batch.frame.with_columns(texts)), used

    def _quick(self, data: bytes, line: int, *, last: bool) -> tuple[Batch, int] | None:
        """Read the rows at once, or give None where quotes are not proper."""
        rows = find_rows(data, ord(self.separator), last=last) if len(self.separator.encode()) == 1 else None
        batch = None if rows is None else self._fast(data, rows, line)
        return None if rows is None or batch is None else (batch, rows.used)

    def _fast(self, data: bytes, rows: Rows, line: int) -> Batch | None:
        reasons = reasons_of(data, rows, len(self.columns))
        blank = blank_rows(data, rows)
        bad = np.array(sorted(set(reasons) - set(np.flatnonzero(blank).tolist())), dtype=np.int64)
        good = ~blank
        good[bad] = False
        frame = self._frame(kept_bytes(data, rows, good), int(good.sum()))
        if frame is None:
            return None
        rejected = [
            Rejected(
                line=int(line + rows.lines[i]),
                column=None,
                value=None,
                reason=reasons[int(i)],
                row=shown(data[rows.starts[i] : rows.ends[i]]),
            )
            for i in bad
        ]
        lines = pl.Series("line", line + rows.lines[good], dtype=pl.Int64)
        return Batch(frame=frame, lines=lines, rejected=rejected, untyped=tuple(self.columns))

    def _frame(self, data: bytes, rows: int) -> pl.DataFrame | None:
        schema = {f"c{place}": pl.String for place in range(len(self.columns))}
        if rows == 0:
            frame = pl.DataFrame(schema=schema)
        else:
            try:
                frame = pl.read_csv(data, glob=False, has_header=False, schema=schema, separator=self.separator)
            except pl.exceptions.PolarsError:
                return None
            if frame.height != rows:
                return None
            if b'""' in data:
                frame = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
        frame.columns = self.columns
        return frame

    def _slow(self, data: bytes, line: int, *, last: bool) -> tuple[Batch, int]:
        rows: list[list[str | None]] = []
        lines: list[int] = []
        rejected: list[Rejected] = []
        physical = data.splitlines(keepends=True) if b"\r" not in data else _split_lines(data)
        place = used = 0
        while place < len(physical):
            taken, fields, reason = self._record(physical, place)
            if taken is None:
                if not last and sum(map(len, physical[place:])) <= LONGEST_ROW:
                    break
                taken, reason = 1, "a quote is opened and never closed"
            text = b"".join(physical[place : place + taken])
            if reason:
                rejected.append(Rejected(line=line + place, column=None, value=None, reason=reason, row=shown(text)))
            elif fields:
                rows.append([field or None for field in fields])
                lines.append(line + place)
            place += taken
            used += len(text)
        frame = pl.DataFrame(rows, schema=dict.fromkeys(self.columns, pl.String), orient="row")
        series = pl.Series("line", lines, dtype=pl.Int64)
        return Batch(frame=frame, lines=series, rejected=rejected, untyped=tuple(self.columns)), used

    def _record(self, physical: list[bytes], place: int) -> tuple[int | None, list[str], str | None]:
        """Read the row that starts at a line: lines taken (None: it does not end), fields (none: blank), or a reason."""
        first = physical[place]
        if first.count(b'"') % 2 == 0 or not _ends_inside(first, self.separator.encode()):
            return (1, *self._line(first))
        for end in range(place + 1, len(physical)):
            if physical[end].count(b'"') % 2:
                fields, reason = self._line(b"".join(physical[place : end + 1]), strict=True)
                if reason is None:
                    return end + 1 - place, fields, None
                return 1, [], "a quote is opened and never closed"
        return None, [], None

    def _line(self, record: bytes, *, strict: bool = False) -> tuple[list[str], str | None]:
        if not record.strip():
            return [], None
        reason = bytes_reason(record)
        if reason:
            return [], reason
        text = record.decode().rstrip("\r\n")
        csv.field_size_limit(LONGEST_ROW)
        try:
            fields = next(csv.reader(io.StringIO(text, newline=""), delimiter=self.separator, strict=strict))
        except csv.Error as error:
            return [], f"not CSV: {error}"
        return (
            (fields, None) if len(fields) == len(self.columns) else ([], count_reason(len(self.columns), len(fields)))
        )


def _doubled(data: bytes) -> bytes:
    """Write quotes that a backslash escapes as doubled ones; nothing else moves, so that places stay."""
    return _ESCAPED.sub(lambda match: b'""' if match[0] == b'\\"' else match[0], data)


def _split_lines(data: bytes) -> list[bytes]:
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _ends_inside(line: bytes, separator: bytes) -> bool:
    """Tell whether a line that starts outside quotes ends inside them."""
    place = 0
    while place < len(line):
        if line[place : place + 1] == b'"':
            place = _closed(line, place + 1)
            if place < 0:
                return True
        following = line.find(separator, place)
        if following < 0:
            return False
        place = following + len(separator)
    return False


def _closed(line: bytes, place: int) -> int:
    while True:
        quote = line.find(b'"', place)
        if quote < 0 or line[quote + 1 : quote + 2] != b'"':
            return quote + 1 if quote >= 0 else -1
        place = quote + 2
