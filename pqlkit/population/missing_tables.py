"""The missing table: an export that is not there, and what its absence does to the meaning of every figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pqlkit.durations import DAY
from pqlkit.errors import DataError, UsageError, suggestion

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

    from pqlkit.definitions.model import Anchor, EntityKind, Outcome
    from pqlkit.exports.dataset import Dataset
    from pqlkit.exports.project import Project
    from pqlkit.typing import Microseconds

TABLES: Final = ("users", "accounts", "conversions", "identities", "contacts")
"""Tables that a run can do without, and may require."""

FIRST_DAYS: Final = 28
"""Whoever first appears this soon after the events begin may have been there long before."""


def require_tables(dataset: Dataset, wanted: Sequence[str]) -> None:
    """Refuse to run without a table that was required.

    Parameters
    ----------
    dataset
        The canonical tables.
    wanted
        Names of `TABLES`.

    Raises
    ------
    UsageError
        There is no table of that name.
    DataError
        The table is not configured.
    """
    for name in wanted:
        if name not in TABLES:
            raise UsageError(
                f"--require: {name!r} is no table",
                hint=suggestion(name, TABLES, f"write one of {', '.join(TABLES)}"),
            )
        if name not in dataset.tables:
            raise DataError(
                f"no {name} export is configured, and --require asks for it",
                hint=f"name it with --{name} PATH, or under exports: in pqlkit.yml"
                if name != "contacts"
                else "name it under exports: in pqlkit.yml",
            )


def missing_tables(
    dataset: Dataset,
    project: Project,
    *,
    kind: EntityKind,
    outcome: Outcome,
    clock: Anchor,
    anchors: pl.Series,
    history_from: Microseconds,
) -> Iterator[str]:
    """Say which tables are missing, and what follows from it.

    Parameters
    ----------
    dataset, project
        The canonical tables, and what the project file declares.
    kind
        What an entity is.
    outcome
        What counts as a conversion; one that is made of events needs no conversions export.
    clock
        What starts an entity's clock; only a signup needs a users or accounts export.
    anchors
        UTC microseconds, one per entity, null where unknown.
    history_from
        The first microsecond of the events export's first day.

    Yields
    ------
    str
        A sentence for a person, with counts where they can be known.
    """
    if outcome.event is None and outcome.definition is None and "conversions" not in dataset.tables:
        yield (
            "no conversions export is configured: who pays already is not known, so customers are among the "
            f"{kind}s that qualify, and no conversion can be counted. Name it with --conversions PATH"
        )
    without_signups = "users" not in dataset.tables and "accounts" not in dataset.tables
    if without_signups and clock.kind == "signup" and project.signup_event is None:
        early = int((anchors.drop_nulls() < history_from + FIRST_DAYS * DAY).sum())
        yield (
            f"no users export is configured: the clock of each {kind} starts at its first event. {early:,} of "
            f"{anchors.len():,} first appear within {FIRST_DAYS} days of the export's beginning and "
            "may have signed up long before. Name it with --users PATH"
        )
