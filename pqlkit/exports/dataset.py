"""The dataset: the canonical tables of one run, as Parquet files and facts about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pqlkit.exports.intake import Intake

if TYPE_CHECKING:
    from pqlkit.exports.project import Project
    from pqlkit.typing import Microseconds

Progress: TypeAlias = "Callable[[str], None]"


class ColumnType(StrEnum):
    """What a column holds. Instants are ``Datetime[us, UTC]``; dates stay dates only outside the canonical times."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    INSTANT = "instant"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One canonical table.

    Parameters
    ----------
    name
        ``events``, ``users``, ``accounts``, ``identities``, ``conversions``, ``contacts`` or ``history.<trait>``.
    paths
        Parquet files, all with exactly `columns`.
    columns
        Column -> type, in the files' order.
    rows
        How many rows the files hold.
    first, last
        Extremes of the table's own time (``timestamp``, ``signed_up_at``, ``converted_at``, ``valid_from``, ``at``) in UTC
        microseconds; None without rows or times.
    dates_only
        The source gave dates without times: an instant is the first moment of its date in the dataset's zone.
    complete_through
        As the project file states it.
    """

    name: str
    paths: tuple[str, ...]
    columns: Mapping[str, ColumnType]
    rows: int
    first: Microseconds | None = None
    last: Microseconds | None = None
    dates_only: bool = False
    complete_through: Microseconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """The canonical tables of one run; ``events`` is always among them.

    ``user_id`` has one type (text or integer) in all tables, and so has ``account_id``. In events ``user_id`` is null for
    anonymous events that no identity resolves. `clock` is the moment of reading. `zone` is where dates are counted.
    """

    folder: Path | None
    tables: Mapping[str, Table]
    intake: Intake = field(default_factory=Intake)
    clock: Microseconds = 0
    zone: str = "UTC"


def open_dataset(
    project: Project | None = None,
    *,
    data: Path | str | None = None,
    events: str | None = None,
    users: str | None = None,
    accounts: str | None = None,
    conversions: str | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Give the canonical tables of a project, a folder that `load` wrote, or exports named directly.

    Parameters
    ----------
    project
        The project file's values; its exports are read where nothing else is named.
    data
        A folder that `pqlkit.exports.loading.load` wrote.
    events, users, accounts, conversions
        Files, folders or globs; each replaces the project's source of that table.
    progress
        Told a sentence at the start of each long step.

    Raises
    ------
    DataError
        A file is missing, empty, not readable, or lacks a column; nothing names the events.
    UsageError
        Both `data` and `events` are named.
    """
    raise NotImplementedError
