"""Loading: folders of definition files, whose refs are resolved by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.model import Definition
    from pqlkit.definitions.yaml_source import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One file: as read, what it means (None if faults forbid it), and its faults of form in file order."""

    document: Document
    definition: Definition | None
    diagnostics: tuple[Diagnostic, ...]


def load_definitions(paths: Iterable[Path | str], *, folders: Iterable[Path | str] = ()) -> tuple[Loaded, ...]:
    """Read files and folders of them; refs are looked up among them, beside them and in `folders`.

    Parameters
    ----------
    paths
        Files, or folders whose ``*.yml`` and ``*.yaml`` files are read (not deeper).
    folders
        More folders to look names up in.

    Returns
    -------
    tuple of Loaded
        One per file, sorted by path; files that were only looked up in are not listed.

    Raises
    ------
    DefinitionError
        A path does not exist or cannot be read.
    """
    raise NotImplementedError


def load_definition(path: Path | str, *, folders: Iterable[Path | str] = ()) -> Definition:
    """Read one file whose refs lie beside it or in `folders`.

    Raises
    ------
    DefinitionError
        The file cannot be read or has faults; all of them are in `diagnostics`.
    """
    raise NotImplementedError
