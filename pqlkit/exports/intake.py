"""The intake: what reading the exports kept, dropped as a duplicate, or quarantined, and how the tables match."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pqlkit.typing import Json

SHOWN: Final = 5
"""How many offending rows of a table a report shows; the quarantine file holds all of them."""

NAMED: Final = 3
"""How many ids that match nobody a report names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offender:
    """One quarantined row. `line` starts at 1 (for Parquet: the row); `column` is None when the whole row is at fault."""

    file: str
    line: int
    column: str | None
    value: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRead:
    """A file that lies among the exports and is not read, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableIntake:
    """One table's rows: ``read + split == kept + duplicate + quarantined + left_out``.

    `left_out` counts rows that are not the table's by the words of the rule that says so; `split` are the further rows of
    cells with several values. `reasons` counts the quarantined rows by reason, the commonest first; `offenders` are the
    first `SHOWN` in file and line order; `skipped` names input files that an earlier load had read already. `null_values`
    counts the texts that were taken as no value: column -> text -> rows. `not_read` are files that lie among the exports and
    hold none of their rows.
    """

    name: str
    files: int
    read: int
    kept: int
    duplicate: int
    quarantined: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    offenders: tuple[Offender, ...] = ()
    skipped: tuple[str, ...] = ()
    null_values: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    not_read: tuple[NotRead, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    split: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """How the tables find each other, in rows or distinct ids. None = a table that this needs is not there.

    `conversions_unknown_ids` are the first `NAMED` ids, in order, of conversions that match nobody.
    """

    users: int | None = None
    users_with_events: int | None = None
    users_without_events: int | None = None
    event_users: int | None = None
    event_users_unknown: int | None = None
    events_of_unknown_users: int | None = None
    events_anonymous: int | None = None
    events_of_accounts: int | None = None
    event_accounts: int | None = None
    accounts: int | None = None
    accounts_with_events: int | None = None
    accounts_without_events: int | None = None
    conversions: int | None = None
    conversions_matched: int | None = None
    conversions_unknown: int | None = None
    conversions_unknown_ids: tuple[str, ...] = ()

    @property
    def without_owner(self) -> str:
        """Name ids of conversions that match nobody; empty where there are none."""
        named = ", ".join(repr(visible(text, 60)) for text in self.conversions_unknown_ids)
        return f"nobody has the id {named}" if named else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch of whole UTC days without a row of `table`: first and last empty day, ISO dates, both included."""

    table: str
    first: str
    last: str
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What one load read.

    `quarantine` is the JSON Lines file of every quarantined row (``table, file, line, column, value, reason, row``), or
    None when there is none.
    """

    tables: Mapping[str, TableIntake] = field(default_factory=dict)
    matching: Matching = field(default_factory=Matching)
    gaps: tuple[Gap, ...] = ()
    quarantine: Path | None = None
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Give the report as JSON values: ``{"schema": "pqlkit/intake/2", "tables": [...], ...}``."""
        return {
            "schema": "pqlkit/intake/2",
            "tables": [_table_json(table) for table in self.tables.values()],
            "matching": asdict(self.matching),
            "gaps": [asdict(gap) for gap in self.gaps],
            "quarantine": str(self.quarantine) if self.quarantine is not None else None,
            "warnings": list(self.warnings),
        }


def _table_json(table: TableIntake) -> Json:
    return {
        "name": table.name,
        "files": table.files,
        "read": table.read,
        "kept": table.kept,
        "duplicate": table.duplicate,
        "quarantined": table.quarantined,
        "reasons": dict(table.reasons),
        "offenders": [asdict(offender) for offender in table.offenders],
        "skipped": list(table.skipped),
        "not_read": [asdict(not_read) for not_read in table.not_read],
        "null_values": {column: dict(counts) for column, counts in table.null_values.items()},
        "left_out": dict(table.left_out),
        "split": table.split,
    }
