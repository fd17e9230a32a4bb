"""The trait: what is known about an entity beside its events, and when it was true."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import narwhals as nw
import polars as pl

from pqlkit.columns import AT, ENTITY, VALID_FROM
from pqlkit.definitions.model import Criterion, Limit, leaves
from pqlkit.errors import DataError, UsageError, suggestion
from pqlkit.measures.conditions import all_hold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pqlkit.definitions.model import Condition, Definition
    from pqlkit.exports.project import Project

_ROW: Final = "__row"


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

    @property
    def names(self) -> tuple[str, ...]:
        """Every trait of the data, sorted."""
        return tuple(self.kinds)

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
        return moments.with_columns(self._series(name, moments).alias(name) for name in dict.fromkeys(names))

    def holds(self, conditions: Sequence[Condition], moments: pl.DataFrame) -> pl.Series:
        """Say for each row of `moments` (``entity``, ``at``) whether all conditions hold then; null never comes back.

        Raises
        ------
        DataError
            The data has no such trait.
        """
        names = tuple(dict.fromkeys(condition.name for condition in conditions))
        columns = {name: f"t{index}" for index, name in enumerate(names)}
        frame = pl.DataFrame({columns[name]: self._series(name, moments) for name in names})
        return condition_mask(conditions, columns, frame, moments.height)

    def refuse_current(self, names: Iterable[str], trusted: Iterable[str] = ()) -> None:
        """Refuse traits that hold today's value only, for work that looks back.

        Raises
        ------
        UsageError
            One of `names` is current and not in `trusted`: after a conversion it is the customer's value.
        DataError
            The data has no such trait.
        """
        allowed = set(trusted)
        for name in dict.fromkeys(names):
            if self._kind(name) is TraitKind.CURRENT and name not in allowed:
                raise UsageError(
                    f"the trait {name!r} holds today's value: after a conversion it is the customer's, not what was known then",
                    hint=f"declare it under traits.fixed or traits.history in pqlkit.yml, or pass --trust-current {name}",
                )

    def _kind(self, name: str) -> TraitKind:
        if name not in self.kinds:
            hint = suggestion(
                name, self.kinds, f"write one of {', '.join(self.kinds)}" if self.kinds else None, quoted=True
            )
            raise DataError(f"the data has no trait {name!r}", hint=hint)
        return self.kinds[name]

    def _series(self, name: str, moments: pl.DataFrame) -> pl.Series:
        if self._kind(name) is not TraitKind.HISTORY:
            return self.values[name].gather(moments[ENTITY])
        # Later rows of one instant win over earlier ones: the table is sorted and its instants are unique.
        asked = moments.select(ENTITY, AT).with_row_index(_ROW).sort(AT)
        past = self.histories[name].sort(VALID_FROM)
        frame = asked.join_asof(
            past, left_on=AT, right_on=VALID_FROM, by=ENTITY, strategy="backward", check_sortedness=False
        )
        return frame.sort(_ROW)["value"]


def condition_mask(
    conditions: Sequence[Condition], columns: Mapping[str, str], frame: pl.DataFrame, height: int
) -> pl.Series:
    """Say for each row of a frame whether all conditions hold; `columns` maps each condition's name to its column."""
    if not conditions:
        return pl.repeat(value=True, n=height, dtype=pl.Boolean, eager=True)
    table = nw.from_native(frame, eager_only=True)
    mask = table.select(holds=all_hold(tuple(conditions), columns, table.schema))
    return mask.to_native()["holds"]


def trait_kinds(names: Iterable[str], project: Project) -> dict[str, TraitKind]:
    """Say when each trait of the data is true: as declared; undeclared ``email`` and ``signup_*`` are fixed, others current.

    Traits with a history table are among them, whether or not a column of that name exists.

    Examples
    --------
    >>> from pqlkit.exports.project import Project
    >>> {name: str(kind) for name, kind in trait_kinds(["plan", "signup_plan"], Project()).items()}
    {'plan': 'current', 'signup_plan': 'fixed'}
    """
    declared = project.traits
    return {
        name: _kind_of(name, declared.fixed, declared.current, declared.history)
        for name in sorted({*names, *declared.history})
    }


def _kind_of(name: str, fixed: Iterable[str], current: Iterable[str], history: Mapping[str, object]) -> TraitKind:
    if name in history:
        return TraitKind.HISTORY
    if name in fixed:
        return TraitKind.FIXED
    if name in current:
        return TraitKind.CURRENT
    return TraitKind.FIXED if name == "email" or name.startswith("signup_") else TraitKind.CURRENT


def required_traits(definition: Definition) -> tuple[str, ...]:
    """Name the traits that a definition reads: in ``eligible`` and as limits, those of its refs included; sorted."""
    names = {condition.name for condition in definition.eligible}
    for leaf in leaves(definition.qualify):
        if isinstance(leaf, Criterion):
            bounds = (leaf.at_least, leaf.at_most)
            names |= {bound.trait for bound in bounds if isinstance(bound, Limit) and bound.trait is not None}
        else:
            names |= set(required_traits(leaf.target))
    return tuple(sorted(names))
