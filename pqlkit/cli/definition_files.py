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

    files = [(definition, folder / f"{definition.name}.yml") for definition in definitions]
    for definition, path in files:
        if says_something_else(definition, path):
            raise _taken(path)
    for definition, path in files:
        if not path.exists():
            write_text(path, emit(definition))
    return {definition.name: str(path) for definition, path in files}


def refuse_another(path: Path) -> None:
    """Refuse a name before a search where its file is certainly none that the search would write: somebody's own, or changed since.

    Raises
    ------
    UsageError
        The file is there, and is not as `pqlkit propose` wrote it.
    """
    from pqlkit.definitions.folders import load_definition
    from pqlkit.definitions.model import ChosenBy, Status
    from pqlkit.errors import DefinitionError

    if not path.exists():
        return
    try:
        definition = load_definition(path)
    except DefinitionError:
        raise _taken(path) from None
    searched = definition.evidence is not None and definition.evidence.chosen_by is ChosenBy.PROPOSE
    if not searched or definition.status is not Status.HYPOTHESIS or says_something_else(definition, path):
        raise _taken(path)


def _taken(path: Path) -> UsageError:
    return UsageError(
        f"{path} is there and says something else; nothing was written",
        hint=f"choose another name (propose --name, try --save): {free_path(path)} is free",
    )


def says_something_else(definition: Definition, path: Path) -> bool:
    """Whether a file is there that is not this definition's."""
    from pqlkit.definitions.emitting import emit

    return path.exists() and path.read_bytes() != emit(definition).encode()


def free_path(path: Path) -> Path:
    """Give a path that nothing has: this one, or the first with a number.

    Examples
    --------
    >>> from pathlib import Path
    >>> free_path(Path("no-such-folder/invite.yml")).name
    'invite.yml'
    """
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free
