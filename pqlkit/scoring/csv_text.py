"""The CSV text: every table that pqlkit writes as CSV, by one writer and to the same bytes on every Python.

Python before 3.13 does not quote a bare carriage return, which is the end of a row to a spreadsheet: what follows it in a name
would begin a row of its own.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import polars as pl

from pqlkit.inert import FORMULA, cell

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["csv_bytes", "csv_text"]


def csv_bytes(table: pl.DataFrame, ends: str = "\r\n", *, empty: str = "", inert: bool = True) -> bytes:
    r"""Write a table as RFC 4180 has it, in UTF-8, text that a spreadsheet would run neutralised.

    Parameters
    ----------
    table
        Text, numbers and truth values.
    ends
        Of the lines.
    empty
        Written for null.
    inert
        Neutralise. Not for an importer that shows people the cell as it is: the apostrophe would reach them.

    Examples
    --------
    >>> csv_bytes(pl.DataFrame({"a": ["=1", None, "x\ry"], "n": [-1, 2, 3]}), ends="|")
    b'a,n|\'=1,-1|,2|"x\ry",3|'
    """
    if inert:
        text = pl.col(pl.String)
        safe = pl.when(text.str.contains(FORMULA)).then(pl.lit("'") + text).otherwise(text)
        table = table.with_columns(safe.name.keep()).rename({name: cell(name) for name in table.columns})
    buffer = io.BytesIO()
    table.write_csv(buffer, line_terminator=ends, null_value=empty)
    return buffer.getvalue()


def csv_text(header: Sequence[str], rows: Sequence[Sequence[str | None]]) -> str:
    r"""Write rows of inert text; None and the empty text are an empty cell.

    Parameters
    ----------
    header
        Names, each once.
    rows
        As many cells each.

    Examples
    --------
    >>> csv_text(["a", "b"], [["1", None], ["x,y", ""]])
    'a,b\n1,\n"x,y",\n'
    """
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    series = [
        pl.Series(name, [value or None for value in values], dtype=pl.String)
        for name, values in zip(header, columns, strict=True)
    ]
    return pl.DataFrame(series).write_csv()
