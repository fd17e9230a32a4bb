"""The trait: what is known about an entity beside its events, and when it was true."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl

    from pqlkit.definitions.model import Condition


class TraitKind(StrEnum):
    """When a trait's value was true."""

    FIXED = "fixed"
    CURRENT = "current"
    HISTORY = "history"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Traits:
    """The traits of one population.

    Parameters
    ----------
    kinds
        Trait name -> kind, for every trait of the data, sorted by name.
    values
        One row per entity, in entity order: ``entity`` and one column per fixed or current trait (the trait's own name).
    histories
        Trait name -> ``entity``, ``valid_from`` (Int64 UTC microseconds), ``value``; sorted by entity and time.
    """

    kinds: Mapping[str, TraitKind]
    values: pl.DataFrame
    histories: Mapping[str, pl.DataFrame]

    def at(self, moments: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
        """Add one column per trait: its value at each moment.

        Parameters
        ----------
        moments
            ``entity`` and ``at`` (Int64 UTC microseconds), other columns are kept; row order is kept.
        names
            Traits to add, under their own names. A history row counts from its ``valid_from`` on, inclusive; before the
            first one the value is null. Fixed and current traits have one value.

        Raises
        ------
        DataError
            The data has no such trait (the nearest name is suggested).
        """
        raise NotImplementedError

    def holds(self, conditions: Sequence[Condition], moments: pl.DataFrame) -> pl.Series:
        """Say for each row of `moments` (``entity``, ``at``) whether all conditions hold then; null never comes back."""
        raise NotImplementedError

    def refuse_current(self, names: Iterable[str], trusted: Iterable[str] = ()) -> None:
        """Refuse traits that hold today's value only, for work that looks back.

        Raises
        ------
        UsageError
            One of `names` is current and not in `trusted`: after an upgrade it is the customer's value.
        """
        raise NotImplementedError
