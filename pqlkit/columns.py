"""Columns: the canonical names of tables and columns, each spelled once."""

from __future__ import annotations

from typing import Final

# Canonical tables, as product.md's users name them.
USER_ID: Final = "user_id"
ACCOUNT_ID: Final = "account_id"
ANONYMOUS_ID: Final = "anonymous_id"
EVENT: Final = "event"
TIMESTAMP: Final = "timestamp"
EVENT_ID: Final = "event_id"
SIGNED_UP_AT: Final = "signed_up_at"
DELETED_AT: Final = "deleted_at"
CONVERTED_AT: Final = "converted_at"
ENDED_AT: Final = "ended_at"
KIND: Final = "kind"
PLAN: Final = "plan"
FROM_PLAN: Final = "from_plan"
AMOUNT: Final = "amount"
VALID_FROM: Final = "valid_from"

# Behind the engine seam: integer keys, and time as int64 UTC microseconds.
ENTITY: Final = "entity"  # Int64, 0..n-1, the row number in the sorted ids
AT: Final = "at"  # Int64 UTC microseconds
ANCHOR: Final = "anchor"  # Int64 UTC microseconds, null = none
CONVERTED: Final = "converted"  # Int64 UTC microseconds of the first conversion, null = never
ON: Final = "on"  # Int64 UTC microseconds, start of a spell, inclusive
OFF: Final = "off"  # Int64 UTC microseconds, end of a spell, exclusive; null = still on at as_of
CRITERION: Final = "criterion"  # Int32, position in the list of criteria that was asked for
SNAPSHOT: Final = "snapshot"  # Int64, 0..n-1, row number of a snapshot
CUTOFF: Final = "cutoff"  # Int64 UTC microseconds

# A lead list: the entity's id, then these, with the criteria and the traits that are kept between the two parts.
BEFORE_CRITERIA: Final = (
    "lead_id",
    "status",
    "score",
    "band",
    "qualified_at",
    "requalified_at",
    "known_at",
    "newly_qualified",
    "fresh_until",
    "last_active_at",
    "who",
    "owner",
    "met",
    "criteria",
    "progress",
    "shortfall",
    "missing",
    "evidence",
    "say",
    "arm",
)
AFTER_CRITERIA: Final = ("definition", "definition_version", "definition_hash", "as_of")

LEAD_COLUMNS: Final = (USER_ID, ACCOUNT_ID, *BEFORE_CRITERIA, *AFTER_CRITERIA)
"""The columns of a lead list; a criterion's id becomes one more, so it may be none of these."""

TIMES: Final = ("qualified_at", "requalified_at", "known_at", "fresh_until", "last_active_at", "as_of")
"""Those of a lead list that are instants."""

_FOR_PEOPLE: Final = {
    *("score", "band", "fresh_until", "last_active_at", "who", "owner", "met", "criteria"),
    *("progress", "shortfall", "missing", "evidence", "say"),
}

REMEMBERED_COLUMNS: Final = tuple(name for name in LEAD_COLUMNS if name not in _FOR_PEOPLE)
"""Those that a later run reads from the list of an earlier one."""
