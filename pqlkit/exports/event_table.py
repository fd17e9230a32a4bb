"""The events of a dataset: written by number in blocks, added to by later loads, and written together again when these are many."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ACCOUNT_ID, ANONYMOUS_ID, EVENT, EVENT_ID, USER_ID
from pqlkit.exports import event_files
from pqlkit.exports.column_types import POLARS, as_read, as_type
from pqlkit.exports.event_files import cuts, days_of, file_columns, partitioned, write_sorted
from pqlkit.exports.identities import stitched
from pqlkit.exports.manifest import Block, Delta, EventParts, Summary
from pqlkit.exports.numbering import HOME, NUMBER, Numbering, numbered
from pqlkit.exports.summaries import names_of, who_of
from pqlkit.exports.tables import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pqlkit.exports.column_types import ColumnType
    from pqlkit.exports.identities import Identities
    from pqlkit.exports.manifest import TableEntry
    from pqlkit.exports.publishing import Writer

_OWN: Final = "pqlkit:own"


@dataclass(slots=True, kw_only=True, eq=False)
class EventTable:
    """The files of a dataset's events while a load changes them.

    Parameters
    ----------
    writer
        Where they are staged.
    columns
        All columns of the table, with those that this load brings.
    parts, summaries
        What is there, and becomes what will be.
    numbering
        Who has which number.
    """

    writer: Writer
    columns: Mapping[str, ColumnType]
    parts: EventParts
    summaries: list[Summary]
    numbering: Numbering
    _temporary: int = field(default=0)

    @classmethod
    def of(cls, writer: Writer, columns: Mapping[str, ColumnType], before: TableEntry | None) -> EventTable:
        """Begin with what an earlier load wrote, its ids and properties brought to the types that all have now."""
        if before is None or before.parts is None:
            return cls(
                writer=writer, columns=columns, parts=EventParts(), summaries=[], numbering=Numbering.none(columns)
            )
        parts = before.parts
        there = Numbering.read(*([writer.path(file) for file in files] for files in (parts.users, parts.accounts)))
        numbering = there.typed(columns)
        table = cls(writer=writer, columns=columns, parts=parts, summaries=list(before.summaries), numbering=numbering)
        if numbering.users.schema != there.users.schema or numbering.accounts.schema != there.accounts.schema:
            table._number_all()
        table._retype()
        return table

    def add(self, paths: Sequence[str], pairs: Iterable[pl.DataFrame], identities: Identities | None) -> None:
        """Take new rows, and the rows of nobody whose user this load tells.

        Parameters
        ----------
        paths
            Canonical files.
        pairs
            Frames that say which user is of which account.
        identities
            Whose an anonymous id is.
        """
        known = self._identified(identities)
        files = [
            *([pl.scan_parquet(list(paths), glob=False)] if paths else []),
            *([known] if known is not None else []),
        ]
        rows = pl.concat([self._canonical(lazy) for lazy in files]) if files else None
        seen = [who_of(rows).collect(engine="streaming")] if rows is not None else []
        # Whoever is listed has a number, too: conversions find their owners by it.
        self._number(self.numbering.with_new([*pairs, *seen]))
        if rows is None:
            return
        self._keep_event_ids(paths)
        new = numbered(rows.select(pl.exclude(EVENT_ID)), self.numbering).select(file_columns(list(self.columns)))
        whose = numbered(seen[0].lazy(), self.numbering).collect()
        if not self.parts.blocks or self._is_much(int(whose["rows"].sum())):
            self._write_together(new, whose)
        else:
            self._write_delta(new, whose)

    def _is_much(self, new: int) -> bool:
        """Whether what later loads added is to be written together with the blocks."""
        added = new + sum(delta.rows for delta in self.parts.deltas)
        whole = added + sum(block.rows for block in self.parts.blocks)
        many = len(self.parts.deltas) >= event_files.MOST_DELTAS or len(self.parts.anonymous) > event_files.MOST_DELTAS
        return many or new > event_files.BLOCK_ROWS or added > event_files.MOST_ADDED * whole

    def _write_delta(self, new: pl.LazyFrame, whose: pl.DataFrame) -> None:
        written = self._written(new, lows=[0], days=self._days(new, whose), name=f"d{len(self.parts.deltas):04}")
        deltas = [Delta(file=file, rows=rows) for place, file, rows in written if place >= 0]
        nobodys = tuple(file for place, file, _ in written if place < 0)
        self.parts = replace(
            self.parts, deltas=(*self.parts.deltas, *deltas), anonymous=(*self.parts.anonymous, *nobodys)
        )
        self._sum_up([delta.file for delta in deltas], nobodys, whose)

    def _write_together(self, new: pl.LazyFrame, whose: pl.DataFrame) -> None:
        """Write blocks with what was added since, those that nothing was added to excepted."""
        deltas = [delta.file for delta in self.parts.deltas]
        added = pl.concat([new, *self._lazy(deltas)], how="diagonal_relaxed") if deltas else new
        touched = added.select(HOME).drop_nulls().unique().sort(HOME).collect(engine="streaming")[HOME]
        kept = tuple(block for block in self.parts.blocks if not _touches(touched, block))
        gone = [block.file for block in self.parts.blocks if block not in kept]
        old = [*gone, *self.parts.anonymous]
        rows = pl.concat([added, *self._lazy(old)], how="diagonal_relaxed") if old else added
        rows = rows.select(file_columns(list(self.columns)))
        counted = [whose, *(self._counts(summary.who) for summary in self.summaries)]
        homes = pl.concat([frame.select(HOME, "rows") for frame in counted]).drop_nulls(HOME)
        homes = homes.group_by(HOME).agg(pl.col("rows").sum()).sort(HOME)
        bounds = [bound for run in _runs(homes, kept) for bound in cuts(run)]
        written = self._written(rows, lows=[low for low, _ in bounds], days=self._days(rows, whose))
        blocks = [
            Block(file=file, low=bounds[place][0], high=bounds[place][1], rows=size)
            for place, file, size in written
            if place >= 0
        ]
        nobodys = tuple(file for place, file, _ in written if place < 0)
        self.parts = replace(
            self.parts,
            blocks=tuple(sorted((*kept, *blocks), key=lambda block: block.low)),
            deltas=(),
            anonymous=nobodys,
            event_ids=self._joined_event_ids(),
        )
        if len(self.parts.users) > event_files.MOST_DELTAS:
            self._number_all()
        first = not self.summaries
        self.summaries = []
        self._sum_up([block.file for block in self.parts.blocks], nobodys, whose if first else None)

    def _days(self, rows: pl.LazyFrame, whose: pl.DataFrame) -> list[int]:
        """Say where the stretches of time of rows of nobody begin; where everyone is known, no pass looks for them."""
        everyone_known = USER_ID in whose.columns and whose[USER_ID].null_count() == 0
        return [] if everyone_known and not self.parts.anonymous else days_of(rows)

    def _written(
        self, rows: pl.LazyFrame, *, lows: Sequence[int], days: Sequence[int], name: str | None = None
    ) -> list[tuple[int, str, int]]:
        """Write rows sorted, a file for each block and each stretch of time of rows of nobody: place, file, rows.

        Blocks are called by their first home, if no `name` is given.
        """
        written = []
        folder = self.writer.work / f"parts-{self._next()}"
        for place, frame in partitioned(rows, lows, days, folder):
            if frame.is_empty():
                continue
            path = self.writer.work / f"rows-{self._next()}.parquet"
            write_sorted(frame, path)
            called = (name or f"b{lows[place]:08}") if place >= 0 else f"anonymous-{-1 - place:04}"
            written.append((place, self.writer.stage(path, f"{EVENTS}/{called}"), frame.height))
        return written

    def _identified(self, identities: Identities | None) -> pl.LazyFrame | None:
        """Take the rows whose user is known now out of their files; give them as canonical ones.

        They were nobody's, or those of an id that turned out to be anonymous.
        """
        if identities is None or identities.known.is_empty():
            return None
        known = identities.known[ANONYMOUS_ID].implode()
        named = pl.col(ANONYMOUS_ID).cast(pl.String).is_in(known)
        others = self._with_rows(self.numbering.users.filter(pl.col(USER_ID).cast(pl.String).is_in(known))[NUMBER])
        told, rest = [], {}
        for file in self.parts.files:
            test = named if file in self.parts.anonymous else pl.col(USER_ID).is_in(others.implode())
            lazy = self._scan([file])
            if (test is named and ANONYMOUS_ID not in lazy.collect_schema()) or (
                test is not named and others.is_empty()
            ):
                continue
            if lazy.select(test.any()).collect(engine="streaming").item():
                frame = lazy.collect()
                told.append(frame.filter(test))
                rest[file] = self._rest(frame.filter(~test.fill_null(value=False)), file)
        if not told:
            return None
        self.parts = self.parts.replaced(rest)
        self.summaries = [summary for summary in self.summaries if not {*summary.of} & {*rest}]
        summed_up = {file for summary in self.summaries for file in summary.of}
        left = [file for file in self.parts.files if file not in summed_up]
        nobodys = [file for file in left if file in self.parts.anonymous]
        self._sum_up([file for file in left if file not in nobodys], nobodys)
        rows = self._with_ids(pl.concat(told, how="diagonal_relaxed").drop(HOME))
        texts = [pl.col(name).cast(pl.String) for name in (USER_ID, ANONYMOUS_ID) if name in rows.columns]
        path = self.writer.work / f"identified-{self._next()}.parquet"
        stitched(rows.with_columns(texts), identities).write_parquet(path, compression="lz4")
        return pl.scan_parquet(path, glob=False)

    def _with_rows(self, users: pl.Series) -> pl.Series:
        """Keep the users that have events."""
        seen = [
            pl.read_parquet(self.writer.path(summary.who), columns=[USER_ID], glob=False) for summary in self.summaries
        ]
        return users.filter(users.is_in(pl.concat(seen)[USER_ID].implode())) if len(users) and seen else users

    def _with_ids(self, rows: pl.DataFrame) -> pl.DataFrame:
        for name, table in ((USER_ID, self.numbering.users), (ACCOUNT_ID, self.numbering.accounts)):
            if name in rows.columns:
                known = table.select(pl.col(NUMBER).alias(name), pl.col(name).alias(_OWN))
                rows = rows.join(known, on=name, how="left").drop(name).rename({_OWN: name})
        return rows

    def _rest(self, rows: pl.DataFrame, file: str) -> tuple[str, int] | None:
        if rows.is_empty():
            return None
        path = self.writer.work / f"rows-{self._next()}.parquet"
        write_sorted(rows, path)
        return self.writer.stage(path, file.rpartition("-")[0]), rows.height

    def _canonical(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Give rows all columns of the table, in its types."""
        rows = rows.with_columns(as_read(pl.col(name), dtype) for name, dtype in rows.collect_schema().items())
        schema = rows.collect_schema()
        return rows.select(
            as_type(pl.col(name), schema[name], kind).alias(name)
            if name in schema
            else pl.lit(None, dtype=POLARS[kind]).alias(name)
            for name, kind in self.columns.items()
        )

    def _retype(self) -> None:
        """Bring the properties of the files to their types in the whole table; one that a file lacks it has nothing of."""
        renamed: dict[str, tuple[str, None]] = {}
        for file in self.parts.files:
            schema = self._scan([file]).collect_schema()
            other = {
                name: self.columns[name]
                for name, dtype in schema.items()
                if name in self.columns and name not in (USER_ID, ACCOUNT_ID) and dtype != POLARS[self.columns[name]]
            }
            if other:
                path = self.writer.work / f"retyped-{self._next()}.parquet"
                typed = [as_type(pl.col(name), schema[name], kind).alias(name) for name, kind in other.items()]
                self._scan([file]).with_columns(typed).sink_parquet(
                    path, compression="zstd", compression_level=1, row_group_size=event_files.GROUP_ROWS
                )
                renamed[file] = (self.writer.stage(path, file.rpartition("-")[0]), None)
        if renamed:
            self.parts = self.parts.replaced(renamed)
            self.summaries = [
                replace(summary, of=tuple(renamed[file][0] if file in renamed else file for file in summary.of))
                for summary in self.summaries
            ]

    def _keep_event_ids(self, paths: Sequence[str]) -> None:
        """Write the ids of new events apart: only the next load asks for them."""
        if EVENT_ID not in self.columns or not paths:
            return
        rows = pl.scan_parquet(list(paths), glob=False)
        if EVENT_ID not in rows.collect_schema():
            return
        path = self.writer.work / f"ids-{self._next()}.parquet"
        ids = rows.select(EVENT_ID, EVENT).filter(pl.col(EVENT_ID).is_not_null())
        ids.sink_parquet(path, compression="zstd", compression_level=1)
        self.parts = replace(self.parts, event_ids=(*self.parts.event_ids, self.writer.stage(path, "ids/ids")))

    def _joined_event_ids(self) -> tuple[str, ...]:
        if len(self.parts.event_ids) <= event_files.MOST_DELTAS:
            return self.parts.event_ids
        path = self.writer.work / f"ids-{self._next()}.parquet"
        self._scan(self.parts.event_ids).sink_parquet(path, compression="zstd", compression_level=1)
        return (self.writer.stage(path, "ids/ids"),)

    def _number(self, numbering: Numbering) -> None:
        """Write down who got a number."""
        users, accounts = self.numbering.users.height, self.numbering.accounts.height
        self.numbering = numbering
        first = not self.parts.users
        new = [(USER_ID, numbering.users[users:]), (ACCOUNT_ID, numbering.accounts[accounts:])]
        names = [self._numbers(name, frame) if first or frame.height else () for name, frame in new]
        self.parts = replace(
            self.parts, users=(*self.parts.users, *names[0]), accounts=(*self.parts.accounts, *names[1])
        )

    def _number_all(self) -> None:
        self.parts = replace(
            self.parts,
            users=self._numbers(USER_ID, self.numbering.users),
            accounts=self._numbers(ACCOUNT_ID, self.numbering.accounts),
        )

    def _numbers(self, name: str, frame: pl.DataFrame) -> tuple[str]:
        path = self.writer.work / f"numbers-{self._next()}.parquet"
        frame.write_parquet(path, compression="zstd", compression_level=1, statistics=True)
        return (self.writer.stage(path, f"numbers/{name.removesuffix('_id')}s"),)

    def _sum_up(self, files: Sequence[str], nobodys: Sequence[str], whose: pl.DataFrame | None = None) -> None:
        """Sum up new files, those of nobody apart, for what is identified later leaves them.

        `whose` is what `who_of` all of them gives, where that is known.
        """
        for some in (files, nobodys):
            if some:
                rows = self._scan(some).drop(HOME)
                counted = who_of(rows) if whose is None or nobodys else whose.lazy().drop(HOME)
                self.summaries.append(self._summary(some, counted, names_of(rows)))

    def _summary(self, of: Sequence[str], whose: pl.LazyFrame, named: pl.LazyFrame) -> Summary:
        staged = {}
        for name, table in (("who", whose), ("names", named)):
            frame = table.collect(engine="streaming")
            path = self.writer.work / f"{name}-{self._next()}.parquet"
            keys = [column for column in (USER_ID, ACCOUNT_ID, EVENT) if column in frame.columns]
            frame.sort(keys).write_parquet(path, compression="zstd")
            staged[name] = self.writer.stage(path, f"summaries/{name}")
        return Summary(of=tuple(of), who=staged["who"], names=staged["names"])

    def _counts(self, who: str) -> pl.DataFrame:
        """Give a summary's homes and their rows."""
        frame = pl.read_parquet(self.writer.path(who), glob=False)
        home = self.numbering.users[HOME].gather(frame[USER_ID])
        own = pl.coalesce(HOME, pl.col(ACCOUNT_ID).cast(pl.Int32)) if ACCOUNT_ID in frame.columns else pl.col(HOME)
        return frame.with_columns(home.alias(HOME)).select(own.alias(HOME), "rows")

    def _scan(self, files: Iterable[str]) -> pl.LazyFrame:
        return pl.concat(self._lazy(files), how="diagonal_relaxed")

    def _lazy(self, files: Iterable[str]) -> list[pl.LazyFrame]:
        return [pl.scan_parquet(self.writer.path(file), glob=False) for file in files]

    def _next(self) -> int:
        self._temporary += 1
        return self._temporary


def _touches(homes: pl.Series, block: Block) -> bool:
    place = int(homes.search_sorted(block.low))
    return place < len(homes) and int(homes[place]) < block.high


def _runs(homes: pl.DataFrame, kept: Sequence[Block]) -> list[pl.DataFrame]:
    """Part the homes that are in none of the kept blocks where such a block lies between them."""
    runs, low = [], 0
    for block in sorted(kept, key=lambda block: block.low):
        runs.append(homes.filter(pl.col(HOME).is_between(low, block.low, closed="left")))
        low = block.high
    return [*runs, homes.filter(pl.col(HOME) >= low)]
