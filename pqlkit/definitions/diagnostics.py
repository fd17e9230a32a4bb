"""The diagnostic: one fault in a YAML file, as data. Renderers live in `renderers`, rules in `rules`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a fault is: errors fail `validate`, warnings only with ``--strict``."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Diagnostic:
    """One fault. Lines and columns start at 1; the end is exclusive in columns (``end_column`` is one past the last).

    `name` reads as "allow <name>". `fix` is a suggested text for the marked place, or None; `safe` says that ``--fix`` may
    apply it.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    code: str
    name: str
    severity: Severity
    message: str
    hint: str | None = None
    fix: str | None = None
    safe: bool = False
