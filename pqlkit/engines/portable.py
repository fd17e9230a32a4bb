"""What not every engine has, written with what all of them have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import narwhals as nw
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pqlkit.typing import LazyFrame


class Lifts(Protocol):
    """Of an engine, what brings a table in."""

    def lift(self, frame: pl.DataFrame) -> LazyFrame:
        """Bring a small table into the engine."""
        ...


def encoded(engine: Lifts, frame: LazyFrame, column: str, names: Sequence[str]) -> LazyFrame:
    """Replace a text column by the Int32 position of its value in `names`; other values become null."""
    known = pl.DataFrame({column: list(names), "code": range(len(names))}, schema={column: pl.String, "code": pl.Int32})
    others = [name for name in frame.collect_schema().names() if name != column]
    joined = frame.join(engine.lift(known), on=column, how="left")
    return joined.select(*others, nw.col("code").alias(column))


def one(flag: nw.Expr) -> nw.Expr:
    """Give 1 where a flag is true, else 0: Spark adds up no flags."""
    return nw.when(flag).then(nw.lit(1, nw.Int64)).otherwise(nw.lit(0, nw.Int64))
