"""Options of data: where the exports are, and what of them counts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pqlkit.engines.factory import EngineName
from pqlkit.options.option import Role, option
from pqlkit.options.parsing import moment_text

DATA: Final = "Data"

PROJECT: Final = "pqlkit.yml"
"""The project file's name."""


@dataclass(frozen=True, kw_only=True)
class ProjectOption:
    """The project file."""

    project: Path | None = option(
        None,
        "The project file.",
        unset=f"{PROJECT} here, if there",
        short="-p",
        metavar="FILE",
        panel=DATA,
        in_project=False,
        role=Role.READS,
    )


@dataclass(frozen=True, kw_only=True)
class EventsOptions(ProjectOption):
    """The project file and the events."""

    events: str | None = option(
        None,
        "Events: a file, folder or glob (.csv, .parquet, .jsonl; .gz, .zst), or an address like s3://.",
        metavar="PATH",
        panel=DATA,
        role=Role.READS,
    )


@dataclass(frozen=True, kw_only=True)
class BesideEventsOptions:
    """The exports beside the events."""

    users: str | None = option(None, "Users.", metavar="PATH", panel=DATA, role=Role.READS)
    accounts: str | None = option(None, "Accounts.", metavar="PATH", panel=DATA, role=Role.READS)
    conversions: str | None = option(
        None, "Conversions: who became a customer, and when.", metavar="PATH", panel=DATA, role=Role.READS
    )
    identities: str | None = option(
        None, "Whose events an anonymous id's are.", metavar="PATH", panel=DATA, role=Role.READS, rare=True
    )
    map: tuple[str, ...] = option(
        (),
        'Which column of an export is which: conversions.converted_at="Close Date". Repeatable.',
        metavar="TABLE.COLUMN=HEADER",
        panel=DATA,
        rare=True,
    )


@dataclass(frozen=True, kw_only=True)
class SourceOptions(BesideEventsOptions, EventsOptions):
    """Where the exports are."""


@dataclass(frozen=True, kw_only=True)
class StoredOptions(SourceOptions):
    """Where the exports are, as they came or as `load` left them, and which must be there."""

    data: Path | None = option(None, "A folder that `pqlkit load` wrote.", metavar="DIR", panel=DATA, role=Role.READS)
    require: tuple[str, ...] = option(
        (),
        "Do not run without this export: users, accounts, conversions, identities, contacts. Repeatable.",
        metavar="TABLE",
        panel=DATA,
        rare=True,
    )


@dataclass(frozen=True, kw_only=True)
class ExtentOptions:
    """How far the data goes, what of it is true of the past, and what evaluates it."""

    as_of: str | None = option(
        None,
        "The last moment that exists.",
        reads=moment_text,
        unset="the newest plausible row",
        metavar="DATE",
        panel=DATA,
    )
    events_from: str | None = option(
        None,
        "The first day of the events export, if it begins before its first row.",
        reads=moment_text,
        unset="the day of its first row",
        metavar="DATE",
        panel=DATA,
        rare=True,
    )
    trust_current: tuple[str, ...] = option(
        (), "Use today's value of TRAIT for the past all the same. Repeatable.", metavar="TRAIT", panel=DATA, rare=True
    )
    engine: EngineName = option(EngineName.POLARS, "What evaluates the tables.", panel=DATA, rare=True)
    spark_remote: str | None = option(
        None,
        "With --engine spark: its Spark Connect server, sc://host:15002.",
        unset="SPARK_REMOTE, where tokens go too",
        metavar="ADDRESS",
        panel=DATA,
        rare=True,
    )


@dataclass(frozen=True, kw_only=True)
class DataOptions(ExtentOptions, StoredOptions):
    """Where the data is, and what of it counts."""
