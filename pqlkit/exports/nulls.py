r"""The null value: texts that programs write where they have no value.

One rule for ids, event ids, e-mail addresses, times and numbers: taken as an id, such a text would make one account of all
who have none. Other columns keep their text, because a plan may well be called ``none``. The empty text is never a value.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Set

    import polars as pl

_WORDS: Final = (
    "null", "none", "nil", "nan", "nat", "n/a", "#n/a", "undefined", "(null)", "(none)", "[null]", "<null>", "<none>", "<na>",
    "(not set)", "(undefined)", "(empty)", "(blank)",
)  # fmt: skip
_AS_THEY_ARE: Final = (
    "NaN", "NaT", "NA", r"\N", "-", "--", "[object Object]", "00000000-0000-0000-0000-000000000000", "0" * 32,
)  # fmt: skip

NULL_VALUES: Final = frozenset(
    {spelt for word in _WORDS for spelt in (word, word.upper(), word.title(), word.capitalize())} | set(_AS_THEY_ARE)
)
"""Taken as no value where a project file does not state its own list."""


def without_nulls(values: pl.Series, nulls: Set[str]) -> pl.Series:
    r"""Take empty texts and null values out of a column of text.

    Examples
    --------
    >>> import polars as pl
    >>> without_nulls(pl.Series(["u1", "NULL", "", "-"]), NULL_VALUES).to_list()
    ['u1', None, None, None]
    """
    return values.set(is_null_value(values, nulls), None)


def is_null_value(values: pl.Series, nulls: Set[str]) -> pl.Series:
    """Mark the texts of a column that stand for no value, also with blanks around them, and the empty ones."""
    import polars as pl

    # Exports come in hundreds of small files: each question to Polars costs more than its answer, so two ask all.
    frame, text = values.to_frame("text"), pl.col("text")
    padded = [test(blank).any() for blank in " \t" for test in (text.str.starts_with, text.str.ends_with)]
    plain = text.str.strip_chars() if frame.select(pl.any_horizontal(padded)).item() else text
    marked = plain.is_in(_listed(frozenset(nulls)).implode()).fill_null(value=False)
    return frame.select(marked.alias(values.name)).to_series()


@cache
def _listed(nulls: frozenset[str]) -> pl.Series:
    import polars as pl

    return pl.Series(sorted(nulls | {""}), dtype=pl.String)


def counted_nulls(values: pl.Series, nulls: Set[str]) -> dict[str, int]:
    """Count the texts of a column that stand for no value, by text; the empty one does not count."""
    some = values.filter(is_null_value(values, nulls))
    if some.is_empty():
        return {}
    some = some.str.strip_chars()
    return dict(some.filter(some != "").value_counts(sort=True).iter_rows())
