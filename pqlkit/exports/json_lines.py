"""The JSON Lines file: one object a line as a row, nested keys flattened with dots.

Polars reads a chunk at once. A chunk that it refuses (half a line, one key with values of unlike shape) or that holds lists
is read line by line, to the same values: lists become JSON text, a key with unlike values becomes text.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from pqlkit.errors import DataError
from pqlkit.exports.batch import LONGEST_ROW, Batch, Rejected, shown
from pqlkit.exports.text_stream import line_chunks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_LARGEST: Final = 2**63
EXACT: Final = 2**53
"""Floats from here on do not tell neighbouring whole numbers apart."""
_DEEPEST: Final = 32
MOST_KEYS: Final = 2_000
"""Keys that the rows of a file may have. Products have hundreds; where there are more, keys hold ids, and each costs room in every row."""
_LOOKED: Final = (128, 512)
"""Lines, spread over a chunk, that tell how many keys it has: the more, the more keys they have."""
_CELLS: Final = 16_000_000
"""Keys times rows that are read at once."""
_SEVERAL: Final = re.compile(rb"\}[ \t]*\{")
"""Perhaps several objects on one line, as Kinesis Firehose writes them; perhaps text."""
_DECODER: Final = json.JSONDecoder(parse_constant=lambda _: None)


def read_json_lines(stream: IO[bytes], *, encoding: str | None = None) -> Iterator[Batch]:
    """Yield a file's rows in order; blank lines are no rows.

    Parameters
    ----------
    stream
        The decompressed bytes.
    encoding
        None: UTF-8, as JSON is, or UTF-16 where the bytes are that.

    Raises
    ------
    DataError
        The rows have more than `MOST_KEYS` different keys.
    """
    line = 1
    keys: set[str] = set()
    for chunk, _ in line_chunks(stream, encoding, narrow="utf-8"):
        for block in _blocks(chunk):
            if block.strip():
                batch = _read(block, line)
                keys.update(batch.frame.columns)
                _check(keys)
                yield batch
            line += block.count(b"\n")


def _blocks(chunk: bytes) -> Iterator[bytes]:
    """Cut a chunk where it has so many keys that a table of all its rows would be far larger than its bytes."""
    lines = chunk.split(b"\n")
    if len(lines) * chunk.count(b":") <= _CELLS:
        yield chunk
        return
    rows = _CELLS // max(1, _count_keys(lines))
    if rows >= len(lines):
        yield chunk
        return
    for start in range(0, len(lines), rows):
        block = b"\n".join(lines[start : start + rows])
        yield block + b"\n" if start + rows < len(lines) else block


def _count_keys(lines: Sequence[bytes]) -> int:
    """Count the keys of rows before any table is made of them: by some lines, and by all where those have many."""
    for looked in _LOOKED:
        keys = _keys(lines[:: max(1, len(lines) // looked)])
        if 2 * len(keys) <= looked:
            return len(keys)
    keys = _keys(lines)
    _check(keys)
    return len(keys)


def _keys(lines: Iterable[bytes]) -> set[str]:
    keys: set[str] = set()
    for text in lines:
        for row, _ in _objects(text):
            keys.update(row or ())
        if len(keys) > MOST_KEYS:
            break
    return keys


def _check(keys: set[str]) -> None:
    if len(keys) <= MOST_KEYS:
        return
    ((root, _),) = Counter(key.rpartition(".")[0] for key in keys).most_common(1)
    some = ", ".join(sorted(key for key in keys if key.rpartition(".")[0] == root)[:3])
    without = f"jq -c 'del(.{root})'" if re.fullmatch(r"\w+(\.\w+)*", root) else "jq -c 'del(.KEY)'"
    raise DataError(
        f"the rows have more than {MOST_KEYS:,} different keys, as if keys held ids: {some}, ...",
        hint=f"write the ids as values ({{id: ..., value: ...}}), or leave these keys out of the export: {without}",
    )


def _read(chunk: bytes, line: int) -> Batch:
    if _SEVERAL.search(chunk):
        return _one_by_one(chunk, line)
    try:
        frame = pl.read_ndjson(chunk, infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return _one_by_one(chunk, line)
    frame = flatten(frame)
    lines = _lines(chunk, line, frame.height)
    plain = all(_plain(dtype) for dtype in frame.dtypes)
    if not plain or frame.height != lines.size or b"\0" in chunk or _inexact(frame):
        return _one_by_one(chunk, line)
    return Batch(frame=frame, lines=pl.Series("line", lines, dtype=pl.Int64))


def _plain(dtype: pl.DataType) -> bool:
    return dtype in (pl.String, pl.Int64, pl.Float64, pl.Boolean, pl.Null)


def _inexact(frame: pl.DataFrame) -> bool:
    """Tell whether floats are so large that whole numbers among them, ids perhaps, may have lost digits."""
    floats = [column for column in frame.get_columns() if column.dtype == pl.Float64]
    return any((column.abs() >= EXACT).any() for column in floats)


def _lines(chunk: bytes, line: int, rows: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Give the numbers of the lines that hold something."""
    ends = chunk.count(b"\n") + (not chunk.endswith(b"\n"))
    if ends == rows:
        return np.arange(line, line + rows)
    filled = [number for number, text in enumerate(chunk.split(b"\n"), start=line) if text.strip()]
    return np.array(filled, dtype=np.int64)


