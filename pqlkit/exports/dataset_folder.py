"""The dataset's folder: what lies in it by which name, told without reading data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "manifest.json"
QUARANTINE: Final = "quarantine.jsonl"
"""The rows that could not be used, beside the manifest."""

PLACE: Final = ".pqlkit"
"""The folder in a published folder that is the writers' own; where it is, the folder is pqlkit's."""


def dataset_of(path: Path) -> Path | None:
    """Find the dataset that a file is part of, whether its manifest can be read or not; None = of none."""
    real = path.resolve()
    for folder in list(real.parents)[:3]:
        try:
            with (folder / NAME).open("rb") as stream:
                ours = b'"pqlkit/dataset/' in stream.read(1024)
        except OSError:
            continue
        inside = real.relative_to(folder)
        data = len(inside.parts) > 1 and (inside.suffix == ".parquet" or inside.parts[0] == PLACE)
        if ours and (data or str(inside) in {NAME, QUARANTINE}):
            return folder
    return None
