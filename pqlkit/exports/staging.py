"""The stage: one table's canonical rows in temporary Parquet parts, and what is known once all of them are there."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final, assert_never

import numpy as np
import polars as pl

from pqlkit.durations import DAY
from pqlkit.errors import DataError
from pqlkit.exports.batch import Files
from pqlkit.exports.canonical import Canonicaliser
from pqlkit.exports.column_types import ColumnType, join
from pqlkit.exports.delimited import read_delimited
from pqlkit.exports.finding import expand, find
from pqlkit.exports.intake import NotRead
from pqlkit.exports.json_lines import flatten, read_json_lines
from pqlkit.exports.mapping import Source
from pqlkit.exports.parquet import read_parquet
from pqlkit.exports.path_keys import path_keys
from pqlkit.exports.preset import preset
from pqlkit.exports.raw import EmptyExportError, Kind, called, hidden_members, is_empty, kind, members, on_disk, opened
from pqlkit.exports.reshaping import Versions
from pqlkit.exports.tables import FILE, LINE
from pqlkit.inert import visible
from pqlkit.typing import Share

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from pqlkit.exports.batch import Batch
    from pqlkit.exports.canonical import Canonical
    from pqlkit.exports.mapping import Lookup
    from pqlkit.exports.quarantine import Quarantine
    from pqlkit.exports.raw import Member
    from pqlkit.exports.tables import Layout

PART_ROWS: Final = 500_000
GROUP_ROWS: Final = 16_384
PART_BYTES: Final = 256 * 1024 * 1024
TOGETHER: Final = 50_000
"""Rows of small files that wait for each other."""
MOST_COLUMNS: Final = 2_000
"""Columns that a file may have: each costs some 3 ms, whatever its rows, as each key of JSON rows does."""
SNIFFED: Final = 10_000
"""Rows that a first look takes in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A temporary Parquet file of staged rows; `first` and `last` are the extremes of the table's time."""

    path: Path
    rows: int
    first: int | None
    last: int | None
    schema: pl.Schema


