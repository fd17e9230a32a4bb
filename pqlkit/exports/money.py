"""The amount: money as exports write it, read as a number in the currency's major unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.exports.headers import folded
from pqlkit.exports.mapping import Unit
from pqlkit.exports.notation import ENGLISH, Notation
from pqlkit.exports.numerals import as_written_by_programs
from pqlkit.exports.picked_column import text_of
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WHOLE: Final = (
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf",
)  # fmt: skip
"""Currencies without a smaller unit."""
CURRENCY: Final = frozenset({"currency", "currencycode", "currencyisocode", "currencyofvalue", "convertedcurrency"})
"""Folded headers of columns that name an amount's currency."""
THOUSANDTHS: Final = ("bhd", "jod", "kwd", "omr", "tnd")
"""Currencies whose smaller unit is a thousandth."""


def numbers(values: pl.Series, notation: Notation = ENGLISH) -> pl.Series:
    """Read numbers as a notation writes them; null where there is none.

    Examples
    --------
    >>> numbers(pl.Series(["1,200.00", "$49", "-0.5", "", "12,5"])).to_list()
    [1200.0, 49.0, -0.5, None, None]
    """
    if values.dtype.is_numeric():
        return values.cast(pl.Float64)
    return as_written_by_programs(text_of(values), notation).cast(pl.Float64, strict=False)


def amounts(values: pl.Series, unit: Unit | None, currency: pl.Series, notation: Notation = ENGLISH) -> pl.Series:
    """Read amounts in the major unit of their currency (text; a missing one has hundredths)."""
    read = numbers(values, notation)
    if unit is not Unit.MINOR:
        return read
    code = pl.col("currency").str.strip_chars().str.to_lowercase()
    divisor = pl.when(code.is_in(WHOLE)).then(1).when(code.is_in(THOUSANDTHS)).then(1000).otherwise(100)
    frame = pl.DataFrame({"amount": read, "currency": text_of(currency)})
    return frame.select(pl.col("amount") / divisor).to_series()


def currencies(paths: Sequence[str], columns: Iterable[str]) -> list[str]:
    """Name the currencies of a conversions table, the commonest first; none where no column names them."""
    header = next((name for name in columns if folded(name) in CURRENCY), None)
    if header is None:
        return []
    codes = pl.scan_parquet(list(paths), glob=False).select(pl.col(header).cast(pl.String).str.to_uppercase())
    counts = codes.drop_nulls().group_by(header).len().sort(["len", header], descending=[True, False]).collect()
    return [visible(code, 20) for code in counts[header]]
