from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from pqlkit.exports.dataset import Dataset, open_dataset, with_sources
from pqlkit.exports.loading import load
from pqlkit.exports.mapping import Column, Match, Source
from pqlkit.exports.project import Project

if TYPE_CHECKING:
    from pathlib import Path

    from pqlkit.exports.intake import Intake

EVENTS = "user_id,event,timestamp\nu1,login,2026-01-01T00:00:00Z\nu2,login,2026-01-02T00:00:00Z\n"


class Exports:
    """A folder of exports to write into and to read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def written(self, kind: str, name: str, **columns: list[Any]) -> str:
        """Write columns as a file of a kind: ``csv``, ``jsonl`` or ``parquet``."""
        path = self.folder / f"{name}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        frame = pl.DataFrame(columns, strict=False)
        match kind:
            case "csv":
                frame.write_csv(path)
            case "jsonl":
                frame.write_ndjson(path)
            case _:
                frame.write_parquet(path)
        return str(path)

    def read(self, events: str | bytes = EVENTS, name: str = "events.csv", **others: str) -> Dataset:
        """Read events (content), and other tables (content) as CSV."""
        paths: dict[str, Any] = {table: self.write(f"{table}.csv", content) for table, content in others.items()}
        return open_dataset(with_sources(events=self.write(name, events), **paths))

    def mapped(self, path: str, **columns: str | Column) -> Source:
        """A source whose columns are mapped by name."""
        named = {key: Column(names=(value,)) if isinstance(value, str) else value for key, value in columns.items()}
        return Source(path=(path,), columns=named)

    def project(self, **sources: Source) -> Project:
        return Project(exports=sources)

    def load(self, out: str = "out", **paths: Any) -> Intake:
        return load(with_sources(**paths), self.folder / out)


@pytest.fixture
def exports(tmp_path: Path) -> Exports:
    return Exports(tmp_path)


def rows(dataset: Dataset, table: str = "events", *columns: str) -> list[tuple[object, ...]]:
    """The rows of a table, times as ISO text."""
    read = dataset.tables[table]
    frame = read.scan().collect()
    if read.numbers:  # events that `load` wrote lie in an order of their own
        frame = frame.sort("timestamp", "user_id", maintain_order=True)
    frame = frame.select(columns) if columns else frame
    times = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)]
    return frame.with_columns(pl.col(times).dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")).rows()


@pytest.fixture(params=["csv", "jsonl", "parquet"])
def kind(request: pytest.FixtureRequest) -> str:
    """How a file is written."""
    return str(request.param)


@pytest.fixture
def table_rows():
    return rows


__all__ = ["EVENTS", "Column", "Exports", "Match", "Source", "rows"]
