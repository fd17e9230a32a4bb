"""The table folder: Delta tables are read by their log, because old versions of their rows lie beside the valid ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from pqlkit.errors import DataError
from pqlkit.exports.path_keys import path_keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOG: Final = "_delta_log"


def is_delta(folder: Path) -> bool:
    """Tell whether a folder is a Delta table.

    Raises
    ------
    DataError
        It is a table of another kind, whose valid files this program cannot tell.
    """
    other = None
    if (folder / ".hoodie").is_dir():
        other = "a Hudi table"
    elif (folder / "metadata").is_dir() and any((folder / "metadata").glob("*.metadata.json")):
        other = "an Iceberg table"
    if other is not None:
        raise DataError(
            f"{folder} is {other}: which of its files are valid stands in a catalogue that is not read",
            hint="export it as Parquet, for example with the engine that wrote it",
        )
    return (folder / _LOG).is_dir()


def delta_files(folder: Path) -> list[Path]:
    """Give the files that are valid by the newest version of a Delta table.

    Raises
    ------
    DataError
        The log is damaged, or the table uses features in which a file does not hold its rows as they are.
    """
    valid: dict[str, None] = {}
    for action in _actions(folder):
        if (added := action.get("add")) is not None:
            _refuse(folder, added.get("deletionVector") is not None, "deletion vectors")
            unsaid = _names(added.get("partitionValues")) - set(path_keys(added["path"]))
            _refuse(folder, bool(unsaid), "partitions that stand in its log alone")
            valid[added["path"]] = None
        _refuse(folder, action.get("sidecar") is not None, "checkpoints in several files")
        if (removed := action.get("remove")) is not None:
            valid.pop(removed["path"], None)
        if (stated := action.get("metaData")) is not None:
            mode = dict(stated.get("configuration") or ()).get("delta.columnMapping.mode", "none")
            _refuse(folder, mode != "none", "column mapping")
    return sorted(folder / unquote(path) for path in valid)


def _names(values: Any) -> set[str]:
    """Name the columns of partition values: a mapping in commits, pairs in checkpoints."""
    return {item["key"] for item in values} if isinstance(values, list) else set(values or ())


def _refuse(folder: Path, used: bool, feature: str) -> None:
    if used:
        raise DataError(
            f"{folder} is a Delta table with {feature}, which are not read", hint="export it as Parquet, or rewrite it"
        )


def _actions(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the actions in force: those of the last checkpoint, then those of later commits."""
    import polars as pl

    log = folder / _LOG
    checkpoints = sorted(log.glob("*.checkpoint*.parquet"))
    start = checkpoints[-1].name[:20] if checkpoints else ""
    try:
        for path in checkpoints:
            if path.name.startswith(start):
                frame = pl.read_parquet(path, glob=False)
                asked = [name for name in ("add", "metaData", "sidecar") if name in frame.columns]
                for row in frame.select(asked).iter_rows(named=True):
                    yield {name: value for name, value in row.items() if value is not None and _filled(value)}
        for path in sorted(log.glob("*.json")):
            if path.name[:20] > start or not start:
                yield from (json.loads(line) for line in path.read_bytes().splitlines() if line.strip())
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise DataError(f"the log of the Delta table is damaged: {error}", where=str(log)) from error


def _filled(value: dict[str, Any]) -> bool:
    """Tell an action of a checkpoint from a row that is about another one."""
    return any(item is not None for item in value.values())
