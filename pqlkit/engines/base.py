"""The engine: what the rest of pqlkit may ask of Polars, DuckDB or Spark, and nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import polars as pl

    from pqlkit.typing import LazyFrame


class Engine(Protocol):
    """A place where lazy tables are evaluated. Outside `pqlkit.engines` no code asks which one runs."""

    name: str

    def scan(self, paths: Sequence[str], columns: Sequence[str]) -> LazyFrame:
        """Read canonical Parquet lazily: the named columns alone, every time as Int64 UTC microseconds."""
        ...

    def lift(self, frame: pl.DataFrame) -> LazyFrame:
        """Bring a small table into the engine."""
        ...

    def collect(self, frame: LazyFrame) -> pl.DataFrame:
        """Run the plan (streaming where the engine can); the row order is undefined."""
        ...

    def sink(self, frame: LazyFrame, path: Path) -> None:
        """Run the plan into a Parquet file without holding it in memory."""
        ...
