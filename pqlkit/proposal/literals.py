"""The literal: one on-or-off column of the rule search, a behaviour at a threshold or a trait."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from pqlkit.analysis import tiers
from pqlkit.analysis.associations import LEVELS, Levels
from pqlkit.definitions.model import MeasureKind
from pqlkit.measures.behaviour import GRID

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pqlkit.definitions.model import Condition
    from pqlkit.measures.behaviour import Behaviour, Cube

    _Reach: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

_Size: TypeAlias = tuple[int, int]
"""How many snapshots of the fit part a literal holds at, and how many heads (or snapshots) of them convert."""

COARSE: Final = (1, 3, 5, 10, 25)
"""The thresholds that are tried with 50 to 199 usable converters."""


class View(IntEnum):
    """How directly a literal looks at a behaviour: of rules that cannot be told apart the more direct one reads better.

    `NAMED` is a named event (or a trait). `INDIRECT` are the dates on which, or the users by whom, a named event was done whose
    events are counted too, and an event that mostly leads to another that is counted too (`pqlkit.measures.precursors`): the
    dialog in which something is done. `ACTIVITY` is any event at all, which goes with every behaviour.
    """

    NAMED = 0
    INDIRECT = 1
    ACTIVITY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """What a literal needs to enter the search, counted in heads (entities), on the fit part.

    Parameters
    ----------
    entities, converters
        At least so many do it, and so many of them converted.
    reach
        At most this share of all snapshots.
    apart
        A threshold is skipped if its reach is more than 1 - this of the one kept before.
    thresholds
        Only these thresholds; None = the whole grid.
    """

    entities: int = tiers.HEADS
    converters: int = tiers.CONVERTERS
    reach: float = 0.9
    apart: float = 0.1
    thresholds: tuple[int, ...] | None = None

    @classmethod
    def of(cls, snapshots: int, converters: int, *, thresholds: tuple[int, ...] | None = None) -> Floors:
        """Scale the floors to the part that chooses, as `pqlkit.analysis.tiers.Floors` does.

        Parameters
        ----------
        snapshots, converters
            Of the part; converters in heads.
        thresholds
            The only ones to try, `COARSE` with little data; None = the whole grid. That goes by the converters of the whole
            analysis, not of the part.

        Examples
        --------
        >>> Floors.of(2000, 80, thresholds=COARSE)
        Floors(entities=40, converters=16, reach=0.9, apart=0.1, thresholds=(1, 3, 5, 10, 25))
        >>> Floors.of(100_000, 4000).entities
        200
        """
        least = tiers.Floors.of(snapshots, converters)
        return cls(entities=least.snapshots, converters=least.converters, thresholds=thresholds)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trait:
    """A condition on a fixed trait, and the snapshots at which it holds (bool, one per snapshot)."""

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
    leads_to
        The event that this one mostly leads to within a minute, or None.
    same
        Other literals that hold at exactly the same snapshots of the fit part; only this one, the plainest, is searched.
    """

    column: int
    level: int
    behaviour: Behaviour | None = None
    trait: Condition | None = None
    leads_to: str | None = None
    same: tuple[Literal, ...] = ()

    @property
    def threshold(self) -> int | None:
        """The least value, or None for a trait."""
        return GRID[self.level - 1] if self.level else None

    @property
    def group(self) -> tuple[str, str]:
        """What a rule may hold at most once: an event, or a trait of any kind."""
        if self.behaviour is None:
            return ("trait", "")
        return ("any", "") if self.behaviour.event is None else ("event", self.behaviour.event)

    @property
    def name(self) -> str:
        """The event or trait in words: its name, or ``any event``."""
        if self.trait is not None:
            return self.trait.name
        event = self.behaviour.event if self.behaviour is not None else None
        return "any event" if event is None else event

    @property
    def plainness(self) -> tuple[int, int, int, str]:
        """Sorts the plainer literal first: rounder threshold, smaller threshold, shorter window, name."""
        length = self.behaviour.window.length if self.behaviour is not None else None
        return (roundness(self.threshold), self.threshold or 0, length.microseconds if length else 0, _reading(self))


