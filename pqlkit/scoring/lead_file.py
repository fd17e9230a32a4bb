"""The lead file: a list of leads as CSV, Parquet or JSON that a CRM, a spreadsheet or a script imports."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, assert_never

import polars as pl

from pqlkit.columns import REMEMBERED_COLUMNS, TIMES
from pqlkit.errors import DataError, UsageError, suggestion
from pqlkit.inert import FORMULA
from pqlkit.options.leads import Preset
from pqlkit.scoring.crm import CLEARS, field_name, imported, key_name
from pqlkit.scoring.csv_text import csv_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SCHEMA: Final = "pqlkit/leads/2"
ROWS: Final = 1_000_000
"""Leads per file: what a spreadsheet (1,048,576 rows) and the importers of CRMs take."""

_INSTANT: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"


class LeadFormat(StrEnum):
    """How a lead file is written; the file's suffix says which."""

    CSV = "csv"
    PARQUET = "parquet"
    JSONL = "jsonl"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Which columns a file has, and what they are called.

    Parameters
    ----------
    columns
        pqlkit's names in the order wanted; None = all.
    rename
        pqlkit's name -> the file's.
    preset
        Names the other columns; `rename` wins.
    key
        The column that says which record of a CRM a row is: always there, and first.
    """

    columns: tuple[str, ...] | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    preset: Preset | None = None
    key: str | None = None

    def names(self, known: Sequence[str]) -> dict[str, str]:
        """Map the columns that are kept to the file's names, in order.

        Parameters
        ----------
        known
            The columns that there are.

        Raises
        ------
        UsageError
            A column does not exist, or two would have one name.
        """
        first = () if self.key is None else (self.key,)
        chosen = tuple(dict.fromkeys((*first, *(self.columns or known))))
        for name in (*chosen, *self.rename):
            if name not in known:
                raise UsageError(
                    f"{name!r} is no column of the leads",
                    where="--columns" if name in chosen else "--rename",
                    hint=suggestion(name, known, f"write one of {', '.join(known)}"),
                )
        names = {name: self.named(name) for name in chosen}
        twice = sorted({name for name in names.values() if list(names.values()).count(name) > 1})
        if twice:
            raise UsageError(
                f"two columns would be called {twice[0]!r}", where="--rename", hint="rename one of them to another name"
            )
        return names

    def named(self, name: str) -> str:
        """Name a column as the file does."""
        if name in self.rename:
            return self.rename[name]
        if self.preset is None:
            return name
        return key_name(self.preset, name) if name == self.key else field_name(self.preset, name)


def format_of(path: Path) -> LeadFormat:
    """Say by its suffix how a lead file is written.

    Raises
    ------
    UsageError
        The suffix is none of .csv, .parquet, .jsonl and .json.
    """
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in tuple(LeadFormat):
        raise UsageError(
            f"cannot tell the format of {path.name}", where="--out", hint="end it in .csv, .parquet or .jsonl"
        )
    return LeadFormat(suffix)


def as_bytes(
    frame: pl.DataFrame,
    form: LeadFormat,
    shape: Shape | None = None,
    *,
    as_of: str | None = None,
    zone: str = "UTC",
) -> bytes:
    """Write leads in a format: the same leads, the same bytes.

    Parameters
    ----------
    frame
        In the contract's columns (times ``Datetime[us, UTC]``).
    form, shape
        How.
    as_of
        For the head of ``json``.
    zone
        Whose dates are meant, where a preset writes some.

    Notes
    -----
    CSV is RFC 4180: UTF-8 without a byte order mark, CRLF line ends (LF for Salesforce, whose bulk interface expects it),
    quotes where needed, an empty cell for null. Text cells that a spreadsheet would run as a formula begin with an
    apostrophe (`pqlkit.inert.cell`), but not for a CRM, which would show it. Times are ISO 8601 UTC, with microseconds where
    there are some; for a CRM see `pqlkit.scoring.crm`. Parquet keeps its types whatever the preset.
    """
    shape = shape or Shape()
    names = shape.names(frame.columns)
    table = frame.select(pl.col(old).alias(new) for old, new in names.items())
    buffer = io.BytesIO()
    if form is LeadFormat.PARQUET:
        table.write_parquet(buffer, compression="zstd", statistics=True)
        return buffer.getvalue()
    table = spelled(table) if shape.preset is None else imported(table, shape.preset, zone)
    match form:
        case LeadFormat.CSV:
            return _as_csv(table, shape.preset)
        case LeadFormat.JSONL:
            table.write_ndjson(buffer)
        case LeadFormat.JSON:
            return _document(table, as_of)
        case _:
            assert_never(form)
    return buffer.getvalue()


def _as_csv(table: pl.DataFrame, preset: Preset | None) -> bytes:
    match preset:
        case None:
            return csv_bytes(table)
        case Preset.HUBSPOT:
            return csv_bytes(table.with_columns(pl.col(pl.String).fill_null(CLEARS[preset])), inert=False)
        case Preset.SALESFORCE:
            return csv_bytes(table, "\n", empty=CLEARS[preset], inert=False)
        case _:
            assert_never(preset)


def spelled(frame: pl.DataFrame) -> pl.DataFrame:
    """Spell the times of a frame: ISO 8601 UTC, microseconds only where there are some."""
    times = pl.col(name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime))
    return frame.with_columns(times.dt.strftime(_INSTANT).str.replace(r"\.000000Z$", "Z"))


def _document(table: pl.DataFrame, as_of: str | None) -> bytes:
    # Not splitlines: it also breaks at U+2028, which JSON text may hold.
    lines = table.write_ndjson().replace("<", "\\u003c").split("\n")[:-1]
    head = f'{{\n  "schema": {json.dumps(SCHEMA)},\n  "as_of": {json.dumps(as_of)},\n  "leads": ['
    body = ",\n".join(f"    {line}" for line in lines)
    return (f"{head}\n{body}\n  ]\n}}\n" if lines else f"{head}]\n}}\n").encode()


def read_leads(path: Path, shape: Shape | None = None) -> pl.DataFrame:
    """Read a lead file back, all columns as text, under pqlkit's names; formula cells are as they were.

    Parameters
    ----------
    path
        Written by `as_bytes`; a byte order mark that a spreadsheet added is skipped.
    shape
        As it was written with.

    Raises
    ------
    DataError
        The file is missing, empty or not a lead file.
    """
    try:
        table = _read(path, inert=shape is None or shape.preset is None)
    except FileNotFoundError:
        raise DataError(f"there is no file {path}") from None
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{path} cannot be read as a list of leads: {reason}") from None
    if shape is None:
        return table
    if shape.preset is not None:
        table = table.with_columns(pl.col(pl.String).replace(CLEARS[shape.preset], None))
    back = {shape.named(name): name for name in REMEMBERED_COLUMNS}
    table = table.rename({name: back[name] for name in table.columns if name in back})
    if shape.preset is not Preset.HUBSPOT or format_of(path) is LeadFormat.PARQUET:
        return table
    times = [name for name in TIMES if name in table.columns]
    moments = pl.col(times).cast(pl.Int64, strict=False).cast(pl.Datetime("ms")).dt.cast_time_unit("us")
    return spelled(table.with_columns(moments.dt.replace_time_zone("UTC")))


def _read(path: Path, *, inert: bool) -> pl.DataFrame:
    match format_of(path):
        case LeadFormat.PARQUET:
            return spelled(pl.read_parquet(path, glob=False)).cast(pl.String)
        case LeadFormat.JSONL:
            return pl.read_ndjson(path, infer_schema_length=None).cast(pl.String)
        case LeadFormat.JSON:
            return pl.DataFrame(json.loads(path.read_text("utf-8"))["leads"], infer_schema_length=None).cast(pl.String)
        case LeadFormat.CSV:
            table = pl.read_csv(path, glob=False, infer_schema=False, encoding="utf8")
            if not inert:
                return table
            text = pl.col(pl.String)
            return table.with_columns(
                pl.when(text.str.contains(r"^'") & text.str.slice(1).str.contains(FORMULA))
                .then(text.str.slice(1))
                .otherwise(text)
                .name.keep()
            )
