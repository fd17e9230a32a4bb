"""The Polars engine: the default, streaming."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import narwhals as nw
import polars as pl

from pqlkit.engines.overlaps import overlaps_by_sorting
from pqlkit.engines.ranking import NEWEST, RANK, ranked_by_sorting
from pqlkit.engines.tallies import ascending, tallied_by_sorting
from pqlkit.errors import DataError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.engines.overlaps import Overlap
    from pqlkit.engines.tallies import Packing, Part
    from pqlkit.typing import LazyFrame


@dataclass(frozen=True, slots=True)
class PolarsEngine:
    """Plans run on Polars' streaming engine, in this process."""

    name: str = "polars"

    def scan(self, paths: Sequence[str], columns: Sequence[str] | Mapping[str, str]) -> LazyFrame:
        """Read canonical Parquet lazily; see `Engine.scan`."""
        aliases = dict(columns) if isinstance(columns, Mapping) else {name: name for name in columns}
        if not paths:
            message = "there is no file to read"
            raise DataError(message)
        schemas = [_schema(path) for path in paths]
        known = set().union(*schemas)
        for name in aliases:
            if name not in known:
                message, near = f"there is no column {name!r}", nearest(name, known)
                raise DataError(message, where=paths[0], hint=f"did you mean {near!r}?" if near else None)
        parts = [
            pl.scan_parquet(path, glob=False).select(
                _column(name, schema).alias(alias) for name, alias in aliases.items()
            )
            for path, schema in zip(paths, schemas, strict=True)
        ]
        frame = parts[0] if len(parts) == 1 else pl.concat(parts, how="vertical_relaxed")
        return _narwhals(frame)

    def lift(self, frame: pl.DataFrame) -> LazyFrame:
        """Bring a small table into the engine."""
        return _narwhals(frame.lazy())

    def encode(self, frame: LazyFrame, column: str, names: Sequence[str]) -> LazyFrame:
        """Replace a text column by the Int32 position of its value in `names`; other values become null."""
        code = pl.col(column).cast(pl.Enum(names), strict=False).to_physical().cast(pl.Int32)
        return _narwhals(_polars(frame).with_columns(code.alias(column)))

    def ranked(self, frame: LazyFrame, by: Sequence[str], order: str, ranks: Sequence[int] | None) -> LazyFrame:
        """Rank the rows of each group by one sort of packed numbers; see `Engine.ranked`."""
        native = _polars(frame)
        known = native.collect_schema()
        schema = {name: known[name] for name in (*by, order)} | {RANK: pl.Int64(), NEWEST: pl.Boolean()}
        return _narwhals(
            native.map_batches(
                lambda rows: ranked_by_sorting(rows, by, order, ranks),
                schema=schema,
                predicate_pushdown=False,
                projection_pushdown=False,
                slice_pushdown=False,
            )
        )

    def tally(self, frame: LazyFrame, pack: Packing, *, whos: int | None = None) -> Iterator[Part]:
        """Count by one sort of packed numbers; see `Engine.tally`."""
        return tallied_by_sorting(self, frame, pack, whos)

    def overlaps(self, frame: LazyFrame, asked: Sequence[Overlap]) -> Iterator[pl.DataFrame]:
        """Find overlaps by one sort of the rows; see `Engine.overlaps`."""
        return overlaps_by_sorting(self, frame, asked)

    def distinct(self, frame: LazyFrame) -> NDArray[np.int64]:
        """Give the different numbers of a plan; see `Engine.distinct`."""
        return ascending(self.collect(frame))  # to sort them takes half of what a grouping does

    def keep(self, frame: LazyFrame) -> LazyFrame:
        """Hold what the plan gives in memory."""
        return _narwhals(self.collect(frame).lazy())

    def collect(self, frame: LazyFrame) -> pl.DataFrame:
        """Run the plan on the streaming engine."""
        return _polars(frame).collect(engine="streaming")


def _narwhals(frame: pl.LazyFrame) -> LazyFrame:
    return cast("LazyFrame", nw.from_native(frame))


def _polars(frame: LazyFrame) -> pl.LazyFrame:
    return cast("pl.LazyFrame", frame.to_native())


def _schema(path: str) -> pl.Schema:
    if not Path(path).exists():
        message = "the file does not exist"
        raise DataError(message, where=path)
    try:
        return pl.scan_parquet(path, glob=False).collect_schema()
    except pl.exceptions.PolarsError as error:
        message = f"not a readable Parquet file: {error}"
        raise DataError(message, where=path) from error


def _column(name: str, schema: pl.Schema) -> pl.Expr:
    match schema.get(name):
        case None:
            return pl.lit(None)  # an older file of the same table, from before the property existed
        case pl.Datetime() | pl.Date():
            return pl.col(name).cast(pl.Datetime("us")).cast(pl.Int64)
        case pl.Int8() | pl.Int16() | pl.Int32() | pl.UInt8() | pl.UInt16() | pl.UInt32():
            return pl.col(name).cast(pl.Int64)
        case pl.Categorical() | pl.Enum():
            return pl.col(name).cast(pl.String)
        case _:
            return pl.col(name)
