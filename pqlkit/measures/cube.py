"""The cube: the level of every behaviour at every snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np

from pqlkit.columns import SNAPSHOT
from pqlkit.definitions.model import SCALE, Window, WindowKind
from pqlkit.errors import UsageError
from pqlkit.measures.behaviour import GRID, Behaviour, Cube
from pqlkit.measures.blocks import block_cells
from pqlkit.measures.cells import ANY, CODE, Sightings, column_of, possible, sightings
from pqlkit.measures.numbers import LARGEST
from pqlkit.measures.parallel import worked
from pqlkit.measures.spans import span_cells

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from pqlkit.definitions.model import Measure
    from pqlkit.durations import Duration
    from pqlkit.measures.world import World

_SMALL: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """The cells of one behaviour: where it is at level 1 or above, and its levels there."""

    order: tuple[int, int, int]
    behaviour: Behaviour
    rows: NDArray[np.uint32]
    levels: NDArray[np.uint8]


def cube(
    world: World,
    snapshots: pl.DataFrame,
    *,
    kind: WindowKind,
    windows: Sequence[Duration],
    measures: Sequence[Measure],
    events: Sequence[str] | None = None,
) -> Cube:
    """Measure every event in every window at every snapshot.

    Parameters
    ----------
    world
        The population.
    snapshots
        ``snapshot`` (Int64, 0..n-1), ``entity``, ``cutoff`` (Int64 microseconds): any number per entity.
    kind
        `WITHIN`: events in [anchor, min(anchor + w, cutoff)); `TRAILING`: in [cutoff - w, cutoff); both strictly before the
        conversion.
    windows
        Lengths.
    measures
        count, days, users, and measures of properties (`last` only within).
    events
        The event names to look at; None = all that occur. The pseudo-behaviour event=None ("any event", whatever `events`
        names) is always there for count, days and users.

    Returns
    -------
    Cube
        Behaviours that are at level 1 or above at one snapshot at least, sorted by event (None first), measure and window in the
        order given. A sum within is the highest reached, as for a criterion's `at_least`.

    Raises
    ------
    DataError
        No such property, or a sum beyond what can be added up.
    UsageError
        `last` over trailing windows, or a window kind that is neither within nor trailing.
    """
    counted = columns(world, snapshots, kind=kind, windows=windows, measures=measures, events=events)
    parts: dict[tuple[int, int, int], list[Column]] = {}
    for column in counted:
        parts.setdefault(column.order, []).append(column)
    orders = sorted(parts)
    behaviours = tuple(parts[order][0].behaviour for order in orders)
    offsets = np.cumsum([0, *(sum(part.rows.size for part in parts[order]) for order in orders)], dtype=np.int64)
    rows, levels = np.empty(offsets[-1], np.uint32), np.empty(offsets[-1], np.uint8)
    for order, start, end in zip(orders, offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        _join(parts.pop(order), rows[start:end], levels[start:end])  # popped: the whole is not held twice
    return Cube(behaviours=behaviours, snapshots=snapshots.height, offsets=offsets, rows=rows, levels=levels)


def columns(
    world: World,
    snapshots: pl.DataFrame,
    *,
    kind: WindowKind,
    windows: Sequence[Duration],
    measures: Sequence[Measure],
    events: Sequence[str] | None,
) -> Iterator[Column]:
    """Measure as `cube` does, and give the columns one after another; one behaviour may come in several parts.

    Parameters
    ----------
    world, snapshots, kind, windows, measures, events
        As for `cube`.
    """
    seen = Seen.of(world, snapshots, kind=kind, windows=windows, measures=measures, events=events)
    for some in worked(seen.columns, seen.frames()):
        yield from some


def by_name(codes: NDArray[np.int32], snapshots: NDArray[np.uint32]) -> NDArray[np.intp]:
    """Order cells by name, and by snapshot within a name.

    Examples
    --------
    >>> by_name(np.array([1, -1, 1], np.int32), np.array([9, 3, 4], np.uint32)).tolist()
    [1, 2, 0]
    """
    # A stable sort of 16 bits is one pass over counts: a tenth of what a comparison of both columns takes.
    names = (codes + 1).astype(np.uint16) if codes.max(initial=0) < _SMALL - 1 else codes
    order = np.argsort(names, kind="stable")
    if _ascending(names[order], snapshots[order]):
        return order
    order = np.argsort((snapshots & (_SMALL - 1)).astype(np.uint16), kind="stable")
    order = order[np.argsort((snapshots >> 16).astype(np.uint16)[order], kind="stable")]
    return order[np.argsort(names[order], kind="stable")]


def _ascending(names: NDArray[np.integer], snapshots: NDArray[np.uint32]) -> bool:
    """Whether snapshots ascend within each name."""
    return bool(((snapshots[1:] > snapshots[:-1]) | (names[1:] != names[:-1])).all())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """Everything that was asked of a cube, and the way to its numbers."""

    sightings: Sightings
    kind: WindowKind
    windows: tuple[Duration, ...]
    measures: tuple[Measure, ...]

    @classmethod
    def of(
        cls,
        world: World,
        snapshots: pl.DataFrame,
        *,
        kind: WindowKind,
        windows: Sequence[Duration],
        measures: Sequence[Measure],
        events: Sequence[str] | None,
    ) -> Seen:
        """Check what was asked.

        Parameters
        ----------
        world, snapshots, kind, windows, measures, events
            As for `cube`.
        """
        seen = possible(sightings(world, snapshots, events), measures, kind)
        return cls(sightings=seen, kind=kind, windows=tuple(windows), measures=tuple(measures))

    def frames(self) -> Iterator[tuple[tuple[int, ...], pl.DataFrame]]:
        """Run the plans: the measures' positions, and ``snapshot``, ``code``, ``m<i>_w<j>``."""
        if not self.sightings.snapshots.height or not self.windows or not self.measures:
            return
        ways = {WindowKind.WITHIN: span_cells, WindowKind.TRAILING: block_cells}
        if self.kind not in ways:
            message = f"snapshots are measured within or trailing windows, not {self.kind.value}"
            raise UsageError(message, hint="use within or trailing")
        lengths = [window.microseconds for window in self.windows]
        yield from ways[self.kind](self.sightings, lengths, self.measures)

    def columns(self, part: tuple[tuple[int, ...], pl.DataFrame]) -> list[Column]:
        """Cut what a plan gave into columns."""
        held, frame = part
        # By name and snapshot: a column then is one slice, its rows ascending.
        codes, rows = frame.get_column(CODE).to_numpy(), frame.get_column(SNAPSHOT).to_numpy().astype(np.uint32)
        order = by_name(codes, rows)
        codes, rows = codes[order], rows[order]
        edges = np.flatnonzero(np.diff(codes, prepend=codes[:1] - 1)) if codes.size else np.array([], dtype=np.int64)
        columns = []
        for i, j in product(held, range(len(self.windows))):
            levels = levels_of(frame.get_column(column_of(i, j)), self.measures[i])[order]
            for start, end in zip(edges, [*edges[1:], codes.size][: edges.size], strict=True):
                own = levels[start:end]
                kept = np.flatnonzero(own)
                if kept.size and self.wanted(int(codes[start]), i):
                    column = Column(
                        order=(int(codes[start]), i, j),
                        behaviour=self.behaviour(int(codes[start]), i, j),
                        rows=rows[start:end][kept],
                        levels=own[kept],
                    )
                    columns.append(column)
        return columns

    def wanted(self, code: int, measure: int) -> bool:
        """Whether there is such a behaviour: any event is looked at by count, days and users alone."""
        return code != ANY or not self.measures[measure].kind.needs_property

    def behaviour(self, code: int, measure: int, window: int) -> Behaviour:
        """Name a column."""
        return Behaviour(
            event=None if code == ANY else self.sightings.names[code],
            measure=self.measures[measure],
            window=Window(kind=self.kind, length=self.windows[window]),
        )