def flatten(frame: pl.DataFrame) -> pl.DataFrame:
    """Flatten nested records with dots; of two ways to the same name the first value that is not null counts."""
    if not any(isinstance(dtype, pl.Struct) for dtype in frame.dtypes):
        return frame
    columns: dict[str, list[pl.Series]] = {}

    def walk(name: str, values: pl.Series) -> None:
        if isinstance(values.dtype, pl.Struct):
            # All fields at once: each asked for by its name costs a look at all of them.
            for field in values.struct.unnest().get_columns():
                walk(f"{name}.{field.name}", field)
        else:
            columns.setdefault(name, []).append(values)

    for values in frame.get_columns():
        walk(values.name, values)
    return pl.DataFrame(
        [
            (parts[0] if len(parts) == 1 else pl.select(pl.coalesce(parts)).to_series()).alias(name)
            for name, parts in columns.items()
        ]
    )


def _one_by_one(chunk: bytes, line: int) -> Batch:
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    rejected: list[Rejected] = []
    for number, text in enumerate(chunk.split(b"\n"), start=line):
        if not text.strip():
            continue
        for row, reason in _objects(text):
            if row is None:
                rejected.append(Rejected(line=number, column=None, value=None, reason=reason, row=shown(text)))
            else:
                rows.append(row)
                lines.append(number)
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: _series(name, [row.get(name) for row in rows]) for name in names}
    frame = pl.DataFrame(columns) if columns else pl.DataFrame(height=len(rows))
    return Batch(frame=frame, lines=pl.Series("line", lines, dtype=pl.Int64), rejected=rejected)


def _objects(line: bytes) -> Iterator[tuple[dict[str, Any] | None, str]]:
    """Yield the objects of a line, each as a flat row; of what is none the reason, and nothing after it."""
    if len(line) > LONGEST_ROW:
        yield None, f"the row is longer than {LONGEST_ROW // 1024 // 1024} MB"
        return
    if b"\0" in line:
        yield None, "a NUL byte"
        return
    try:
        text, place = line.decode().strip(), 0
        while place < len(text):
            value, end = _DECODER.raw_decode(text, place)
            if place and text[place] != "{":
                yield None, "not JSON: more after the object"
                return
            yield _flat(value)
            place = end + len(text[end:]) - len(text[end:].lstrip())
    except UnicodeDecodeError:
        yield None, "not UTF-8"
    except RecursionError:
        yield None, "nested too deep"
    except ValueError as error:
        yield None, f"not JSON: {error.args[0] if error.args else error}"[:200]


def _flat(value: Any) -> tuple[dict[str, Any] | None, str]:
    if not isinstance(value, dict):
        return None, "not a JSON object"
    row: dict[str, Any] = {}
    return (row, "") if _flatten_into(row, "", value, _DEEPEST) else (None, "nested too deep")


def _flatten_into(row: dict[str, Any], prefix: str, value: dict[str, Any], depth: int) -> bool:
    if depth == 0:
        return False
    for key, item in value.items():
        name = prefix + key
        if isinstance(item, dict):
            if not _flatten_into(row, name + ".", item, depth - 1):
                return False
        elif row.get(name) is None:
            row[name] = json.dumps(item, ensure_ascii=False, separators=(",", ":")) if isinstance(item, list) else item
    return True


def _series(name: str, values: list[Any]) -> pl.Series:
    kinds = {type(value) for value in values} - {type(None)}
    large = int in kinds and any(isinstance(value, int) and not -_LARGEST <= value < _LARGEST for value in values)
    if not kinds:
        return pl.Series(name, values, dtype=pl.Null)
    if kinds == {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds == {int} and not large:
        return pl.Series(name, values, dtype=pl.Int64)
    mixed = kinds == {int, float} and any(isinstance(value, int) and abs(value) >= EXACT for value in values)
    if kinds <= {int, float} and not large and not mixed:
        return pl.Series(name, [None if value is None else float(value) for value in values], dtype=pl.Float64)
    return pl.Series(name, [_text(value) for value in values], dtype=pl.String)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value).encode("utf-8", "replace").decode()


def read_objects(texts: pl.Series) -> pl.DataFrame:
    """Read a column of JSON objects in text, one row each, flattened; null where a text is null or no object."""
    lines = texts.fill_null("{}").str.replace_all(r"[\r\n]+", " ").str.replace(r"^\s*$", "{}")
    chunk = "\n".join(lines.to_list()).encode("utf-8", "replace")
    _count_keys(chunk.split(b"\n"))
    batch = _read(chunk, 0)
    if batch.frame.height == len(texts):
        return batch.frame
    places = pl.DataFrame({"line": pl.int_range(len(texts), eager=True)})
    read = batch.frame.with_columns(batch.lines.alias("line")).unique("line", keep="none")
    joined = places.join(read, on="line", how="left", maintain_order="left")
    return joined.drop("line")
