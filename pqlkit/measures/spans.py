"""The span: a length of time from the anchor, and what was done in it.

A snapshot at age a sees of the window w the span of length min(w, a); an age beyond the longest window is as good as that.
However many snapshots and windows there are, an event is looked at once, against the few lengths that occur.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, assert_never

import narwhals as nw
import numpy as np
import polars as pl

from pqlkit.columns import ANCHOR, AT, CUTOFF, ENTITY, SNAPSHOT
from pqlkit.definitions.model import MeasureKind
from pqlkit.durations import DAY
from pqlkit.engines.portable import one
from pqlkit.engines.tallies import BAND as _BAND
from pqlkit.engines.tallies import DATE, STRETCH, Packing
from pqlkit.engines.tallies import WHO as _WHO
from pqlkit.measures.cells import ANY, CODE, MOST_SNAPSHOTS, VALUE, column_of, extent
from pqlkit.measures.parallel import worked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from pqlkit.definitions.model import Measure
    from pqlkit.engines.tallies import Part, Tally
    from pqlkit.measures.cells import Sightings
    from pqlkit.typing import LazyFrame, Microseconds

_MOST: Final = 24  # lengths in one wide grouping; more of them take further passes
_AGE: Final = "age"
_OFFSET: Final = "offset"


def span_cells(
    sightings: Sightings, windows: Sequence[Microseconds], measures: Sequence[Measure]
) -> Iterator[tuple[tuple[int, ...], pl.DataFrame]]:
    """Measure windows that start at the anchor.

    Yields
    ------
    tuple
        Positions of the measures held, and the frame ``snapshot``, ``code`` and a column per measure and window. A snapshot and code
        stand in one row of all frames of these measures at most.
    """
    together: dict[MeasureKind, int] = {
        measure.kind: i for i, measure in enumerate(measures) if measure.kind.facts.times_alone
    }
    if together:
        passes = sightings.passes()
        for part in _aged(sightings, windows):
            whole = _Pass(part, windows)
            share = -(-part.snapshots.height // passes)
            for own in part.parts(min(share, whole.packing(together).most)):
                for frame in _Pass(own, windows).tallies(together):
                    yield tuple(sorted(together.values())), frame
    engine = sightings.scope.world.engine
    for held in _readings(sightings, measures):
        for some in sightings.parts(MOST_SNAPSHOTS):
            for part in _aged(some, windows):
                yield tuple(held), engine.collect(_Pass(part, windows).cells(held))


def _readings(sightings: Sightings, measures: Sequence[Measure]) -> Iterator[dict[int, Measure]]:
    """Part the measures that rows are needed for by reading: sums and tops of one property take one, if the sums never fall."""
    readings: dict[tuple[str | None, int | None], dict[int, Measure]] = {}
    for i, measure in enumerate(measures):
        if not measure.kind.facts.times_alone:
            alone = None if _is_reduced(measure, sightings.rising) else i
            readings.setdefault((measure.property, alone), {})[i] = measure
    yield from readings.values()


def _is_reduced(measure: Measure, rising: Collection[str]) -> bool:
    """Whether the highest that was reached is the sum, or the top, of all rows of a span."""
    return measure.kind is MeasureKind.MAX or (measure.kind is MeasureKind.SUM and measure.property in rising)


def _aged(sightings: Sightings, windows: Sequence[Microseconds]) -> Iterator[Sightings]:
    """Part the snapshots by age, a few ages at once."""
    age = pl.min_horizontal(pl.col(CUTOFF) - pl.col(ANCHOR), pl.lit(max(windows), pl.Int64))
    aged = sightings.snapshots.with_columns(age.alias(_AGE)).filter(pl.col(_AGE) > 0)
    ages = sorted(aged.get_column(_AGE).unique().to_list())
    room = max(1, _MOST - len(windows))
    for start in range(0, len(ages), room):
        yield replace(sightings, snapshots=aged.filter(pl.col(_AGE).is_in(ages[start : start + room])))


class _Pass:
    """One pass over the events, for snapshots of a few ages."""

    def __init__(self, sightings: Sightings, windows: Sequence[Microseconds]) -> None:
        snapshots = sightings.snapshots
        self._found, self._snapshots, self._windows = sightings, snapshots, windows
        self._ages: list[int] = sorted(snapshots.get_column(_AGE).unique().to_list())
        self._lengths = sorted({min(window, age) for window in windows for age in self._ages})
        # With one snapshot to an entity it stands for it, and no join is needed at the end.
        self._single = bool(snapshots.get_column(ENTITY).is_unique().all()) and len(self._ages) == 1
        self._codes = len(sightings.names) + 1

    def cells(self, held: Mapping[int, Measure]) -> LazyFrame:
        """Plan the cells of measures that are read together, grouped by the engine."""
        i, measure = next(iter(held.items()))
        rows = self._rows(measure)
        if _is_reduced(measure, self._found.rising):
            spans = self.reductions(rows, held)
        else:
            spans = _way(measure.kind)(self, rows, i)
        return self._at_snapshots(spans, held, nw.Int32 if measure.property is None else nw.Int64)

    def packing(self, places: Mapping[MeasureKind, int]) -> Packing:
        """Say how an event becomes a number."""
        dates = self._date_range()[1] if MeasureKind.DAYS in places else 1
        return Packing.of(codes=self._codes, stretches=1, dates=dates, bands=len(self._lengths))

    def tallies(self, places: Mapping[MeasureKind, int]) -> Iterator[pl.DataFrame]:
        """Measure counts of events and dates."""
        pack = self.packing(places)
        date = self._found.scope.day() - self._date_range()[0] if pack.date else nw.lit(0, nw.Int64)
        rows = self._rows(None).select(_WHO, CODE, nw.lit(0, nw.Int64).alias(STRETCH), date.alias(DATE), _BAND)

        def frames(part: Part) -> list[pl.DataFrame]:
            named = self._tallied(part.named(), pack, places)
            return [*named, *self._tallied(part.anything(), pack, places, code=ANY)]

        for some in worked(frames, self._found.scope.world.engine.tally(rows, pack)):
            yield from some

    def _tallied(
        self, tally: Tally, pack: Packing, places: Mapping[MeasureKind, int], *, code: int | None = None
    ) -> Iterator[pl.DataFrame]:
        codes = tally.cells & ((1 << pack.code) - 1) if code is None else np.full(tally.cells.size, code)
        frame = pl.DataFrame({_WHO: tally.cells >> pack.code, CODE: codes.astype(np.int32)})
        unasked = bool((codes == self._codes - 1).any())
        tables = {MeasureKind.COUNT: tally.counts, MeasureKind.DAYS: tally.days}
        for age in self._ages:
            columns = [
                pl.Series(column_of(i, j), tables[kind][self._lengths.index(min(window, age))])
                for kind, i in places.items()
                for j, window in enumerate(self._windows)
            ]
            seen = frame.with_columns(columns)
            seen = seen.filter(pl.col(CODE) < self._codes - 1) if unasked else seen
            if self._single:
                yield seen.rename({_WHO: SNAPSHOT})
            else:
                snapshots = self._snapshots.filter(pl.col(_AGE) == age).select(SNAPSHOT, pl.col(ENTITY).alias(_WHO))
                yield seen.join(snapshots, on=_WHO, how="inner").drop(_WHO)

    def column(self, measure: int, length: Microseconds) -> str:
        return f"m{measure}_l{self._lengths.index(length)}"

    def _rows(self, measure: Measure | None) -> LazyFrame:
        longest = self._lengths[-1]
        begin, latest = extent(self._snapshots.get_column(ANCHOR))
        who = self._snapshots.select(ENTITY, pl.col(SNAPSHOT if self._single else ENTITY).alias(_WHO)).unique()
        rows = self._found.rows(measure, who, begin=begin, end=latest + longest)
        rows = rows.with_columns((nw.col(AT) - nw.col(ANCHOR)).alias(_OFFSET))
        rows = rows.filter(nw.col(_OFFSET) >= 0, nw.col(_OFFSET) < longest)
        band = nw.lit(len(self._lengths) - 1, nw.Int8)
        for position, length in reversed(list(enumerate(self._lengths[:-1]))):
            band = nw.when(nw.col(_OFFSET) < length).then(nw.lit(position, nw.Int8)).otherwise(band)
        return rows.with_columns(band.alias(_BAND))

    def _date_range(self) -> tuple[int, int]:
        begin, latest = extent(self._snapshots.get_column(ANCHOR))
        first = begin // DAY - 2
        return first, (latest + self._lengths[-1]) // DAY + 3 - first

    def _within(self, measure: int) -> list[nw.Expr]:
        longest = len(self._lengths) - 1
        return [
            (nw.len() if position == longest else one(nw.col(_BAND) <= position).sum()).alias(
                self.column(measure, length)
            )
            for position, length in enumerate(self._lengths)
        ]

    def things(self, rows: LazyFrame, measure: int) -> LazyFrame:
        firsts = rows.group_by(_WHO, CODE, VALUE).agg(nw.col(_BAND).min().alias(_BAND))
        return firsts.group_by(_WHO, CODE).agg(*self._within(measure))

    def highest_sum(self, rows: LazyFrame, measure: int) -> LazyFrame:
        # Reached is reached, also when a sum falls again: the highest total of any instant in the span.
        sums = (nw.col(VALUE).sum().cast(nw.Int64).alias(VALUE), nw.col(_BAND).min().alias(_BAND))
        instants = rows.group_by(_WHO, CODE, _OFFSET).agg(*sums)
        total = nw.col(VALUE).cum_sum().over(_WHO, CODE, order_by=_OFFSET).cast(nw.Int64)
        tops = self._inside(instants.with_columns(total.alias(VALUE))).group_by(_WHO, CODE)
        highest = (
            nw.col(f"v{position}").max().alias(self.column(measure, length))
            for position, length in enumerate(self._lengths)
        )
        return tops.agg(*highest)

    def reductions(self, rows: LazyFrame, held: Mapping[int, Measure]) -> LazyFrame:
        """Add up or take the top of the rows of each span, for all measures at once."""
        inside = self._inside(rows)
        columns = [
            (nw.col(f"v{position}").sum() if measure.kind is MeasureKind.SUM else nw.col(f"v{position}").max())
            .cast(nw.Int64)
            .alias(self.column(i, length))
            for i, measure in held.items()
            for position, length in enumerate(self._lengths)
        ]
        return inside.group_by(_WHO, CODE).agg(*columns)

    def newest(self, rows: LazyFrame, measure: int) -> LazyFrame:
        parts = []
        for length in self._lengths:
            seen = rows.filter(nw.col(_OFFSET) < length)
            latest = nw.col(_OFFSET).max().over(_WHO, CODE)
            seen = seen.with_columns(latest.alias("latest")).filter(nw.col(_OFFSET) == nw.col("latest"))
            value = {self.column(measure, length): nw.lit(None, nw.Int64) for length in self._lengths}
            value[self.column(measure, length)] = nw.col(VALUE)
            parts.append(seen.select(_WHO, CODE, **value))
        names = [self.column(measure, length) for length in self._lengths]
        whole = nw.concat(parts, how="vertical").group_by(_WHO, CODE)
        return whole.agg(*(nw.col(name).max().alias(name) for name in names))

    def _inside(self, rows: LazyFrame) -> LazyFrame:
        """Lay out the value of a row for each span: null in those that it is not in."""
        nothing = nw.lit(None, nw.Int64)
        seen = {
            f"v{position}": nw.when(nw.col(_BAND) <= position).then(nw.col(VALUE)).otherwise(nothing)
            for position in range(len(self._lengths))
        }
        return rows.select(_WHO, CODE, **seen)

    def _at_snapshots(self, spans: LazyFrame, held: Iterable[int], dtype: type[nw.Int32 | nw.Int64]) -> LazyFrame:
        parts = []
        for age in self._ages:
            columns = {
                column_of(i, j): nw.col(self.column(i, min(window, age))).cast(dtype)
                for i in held
                for j, window in enumerate(self._windows)
            }
            if self._single:
                seen = spans.with_columns(nw.col(_WHO).alias(SNAPSHOT))
            else:
                snapshots = self._snapshots.filter(pl.col(_AGE) == age).select(SNAPSHOT, pl.col(ENTITY).alias(_WHO))
                seen = spans.join(self._found.scope.world.engine.lift(snapshots), on=_WHO, how="inner")
            parts.append(seen.select(SNAPSHOT, nw.col(CODE).cast(nw.Int32).alias(CODE), **columns))
        return parts[0] if len(parts) == 1 else nw.concat(parts, how="vertical")


def _way(kind: MeasureKind) -> Callable[[_Pass, LazyFrame, int], LazyFrame]:
    match kind:
        case MeasureKind.USERS | MeasureKind.DISTINCT | MeasureKind.DISTINCT_EVENTS:
            return _Pass.things
        case MeasureKind.SUM:
            return _Pass.highest_sum
        case MeasureKind.LAST:
            return _Pass.newest
        case MeasureKind.MAX:
            raise AssertionError("the top of a span is a reduction of its rows")
        case MeasureKind.COUNT | MeasureKind.DAYS:
            raise AssertionError(f"{kind} is tallied")
        case _:
            assert_never(kind)
