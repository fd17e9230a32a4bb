"""The outcome: which conversion of each entity counts, and where every row of the conversions export went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionRows:
    """Where the rows went: ``rows == first + repeats + filtered + unknown_entity``.

    `rows` are those at or before `as_of`, without own staff and bots (`excluded`, apart). For an outcome by event they are
    that event's rows; by definition, the qualifications.
    """

    rows: int
    first: int
    repeats: int
    filtered: int
    unknown_entity: int
    excluded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conversions:
    """The conversion of each entity that has one.

    Parameters
    ----------
    frame
        ``entity``, ``converted`` (Int64 UTC microseconds), ``ended_at`` (Int64 or null), ``amount`` (Float64 or null),
        ``plan`` (text or null), ``from_plan`` (text or null); one row per entity, sorted.
    rows
        Where every row went.
    """

    frame: pl.DataFrame
    rows: ConversionRows
