"""The mismatch: why ids of two tables do not find each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

_FOLDS: Final[tuple[tuple[str, Callable[[pl.Expr], pl.Expr]], ...]] = (
    ("they differ in capital and small letters", lambda text: text.str.to_lowercase()),
    ("they differ in blanks", lambda text: text.str.replace_all(r"\s", "")),
    ("they differ in a point and noughts at the end", lambda text: text.str.replace(r"\.0+$", "")),
    ("they differ in noughts at the start", lambda text: text.str.strip_chars_start("0")),
    ("they differ in dashes", lambda text: text.str.replace_all("-", "", literal=True)),
    ("one of them has a prefix", lambda text: text.str.replace(r"^.*[_:|/#]", "")),
    ("one of them is the part before the @ of an address", lambda text: text.str.replace(r"@.*$", "")),
)
_SHOWN: Final = 3


def mismatch(these: pl.Series, those: pl.Series) -> str | None:
    """Say what ids that do not match have in common, if at least half of them would match but for it.

    Parameters
    ----------
    these, those
        Ids as text: those that are looked for, and those that are known.

    Examples
    --------
    >>> mismatch(pl.Series(["U1", "U2"]), pl.Series(["u1", "u2", "u3"]))
    'they differ in capital and small letters'
    >>> mismatch(pl.Series(["cus_9"]), pl.Series(["u1"])) is None
    True
    """
    wanted, known = these.drop_nulls().unique(), those.drop_nulls().unique()
    if wanted.is_empty() or known.is_empty():
        return None
    if wanted.str.contains("@", literal=True).all() and not known.str.contains("@", literal=True).any():
        return "they are e-mail addresses: match: email finds users by their address"
    for words, fold in _FOLDS:
        folded = wanted.to_frame("v").select(fold(pl.col("v"))).to_series()
        others = known.to_frame("v").select(fold(pl.col("v"))).to_series()
        if 2 * int(folded.is_in(others.implode()).sum()) >= len(folded):
            return words
    return None


def shown(ids: pl.Series) -> str:
    """Show some ids.

    Examples
    --------
    >>> shown(pl.Series(["b", "a", None, "d", "c"]))
    'b, a, d ...'
    """
    from pqlkit.inert import visible

    some = ids.drop_nulls().unique(maintain_order=True)
    return ", ".join(visible(text, 40) for text in some.head(_SHOWN)) + (" ..." if len(some) > _SHOWN else "")
