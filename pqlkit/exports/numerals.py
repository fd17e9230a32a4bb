"""The numeral: numbers as people and spreadsheets write them in text, brought to the way in which programs write them.

How a column is written is told from the column as a whole: ``1,200`` alone may be twelve hundred or one and a fifth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.exports.notation import CONTINENTAL, ENGLISH, PLAIN, Notation
from pqlkit.exports.nulls import is_null_value

if TYPE_CHECKING:
    from collections.abc import Set

_PLAIN: Final = r"^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?$"


def notation_of(values: pl.Series, nulls: Set[str]) -> Notation | None:
    """Tell how a column of text writes numbers: the first notation in which every value is one; None where there is none.

    Examples
    --------
    >>> notation_of(pl.Series(["1,200.00", "$20", None]), frozenset()) == ENGLISH
    True
    >>> notation_of(pl.Series(["29,00 €", "1.234,56"]), frozenset()) == CONTINENTAL
    True
    >>> notation_of(pl.Series(["1,200.00", "12,50"]), frozenset()) is None
    True
    """
    return next(
        (notation for notation in (PLAIN, ENGLISH, CONTINENTAL) if is_written_in(values, notation, nulls)), None
    )


def is_written_in(values: pl.Series, notation: Notation, nulls: Set[str]) -> bool:
    """Tell whether a column of text has values, and all of them are numbers in a notation or null values."""
    some = values.drop_nulls()
    if some.is_empty() or (len(some) > 1 and not _all_fit(some.head(1), notation, nulls)):
        return False
    return _all_fit(some, notation, nulls) and not is_null_value(some, nulls).all()


def is_plain_number(values: pl.Series, nulls: Set[str]) -> bool:
    """Tell whether a column of text writes its numbers, or anything else, as programs do: nothing needs to be stated."""
    some = values.drop_nulls()
    return bool((some.str.contains(_PLAIN) | is_null_value(some, nulls)).all())


def _all_fit(some: pl.Series, notation: Notation, nulls: Set[str]) -> bool:
    return bool((some.str.contains(notation.pattern) | is_null_value(some, nulls)).all())


def as_written_by_programs(values: pl.Series, notation: Notation) -> pl.Series:
    """Rewrite the numbers of a column of text like ``-1234.5``; what is no number in the notation stays as it is.

    A text that would be a number only in another notation becomes null: ``1.5`` where the point parts thousands.

    Examples
    --------
    >>> as_written_by_programs(pl.Series(["1.234,56 €", "(20)", "n/a", "1.5"]), CONTINENTAL).to_list()
    ['1234.56', '-20', 'n/a', None]
    """
    parts = pl.col("text").str.extract_groups(notation.pattern)
    digits = parts.struct.field("digits").str.replace_all(f"[{notation.between}]", "")
    digits = digits.str.replace(notation.decimal, ".", literal=True)
    digits = digits.str.replace(r"^\.", "0.").str.strip_suffix(".") + parts.struct.field("power").fill_null("")
    marks = pl.concat_str([parts.struct.field(name).fill_null("") for name in ("sign", "minus", "end")])
    sign = pl.when(marks.str.contains(r"[(\-\x{2212}]")).then(pl.lit("-")).otherwise(pl.lit(""))
    foreign = pl.col("text").str.strip_chars().str.contains(_PLAIN)
    kept = pl.when(~foreign).then(pl.col("text"))
    rewritten = pl.when(digits.is_not_null()).then(pl.concat_str([sign, digits])).otherwise(kept)
    return values.alias("text").to_frame().select(rewritten.alias(values.name)).to_series()