def levels_of(values: pl.Series, measure: Measure) -> NDArray[np.uint8]:
    """Turn values (things, or millionths) into levels: how many thresholds of `GRID` each reaches; null is 0.

    Examples
    --------
    >>> import polars as pl
    >>> from pqlkit.definitions.model import Measure
    >>> levels_of(pl.Series([None, 0, 1, 9]), Measure()).tolist()
    [0, 0, 1, 8]
    """
    numbers = values.fill_null(0).to_numpy()
    unit = SCALE if measure.kind.scaled else 1
    grid = np.array([step * unit for step in GRID if step <= LARGEST], dtype=np.int64)
    if unit > 1:
        return np.searchsorted(grid, numbers, side="right").astype(np.uint8)
    table = np.searchsorted(grid, np.arange(_SMALL), side="right").astype(np.uint8)
    if not numbers.size or numbers.max() < _SMALL:
        few: NDArray[np.uint8] = table[numbers]
        return few
    levels: NDArray[np.uint8] = table[np.clip(numbers, 0, _SMALL - 1)]
    large = np.flatnonzero(numbers >= _SMALL)
    levels[large] = np.searchsorted(grid, numbers[large], side="right")
    return levels


def _join(parts: Sequence[Column], rows: NDArray[np.uint32], levels: NDArray[np.uint8]) -> None:
    """Write the parts of one behaviour, by ascending snapshot."""
    np.concatenate([part.rows for part in parts], out=rows)
    np.concatenate([part.levels for part in parts], out=levels)
    if not (rows[1:] > rows[:-1]).all():
        order = np.argsort(rows, kind="stable")
        rows[:], levels[:] = rows[order], levels[order]
