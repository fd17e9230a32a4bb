"""Options of scoring: which definitions, what is new, what holds a night back, and what the list holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from pqlkit.durations import Duration
from pqlkit.options import parsing as reading
from pqlkit.options.bound import Bound
from pqlkit.options.option import Role, option

NEW: Final = "What is new"
GUARDS: Final = "Guards"
COLUMNS: Final = "Columns"


class Preset(StrEnum):
    """Whose import the columns are named for."""

    HUBSPOT = "hubspot"
    SALESFORCE = "salesforce"


@dataclass(frozen=True, kw_only=True)
class ScoreOptions:
    """Which definitions, what is new, and what the list holds."""

    definition: tuple[Path, ...] = option(
        (), "The definition file. Repeatable; then --out is a folder.", short="-d", metavar="FILE", role=Role.READS
    )
    ledger: Path | None = option(
        None, "Remembers who was new: each lead is new once.", metavar="FILE", panel=NEW, role=Role.KEEPS
    )
    previous: Path | None = option(
        None, "The last list, instead of a ledger.", metavar="LEADS", panel=NEW, role=Role.READS, rare=True
    )
    since: Duration | None = option(
        None, "Only who qualified this recently is new.", reads=reading.duration, metavar="DURATION", panel=NEW
    )
    only_new: bool = option(False, "Rows for new leads alone.", panel=NEW)
    all: bool = option(False, "A row for everybody [default: without --ledger and --previous].", panel=NEW, rare=True)
    control: float | None = option(
        None, "Leave this share of accounts alone, like 20%.", reads=reading.share, metavar="SHARE", panel=NEW
    )
    notify: str | None = option(
        None, "Post new leads to this URL; ${NAME} is read from the environment.", metavar="URL", panel=NEW
    )
    suppress: Path | None = option(
        None, "Ids that are never new, one a line or a CSV.", metavar="FILE", panel=GUARDS, role=Role.READS, rare=True
    )
    max_new: Bound | None = option(
        None,
        "More new leads, like 200 or 3x the usual of that weekday, stop the night.",
        reads=reading.bound,
        metavar="N",
        panel=GUARDS,
    )
    min_new: Bound | None = option(
        None, "So do fewer, like 1 or 0.2x.", reads=reading.bound, metavar="N", panel=GUARDS, rare=True
    )
    max_age: Duration | None = option(
        None, "So does an older newest event, like 36h.", reads=reading.duration, metavar="DURATION", panel=GUARDS
    )
    allow_hypothesis: bool = option(
        False, "Let a definition of status: hypothesis reach --ledger, --notify and --preset.", panel=GUARDS, rare=True
    )
    accept_change: tuple[str, ...] = option(
        (),
        "Hand over who is new only because the definition changed to this one. Repeatable.",
        metavar="HASH",
        panel=GUARDS,
        rare=True,
    )
    summary: Path | None = option(
        None, "Write the run in numbers, as JSON.", metavar="FILE", panel=GUARDS, role=Role.WRITES, rare=True
    )
    keep: tuple[str, ...] = option(
        (), "Traits to add, like owner,plan.", reads=reading.listed, metavar="LIST", panel=COLUMNS
    )
    columns: tuple[str, ...] | None = option(
        None, "These columns, in this order.", reads=reading.listed, metavar="LIST", panel=COLUMNS, rare=True
    )
    rename: Mapping[str, str] | None = option(
        None, "Other names, like score=pql_score.", reads=reading.renames, metavar="LIST", panel=COLUMNS, rare=True
    )
    preset: Preset | None = option(
        None,
        "hubspot or salesforce: a file that the CRM imports as it is.",
        reads=reading.chosen(Preset),
        metavar="NAME",
        panel=COLUMNS,
    )
    key: str | None = option(
        None, "What the CRM knows a lead by: email, domain or a trait.", metavar="NAME", panel=COLUMNS, rare=True
    )
    properties: Path | None = option(
        None,
        "Write the fields that the CRM needs before the first import, as JSON.",
        metavar="FILE",
        panel=COLUMNS,
        role=Role.WRITES,
        rare=True,
    )
