"""The meeting: which looks a definition holds at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.columns import CUTOFF, ENTITY, OFF, ON
from pqlkit.definitions.model import All, Any, Criterion, NOf, Not, Ref

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.definitions.model import Node

__all__ = ["judged_at_the_end", "meets"]


def meets(spells: pl.DataFrame, frame: pl.DataFrame, *, at_cutoff: bool = False) -> NDArray[np.bool_]:
    """Say for each look whether the definition holds there.

    Parameters
    ----------
    spells
        ``entity``, ``on``, ``off`` of the whole definition; disjoint per entity; any order.
    frame
        ``entity``, ``cutoff``, one row per look.
    at_cutoff
        False: a spell must cover the microsecond before the cutoff, so that nothing at the cutoff counts. True: the
        cutoff itself, for formulas that are judged when a window ends (see `judged_at_the_end`).

    Returns
    -------
    array of bool
        In the order of `frame`.

    Examples
    --------
    >>> import polars as pl
    >>> spells = pl.DataFrame({"entity": [0], "on": [10], "off": [20]}, schema_overrides={"off": pl.Int64})
    >>> meets(spells, pl.DataFrame({"entity": [0, 0, 0, 1], "cutoff": [10, 11, 21, 15]})).tolist()
    [False, True, False, False]
    """
    import polars as pl

    moment = pl.col(CUTOFF) if at_cutoff else pl.col(CUTOFF) - 1
    asked = frame.select(ENTITY, moment.alias("moment")).with_row_index("row").sort("moment", ENTITY)
    known = spells.select(ENTITY, ON, OFF).sort(ON, ENTITY)
    joined = asked.join_asof(
        known, left_on="moment", right_on=ON, by=ENTITY, strategy="backward", check_sortedness=False
    )
    held = pl.col(ON).is_not_null() & (pl.col(OFF).is_null() | (pl.col(OFF) > pl.col("moment")))
    return joined.select("row", held.alias("held")).sort("row").get_column("held").to_numpy()


def judged_at_the_end(node: Node) -> bool:
    """Say whether a part of the formula is judged when its window ends (`at_most` and `not`), hence at the cutoff itself."""
    match node:
        case Criterion():
            return node.at_most is not None
        case Not():
            return True
        case All(parts=parts) | Any(parts=parts) | NOf(parts=parts):
            return any(judged_at_the_end(part) for part in parts)
        case Ref():
            return judged_at_the_end(node.target.qualify)
