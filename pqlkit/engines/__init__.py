"""The seam: Polars, DuckDB."""

from pqlkit.engines.factory import ENGINES, engine

__all__ = ["ENGINES", "engine"]