def views(literals: Sequence[Literal]) -> NDArray[np.int8]:
    """Tell how directly each of these literals looks at a behaviour (`View`)."""
    counted = {literal.group for literal in literals if _measured(literal, MeasureKind.COUNT)}
    return np.array(
        [
            View.ACTIVITY
            if literal.group == ("any", "")
            else View.INDIRECT
            if ("event", literal.leads_to) in counted
            or (_measured(literal, MeasureKind.DAYS, MeasureKind.USERS) and literal.group in counted)
            else View.NAMED
            for literal in literals
        ],
        dtype=np.int8,
    )


def _measured(literal: Literal, *kinds: MeasureKind) -> bool:
    return literal.behaviour is not None and literal.behaviour.measure.kind in kinds


def roundness(threshold: int | None) -> int:
    """Rank a threshold by how naturally people write it: 0 at all, 1 for 2, 3, 5, 10, 20, ..., 2 for 4, 6, 8, 15, 25, 3 for 7, 12, 75.

    Examples
    --------
    >>> [roundness(k) for k in (None, 1, 5, 10, 20, 4, 15, 7, 75)]
    [0, 0, 1, 1, 1, 2, 2, 3, 3]
    """
    if threshold is None or threshold == 1:
        return 0
    digits = str(threshold).rstrip("0")
    return 1 if digits in {"1", "2", "3", "5"} else 2 if digits in {"4", "6", "8", "15", "25"} else 3


def _reading(literal: Literal) -> str:
    """Spell a literal so that spelling sorts as people read: name, measure, window, threshold; traits last."""
    behaviour = literal.behaviour
    if behaviour is None:
        return f"~{literal.trait!r}"
    length = behaviour.window.length.microseconds if behaviour.window.length else 0
    measure = f"{behaviour.measure.kind}:{behaviour.measure.property or ''}"
    return f" {behaviour.event or ''}\0{behaviour.where!r}\0{measure}\0{length:020d}\0{literal.level:03d}"


def literals(
    cube: Cube,
    y: NDArray[np.bool_],
    fit: NDArray[np.bool_],
    *,
    floors: Floors | None = None,
    entities: NDArray[np.int64] | None = None,
    exclude: Collection[str] = (),
    only: Collection[str] | None = None,
    columns: Collection[int] | None = None,
    traits: Sequence[Trait] = (),
    leads_to: Mapping[str, str] | None = None,
) -> tuple[Literal, ...]:
    """List the literals that the search may use, in reading order.

    Parameters
    ----------
    cube
        Levels of every behaviour at every snapshot.
    y
        Converted in the conversion window; one per snapshot.
    fit
        The snapshots that may be used for choosing.
    floors
        None = scaled to the fit part.
    entities
        The entity of each snapshot, for floors in heads; None = each snapshot is another entity.
    exclude
        Events left out (leaks, and mechanical ones when those have a list of their own).
    only
        Only these events; None = all. The pseudo-event "any event" is in unless `only` is given.
    columns
        Only these behaviours of the cube; None = all.
    traits
        Fixed traits as eligibility; they must meet the same floors.
    leads_to
        Event -> the event that it mostly leads to within a minute.

    Returns
    -------
    tuple of Literal
        Literals with the same snapshots are merged, each naming the others in `same`.
    """
    snapshots, converted = int(fit.sum()), int((fit & y).sum())
    floors = floors or Floors.of(snapshots, converted)
    heads, leads_to = _Heads(cube, y, fit, entities), leads_to or {}
    kept: list[tuple[Literal, _Size]] = []
    for column, behaviour in enumerate(cube.behaviours):
        if behaviour.event in exclude or (only is not None and behaviour.event not in only):
            continue
        if columns is not None and column not in columns:
            continue
        for level, size in _levels(heads.of_column(column), floors, snapshots):
            onward = leads_to.get(behaviour.event or "")
            kept.append((Literal(column=column, level=level, behaviour=behaviour, leads_to=onward), size))
    for column, trait in enumerate(traits):
        met = np.flatnonzero(trait.holds & fit)
        for _, size in _levels(heads.reach(met, np.ones(len(met), dtype=np.uint8)), floors, snapshots):
            kept.append((Literal(column=column, level=0, trait=trait.condition), size))
    return tuple(sorted(_merged(kept, cube, fit, traits), key=_reading))


