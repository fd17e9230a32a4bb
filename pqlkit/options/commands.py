"""The options of every command: which records each takes, and what is its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pqlkit.options import parsing as reading
from pqlkit.options.data import PROJECT, BesideEventsOptions, DataOptions, SourceOptions
from pqlkit.options.leads import ScoreOptions
from pqlkit.options.option import Option, Role, option, options_of
from pqlkit.options.output import (
    OUTPUT,
    DetailsOption,
    Format,
    MessageOptions,
    OutputOptions,
    PageOption,
    QuietOption,
    ReportFormat,
    TargetOption,
)
from pqlkit.options.search import ProposeOptions
from pqlkit.options.settings import EntityOptions, RowsOption, Settings, SnapshotOptions
from pqlkit.options.warehouse import SqlOptions

_CHECK: Final = "Check"


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """Which product is made up."""

    accounts: int = option(
        5000, "How many accounts, at least 50.", reads=reading.whole(50, 1_000_000), takes=int, metavar="N"
    )
    seed: int = option(1, "Another seed is another product.", metavar="N")


@dataclass(frozen=True, kw_only=True)
class InitOptions:
    """What is looked at besides files, and where the project file goes."""

    connection: str | None = option(
        None, "The environment variable with a database server's address; exports are then its tables.", metavar="NAME"
    )
    table: str | None = option(None, "Of a database: the table of the events.", metavar="NAME")
    from_: str | None = option(None, "With --sql: whose tables are to be exported, like bigquery-ga4.", metavar="NAME")
    sql: bool = option(False, "Print one export statement per table and leave.")
    out: Path = option(Path(PROJECT), "The project file to write.", metavar="FILE", role=Role.MAKES)


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """What `load` writes and tolerates."""

    out: Path | None = option(None, "The folder to write the dataset to.", metavar="DIR", role=Role.FILLS)
    format: Format = option(Format.TABLE, "How the intake report is written.", panel=OUTPUT)
    append: bool = option(False, "Add to the dataset that is there; what was read before is skipped.")
    max_bad: float | None = option(
        None, "Stop if more than this share of a table is bad, like 1%.", reads=reading.share, metavar="SHARE"
    )
    plausible: tuple[str, str] | None = option(
        None, "Dates that can be true: FROM..TO.", reads=reading.dates, metavar="FROM..TO", rare=True
    )
    catalogue: Path | None = option(
        None, "Also write event names, properties and types to this file.", metavar="FILE", role=Role.WRITES, rare=True
    )


@dataclass(frozen=True, kw_only=True)
class TryOptions:
    """Where the hypothesis goes."""

    save: Path | None = option(
        None,
        "Write the hypothesis as a definition file.",
        reads=reading.hypothesis_file,
        takes=Path,
        metavar="FILE",
        role=Role.MAKES,
    )


@dataclass(frozen=True, kw_only=True)
class ValidateOptions(MessageOptions, TargetOption):
    """What is checked, and how faults are told."""

    format: ReportFormat | None = option(
        None, "How faults are written.", unset="text; with --out, what its name says", panel=OUTPUT
    )
    strict: bool = option(False, "Warnings fail the check too.", panel=_CHECK)
    base: str | None = option(
        None,
        "Compare with this file, folder or git revision (main, HEAD~1): what changed in meaning?",
        metavar="FILE_OR_REVISION",
        panel=_CHECK,
        role=Role.READS,
    )
    explain: str | None = option(None, "Print the page of a rule and leave.", metavar="CODE", panel=_CHECK)
    describe: bool = option(False, "Print each definition as a paragraph of English.", panel=_CHECK)
    fix: bool = option(False, "Repair what can be repaired safely; comments and order stay.", panel=_CHECK)
    catalogue: Path | None = option(
        None,
        "Check names against this file, which `pqlkit load --catalogue` wrote.",
        metavar="FILE",
        panel=_CHECK,
        role=Role.READS,
    )


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """Which definitions, cut how, and what makes the run fail."""

    definition: tuple[Path, ...] = option(
        (), "The definition file. Repeatable.", short="-d", metavar="FILE", role=Role.READS
    )
    by: tuple[str, ...] = option(
        (),
        "signup_week, signup_month, signup_quarter, a trait, bands of a number (seats:5,20) or a behaviour. Repeatable.",
        metavar="COHORT",
    )
    ledger: Path | None = option(
        None, "What `score --ledger --control` wrote: compare the arms.", metavar="FILE", role=Role.READS, rare=True
    )
    contacts: str | None = option(
        None, "Who was contacted when: user_id, account_id or entity; at.", metavar="FILE", role=Role.READS
    )
    visitors: int | None = option(None, "Visitors of the site while these signed up.", metavar="COUNT", rare=True)
    fail_under: float | None = option(
        None, "Exit 1 if the whole interval of PQL to customer lies below this.", reads=reading.share, metavar="RATE"
    )
    fail_on_drift: bool = option(
        False, "Exit 1 if the newest period of which enough is complete has drifted; judged 12 times a year."
    )


@dataclass(frozen=True, kw_only=True)
class ExplainOptions:
    """Whose definition, or all who converted."""

    definition: Path | None = option(None, "The definition file.", short="-d", metavar="FILE", role=Role.READS)
    converters: bool = option(False, "Those who converted, side by side; needs no definition.")


_MEASURED: Final = (DataOptions, SnapshotOptions, EntityOptions)

RECORDS: Final[Mapping[str, tuple[type[Any], ...]]] = {
    "demo": (DemoOptions,),
    "init": (BesideEventsOptions, InitOptions, QuietOption),
    "load": (SourceOptions, LoadOptions, MessageOptions),
    "analyze": (DataOptions, Settings, EntityOptions, RowsOption, PageOption, OutputOptions),
    "try": (*_MEASURED, TryOptions, PageOption, OutputOptions),
    "propose": (*_MEASURED, ProposeOptions, DetailsOption, PageOption, OutputOptions),
    "validate": (ValidateOptions, DataOptions),
    "score": (DataOptions, ScoreOptions, OutputOptions),
    "report": (DataOptions, ReportOptions, PageOption, OutputOptions),
    "explain": (DataOptions, ExplainOptions, OutputOptions),
    "sql": (SqlOptions,),
    "schema": (TargetOption,),
}
"""The records of each command, in the order of its help."""


def command_options(command: str) -> dict[str, Option]:
    """Give the options of a command by their names.

    Examples
    --------
    >>> list(command_options("schema"))
    ['out']
    """
    if command not in RECORDS:
        raise LookupError(f"the command {command} has no line in RECORDS of {__name__}")
    return {entry.name: entry for record in RECORDS[command] for entry in options_of(record)}