@dataclass(slots=True, eq=False)
class Stage:
    """One table on its way from raw files to canonical ones.

    `types` is the narrowest type of each column over all parts (None: no value yet). `days` counts rows by UTC day of the
    table's own time. `read` counts rows of the files, `skipped` and repeats of derived tables left out. `dropped` are
    columns whose bytes are no text.
    """

    layout: Layout
    source: Source
    folder: Path
    files: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    types: dict[str, ColumnType | None] = field(default_factory=dict)
    days: dict[int, int] = field(default_factory=dict)
    pairs: pl.DataFrame | None = None
    read: int = 0
    dates: int = 0
    times: int = 0
    repeats: int = 0
    nulls: dict[str, Counter[str]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    unasked: set[str] = field(default_factory=set)
    added: int = 0
    logged: int | None = None
    unread: int = 0
    not_read: list[NotRead] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)
    waiting: list[pl.DataFrame] = field(default_factory=list)
    # Of what waits: many small files would make sums over it again and again.
    known: dict[str, pl.DataType] = field(default_factory=dict)
    height: int = 0
    size: int = 0

    @property
    def dates_only(self) -> bool:
        """Whether every time was a date alone."""
        return self.dates > 0 and self.times == 0

    def add(self, canonical: Canonical) -> None:
        """Take some rows."""
        frame = canonical.frame
        self.dates += canonical.dates
        self.times += canonical.times
        self.left_out.update(canonical.left_out)
        self.unasked.update(canonical.unasked)
        self.added += canonical.added
        self.unread += canonical.unread
        if canonical.logged is not None:
            self.logged = max(canonical.logged, self.logged or canonical.logged)
        for name, column_type in canonical.types.items():
            self.types[name] = join(self.types.get(name), column_type)
        for name, counts in canonical.nulls.items():
            self.nulls.setdefault(name, Counter()).update(counts)
        if canonical.pairs is not None:
            pairs = [canonical.pairs] if self.pairs is None else [self.pairs, canonical.pairs]
            self.pairs = pl.concat(pairs).unique()
        if frame.is_empty():
            return
        self._count_days(frame)
        if not self._fits(frame):
            self.flush()
        self.waiting.append(frame)
        self.known.update(frame.schema)
        self.height += frame.height
        self.size += int(frame.estimated_size())
        if self.height >= PART_ROWS or self.size >= PART_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what waits as one part."""
        if not self.waiting:
            return
        frame = pl.concat(self.waiting, how="diagonal")
        self.waiting.clear()
        self.known.clear()
        self.height = self.size = 0
        path = self.folder / f"{len(self.parts):06}.parquet"
        time = self.layout.time
        if time is not None and time in frame.columns:
            # Writing asks for one span of days after another: sorted row groups let it skip all others.
            frame = frame.sort(time)
        frame.write_parquet(path, compression="lz4", row_group_size=GROUP_ROWS, statistics=True)
        extremes = [None, None]
        if time is not None and time in frame.columns:
            stamps = frame[time].dt.timestamp("us")
            extremes = [stamps.min(), stamps.max()]  # type: ignore[list-item]
        self.parts.append(Part(path=path, rows=frame.height, first=extremes[0], last=extremes[1], schema=frame.schema))

    def _fits(self, frame: pl.DataFrame) -> bool:
        return all(self.known.get(name, dtype) == dtype for name, dtype in frame.schema.items())

    def _count_days(self, frame: pl.DataFrame) -> None:
        time = self.layout.time
        if time is None or time not in frame.columns:
            return
        days = frame.select(day=pl.col(time).dt.timestamp("us").floordiv(DAY)).drop_nulls()
        for day, rows in days.group_by("day").len().iter_rows():
            self.days[day] = self.days.get(day, 0) + rows

    @property
    def rows(self) -> int:
        """How many rows are staged."""
        return sum(part.rows for part in self.parts)


def stage(
    layout: Layout,
    source: Source,
    folder: Path,
    quarantine: Quarantine,
    *,
    dates_in: str,
    derived: bool = False,
    files: Sequence[Path] | None = None,
    names: Mapping[Path, str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Stage:
    """Read one table's files into parts.

    Parameters
    ----------
    layout, source
        The table and where it is.
    folder
        An existing folder for its parts.
    quarantine
        Takes the rows that cannot be used.
    dates_in
        The zone in which a date is a day.
    derived
        See `Canonicaliser`.
    files
        Which files to read; None = all that `source.path` finds.
    names
        What reports call files, where that is not their path.
    progress
        Is told, after each file, which share of the bytes is read.

    Raises
    ------
    DataError
        A file is missing, empty or unreadable, or a column is missing.
    """
    staged = Stage(layout=layout, source=source, folder=folder)
    if files is None:
        finding = find(source.path)
        files = finding.files
        staged.not_read.extend(finding.not_read)
    canonicaliser = Canonicaliser(
        layout=layout,
        source=source,
        dates_in=dates_in,
        derived=derived,
        as_of=time.time_ns() // 1000,
        looked_up=_lookups(source),
    )
    titles = [(names or {}).get(path, str(path)) for path in files]
    streams = _filled(files, titles, staged)
    _survey(streams, canonicaliser)
    sizes = [path.stat().st_size for path in files]
    read = 0
    reader = _Reader(staged=staged, canonicaliser=canonicaliser, quarantine=quarantine)
    for place, (path, title) in enumerate(zip(files, titles, strict=True)):
        staged.files.append(title)
        with called(path, title):
            for member in streams.get(place, ()):
                reader.read(member, place)
        read += sizes[place]
        progress(Share(f"reading {layout.name}", read, sum(sizes)))
    reader.flush()
    staged.remarks += canonicaliser.misread()
    staged.flush()
    return staged


def _filled(files: Sequence[Path], titles: Sequence[str], staged: Stage) -> dict[int, list[Member]]:
    """List the streams of files by the file's place; empty ones among others are no fault, and said."""
    streams: list[tuple[int, Member]] = []
    for place, (path, title) in enumerate(zip(files, titles, strict=True)):
        with called(path, title):
            streams += [(place, member) for member in members(path, title)]
            staged.not_read += [NotRead(file=name, reason="hidden") for name in hidden_members(path, title)]
    empty = {member for _, member in streams if is_empty(member)} if len(streams) > 1 else set()
    if streams and len(empty) == len(streams):
        raise EmptyExportError(f"all {len(streams)} files are empty", where=streams[0][1].name)
    staged.not_read += [NotRead(file=member.name, reason="empty") for _, member in streams if member in empty]
    filled: dict[int, list[Member]] = {}
    for place, member in streams:
        if member not in empty:
            filled.setdefault(place, []).append(member)
    return filled


def _survey(streams: Mapping[int, Sequence[Member]], canonicaliser: Canonicaliser) -> None:
    """Learn what can only be told from all rows, where the export asks for it: newest versions, how far it goes."""
    source = canonicaliser.source
    vendors = preset(source.format).variants if source.format is not None else ()
    shapes = [(source.newest, source.rows), *((variant.newest, variant.rows) for variant in vendors)]
    if not any(newest or any(rule.test.by_then for rule in rows) for newest, rows in shapes):
        return
    versions: Versions | None = None
    written: list[int] = []
    for place, parts in streams.items():
        for member in parts:
            canonicaliser.variant = None
            for batch, _ in _batches(member, source):
                raw = canonicaliser.prepared(batch.frame)
                rule, logged = canonicaliser.shape.newest, canonicaliser.logged(raw)
                written += [logged] if logged is not None else []
                if rule is not None:
                    versions = versions if versions is not None else Versions(newest=rule)
                    versions.add(raw, batch.lines, place, canonicaliser.clock)
    canonicaliser.newest = versions.winners() if versions is not None else None
    canonicaliser.as_of = max(written, default=canonicaliser.as_of)


