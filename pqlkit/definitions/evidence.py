"""The evidence: what the definition files of a folder say about the searches that made them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def evidences(folder: Path) -> Iterator[Mapping[str, object]]:
    """Give the `evidence` mapping of each definition file of a folder, by file name; files that cannot be read have none.

    Parameters
    ----------
    folder
        Its ``*.yml`` and ``*.yaml`` files, not those of folders in it.
    """
    from pqlkit.definitions.yaml_source import parse

    for path in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        try:
            data = parse(path.read_bytes(), str(path)).data
        except OSError:
            continue
        written = data.get("evidence") if isinstance(data, dict) else None
        if isinstance(written, dict):
            yield written
