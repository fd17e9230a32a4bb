"""The span: a length of time from the anchor, and what was done in it.

A look at age a sees of the window w the span of length min(w, a); an age beyond the longest window is as good as that.
However many looks and windows there are, an event is looked at once, against the few lengths that occur.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import narwhals as nw
import polars as pl

from pqlkit.columns import ANCHOR, AT, CUTOFF, ENTITY, LOOK
from pqlkit.definitions.model import MeasureKind
from pqlkit.durations import DAY
from pqlkit.measures.cells import ANY, CODE, DATE, VALUE, column_of, extent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pqlkit.definitions.model import Measure
    from pqlkit.measures.cells import Sightings
    from pqlkit.typing import LazyFrame, Microseconds

_MOST: Final = 24  # lengths in one wide grouping; more of them take further passes
_AGE: Final = "age"
_OFFSET: Final = "offset"
_BAND: Final = "band"  # position of the shortest span that holds the event: one byte instead of eight
_WHO: Final = "who"
_DAYS: Final = (MeasureKind.COUNT, MeasureKind.DAYS)


def span_cells(
    found: Sightings, windows: Sequence[Microseconds], measures: Sequence[Measure]
) -> Iterator[tuple[tuple[int, ...], LazyFrame]]:
    """Plan the cells of windows that start at the anchor.

    Yields
    ------
    tuple
        Positions of the measures held, and the lazy frame ``look``, ``code`` and a column per measure and window. A look and code
        stand in one row of a frame at most.
    """
    age = pl.min_horizontal(pl.col(CUTOFF) - pl.col(ANCHOR), pl.lit(max(windows), pl.Int64))
    aged = found.looks.with_columns(age.alias(_AGE)).filter(pl.col(_AGE) > 0)
    ages = sorted(aged.get_column(_AGE).unique().to_list())
    together = tuple(i for i, measure in enumerate(measures) if measure.kind in _DAYS)
    alone = [(i,) for i, measure in enumerate(measures) if measure.kind not in _DAYS]
    room = max(1, _MOST - len(windows))
    for start in range(0, len(ages), room):
        part = aged.filter(pl.col(_AGE).is_in(ages[start : start + room]))
        for held in ([together] if together else []) + alone:
            yield held, _Pass(found, part, windows).cells(held, measures)


class _Pass:
    """One pass over the events, for looks of a few ages."""

    def __init__(self, found: Sightings, looks: pl.DataFrame, windows: Sequence[Microseconds]) -> None:
        self._found, self._looks, self._windows = found, looks, windows
        self._ages: list[int] = sorted(looks.get_column(_AGE).unique().to_list())
        self._lengths = sorted({min(window, age) for window in windows for age in self._ages})
        # With one look to an entity it stands for it, and no join is needed at the end.
        self._single = bool(looks.get_column(ENTITY).is_unique().all()) and len(self._ages) == 1
        self._codes = len(found.names) + 1

    def cells(self, held: Sequence[int], measures: Sequence[Measure]) -> LazyFrame:
        first = measures[held[0]]
        if first.kind in _DAYS:
            spans = self._counts_and_days({measures[i].kind: i for i in held})
        else:
            rows = self._rows(first)
            spans = _WAYS[first.kind](self, rows, held[0])
        return self._at_looks(spans, held, nw.Int32 if first.property is None else nw.Int64)

    def column(self, measure: int, length: Microseconds) -> str:
        return f"m{measure}_l{self._lengths.index(length)}"

    @property
    def lengths(self) -> list[int]:
        return self._lengths

    def _rows(self, measure: Measure | None) -> LazyFrame:
        longest = self._lengths[-1]
        begin, latest = extent(self._looks.get_column(ANCHOR))
        who = self._looks.select(ENTITY, pl.col(LOOK if self._single else ENTITY).alias(_WHO)).unique()
        rows = self._found.rows(measure, who, begin=begin, end=latest + longest)
        rows = rows.with_columns((nw.col(AT) - nw.col(ANCHOR)).alias(_OFFSET))
        rows = rows.filter(nw.col(_OFFSET) >= 0, nw.col(_OFFSET) < longest)
        band = nw.lit(len(self._lengths) - 1, nw.Int8)
        for position, length in reversed(list(enumerate(self._lengths[:-1]))):
            band = nw.when(nw.col(_OFFSET) < length).then(nw.lit(position, nw.Int8)).otherwise(band)
        return rows.with_columns(band.alias(_BAND))

    def _counts_and_days(self, places: dict[MeasureKind, int]) -> LazyFrame:
        rows = self._rows(None)
        key = nw.col(_WHO) * self._codes + nw.col(CODE)
        if MeasureKind.DAYS not in places:
            rows = rows.select(key.alias("key"), _BAND)
            by_name = rows.group_by("key").agg(*self._counts(places))
            return self._with_any(by_name)
        first_date, dates = self._date_range()
        day = self._found.scope.day() - first_date
        keyed = rows.select((key * dates + day).alias("key"), _BAND)
        daily = keyed.group_by("key").agg(*self._counts(places), nw.col(_BAND).min().alias(_BAND))
        named = daily.with_columns((nw.col("key") // dates).alias("key"), (nw.col("key") % dates).alias(DATE))
        by_name = named.group_by("key").agg(*self._sums(places), *self._within(places[MeasureKind.DAYS]))
        whole = named.with_columns((nw.col("key") // self._codes * dates + nw.col(DATE)).alias("key"))
        whole = whole.group_by("key").agg(*self._sums(places), nw.col(_BAND).min().alias(_BAND))
        whole = whole.with_columns((nw.col("key") // dates).alias("key"))
        anything = whole.group_by("key").agg(*self._sums(places), *self._within(places[MeasureKind.DAYS]))
        return self._joined(by_name, anything)

    def _date_range(self) -> tuple[int, int]:
        begin, latest = extent(self._looks.get_column(ANCHOR))
        first = begin // DAY - 2
        return first, (latest + self._lengths[-1]) // DAY + 3 - first

    def _with_any(self, by_name: LazyFrame) -> LazyFrame:
        columns = [name for name in by_name.collect_schema().names() if name != "key"]
        whole = by_name.with_columns((nw.col("key") // self._codes).alias("key"))
        return self._joined(by_name, whole.group_by("key").agg(*(nw.col(name).sum().alias(name) for name in columns)))

    def _joined(self, by_name: LazyFrame, anything: LazyFrame) -> LazyFrame:
        columns = [name for name in by_name.collect_schema().names() if name != "key"]
        values = [nw.col(name).cast(nw.Int32).alias(name) for name in columns]
        code = (nw.col("key") % self._codes).cast(nw.Int32)
        named = by_name.select((nw.col("key") // self._codes).alias(_WHO), code.alias(CODE), *values)
        whole = anything.select(nw.col("key").alias(_WHO), nw.lit(ANY, nw.Int32).alias(CODE), *values)
        return nw.concat([named.filter(nw.col(CODE) < len(self._found.names)), whole], how="vertical")

    def _counts(self, places: dict[MeasureKind, int]) -> list[nw.Expr]:
        if MeasureKind.COUNT not in places:
            return []
        return self._within(places[MeasureKind.COUNT])

    def _sums(self, places: dict[MeasureKind, int]) -> list[nw.Expr]:
        if MeasureKind.COUNT not in places:
            return []
        names = [self.column(places[MeasureKind.COUNT], length) for length in self._lengths]
        return [nw.col(name).sum().alias(name) for name in names]

    def _within(self, measure: int) -> list[nw.Expr]:
        longest = len(self._lengths) - 1
        return [
            (nw.len() if position == longest else (nw.col(_BAND) <= position).sum()).alias(self.column(measure, length))
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
        return self._tops(instants.with_columns(total.alias(VALUE)), measure)

    def highest(self, rows: LazyFrame, measure: int) -> LazyFrame:
        return self._tops(rows, measure)

    def newest(self, rows: LazyFrame, measure: int) -> LazyFrame:
        parts = []
        for length in self._lengths:
            seen = rows.filter(nw.col(_OFFSET) < length)
            latest = nw.col(_OFFSET).max().over(_WHO, CODE)
            seen = seen.with_columns(latest.alias("latest")).filter(nw.col(_OFFSET) == nw.col("latest"))
            value = {self.column(measure, one): nw.lit(None, nw.Int64) for one in self._lengths}
            value[self.column(measure, length)] = nw.col(VALUE)
            parts.append(seen.select(_WHO, CODE, **value))
        names = [self.column(measure, length) for length in self._lengths]
        whole = nw.concat(parts, how="vertical").group_by(_WHO, CODE)
        return whole.agg(*(nw.col(name).max().alias(name) for name in names))

    def _tops(self, rows: LazyFrame, measure: int) -> LazyFrame:
        seen = {
            self.column(measure, length): nw.when(nw.col(_BAND) <= position)
            .then(nw.col(VALUE))
            .otherwise(nw.lit(None, nw.Int64))
            for position, length in enumerate(self._lengths)
        }
        tops = rows.select(_WHO, CODE, **seen).group_by(_WHO, CODE)
        return tops.agg(*(nw.col(name).max().alias(name) for name in seen))

    def _at_looks(self, spans: LazyFrame, held: Sequence[int], dtype: type[nw.Int32 | nw.Int64]) -> LazyFrame:
        parts = []
        for age in self._ages:
            columns = {
                column_of(i, j): nw.col(self.column(i, min(window, age))).cast(dtype)
                for i in held
                for j, window in enumerate(self._windows)
            }
            if self._single:
                seen = spans.with_columns(nw.col(_WHO).alias(LOOK))
            else:
                looks = self._looks.filter(pl.col(_AGE) == age).select(LOOK, pl.col(ENTITY).alias(_WHO))
                seen = spans.join(self._found.scope.world.engine.lift(looks), on=_WHO, how="inner")
            parts.append(seen.select(LOOK, nw.col(CODE).cast(nw.Int32).alias(CODE), **columns))
        return parts[0] if len(parts) == 1 else nw.concat(parts, how="vertical")


_WAYS: Final = {
    MeasureKind.USERS: _Pass.things,
    MeasureKind.DISTINCT: _Pass.things,
    MeasureKind.SUM: _Pass.highest_sum,
    MeasureKind.MAX: _Pass.highest,
    MeasureKind.LAST: _Pass.newest,
}