def _merged(
    kept: list[tuple[Literal, _Size]], cube: Cube, fit: NDArray[np.bool_], traits: Sequence[Trait]
) -> Iterator[Literal]:
    """Keep the plainest of the literals with equal snapshots, naming the others; only those of one size are compared."""
    equal: dict[tuple[_Size, bytes], list[Literal]] = {}
    numbers = Counter(size for _, size in kept)
    for literal, size in kept:
        snapshots = _fingerprint(literal, cube, fit, traits) if numbers[size] > 1 else b""
        equal.setdefault((size, snapshots), []).append(literal)
    for same in equal.values():
        first, *others = sorted(same, key=lambda literal: (literal.trait is not None, literal.plainness))
        yield replace(first, same=tuple(others))


def _fingerprint(literal: Literal, cube: Cube, fit: NDArray[np.bool_], traits: Sequence[Trait]) -> bytes:
    """Hash the snapshots of the fit part at which a literal holds."""
    from hashlib import blake2b  # only the search needs it

    if literal.trait is not None:
        met = np.flatnonzero(traits[literal.column].holds & fit).astype(np.uint32)
    else:
        rows, levels = cube.column(literal.column)
        met = rows[(levels >= literal.level) & fit[rows]]
    return blake2b(met.tobytes(), digest_size=16).digest()


class _Heads:
    """Counts entities, and entities that converted, by the level that they reach."""

    def __init__(
        self, cube: Cube, y: NDArray[np.bool_], fit: NDArray[np.bool_], entities: NDArray[np.int64] | None
    ) -> None:
        self.cube, self.y, self.fit = cube, y, fit
        self.codes: NDArray[np.intp] | None = None
        if entities is not None:
            names, codes = np.unique(entities, return_inverse=True)
            if len(names) < len(entities):
                self.codes = codes
                self.most = np.zeros(len(names), dtype=np.uint8)
                self.converted = np.zeros(len(names), dtype=np.uint8)
        self.levels = Levels.of(cube, y, rows=fit) if self.codes is None else None

    def of_column(self, column: int) -> _Reach:
        """Count the snapshots of the fit part, as `reach`."""
        if self.levels is not None:
            converted = _at_least(self.levels.positive[column])
            snapshots = converted + _at_least(self.levels.negative[column])
            return snapshots, converted, snapshots
        rows, levels = self.cube.column(column)
        inside = self.fit[rows]
        return self.reach(rows[inside], levels[inside])

    def reach(self, rows: NDArray[np.integer], levels: NDArray[np.uint8]) -> _Reach:
        """Give how many reach each level, how many of them converted (at a snapshot at which they reached it), and how many snapshots do."""
        hits, snapshots = self.y[rows], _at_least(_counts(levels))
        if self.codes is None:
            return snapshots, _at_least(_counts(levels[hits])), snapshots
        codes = self.codes[rows]
        self.most[:] = 0
        self.converted[:] = 0
        np.maximum.at(self.most, codes, levels)
        np.maximum.at(self.converted, codes[hits], levels[hits])
        return _at_least(_counts(self.most)), _at_least(_counts(self.converted)), snapshots


def _counts(levels: NDArray[np.uint8]) -> NDArray[np.int64]:
    return np.bincount(levels, minlength=LEVELS)


def _at_least(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count how many are at or above each level."""
    return np.cumsum(counts[::-1])[::-1].astype(np.int64)


def _levels(counted: _Reach, floors: Floors, snapshots: int) -> list[tuple[int, _Size]]:
    """Choose the levels of one column within the floors, none too near the one before, each with its `_Size`."""
    entities, converted, reach = counted
    last = math.inf
    chosen = []
    for level in range(1, LEVELS):
        if not entities[level] or entities[level] < floors.entities or converted[level] < floors.converters:
            break
        if floors.thresholds is not None and GRID[level - 1] not in floors.thresholds:
            continue
        if reach[level] <= floors.reach * snapshots and reach[level] <= (1 - floors.apart) * last:
            chosen.append((level, (int(reach[level]), int(converted[level]))))
            last = float(reach[level])
    return chosen
