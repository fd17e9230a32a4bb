"""The block: the stretch between two neighbouring cutoffs of an entity, of which trailing windows are made up.

Cutoffs of an entity lie a step apart. A trailing window is then some whole blocks and perhaps the end of one more, so an
event is counted once into its block, and a snapshot adds up the few blocks it sees. Snapshots at odd intervals are taken in
layers of one snapshot to an entity.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, assert_never

import narwhals as nw
import numpy as np
import polars as pl

from pqlkit.columns import AT, CUTOFF, ENTITY, SNAPSHOT
from pqlkit.definitions.model import MeasureKind
from pqlkit.durations import DAY, HOUR
from pqlkit.engines.tallies import BAND, DATE, STRETCH, Packing
from pqlkit.engines.tallies import WHO as _WHO  # position of the entity
from pqlkit.measures.cells import ANY, CODE, MOST_SNAPSHOTS, VALUE, column_of, extent
from pqlkit.measures.trails import Trail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pqlkit.definitions.model import Measure
    from pqlkit.engines.tallies import Tally
    from pqlkit.measures.cells import Sightings
    from pqlkit.typing import LazyFrame, Microseconds

_MOST: Final = 64  # blocks in the longest window; with more of them layers are cheaper
_LONGEST_DATE: Final = 26 * HOUR
_BASE: Final = "base"  # an entity's first cutoff
_TOP: Final = "top"  # its last
_BLOCK: Final = "block"
_PART: Final = "part"  # how many of the edges inside its block an event lies at or beyond, less one
_PLACE: Final = "place"  # position of the block among the entity's
_ROOM: Final = 1 << 23  # places of snapshots held at once


def block_cells(
    sightings: Sightings, windows: Sequence[Microseconds], measures: Sequence[Measure]
) -> Iterator[tuple[tuple[int, ...], pl.DataFrame]]:
    """Measure windows that end at the cutoff; yields as `span_cells` does."""
    together: dict[MeasureKind, int] = {
        measure.kind: i for i, measure in enumerate(measures) if measure.kind.facts.times_alone
    }
    if together:
        passes = sightings.passes()
        for part, step in _layers(sightings, windows):
            whole = _Pass(part, step, windows)
            share = -(-part.snapshots.height // passes)
            for own in part.parts(min(share, whole.packing(together).most)):
                for frame in _Pass(own, step, windows).tallies(together):
                    yield tuple(sorted(together.values())), frame
    engine = sightings.scope.world.engine
    for i, measure in enumerate(measures):
        if not measure.kind.facts.times_alone:
            for some in sightings.parts(MOST_SNAPSHOTS):
                for part, step in _layers(some, windows):
                    yield (i,), engine.collect(_Pass(part, step, windows).cells(i, measure))


def _layers(sightings: Sightings, windows: Sequence[Microseconds]) -> Iterator[tuple[Sightings, Microseconds]]:
    ordered, longest = sightings.snapshots.sort(ENTITY, CUTOFF), max(windows)
    gaps = ordered.select((pl.col(CUTOFF) - pl.col(CUTOFF).shift(1)).over(ENTITY).drop_nulls()).to_series().unique()
    if gaps.is_empty():
        yield replace(sightings, snapshots=ordered), longest
        return
    step = int(np.gcd.reduce(gaps.to_numpy()))
    # No date may reach over more than one edge: neither a block nor the part of one may be as short as a date.
    pieces = [step, *(window % step for window in windows if window > step and window % step)]
    if min(pieces) >= _LONGEST_DATE and -(-longest // step) <= _MOST:
        yield replace(sightings, snapshots=ordered), step
        return
    ranked = ordered.with_columns(pl.int_range(pl.len()).over(ENTITY).alias("rank"))
    for _, layer in sorted(ranked.partition_by("rank", as_dict=True).items()):
        yield replace(sightings, snapshots=layer.drop("rank")), longest


class _Pass:
    """One pass over the events, for snapshots a step apart."""

    def __init__(self, sightings: Sightings, step: Microseconds, windows: Sequence[Microseconds]) -> None:
        snapshots = sightings.snapshots
        self._found, self._step, self._windows = sightings, step, windows
        ends = snapshots.group_by(ENTITY).agg(pl.col(CUTOFF).min().alias(_BASE), pl.col(CUTOFF).max().alias(_TOP))
        ends = ends.sort(ENTITY).with_row_index(_WHO).with_columns(pl.col(_WHO).cast(pl.Int64))
        self._ends = ends
        self._longest = max(windows)
        self._blocks = -(-self._longest // step)
        number = (pl.col(CUTOFF) - pl.col(_BASE)) // step
        numbered = snapshots.join(ends, on=ENTITY).with_columns(number.alias("number"))
        self._numbers = extent(numbered.get_column("number"))[1] + 1
        self._wide = self._numbers + 2 * self._blocks + 2
        place = pl.col(_WHO) * self._wide + pl.col("number") + self._blocks
        self._places = numbered.select(place.alias("place"), SNAPSHOT).sort("place")
        self._codes = len(sightings.names) + 1
        # How far into a block a window begins: 0 = the whole block counts.
        self._edges = sorted({self._edge(window, back) for window in windows for back in self._seen(window)})

    def cells(self, held: int, measure: Measure) -> LazyFrame:
        """Plan the cells of one measure, grouped by the engine."""
        return _way(measure.kind)(self, self._rows(measure), held)

    def packing(self, places: Mapping[MeasureKind, int]) -> Packing:
        """Say how an event becomes a number: the band is 0 beyond the last edge of its block."""
        dates = self._date_range()[1] if MeasureKind.DAYS in places else 1
        return Packing.of(codes=self._codes, stretches=self._wide, dates=dates, bands=len(self._edges))

    def tallies(self, places: Mapping[MeasureKind, int]) -> Iterator[pl.DataFrame]:
        """Measure counts of events and dates."""
        pack = self.packing(places)
        date = self._found.scope.day() - self._date_range()[0] if pack.date else nw.lit(0, nw.Int64)
        band = len(self._edges) - 1 - nw.col(_PART).cast(nw.Int64)
        # Windows that begin in a block of their own see nothing before their edge.
        rows = self._rows(None).filter(nw.col(_PART) >= 0)
        rows = rows.select(_WHO, CODE, nw.col(_PLACE).alias(STRETCH), date.alias(DATE), band.alias(BAND))
        for part in self._found.scope.world.engine.tally(rows, pack, whos=max(1, _ROOM >> pack.stretch)):
            yield from self._tallied(part.named(), pack, places)
            yield from self._tallied(part.anything(), pack, places, code=ANY)

    def _tallied(
        self, tally: Tally, pack: Packing, places: Mapping[MeasureKind, int], *, code: int | None = None
    ) -> Iterator[pl.DataFrame]:
        cells = tally.cells
        if not cells.size:
            return
        codes = cells >> pack.stretch & ((1 << pack.code) - 1)
        stretch = cells & ((1 << pack.stretch) - 1)
        who = cells >> (pack.stretch + pack.code)
        snapshots = self._snapshots_at(int(who[0]), int(who[-1]))
        place = (who - who[0]) * self._wide + stretch
        reaches: dict[int, NDArray[np.intp]] = {}
        series = {
            i: Trail.of(cells, tally.counts, reaches=reaches)
            if kind is MeasureKind.COUNT
            else Trail.of(cells, tally.days, self._twice(tally), reaches=reaches)
            for kind, i in places.items()
        }
        following = np.diff(cells, append=cells[-1] + self._blocks)
        for ahead in range(self._blocks):
            # A snapshot is given the newest block that it sees, and that one looks back at the others.
            own = np.flatnonzero(following > ahead)
            if code is None:
                own = own[codes[own] < self._codes - 1]
            snapshot = snapshots[place[own] + 1 + ahead]
            own, snapshot = own[snapshot >= 0], snapshot[snapshot >= 0]
            columns = {
                column_of(i, j): trail.seen(own, -(-window // self._step) - 1 - ahead, self._band(window))
                for i, trail in series.items()
                for j, window in enumerate(self._windows)
            }
            names = codes[own].astype(np.int32) if code is None else np.full(own.size, code, np.int32)
            yield pl.DataFrame({SNAPSHOT: snapshot, CODE: names, **columns})

    def _snapshots_at(self, first: int, last: int) -> NDArray[np.int64]:
        """Give the snapshot at each place of the entities `first` to `last`; -1 where there is none."""
        table = np.full((last - first + 1) * self._wide, -1, np.int64)
        places = self._places.get_column("place").to_numpy()
        some = slice(*np.searchsorted(places, [first * self._wide, (last + 1) * self._wide]))
        table[places[some] - first * self._wide] = self._places.get_column(SNAPSHOT).to_numpy()[some]
        return table

    def _band(self, window: Microseconds) -> int:
        """Give the band up to which the oldest block of a window counts."""
        return len(self._edges) - 1 - self._edges.index(self._edge(window, self._seen(window)[-1]))

    def _twice(self, tally: Tally) -> NDArray[np.bool_] | None:
        """Say which cells begin with the date that the block before ended with: it is still one date."""
        if self._aligned():
            return None
        near: NDArray[np.bool_] = np.diff(tally.cells, prepend=tally.cells[0] - 2) == 1
        same: NDArray[np.bool_] = near & (tally.first == np.roll(tally.last, 1))
        return same

    def _seen(self, window: Microseconds) -> range:
        return range(-(-window // self._step))

    def _edge(self, window: Microseconds, back: int) -> Microseconds:
        return max(0, (back + 1) * self._step - window)

    def _beyond(self, edge: Microseconds) -> nw.Expr:
        return nw.col(_PART) >= self._edges.index(edge)

    def _column(self, measure: int, edge: Microseconds) -> str:
        return f"m{measure}_e{self._edges.index(edge)}"

    def _rows(self, measure: Measure | None) -> LazyFrame:
        begin, end = self._stretch()
        rows = self._found.rows(measure, self._ends, begin=begin, end=end)
        shifted = nw.col(AT) - nw.col(_BASE) + self._blocks * self._step
        rows = rows.filter(shifted >= 0, nw.col(AT) < nw.col(_TOP)).with_columns(shifted.alias("shifted"))
        place = nw.col("shifted") // self._step
        block = nw.col(_WHO) * self._wide + place
        rest = nw.col("shifted") % self._step
        part = nw.lit(-1 if self._edges[0] else 0, nw.Int8)
        for position, edge in enumerate(self._edges):
            if edge:
                part = nw.when(rest >= edge).then(nw.lit(position, nw.Int8)).otherwise(part)
        return rows.with_columns(block.alias(_BLOCK), place.alias(_PLACE), part.alias(_PART))

    def _date_range(self) -> tuple[int, int]:
        begin, end = self._stretch()
        return begin // DAY - 2, end // DAY + 5 - begin // DAY

    def _stretch(self) -> tuple[int, int]:
        first, _ = extent(self._ends.get_column(_BASE))
        _, last = extent(self._ends.get_column(_TOP))
        return first - self._longest, last

    def _aligned(self) -> bool:
        """Whether every block begins with a date of its own, or dates are instants: then none can lie in two."""
        calendar = self._found.scope.calendar
        if self._found.scope.world.dates_only:
            return True
        if calendar.changes or self._step % DAY:
            return False
        return bool(((self._ends.get_column(_BASE) + calendar.first) % DAY == 0).all())

    def _looked(self, blocks: LazyFrame, back: int) -> LazyFrame:
        # Block b ends at cutoff number b - blocks + 1; seen from `back` cutoffs later.
        place = nw.col(_BLOCK) + 1 + back
        snapshots = self._found.scope.world.engine.lift(self._places)
        return blocks.with_columns(place.alias("place")).join(snapshots, on="place", how="inner")

    def things(self, rows: LazyFrame, measure: int) -> LazyFrame:
        things = rows.group_by(_BLOCK, CODE, VALUE).agg(nw.col(_PART).max().alias(_PART))
        names = [column_of(measure, j) for j in range(len(self._windows))]
        parts = []
        for back in range(self._blocks):
            seen = {
                name: self._beyond(self._edge(window, back)).cast(nw.Int64)
                if back in self._seen(window)
                else nw.lit(0, nw.Int64)
                for name, window in zip(names, self._windows, strict=True)
            }
            parts.append(self._looked(things, back).select(SNAPSHOT, CODE, VALUE, **seen))
        grouped = nw.concat(parts, how="vertical").group_by(SNAPSHOT, CODE, VALUE)
        grouped = grouped.agg(*(nw.col(name).max().alias(name) for name in names)).group_by(SNAPSHOT, CODE)
        return self._coded(grouped.agg(*(nw.col(name).sum().cast(nw.Int64).alias(name) for name in names)), names)

    def sums(self, rows: LazyFrame, measure: int) -> LazyFrame:
        return self._reduced(rows, measure, total=True)

    def tops(self, rows: LazyFrame, measure: int) -> LazyFrame:
        return self._reduced(rows, measure, total=False)

    def _reduced(self, rows: LazyFrame, measure: int, *, total: bool) -> LazyFrame:
        def reduced(name: str) -> nw.Expr:
            column = nw.col(name)
            return (column.sum() if total else column.max()).cast(nw.Int64).alias(name)

        nothing = nw.lit(None, nw.Int64)
        inside = {
            self._column(measure, edge): nw.when(self._beyond(edge)).then(nw.col(VALUE)).otherwise(nothing)
            for edge in self._edges
        }
        blocks = rows.select(_BLOCK, CODE, **inside).group_by(_BLOCK, CODE).agg(*(reduced(name) for name in inside))
        names = [column_of(measure, j) for j in range(len(self._windows))]
        parts = []
        for back in range(self._blocks):
            seen = {
                name: nw.col(self._column(measure, self._edge(window, back))) if back in self._seen(window) else nothing
                for name, window in zip(names, self._windows, strict=True)
            }
            parts.append(self._looked(blocks, back).select(SNAPSHOT, CODE, **seen))
        whole = nw.concat(parts, how="vertical").group_by(SNAPSHOT, CODE).agg(*(reduced(name) for name in names))
        return self._coded(whole, names)

    def _coded(self, frame: LazyFrame, names: Sequence[str]) -> LazyFrame:
        return frame.select(SNAPSHOT, nw.col(CODE).cast(nw.Int32).alias(CODE), *names)


def _way(kind: MeasureKind) -> Callable[[_Pass, LazyFrame, int], LazyFrame]:
    match kind:
        case MeasureKind.USERS | MeasureKind.DISTINCT | MeasureKind.DISTINCT_EVENTS:
            return _Pass.things
        case MeasureKind.SUM:
            return _Pass.sums
        case MeasureKind.MAX:
            return _Pass.tops
        case MeasureKind.COUNT | MeasureKind.DAYS:
            raise AssertionError(f"{kind} is tallied")
        case MeasureKind.LAST:
            raise AssertionError("last has no meaning over trailing windows")
        case _:
            assert_never(kind)
