"""The literal: one on-or-off column of the rule search, a behaviour at a threshold or a trait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pqlkit.measures.behaviour import GRID

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pqlkit.definitions.model import Condition
    from pqlkit.measures.behaviour import Behaviour, Cube

COARSE: Final = (1, 3, 5, 10, 25)
"""The thresholds that are tried with 50 to 199 converters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """What a literal needs to enter the search, counted in heads (entities), on the fit part.

    Parameters
    ----------
    entities, converters
        At least so many do it, and so many of them converted.
    reach
        At most this share of all looks.
    apart
        A threshold is skipped if its reach is more than 1 - this of the one kept before.
    thresholds
        Only these thresholds; None = the whole grid.
    """

    entities: int = 200
    converters: int = 30
    reach: float = 0.9
    apart: float = 0.1
    thresholds: tuple[int, ...] | None = None

    @classmethod
    def of(cls, looks: int, converters: int) -> Floors:
        """Scale the floors to the data: min(200, 2 % of looks), min(30, max(10, 20 % of converters)); coarse grid below 200."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trait:
    """A condition on a fixed trait, and the looks at which it holds (bool, one per look)."""

    condition: Condition
    holds: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A behaviour reaching a level of the grid, or a trait that holds.

    Parameters
    ----------
    column
        Index of the behaviour in its cube, or of the trait among those given.
    level
        1.. for a behaviour (`value >= GRID[level - 1]`), 0 for a trait.
    behaviour, trait
        Exactly one is set.
    same
        Other literals that hold at exactly the same looks of the fit part; only this one, the plainest, is searched.
    """

    column: int
    level: int
    behaviour: Behaviour | None = None
    trait: Condition | None = None
    same: tuple[Literal, ...] = ()

    @property
    def threshold(self) -> int | None:
        """The least value, or None for a trait."""
        return GRID[self.level - 1] if self.level else None

    @property
    def group(self) -> tuple[str, str]:
        """What a rule may hold at most once: an event, or a trait of any kind."""
        raise NotImplementedError


def literals(
    cube: Cube,
    y: NDArray[np.bool_],
    fit: NDArray[np.bool_],
    *,
    floors: Floors | None = None,
    entities: NDArray[np.int64] | None = None,
    exclude: Collection[str] = (),
    only: Collection[str] | None = None,
    traits: Sequence[Trait] = (),
) -> tuple[Literal, ...]:
    """List the literals that the search may use, in reading order.

    Parameters
    ----------
    cube
        Levels of every behaviour at every look.
    y
        Converted in the horizon; one per look.
    fit
        The looks that may be used for choosing.
    floors
        None = scaled to the fit part.
    entities
        The entity of each look, for floors in heads; None = each look is another entity.
    exclude
        Events left out (leaks, and mechanical ones when those have a list of their own).
    only
        Only these events; None = all. The pseudo-event "any event" is in unless `only` is given.
    traits
        Fixed traits as eligibility; they must meet the same floors.

    Returns
    -------
    tuple of Literal
        Literals with the same looks are merged, each naming the others in `same`.
    """
    raise NotImplementedError
