"""The block: the stretch between two neighbouring cutoffs of an entity, of which trailing windows are made up.

Cutoffs of an entity lie a step apart. A trailing window is then some whole blocks and perhaps the end of one more, so an
event is counted once into its block, and a look adds up the few blocks it sees. Looks at odd intervals are taken in
layers of one look to an entity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import narwhals as nw
import numpy as np
import polars as pl

from pqlkit.columns import AT, CUTOFF, ENTITY, LOOK
from pqlkit.definitions.model import MeasureKind
from pqlkit.durations import DAY, HOUR
from pqlkit.measures.cells import ANY, CODE, DATE, VALUE, column_of, extent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pqlkit.definitions.model import Measure
    from pqlkit.measures.cells import Sightings
    from pqlkit.typing import LazyFrame, Microseconds

_MOST: Final = 64  # blocks in the longest window; with more of them layers are cheaper
_LONGEST_DATE: Final = 26 * HOUR
_BASE: Final = "base"  # an entity's first cutoff
_TOP: Final = "top"  # its last
_BLOCK: Final = "block"
_PART: Final = "part"  # how many of the edges inside its block an event lies at or beyond, less one
_TWICE: Final = "twice"  # days: 1 if the block's first date is also the last of the block before
_DAYS: Final = (MeasureKind.COUNT, MeasureKind.DAYS)


def block_cells(
    found: Sightings, windows: Sequence[Microseconds], measures: Sequence[Measure]
) -> Iterator[tuple[tuple[int, ...], LazyFrame]]:
    """Plan the cells of windows that end at the cutoff; yields as `span_cells` does."""
    together = tuple(i for i, measure in enumerate(measures) if measure.kind in _DAYS)
    alone = [(i,) for i, measure in enumerate(measures) if measure.kind not in _DAYS]
    for looks, step in _layers(found.looks, windows):
        part = _Pass(found, looks, step, windows)
        for held in ([together] if together else []) + alone:
            yield held, part.cells(held, measures)


def _layers(looks: pl.DataFrame, windows: Sequence[Microseconds]) -> Iterator[tuple[pl.DataFrame, Microseconds]]:
    ordered, longest = looks.sort(ENTITY, CUTOFF), max(windows)
    gaps = ordered.select((pl.col(CUTOFF) - pl.col(CUTOFF).shift(1)).over(ENTITY).drop_nulls()).to_series().unique()
    if gaps.is_empty():
        yield ordered, longest
        return
    step = int(np.gcd.reduce(gaps.to_numpy()))
    # No date may reach over more than one edge: neither a block nor the part of one may be as short as a date.
    pieces = [step, *(window % step for window in windows if window > step and window % step)]
    if min(pieces) >= _LONGEST_DATE and -(-longest // step) <= _MOST:
        yield ordered, step
        return
    ranked = ordered.with_columns(pl.int_range(pl.len()).over(ENTITY).alias("rank"))
    for _, layer in sorted(ranked.partition_by("rank", as_dict=True).items()):
        yield layer.drop("rank"), longest


class _Pass:
    """One pass over the events, for looks a step apart."""

    def __init__(
        self, found: Sightings, looks: pl.DataFrame, step: Microseconds, windows: Sequence[Microseconds]
    ) -> None:
        self._found, self._step, self._windows = found, step, windows
        ends = looks.group_by(ENTITY).agg(pl.col(CUTOFF).min().alias(_BASE), pl.col(CUTOFF).max().alias(_TOP))
        self._ends = ends
        self._longest = max(windows)
        self._blocks = -(-self._longest // step)
        number = (pl.col(CUTOFF) - pl.col(_BASE)) // step
        numbered = looks.join(ends, on=ENTITY).with_columns(number.alias("number"))
        self._numbers = extent(numbered.get_column("number"))[1] + 1
        self._wide = self._numbers + 2 * self._blocks + 2
        place = pl.col(ENTITY) * self._wide + pl.col("number") + self._blocks
        self._places = numbered.select(place.alias("place"), LOOK)
        self._codes = len(found.names) + 1
        # How far into a block a window begins: 0 = the whole block counts.
        self._edges = sorted({self._edge(window, back) for window in windows for back in self._seen(window)})

    def cells(self, held: Sequence[int], measures: Sequence[Measure]) -> LazyFrame:
        first = measures[held[0]]
        if first.kind in _DAYS:
            return self._counts_and_days({measures[i].kind: i for i in held})
        return _WAYS[first.kind](self, self._rows(first), held[0])

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
        block = nw.col(ENTITY) * self._wide + nw.col("shifted") // self._step
        rest = nw.col("shifted") % self._step
        part = nw.lit(-1 if self._edges[0] else 0, nw.Int8)
        for position, edge in enumerate(self._edges):
            if edge:
                part = nw.when(rest >= edge).then(nw.lit(position, nw.Int8)).otherwise(part)
        return rows.with_columns(block.alias(_BLOCK), part.alias(_PART))

    def _counts_and_days(self, places: dict[MeasureKind, int]) -> LazyFrame:
        key = nw.col(_BLOCK) * self._codes + nw.col(CODE)
        counts = self._counts(places)
        if MeasureKind.DAYS not in places:
            by_name = self._rows(None).select(key.alias("key"), _PART).group_by("key").agg(*counts)
            whole = by_name.with_columns((nw.col("key") // self._codes).alias("key"))
            return self._at_looks(self._joined(by_name, whole.group_by("key").agg(*self._sums(places))), places)
        first, dates = self._date_range()
        day = self._found.scope.day() - first
        daily = self._rows(None).select((key * dates + day).alias("key"), _PART)
        daily = daily.group_by("key").agg(*counts, nw.col(_PART).max().alias(_PART))
        named = daily.with_columns((nw.col("key") // dates).alias("key"), (nw.col("key") % dates).alias(DATE))
        whole = named.with_columns((nw.col("key") // self._codes * dates + nw.col(DATE)).alias("key"))
        whole = whole.group_by("key").agg(*self._sums(places), nw.col(_PART).max().alias(_PART))
        whole = whole.with_columns((nw.col("key") // dates).alias("key"), (nw.col("key") % dates).alias(DATE))
        aggregates = [*self._sums(places), *self._dates(places[MeasureKind.DAYS])]
        by_name = named.group_by("key").agg(*aggregates)
        anything = whole.group_by("key").agg(*aggregates)
        return self._at_looks(self._untwice(self._joined(by_name, anything)), places)

    def _date_range(self) -> tuple[int, int]:
        begin, end = self._stretch()
        return begin // DAY - 2, end // DAY + 5 - begin // DAY

    def _stretch(self) -> tuple[int, int]:
        first, _ = extent(self._ends.get_column(_BASE))
        _, last = extent(self._ends.get_column(_TOP))
        return first - self._longest, last

    def _counts(self, places: dict[MeasureKind, int]) -> list[nw.Expr]:
        if MeasureKind.COUNT not in places:
            return []
        own = places[MeasureKind.COUNT]
        return [
            (nw.len() if edge == 0 else self._beyond(edge).sum()).alias(self._column(own, edge)) for edge in self._edges
        ]

    def _sums(self, places: dict[MeasureKind, int]) -> list[nw.Expr]:
        if MeasureKind.COUNT not in places:
            return []
        names = [self._column(places[MeasureKind.COUNT], edge) for edge in self._edges]
        return [nw.col(name).sum().alias(name) for name in names]

    def _dates(self, measure: int) -> list[nw.Expr]:
        whole = [self._beyond(edge).sum().alias(self._column(measure, edge)) for edge in self._edges]
        if self._aligned():
            return whole
        return [*whole, nw.col(DATE).min().alias("first_date"), nw.col(DATE).max().alias("last_date")]

    def _aligned(self) -> bool:
        """Whether every block begins with a date of its own, or dates are instants: then none can lie in two."""
        calendar = self._found.scope.calendar
        if self._found.scope.world.dates_only:
            return True
        if calendar.changes or self._step % DAY:
            return False
        return bool(((self._ends.get_column(_BASE) + calendar.first) % DAY == 0).all())

    def _joined(self, by_name: LazyFrame, anything: LazyFrame) -> LazyFrame:
        columns = [name for name in by_name.collect_schema().names() if name != "key"]
        values = [nw.col(name).cast(nw.Int32).alias(name) for name in columns]
        code = (nw.col("key") % self._codes).cast(nw.Int32)
        named = by_name.select((nw.col("key") // self._codes).alias(_BLOCK), code.alias(CODE), *values)
        whole = anything.select(nw.col("key").alias(_BLOCK), nw.lit(ANY, nw.Int32).alias(CODE), *values)
        return nw.concat([named.filter(nw.col(CODE) < len(self._found.names)), whole], how="vertical")

    def _untwice(self, blocks: LazyFrame) -> LazyFrame:
        if self._aligned():
            return blocks
        # The calendar's offsets change: a date may end one block and begin the next, and is still one date.
        who = (nw.col(_BLOCK) // self._wide).alias("who")
        near = nw.col(_BLOCK).shift(1).over("who", CODE, order_by=_BLOCK) == nw.col(_BLOCK) - 1
        same = nw.col("last_date").shift(1).over("who", CODE, order_by=_BLOCK) == nw.col("first_date")
        both = (near & same).fill_null(False)
        return blocks.with_columns(who).with_columns(both.cast(nw.Int32).alias(_TWICE))

    def _at_looks(self, blocks: LazyFrame, places: dict[MeasureKind, int]) -> LazyFrame:
        names = [column_of(i, j) for i in sorted(places.values()) for j in range(len(self._windows))]
        parts = [self._seen_from(blocks, back, places) for back in range(self._blocks)]
        seen = parts[0]
        if len(parts) > 1:
            sums = [nw.col(name).sum().alias(name) for name in names]
            seen = nw.concat(parts, how="vertical").group_by("key").agg(*sums)
        # Only now the looks: what was added up is fewer than what was seen from them.
        width = self._codes + 1
        code = (nw.col("key") % width - 1).cast(nw.Int32)
        placed = seen.with_columns((nw.col("key") // width).alias("place"), code.alias(CODE))
        looks = self._found.scope.world.engine.lift(self._places)
        joined = placed.join(looks, on="place", how="inner")
        return joined.select(LOOK, CODE, *(nw.col(name).cast(nw.Int32).alias(name) for name in names))

    def _seen_from(self, blocks: LazyFrame, back: int, places: dict[MeasureKind, int]) -> LazyFrame:
        columns: dict[str, nw.Expr] = {}
        for kind, i in sorted(places.items(), key=lambda pair: pair[1]):
            for j, window in enumerate(self._windows):
                columns[column_of(i, j)] = self._share(kind, i, window, back)
        key = (nw.col(_BLOCK) + 1 + back) * (self._codes + 1) + nw.col(CODE) + 1
        return blocks.select(key.alias("key"), **columns)

    def _share(self, kind: MeasureKind, measure: int, window: Microseconds, back: int) -> nw.Expr:
        if back not in self._seen(window):
            return nw.lit(0, nw.Int32)
        share = nw.col(self._column(measure, self._edge(window, back)))
        earlier = back + 1 in self._seen(window)
        return share - nw.col(_TWICE) if kind is MeasureKind.DAYS and earlier and not self._aligned() else share

    def _looked(self, blocks: LazyFrame, back: int) -> LazyFrame:
        # Block b ends at cutoff number b - blocks + 1; seen from `back` cutoffs later.
        place = nw.col(_BLOCK) + 1 + back
        looks = self._found.scope.world.engine.lift(self._places)
        return blocks.with_columns(place.alias("place")).join(looks, on="place", how="inner")

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
            parts.append(self._looked(things, back).select(LOOK, CODE, VALUE, **seen))
        each = nw.concat(parts, how="vertical").group_by(LOOK, CODE, VALUE)
        each = each.agg(*(nw.col(name).max().alias(name) for name in names)).group_by(LOOK, CODE)
        return self._coded(each.agg(*(nw.col(name).sum().cast(nw.Int64).alias(name) for name in names)), names)

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
            parts.append(self._looked(blocks, back).select(LOOK, CODE, **seen))
        whole = nw.concat(parts, how="vertical").group_by(LOOK, CODE).agg(*(reduced(name) for name in names))
        return self._coded(whole, names)

    def _coded(self, frame: LazyFrame, names: Sequence[str]) -> LazyFrame:
        return frame.select(LOOK, nw.col(CODE).cast(nw.Int32).alias(CODE), *names)


_WAYS: Final = {
    MeasureKind.USERS: _Pass.things,
    MeasureKind.DISTINCT: _Pass.things,
    MeasureKind.SUM: _Pass.sums,
    MeasureKind.MAX: _Pass.tops,
}
