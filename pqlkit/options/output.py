"""Options of output: where results go, and how much is said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from pqlkit.options.option import Role, option

OUTPUT: Final = "Output"


PAGES: Final = frozenset({".html", ".htm"})
"""What the name of a page ends in."""


class Format(StrEnum):
    """How a result is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


def format_of(path: Path | None) -> Format:
    """Say by its suffix how the file of a result is written; a table without a file, and under any other suffix.

    Examples
    --------
    >>> [format_of(Path(name)).value for name in ("a.json", "a.MD", "a.txt")]
    ['json', 'markdown', 'table']
    """
    known = {".json": Format.JSON, ".csv": Format.CSV, ".md": Format.MARKDOWN}
    return Format.TABLE if path is None else known.get(path.suffix.lower(), Format.TABLE)


class ReportFormat(StrEnum):
    """How the faults that `validate` finds are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    JUNIT = "junit"
    SARIF = "sarif"

    @classmethod
    def named(cls, path: Path | None) -> ReportFormat:
        """Say by its suffix how the file of a report is written; text without a file, and under any other suffix."""
        known = {".json": cls.JSON, ".sarif": cls.SARIF, ".xml": cls.JUNIT}
        return cls.TEXT if path is None else known.get(path.suffix.lower(), cls.TEXT)


@dataclass(frozen=True, kw_only=True)
class QuietOption:
    """Whether anything but errors is said."""

    quiet: bool = option(False, "Errors alone on stderr.", panel=OUTPUT)


@dataclass(frozen=True, kw_only=True)
class MessageOptions(QuietOption):
    """How much is said."""

    verbose: bool = option(False, "Details on stderr.", panel=OUTPUT)


@dataclass(frozen=True, kw_only=True)
class FormatOption:
    """How the result is written."""

    format: Format | None = option(
        None, "How the result is written.", unset="table; with --out, what its name says", panel=OUTPUT
    )


@dataclass(frozen=True, kw_only=True)
class TargetOption:
    """Where the result goes."""

    out: Path | None = option(
        None, "Write the result to this file instead of stdout.", metavar="PATH", panel=OUTPUT, role=Role.WRITES
    )


@dataclass(frozen=True, kw_only=True)
class OutputOptions(MessageOptions, TargetOption, FormatOption):
    """How the result is written and where it goes, and how much is said."""


@dataclass(frozen=True, kw_only=True)
class DetailsOption:
    """How much the table shows."""

    details: bool = option(False, "Show what bears the rule out, too.", panel=OUTPUT)


@dataclass(frozen=True, kw_only=True)
class PageOption:
    """The page beside the result."""

    html: Path | None = option(
        None, "Also write one self-contained page.", metavar="FILE", panel=OUTPUT, role=Role.WRITES
    )
    open: bool = option(False, "Show the page in the browser.", panel=OUTPUT)
