"""The seam: Polars, DuckDB, Spark."""

from pqlkit.engines.factory import ENGINES, engine

__all__ = ["ENGINES", "engine"]
