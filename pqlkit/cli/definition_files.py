"""Definition files that commands write: never over one that says something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pqlkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pqlkit.definitions.model import Definition


def write_definitions(definitions: Sequence[Definition], folder: Path) -> dict[str, str]:
    """Write ``NAME.yml`` for each definition.

    Parameters
    ----------
    definitions
        With different names.
    folder
        Made if missing.

    Returns
    -------
    dict
        Name -> path, also where the file already said the same.

    Raises
    ------
    UsageError
        A file is there and differs: nothing was written.
    OutputError
        A file cannot be written.
    """
    from pqlkit.definitions.emitting import emit
    from pqlkit.files import write_text

    texts = {folder / f"{definition.name}.yml": emit(definition) for definition in definitions}
    for path, text in texts.items():
        if path.exists() and path.read_bytes() != text.encode():
            raise UsageError(
                f"{path} is there and says something else; nothing was written",
                hint="give the new one a name with --name, or another folder",
            )
    for path, text in texts.items():
        if not path.exists():
            write_text(path, text)
    return {definition.name: str(folder / f"{definition.name}.yml") for definition in definitions}