def _lookups(source: Source) -> Callable[[Lookup], pl.DataFrame | None]:
    """Give a function that reads a lookup's table once: all rows as the files have them, or None if the source names no file."""

    @cache
    def read(name: str) -> pl.DataFrame | None:
        paths = source.lookups.get(name)
        if paths is None:
            return None
        files = (member for path in expand(paths) for member in members(path))
        frames = [flatten(batch.frame) for member in files for batch, _ in _batches(member, Source(path=paths))]
        return pl.concat([frame for frame in frames if frame.width], how="diagonal_relaxed")

    def looked_up(lookup: Lookup) -> pl.DataFrame | None:
        table = read(lookup.table)
        if table is not None and lookup.key not in table.columns:
            raise DataError(
                f"the lookup {lookup.table} has no column {lookup.key!r}",
                where=source.lookups[lookup.table][0],
                hint="name one of its columns: " + ", ".join(visible(name, 40) for name in table.columns[:12]),
            )
        return table

    return looked_up


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Piece:
    """Rows of one file: its name, its place among the table's, and whether it has no columns but theirs."""

    batch: Batch
    strict: bool
    name: str
    place: int


@dataclass(slots=True, kw_only=True, eq=False)
class _Reader:
    """Brings the files of one table onto its stage.

    Exports come in hundreds of small files, and to bring rows under canonical names costs some 10 ms, however few they are. So
    small files wait in `groups` of the same columns, and go together; of an archive, whose files share a place, one may.
    """

    staged: Stage
    canonicaliser: Canonicaliser
    quarantine: Quarantine
    groups: dict[Hashable, list[_Piece]] = field(default_factory=dict)
    rows: int = 0

    def read(self, member: Member, place: int) -> None:
        """Read one stream of the file at `place`."""
        batches = _batches(member, self.staged.source)
        pieces = (_Piece(batch=batch, strict=strict, name=member.name, place=place) for batch, strict in batches)
        if (first := next(pieces, None)) is None:
            return
        if first.strict:
            self.canonicaliser.variant = None
            self.canonicaliser.check(first.batch.frame.columns, member.name)
        second = next(pieces, None) if self._is_small(first.batch) else None
        if second is None and self._waits(first):
            return
        self.flush()
        self.canonicaliser.variant = None  # a folder may hold several shapes of one vendor
        rows = 0
        for piece in chain([first, second] if second is not None else [first], pieces):
            taken, bad = self._taken([piece])
            rows += taken
            self._set_aside(bad)
        if rows and not first.strict:
            self.canonicaliser.check(sorted(self.canonicaliser.seen), member.name)

    def _is_small(self, batch: Batch) -> bool:
        few = batch.frame.width > 0 and batch.frame.height <= TOGETHER - self.rows
        return few and not batch.rejected and self.canonicaliser.newest is None

    def _waits(self, piece: _Piece) -> bool:
        """Let a file wait if it is small."""
        if not self._is_small(piece.batch):
            return False
        columns = frozenset(piece.batch.frame.schema.items()), piece.batch.untyped, piece.strict
        group = self.groups.setdefault(columns, [])
        if group and group[-1].place == piece.place:
            return False
        group.append(piece)
        self.rows += piece.batch.frame.height
        return True

    def flush(self) -> None:
        """Take what waits."""
        groups, self.groups, self.rows = self.groups, {}, 0
        bad: list[tuple[_Piece, pl.DataFrame]] = []
        for group in groups.values():
            first = group[0]
            with called(Path(first.name), first.name):
                self.canonicaliser.variant = None
                rows, theirs = self._taken(group)
                bad += theirs
                if rows and not first.strict:
                    self.canonicaliser.check(sorted(self.canonicaliser.seen), first.name)
        self._set_aside(sorted(bad, key=lambda pair: pair[0].place))

    def _taken(self, pieces: Sequence[_Piece]) -> tuple[int, list[tuple[_Piece, pl.DataFrame]]]:
        """Bring rows of the same columns onto the stage; give how many are the table's, and those that cannot be used."""
        batch = pieces[0].batch
        columns = {piece.place: piece.batch.frame.columns for piece in pieces}
        if len(pieces) > 1:
            frame = pl.concat([piece.batch.frame.select(batch.frame.columns) for piece in pieces])
            batch = replace(batch, frame=frame, lines=pl.concat([piece.batch.lines for piece in pieces]))
        heights = [piece.batch.frame.height for piece in pieces]
        places = pl.Series(np.repeat(np.array(list(columns), dtype=np.int32), heights))
        canonical = self.canonicaliser.take(batch, Files(places=places, columns=columns))
        rows = batch.frame.height + len(batch.rejected) - canonical.skipped
        if self.canonicaliser.derived and self.staged.layout.key is not None and canonical.frame.width:
            canonical = _once(canonical, self.staged)
        self.staged.read += rows
        self.staged.dropped.update(name for piece in pieces for name in piece.batch.dropped)
        self.staged.add(canonical)
        return rows, [(piece, canonical.bad[piece.place]) for piece in pieces if piece.place in canonical.bad]

    def _set_aside(self, bad: Iterable[tuple[_Piece, pl.DataFrame]]) -> None:
        for piece, rows in bad:
            self.quarantine.add(self.staged.layout.name, piece.place, piece.name, rows)


