"""Options of output: where results go, and how much is said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from pqlkit.options.option import Role, option

OUTPUT: Final = "Output"


class Format(StrEnum):
    """How a result is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


class ReportFormat(StrEnum):
    """How the faults that `validate` finds are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    JUNIT = "junit"
    SARIF = "sarif"


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

    format: Format = option(Format.TABLE, "How the result is written.", panel=OUTPUT)


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
class PageOption:
    """The page beside the result."""

    html: Path | None = option(
        None, "Also write one self-contained page.", metavar="FILE", panel=OUTPUT, role=Role.WRITES
    )
