"""The YAML document: plain data, and the place of every key and value in the file.

One reader serves definitions and project files. It stands on the *events* of libyaml (nothing recursive runs before size
and depth are known), builds only what JSON and dates can hold, and says of every fault where it is.

- Bare text is read by YAML 1.2's core rules plus dates. What YAML 1.1 tools read as something else (``yes``, ``12:30``,
  ``010``, ``1_000``, ``0x1F``, ``1e3``, ``.nan``) stays the text that was written, as a `Surprise`, so that a reader can
  say "quote it".
- Keys are text, always.
- Anchors, aliases, merge keys, tags and second documents are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pqlkit.definitions.codes import Code
    from pqlkit.definitions.diagnostics import Diagnostic

LARGEST: Final = 1024 * 1024
"""Bytes of a file."""

DEEPEST: Final = 50
"""Levels of nesting."""

Path: TypeAlias = "tuple[str | int, ...]"
"""Keys and list positions from the root of the document to a value."""

Yaml: TypeAlias = "dict[str, Yaml] | list[Yaml] | str | int | float | bool | date | None"
"""What a document holds. Text may be a `Surprise`, keys too."""


class Surprise(str):
    """Bare text that YAML 1.1 tools take for something else; `meaning` says for what: ``"true"``, ``"750"``."""

    __slots__ = ("meaning",)
    meaning: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of the file. Lines and columns start at 1 and count characters; `end_column` is one past the last."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML file as read.

    Parameters
    ----------
    path
        The file's name, as shown in diagnostics.
    text
        The decoded text (without byte order mark).
    data
        Plain data; None if the file is empty or `broken`.
    diagnostics
        Faults of the YAML itself, in file order.
    broken
        The data cannot be trusted (syntax, size, depth, aliases or tags): read no further.
    values
        Place of each value by path.
    keys
        Place of each key by path (the path of its value).
    """

    path: str
    text: str
    data: Yaml = None
    diagnostics: tuple[Diagnostic, ...] = ()
    broken: bool = False
    values: Mapping[Path, Mark] = field(default_factory=dict)
    keys: Mapping[Path, Mark] = field(default_factory=dict)

    def mark(self, path: Path) -> Mark:
        """Find the value at `path`, or the nearest thing around it that exists."""
        raise NotImplementedError

    def key(self, path: Path) -> Mark:
        """Find the key of `path`; of list items and missing keys the value, or the nearest key around it."""
        raise NotImplementedError

    def diagnostic(
        self,
        code: Code,
        path: Path,
        message: str,
        *,
        key: bool = False,
        hint: str | None = None,
        fix: str | None = None,
        safe: bool = False,
    ) -> Diagnostic:
        """Make a diagnostic at the value of `path`, or at its key."""
        raise NotImplementedError


def parse(text: bytes | str, path: str) -> Document:
    """Read one YAML document; never raises on any input.

    Parameters
    ----------
    text
        The file's content: bytes (UTF-8, with or without byte order mark) or text.
    path
        The file's name, for diagnostics.
    """
    raise NotImplementedError