def _once(canonical: Canonical, staged: Stage) -> Canonical:
    """Drop a derived table's repeats early: the same user stands in many events."""
    values = [name for name in canonical.frame.columns if name not in (FILE, LINE)]
    frame = canonical.frame.unique(subset=values, keep="first", maintain_order=True)
    staged.repeats += canonical.frame.height - frame.height
    return replace(canonical, frame=frame)


def _batches(member: Member, source: Source) -> Iterator[tuple[Batch, bool]]:
    """Yield batches, each with whether its columns are all that the file has; keys in the path are columns too."""
    keys = path_keys(member.name)
    for batch, strict in _read(member, source):
        if batch.frame.width > MOST_COLUMNS:
            some = ", ".join(batch.frame.columns[:3])
            raise DataError(
                f"the file has {batch.frame.width:,} columns; {MOST_COLUMNS:,} at most are read: {some}, ...",
                where=member.name,
                hint="write the values of most columns as rows (name, value), or leave them out of the export",
            )
        yield (_with_keys(batch, keys) if keys else batch), strict


def _with_keys(batch: Batch, keys: Mapping[str, str | None]) -> Batch:
    """Give each row what its file's path says, where the file has no column of that name."""
    said = {name: value for name, value in keys.items() if name not in batch.frame.columns}
    columns = [pl.lit(value, dtype=pl.String).alias(name) for name, value in said.items()]
    return replace(batch, frame=batch.frame.with_columns(columns), untyped=(*batch.untyped, *said))


def _read(member: Member, source: Source) -> Iterator[tuple[Batch, bool]]:
    with opened(member) as stream:
        layout = kind(member, stream)
        match layout:
            case Kind.PARQUET:
                with on_disk(member, stream) as path:
                    for batch in read_parquet(path, member.name):
                        yield batch, True
            case Kind.JSON_LINES:
                for batch in read_json_lines(stream, encoding=source.encoding):
                    yield batch, False
            case Kind.DELIMITED:
                for batch in read_delimited(stream, member.name, separator=source.separator, encoding=source.encoding):
                    yield batch, True
            case _:
                assert_never(layout)


def first_canonical(layout: Layout, source: Source) -> Canonical:
    """Bring the first rows of a source's first file under canonical names; nothing is checked but the rows themselves.

    Raises
    ------
    DataError
        The file cannot be read, or holds no rows.
    """
    path = expand(source.path)[0]
    canonicaliser = Canonicaliser(
        layout=layout, source=source, dates_in="UTC", as_of=time.time_ns() // 1000, looked_up=_lookups(source)
    )
    for member in members(path):
        for batch, _ in _batches(member, source):
            if batch.frame.width and batch.frame.height:
                first = replace(batch, frame=batch.frame.head(SNIFFED), lines=batch.lines.head(SNIFFED))
                places = pl.Series([0], dtype=pl.Int32).new_from_index(0, first.frame.height)
                return canonicaliser.take(first, Files(places=places, columns={0: first.frame.columns}))
    raise DataError("the file holds no rows", where=str(path))


def first_rows(path: Path, source: Source, name: str | None = None) -> pl.DataFrame:
    """Give a file's first rows as they stand in it, nested columns flattened.

    Raises
    ------
    DataError
        The file cannot be read, or holds no rows.
    """
    name = str(path) if name is None else name
    with called(path, name):
        for member in members(path, name):
            for batch, _ in _batches(member, source):
                if batch.frame.width and batch.frame.height:
                    return flatten(batch.frame).head(SNIFFED)
    raise DataError("the file holds no rows", where=name)
