"""The source: where one table's export lies, and which of its columns is which."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pqlkit.exports.nulls import NULL_VALUES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pqlkit.exports.notation import Notation
    from pqlkit.typing import Microseconds


class Match(StrEnum):
    """How a conversion finds its user."""

    USER_ID = "user_id"
    EMAIL = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Where a canonical column's values come from: one of `names` (the first that is not null in the row) or `constant`.

    `format` is for times: None (ISO 8601 or the file's own type), a name of `pqlkit.exports.instants.FORMATS`, or a strptime
    pattern. `notation` is for numbers in text: None = the source's.
    """

    names: tuple[str, ...] = ()
    constant: str | None = None
    format: str | None = None
    notation: Notation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One table's export.

    Parameters
    ----------
    path
        Files, folders or globs, absolute or relative to the working directory.
    format
        Name of a preset of ``configs/exports``, or None.
    columns
        Canonical column (or trait) -> where it comes from. Columns not named keep the export's names.
    timezone
        IANA name of the zone of times without an offset: as stated, else the vendor's, else the project's.
    complete_through
        Last microsecond that the export is complete for, or None.
    match
        How a conversion finds its user.
    encoding, separator
        Of CSV files; None = sniffed from the first bytes.
    null_values
        Texts that stand for no value in ids, times, numbers and e-mail addresses.
    notation
        How numbers are written in text; None = as programs write them.
    """

    path: tuple[str, ...]
    format: str | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    timezone: str = "UTC"
    complete_through: Microseconds | None = None
    match: Match = Match.USER_ID
    encoding: str | None = None
    separator: str | None = None
    null_values: frozenset[str] = NULL_VALUES
    notation: Notation | None = None
