"""The seam: Polars, DuckDB."""
