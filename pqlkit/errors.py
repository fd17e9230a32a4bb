"""Errors: everything pqlkit raises on purpose, one tree with one root.

::

    PqlkitError
    ├── UsageError            an option or argument cannot be obeyed
    ├── DataError             an export or dataset cannot be read as what it should be
    ├── DefinitionError       a definition or project file has faults (carries the diagnostics)
    ├── EngineError           an engine is missing, or cannot do what was asked
    └── OutputError           a result cannot be written

The command line maps every one of them to exit code 2. What a user got wrong *inside* a YAML file is data
(`pqlkit.definitions.diagnostics.Diagnostic`); `DefinitionError` only carries it where work cannot go on.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["DataError", "DefinitionError", "EngineError", "OutputError", "PqlkitError", "UsageError", "nearest"]


class PqlkitError(Exception):
    """The root of all errors that pqlkit raises on purpose.

    Parameters
    ----------
    message
        What is wrong, in one sentence, naming the value.
    where
        The place: ``events.csv:12:5``, ``--windows``, or None when there is none.
    hint
        What to do about it, or None.
    """

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """Render ``where: message`` and, below it, the hint."""
        text = f"{self.where}: {self.message}" if self.where else self.message
        return "\n".join([text, *(f"  {line}" for line in (self.hint or "").splitlines())])


class UsageError(PqlkitError):
    """An option or argument cannot be obeyed."""


class DataError(PqlkitError):
    """An export or dataset cannot be read as what it should be."""


class DefinitionError(PqlkitError):
    """A definition or project file has faults; `diagnostics` lists every one of them."""

    def __init__(
        self, message: str, *, diagnostics: Sequence[Any] = (), where: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.diagnostics = tuple(diagnostics)


class EngineError(PqlkitError):
    """An engine is missing, or cannot do what was asked."""


class OutputError(PqlkitError):
    """A result cannot be written."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that a person most likely meant, or None if none is near.

    Parameters
    ----------
    name
        What was written.
    known
        The names that exist. Ties go to the alphabetically first.

    Examples
    --------
    >>> nearest("conversons", ["events", "conversions"])
    'conversions'
    >>> nearest("zebra", ["events", "conversions"]) is None
    True
    """
    candidates = sorted(set(known))
    folded: dict[str, str] = {}
    for candidate in candidates:
        folded.setdefault(candidate.casefold(), candidate)
    matches = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[matches[0]] if matches else None


def suggestion(name: str, known: Iterable[str], otherwise: str | None = None, *, quoted: bool = False) -> str | None:
    """Ask whether the nearest known name was meant, as a hint; give `otherwise` where none is near.

    Examples
    --------
    >>> suggestion("conversons", ["events", "conversions"])
    'did you mean conversions?'
    >>> suggestion("zebra", ["events", "conversions"], "there are two")
    'there are two'
    """
    near = nearest(name, known)
    if near is None:
        return otherwise
    return f"did you mean {near!r}?" if quoted else f"did you mean {near}?"
