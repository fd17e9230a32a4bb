"""Reading: a YAML document becomes a definition, or the list of everything that is wrong with its form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from pqlkit.definitions.diagnostics import Diagnostic
    from pqlkit.definitions.model import Condition, Definition, Outcome
    from pqlkit.definitions.yaml_source import Document
    from pqlkit.definitions.yaml_source import Path as YamlPath


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Why a ref leads nowhere: `reason` is a whole message, `hint` what to do."""

    reason: str
    hint: str | None = None


Resolver: TypeAlias = "Callable[[str], Definition | Unresolved]"
"""Finds the definition or milestone of a name."""


def check_definition(
    document: Document, resolver: Resolver | None = None
) -> tuple[Definition | None, list[Diagnostic]]:
    """Read a document; give the definition (None if an error forbids it) and every fault of its form, in file order.

    Parameters
    ----------
    document
        From `yaml_source.parse`; its own diagnostics are part of the result.
    resolver
        Finds what ``ref`` and ``outcome.definition`` name. None: nothing can be found.
    """
    raise NotImplementedError


def read_definition(path: Path | str, *, resolver: Resolver | None = None) -> Definition:
    """Read one file.

    Raises
    ------
    DefinitionError
        The file cannot be read or has faults; all of them are in `diagnostics`.
    """
    raise NotImplementedError


def check_conditions(document: Document, path: YamlPath) -> tuple[tuple[Condition, ...], list[Diagnostic]]:
    """Read the list of trait conditions at `path` of any document (the project file's ``population``)."""
    raise NotImplementedError


def check_outcome(document: Document, path: YamlPath) -> list[Diagnostic]:
    """Check the mapping at `path` as an ``outcome`` block in which ``within`` may be missing (the project file's)."""
    raise NotImplementedError
