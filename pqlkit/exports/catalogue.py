"""The catalogue: which events, properties and traits a dataset has, as a small sorted file for review in git."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pqlkit.exports.dataset import Dataset
    from pqlkit.typing import Json


def catalogue(dataset: Dataset) -> dict[str, Json]:
    """Describe a dataset.

    Returns
    -------
    dict
        ``{"pqlkit_catalogue": 1, "events": {name: {"count", "first", "last", "properties": {name: type}}}, "traits":
        {"users": {name: type}, "accounts": {name: type}}}``: sorted by name, times ISO 8601 UTC, types of `ColumnType`.
    """
    raise NotImplementedError


def write_catalogue(dataset: Dataset, path: Path | str) -> None:
    """Write the catalogue as YAML (as JSON if `path` ends in ``.json``), whole or not at all."""
    raise NotImplementedError
