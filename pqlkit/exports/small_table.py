"""The small table: read whole, wherever it lies, for what is done with it here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from pqlkit.engines.base import Engine
    from pqlkit.exports.dataset import Table


def read_table(engine: Engine, table: Table, names: Iterable[str] | None = None) -> pl.DataFrame:
    """Read a small table, or some of its columns; times are Int64 microseconds. The plan never sees hostile names."""
    wanted = [name for name in (table.columns if names is None else names) if name in table.columns]
    aliases = {name: f"c{index}" for index, name in enumerate(wanted)}
    frame = engine.collect(engine.scan(table.paths, aliases))
    return frame.rename({alias: name for name, alias in aliases.items()})
