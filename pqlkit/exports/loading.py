"""The load: exports read, checked and written as one canonical Parquet dataset."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from pqlkit.columns import ACCOUNT_ID, EVENT, EVENT_ID, USER_ID
from pqlkit.errors import DataError
from pqlkit.exports import plausible_times as clocks
from pqlkit.exports.column_types import join
from pqlkit.exports.dataset import Dataset, now, open_dataset
from pqlkit.exports.disk import writing_to
from pqlkit.exports.event_table import EventTable
from pqlkit.exports.intake import Intake, NotRead, TableIntake
from pqlkit.exports.manifest import (
    NAME,
    QUARANTINE,
    Manifest,
    TableEntry,
    check_as_written,
    manifest_text,
    read_manifest,
)
from pqlkit.exports.matching import TableMatch
from pqlkit.exports.project import sources_of
from pqlkit.exports.publishing import standing, writing
from pqlkit.exports.quarantine import Quarantine
from pqlkit.exports.reading import IDS, Plan, read_all
from pqlkit.exports.sources.landing import Landing
from pqlkit.exports.tables import ACCOUNTS, EVENTS, IDENTITIES, USERS
from pqlkit.exports.writing import Written

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pqlkit.exports.column_types import ColumnType
    from pqlkit.exports.dataset import Progress
    from pqlkit.exports.identities import Identities
    from pqlkit.exports.mapping import Source
    from pqlkit.exports.plausible_times import Plausible
    from pqlkit.exports.project import Project
    from pqlkit.exports.publishing import Writer
    from pqlkit.exports.reading import Finished, Outcome
    from pqlkit.exports.sources.landing import Piece


def load(
    project: Project,
    out: Path | str,
    *,
    append: bool = False,
    max_bad: float | None = None,
    plausible: tuple[str, str] | None = None,
    progress: Progress | None = None,
) -> Intake:
    """Read the project's exports and write them as a canonical dataset.

    Parameters
    ----------
    project
        Names the exports; for direct options use ``with_sources(project, events=...)`` of `pqlkit.exports.dataset`.
    out
        The folder to write. A dataset that is there is replaced in one step (or added to, with `append`); anything else
        that is there stops the load.
    append
        Keep what is there. Files whose content was read before are skipped; rows that repeat an ``event_id`` and
        ``event`` are duplicates.
    max_bad
        Largest tolerated share of quarantined rows of any one table, as a fraction; None = any.
    plausible
        First and last date that exist (ISO dates, both included), instead of the built-in rule about clocks.
    progress
        Told a sentence at the start of each long step.

    Raises
    ------
    DataError
        An export cannot be read, or more than `max_bad` of a table is bad: nothing was replaced.
    OutputError
        The folder cannot be written.
    """
    sources = sources_of(project)
    if EVENTS not in sources and not append:
        raise DataError("no events given", hint="add --events PATH or --project FILE")
    folder = Path(out)
    with writing_to(folder), writing(folder, NAME) as writer:
        there = _in_force(folder)
        if there is not None:
            writer.adopt(there.files)
        earlier = read_manifest(folder) if append and (folder / NAME).exists() else None
        if earlier is not None:  # what is damaged would be written anew under a name of its own, and pass from then on
            check_as_written(folder, earlier)
        _check_same_zone(earlier, project, folder)
        return _Load(project, sources, writer, earlier, max_bad, plausible, progress).run()


def _in_force(folder: Path) -> Manifest | None:
    """Read the manifest that is about to be replaced; None where none can be read."""
    try:
        return read_manifest(folder)
    except DataError:
        return None


def _check_same_zone(earlier: Manifest | None, project: Project, folder: Path) -> None:
    if earlier is not None and earlier.zone != project.timezone:
        raise DataError(
            f"the dataset counts dates in {earlier.zone}, the project in {project.timezone}",
            where=str(folder),
            hint="load without --append",
        )


class _Load:
    """One run of `load`: the steps share these."""

    def __init__(
        self,
        project: Project,
        sources: Mapping[str, Source],
        writer: Writer,
        earlier: Manifest | None,
        max_bad: float | None,
        plausible: tuple[str, str] | None,
        progress: Progress | None,
    ) -> None:
        self.project = project
        self.writer = writer
        self.folder = writer.folder
        self.work = writer.work
        self.earlier = earlier
        self.max_bad = max_bad
        self.plausible = plausible
        self.progress = progress
        self.landing = Landing(
            self.work / "landed", since={name: entry.last for name, entry in self._earlier_tables().items()}
        )
        if progress is not None:
            progress("finding exports")
        self.inputs: dict[str, dict[Piece, str | None]] = {
            name: {piece: self._print(piece) for piece in self.landing.pieces(name, source)}
            for name, source in sources.items()
        }
        self.fresh = {name: self._fresh(name) for name in self.inputs}
        self.sources = {name: source for name, source in sources.items() if self.fresh[name] or earlier is None}

    def _print(self, piece: Piece) -> str | None:
        """Tell the content of a file; None where it is the answer of a database, which is read every time."""
        return self.landing.mark(piece) if piece.lasting else None

    def _not_read(self, name: str) -> tuple[NotRead, ...]:
        return tuple(self.landing.not_read.get(name, ()))

    def _fresh(self, name: str) -> list[Piece]:
        """Leave out files whose content was read before, by an earlier load or under another name in this one."""
        entry = self._entry(name)
        seen = set(entry.inputs) if entry is not None else set()
        if entry is None:
            return list(self.inputs[name])
        return [piece for piece, print_ in self.inputs[name].items() if print_ is None or print_ not in seen]

    def _entry(self, name: str) -> TableEntry | None:
        return self.earlier.tables.get(name) if self.earlier is not None else None

    def run(self) -> Intake:
        quarantine = Quarantine(self.work / QUARANTINE)
        outcome = read_all(self._plan(), quarantine) if self.sources else None
        tables = dict(outcome.tables) if outcome is not None else {}
        if self.earlier is not None and EVENTS in tables:
            tables[EVENTS] = self._without_known(tables[EVENTS])
        self._check_share(tables)
        entries = self._entries(tables)
        if outcome is not None:
            entries[EVENTS] = self._written(entries, tables, outcome.identities)
        self._publish(entries, quarantine)
        with standing(self.folder), writing_to(self.folder):
            return self._intake(tables, outcome, entries)

    def _plan(self) -> Plan:
        fresh = {name: tuple(self.fresh[name]) for name in self.sources}
        here = self.landing.land(fresh, self.sources)
        return Plan(
            sources=here.sources,
            folder=self.work,
            zone=self.project.timezone,
            outer=self._outer(),
            silences=self.plausible is None,
            copy=True,
            files={name: here.files.get(name, tuple(map(self.landing.file, some))) for name, some in fresh.items()},
            names=here.names,
            earlier={name: self._rows(name) for name in {*self.sources, IDENTITIES} - {EVENTS} if self._entry(name)},
            earlier_types=self._earlier_types(),
            earlier_days={name: entry.days for name, entry in self._earlier_tables().items()},
            progress=self.progress,
        )

    def _outer(self) -> Plausible:
        return clocks.stated(self.plausible, self.project.timezone) if self.plausible else clocks.bounds(now())

    def _earlier_tables(self) -> Mapping[str, TableEntry]:
        return self.earlier.tables if self.earlier is not None else {}

    def _rows(self, name: str) -> pl.DataFrame:
        entry = self._entry(name)
        files = [self.folder / file for file in entry.files] if entry is not None else []
        return pl.read_parquet(files, glob=False)

    def _earlier_types(self) -> dict[str, ColumnType]:
        types: dict[str, ColumnType] = {}
        for entry in self._earlier_tables().values():
            for name in IDS:
                column_type = join(types.get(name), entry.columns.get(name))
                if column_type is not None:
                    types[name] = column_type
        return types

    def _without_known(self, events: Finished) -> Finished:
        """Drop new events whose id and name the dataset has already."""
        entry = self._entry(EVENTS)
        if entry is None or entry.parts is None or not entry.parts.event_ids or EVENT_ID not in events.columns:
            return events
        new = pl.scan_parquet(list(events.paths), glob=False).select(EVENT_ID, EVENT).drop_nulls().collect()
        old = pl.scan_parquet([self.folder / file for file in entry.parts.event_ids], glob=False)
        known = old.join(new.lazy(), on=[EVENT_ID, EVENT], how="semi").unique().collect(engine="streaming")
        if known.is_empty():
            return events
        written = Written(columns=dict(events.columns))
        for path in events.paths:
            frame = pl.read_parquet(path, glob=False)
            kept = frame.join(known, on=[EVENT_ID, EVENT], how="anti", maintain_order="left")
            written.duplicate += frame.height - kept.height
            if kept.height:
                written.add(kept, Path(path), "timestamp")
        intake = replace(
            events.intake,
            kept=events.intake.kept - written.duplicate,
            duplicate=events.intake.duplicate + written.duplicate,
        )
        return replace(
            events,
            paths=tuple(str(path) for path in written.paths),
            rows=written.rows,
            first=written.first,
            last=written.last,
            intake=intake,
        )

    def _check_share(self, tables: Mapping[str, Finished]) -> None:
        if self.max_bad is None:
            return
        for name, table in tables.items():
            intake = table.intake
            if intake.quarantined > self.max_bad * intake.read:
                first = intake.offenders[0]
                raise DataError(
                    f"{intake.quarantined} of {intake.read} rows of {name} are bad, more than {self.max_bad:.4%}"
                    f" (--max-bad); the first: {first.reason}; nothing was replaced",
                    where=f"{first.file}:{first.line}",
                    hint="mend the rows, or allow more with --max-bad",
                )

    def _entries(self, tables: Mapping[str, Finished]) -> dict[str, TableEntry]:
        entries = dict(self._earlier_tables())
        for name, table in tables.items():
            before = self._entry(name)
            columns: Mapping[str, ColumnType] = dict(table.columns)
            extremes = [table.first, table.last]
            rows = table.rows
            if before is not None and name == EVENTS:
                # Events without a new row have columns of no known type, which would only widen those that are there.
                columns = _united(before.columns, table) if table.rows else before.columns
                extremes = [_least(before.first, table.first), _most(before.last, table.last)]
                rows += before.rows
            days = dict(table.days)
            for day, count in before.days.items() if before is not None else ():
                days[day] = days.get(day, 0) + count
            entries[name] = TableEntry(
                files=() if name == EVENTS else tuple(dict.fromkeys(self._staged(name, table.paths))),
                columns=columns,
                rows=rows,
                first=extremes[0],
                last=extremes[1],
                dates_only=table.dates_only and (before is None or before.dates_only or not before.rows),
                complete_through=self._complete_through(name),
                inputs=self._prints(name),
                days=days,
            )
        return entries

    def _written(
        self, entries: Mapping[str, TableEntry], tables: Mapping[str, Finished], identities: Identities
    ) -> TableEntry:
        """Write the events that this load brings, or whose user it tells."""
        entry, new = entries[EVENTS], tables.get(EVENTS)
        events = EventTable.of(self.writer, entry.columns, self._entry(EVENTS))
        # Whoever an earlier load listed has a number.
        pairs = [self._ids(name, entries[name]) for name in (USERS, ACCOUNTS) if name in tables]
        events.add(new.paths if new is not None and new.rows else (), pairs, identities)
        return replace(entry, files=events.parts.files, parts=events.parts, summaries=tuple(events.summaries))

    def _ids(self, name: str, entry: TableEntry) -> pl.DataFrame:
        """Read the ids of a table: which of its users is of which account."""
        ids = [column for column in (USER_ID, ACCOUNT_ID) if column in entry.columns]
        return pl.read_parquet([self.writer.path(file) for file in entry.files], columns=ids, glob=False)

    def _complete_through(self, name: str) -> int | None:
        if name in self.sources:
            return self.sources[name].complete_through
        before = self._entry(name)
        return before.complete_through if before is not None else None

    def _prints(self, name: str) -> tuple[str, ...]:
        before = self._entry(name)
        seen = set(before.inputs) if before is not None else set()
        new = {print_ for print_ in self.inputs.get(name, {}).values() if print_ is not None}
        return tuple(sorted(seen | new))

    def _staged(self, name: str, paths: Iterable[str | Path]) -> list[str]:
        """Stage files; give their names in the dataset."""
        return [self.writer.stage(Path(path), f"{name}/{place:05}") for place, path in enumerate(paths)]

    def _publish(self, entries: Mapping[str, TableEntry], quarantine: Quarantine) -> None:
        target = self.folder / QUARANTINE
        if self.earlier is not None and target.exists():
            _prepend(target, quarantine.path)
        manifest = Manifest(zone=self.project.timezone, tables=entries)
        self.writer.publish(manifest_text(manifest), manifest.files, beside={QUARANTINE: quarantine.path})

    def _intake(
        self, tables: Mapping[str, Finished], outcome: Outcome | None, entries: Mapping[str, TableEntry]
    ) -> Intake:
        dataset: Dataset = open_dataset(self.project, data=self.folder)
        intakes = {name: self._counted(name, tables.get(name)) for name in self.inputs}
        extra = {name: table.intake for name, table in tables.items() if name not in intakes}
        quarantine = self.folder / QUARANTINE
        match = TableMatch(dataset)
        return Intake(
            tables={**intakes, **extra},
            matching=match.counts(),
            gaps=clocks.gaps(EVENTS, entries[EVENTS].days, self._outer()),
            quarantine=quarantine if quarantine.exists() else None,
            warnings=(*(outcome.warnings if outcome is not None else ()), *match.warnings()),
        )

    def _counted(self, name: str, table: Finished | None) -> TableIntake:
        skipped = tuple(piece.name for piece in self.inputs[name] if piece not in self.fresh[name])
        if table is None:
            return TableIntake(
                name=name,
                files=0,
                read=0,
                kept=0,
                duplicate=0,
                quarantined=0,
                skipped=skipped,
                not_read=self._not_read(name),
            )
        return replace(table.intake, skipped=skipped, not_read=(*self._not_read(name), *table.intake.not_read))


def _united(before: Mapping[str, ColumnType], table: Finished) -> dict[str, ColumnType]:
    """Join the types of columns; one without a value in the new rows leaves that of the old ones as it is."""
    told = {name: kind for name, kind in table.columns.items() if name not in before or name not in table.empty}
    names = dict.fromkeys((*before, *told))
    return {name: join(before.get(name), told.get(name)) for name in names}  # type: ignore[misc]


def _least(left: int | None, right: int | None) -> int | None:
    return min((value for value in (left, right) if value is not None), default=None)


def _most(left: int | None, right: int | None) -> int | None:
    return max((value for value in (left, right) if value is not None), default=None)


def _prepend(before: Path, path: Path) -> None:
    joined = path.with_suffix(".joined")
    with joined.open("wb") as target:
        for part in (before, path):
            if part.exists():
                with part.open("rb") as source:
                    shutil.copyfileobj(source, target)
    joined.replace(path)
