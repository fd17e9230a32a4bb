r"""The null value: texts that programs write where they have no value.

One rule for ids, event ids, e-mail addresses, times and numbers: taken as an id, such a text would make one account of all
who have none. Other columns keep their text, because a plan may well be called ``none``. The empty text is never a value.
"""

from __future__ import annotations

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
    padded = [test(blank) for blank in " \t" for test in (values.str.starts_with, values.str.ends_with)]
    if any(marks.any() for marks in padded):
        values = values.str.strip_chars()
    return values.is_in(sorted(nulls | {""})).fill_null(value=False)


def counted_nulls(values: pl.Series, nulls: Set[str]) -> dict[str, int]:
    """Count the texts of a column that stand for no value, by text; the empty one does not count."""
    some = values.filter(is_null_value(values, nulls)).str.strip_chars()
    some = some.filter(some != "")
    return dict(some.value_counts(sort=True).iter_rows()) if len(some) else {}
