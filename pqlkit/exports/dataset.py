"""The dataset: the canonical tables of one run, as Parquet files and facts about them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pqlkit.columns import ACCOUNT_ID, USER_ID
from pqlkit.errors import DataError, UsageError
from pqlkit.exports import plausible_times as clocks
from pqlkit.exports.clustered import by_name, clustered, lies_there, place_of
from pqlkit.exports.column_types import ColumnType, as_read
from pqlkit.exports.disk import writing_to
from pqlkit.exports.intake import Intake
from pqlkit.exports.manifest import check_as_written, read_manifest
from pqlkit.exports.numbering import with_ids
from pqlkit.exports.project import Project, sources_of
from pqlkit.exports.quarantine import Quarantine
from pqlkit.exports.reading import Plan, read_all
from pqlkit.exports.sources.landing import Landing
from pqlkit.exports.tables import ACCOUNTS, CONTACTS, CONVERSIONS, EVENTS, IDENTITIES, USERS
from pqlkit.scratch import lasting_scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from pqlkit.engines.base import Cluster
    from pqlkit.exports.clustered import Clustered
    from pqlkit.exports.manifest import EventParts, Manifest
    from pqlkit.exports.mapping import Source
    from pqlkit.exports.reading import Finished, Outcome
    from pqlkit.exports.sources.landing import Landed
    from pqlkit.typing import Microseconds

__all__ = ["ColumnType", "Dataset", "Progress", "Table", "now", "open_dataset", "with_sources"]

Progress: TypeAlias = "Callable[[str], None]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One canonical table.

    Parameters
    ----------
    name
        ``events``, ``users``, ``accounts``, ``identities``, ``conversions``, ``contacts`` or ``history.<trait>``.
    paths
        Parquet files, all with exactly `columns`; those used where they lie may have them in other types (`scan`), and those of a
        dataset's events name users and accounts by their numbers and lack columns without a value.
    columns
        Column -> type, in the files' order.
    rows
        How many rows the files hold.
    first, last
        Extremes of the table's own time (``timestamp``, ``signed_up_at``, ``converted_at``, ``valid_from``, ``at``) in UTC
        microseconds; None without rows or times.
    dates_only
        The source gave dates without times: an instant is the first moment of its date in the dataset's zone.
    complete_through
        As the project file states it.
    who, names
        Of events: files that sum all of them up, by ids and by names; see `pqlkit.exports.summaries`. None = nobody did.
    numbers
        Of events whose files name users and accounts by number: ``user_id`` and ``account_id`` -> files that say which id has
        which; see `pqlkit.exports.numbering`. Empty = the files have the ids.
    """

    name: str
    paths: tuple[str, ...]
    columns: Mapping[str, ColumnType]
    rows: int
    first: Microseconds | None = None
    last: Microseconds | None = None
    dates_only: bool = False
    complete_through: Microseconds | None = None
    who: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    numbers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def scan(self) -> pl.LazyFrame:
        """Read the files lazily, with the types of `columns` whatever they are in the files, and with the ids of the exports."""
        return with_ids(self.scan_numbers(), self.numbers)

    def scan_numbers(self) -> pl.LazyFrame:
        """Read as `scan` does, with the numbers of users and accounts where there are such."""
        import polars as pl

        if self.numbers:
            parts = [pl.scan_parquet(path, glob=False) for path in self.paths]
            rows = pl.concat(parts, how="diagonal_relaxed")
            there = set(rows.collect_schema())
            return rows.select(name for name in self.columns if name in there)
        rows = pl.scan_parquet(list(self.paths), glob=False)
        return rows.with_columns(as_read(pl.col(name), dtype) for name, dtype in rows.collect_schema().items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """The canonical tables of one run; ``events`` is always among them.

    ``user_id`` has one type (text or integer) in all tables, and so has ``account_id``. In events ``user_id`` is null for
    anonymous events that no identity resolves. `clock` is the moment of reading. `zone` is where dates are counted.
    """

    folder: Path | None
    tables: Mapping[str, Table]
    intake: Intake = field(default_factory=Intake)
    clock: Microseconds = 0
    zone: str = "UTC"


def open_dataset(
    project: Project | None = None,
    *,
    data: Path | str | None = None,
    events: str | None = None,
    users: str | None = None,
    accounts: str | None = None,
    conversions: str | None = None,
    identities: str | None = None,
    landing: Landing | None = None,
    progress: Progress | None = None,
    cluster: Callable[[], Cluster] | None = None,
) -> Dataset:
    """Give the canonical tables of a project, a folder that `load` wrote, or exports named directly.

    Parameters
    ----------
    project
        The project file's values; its exports are read where nothing else is named.
    data
        A folder that `pqlkit.exports.loading.load` wrote.
    events, users, accounts, conversions, identities
        Files, folders, globs or addresses; each replaces the project's source of that table.
    landing
        Brings what lies elsewhere; None = a new one.
    progress
        Told a sentence at the start of each long step.
    cluster
        Begins the session in which tables are found by name or address (see `pqlkit.engines.factory.cluster`); None = all lies here.

    Raises
    ------
    DataError
        A file is missing, empty, not readable, or lacks a column; nothing names the events.
    UsageError
        Both `data` and one of the others are named.
    """
    named = {EVENTS: events, USERS: users, ACCOUNTS: accounts, CONVERSIONS: conversions, IDENTITIES: identities}
    project = with_sources(project, **named)
    if data is not None:
        for name, path in named.items():
            if path is not None:
                raise UsageError(f"--data and --{name} name the {name} twice", hint="give one of them")
        return _loaded(Path(data), project)
    sources = sources_of(project)
    if EVENTS not in sources:
        raise DataError("no events given", hint="add --data DIR, --events PATH or --project FILE")
    if cluster is not None and place_of(sources[EVENTS]) is not None:
        clock = now()
        known = clustered(cluster(), sources, zone=project.timezone, clock=clock)
        tables = {name: _there(table) for name, table in known.items()}
        return Dataset(folder=None, tables=tables, clock=clock, zone=project.timezone)
    for name, source in sources.items():
        if by_name(source):
            raise _on_cluster(name, source)
    folder = lasting_scratch()
    quarantine = Quarantine(folder / "quarantine.jsonl")
    clock = now()
    with writing_to(folder, hint="name another folder for temporary files: TMPDIR=/path"):
        here = brought(sources, landing or Landing(folder / "landed"), progress=progress)
        plan = Plan(
            sources=here.sources,
            folder=folder,
            zone=project.timezone,
            outer=clocks.bounds(clock),
            files=here.files,
            names=here.names,
            progress=progress,
        )
        outcome = read_all(plan, quarantine)
    return _read(outcome, sources, quarantine, folder, clock, project.timezone)


def _on_cluster(name: str, source: Source) -> DataError:
    return DataError(
        f"the {name} are a table of a cluster", where=place_of(source), hint="read it there: --engine spark"
    )


def _there(table: Clustered) -> Table:
    return Table(**{part.name: getattr(table, part.name) for part in fields(table)})


def with_contacts(
    dataset: Dataset, path: str, project: Project, cluster: Callable[[], Cluster] | None = None
) -> Dataset:
    """Add a table of contacts, or replace it, from an export named on its own.

    Parameters
    ----------
    dataset, project
        What it is added to.
    path
        Where it is.
    cluster
        As of `open_dataset`.

    Raises
    ------
    DataError
        A file or table is missing, not readable, or lacks a column; or it is here, and the events are on a cluster.
    """
    source = replace(
        project.exports.get(CONTACTS) or project.direct(path), path=(path,), connection=None, table=None, query=None
    )
    if cluster is not None and (place_of(source) is not None or lies_there(dataset.tables[EVENTS].paths[0])):
        beside = {name: table.columns for name, table in dataset.tables.items() if name != CONTACTS}
        known = clustered(cluster(), {CONTACTS: source}, zone=dataset.zone, clock=dataset.clock or now(), beside=beside)
        return replace(dataset, tables={**dataset.tables, CONTACTS: _there(known[CONTACTS])})
    if by_name(source):
        raise _on_cluster(CONTACTS, source)
    folder = lasting_scratch()
    with writing_to(folder, hint="name another folder for temporary files: TMPDIR=/path"):
        here = brought({CONTACTS: source}, Landing(folder / "landed"))
        plan = Plan(
            sources=here.sources,
            folder=folder,
            zone=dataset.zone,
            outer=clocks.bounds(dataset.clock or now()),
            files=here.files,
            names=here.names,
        )
        outcome = read_all(plan, Quarantine(folder / "quarantine.jsonl"))
    return replace(dataset, tables={**dataset.tables, CONTACTS: _table(CONTACTS, outcome.tables[CONTACTS], source)})


def brought(sources: Mapping[str, Source], landing: Landing, *, progress: Progress | None = None) -> Landed:
    """Bring what lies elsewhere, in a workbook or in a database into files.

    Raises
    ------
    DataError
        A store, server, database or workbook cannot be read.
    """
    pieces = {name: landing.pieces(name, source) for name, source in sources.items()}
    if progress is not None and any(piece.write is not None for some in pieces.values() for piece in some):
        progress("fetching exports")
    return landing.land(pieces, sources)


def now() -> Microseconds:
    """Give the moment of reading: UTC microseconds since 1970."""
    return time.time_ns() // 1000


def with_sources(
    project: Project | None = None,
    *,
    events: str | None = None,
    users: str | None = None,
    accounts: str | None = None,
    conversions: str | None = None,
    identities: str | None = None,
) -> Project:
    """Replace a project's sources by exports named directly (canonical columns, no preset).

    With `events` named, the project's other exports do not count: they belong to its own events.

    Parameters
    ----------
    project
        Whose sources are replaced; None = a project without any.
    events, users, accounts, conversions, identities
        Paths or addresses of exports; None = as the project says.
    """
    project = project if project is not None else Project()
    named = {EVENTS: events, USERS: users, ACCOUNTS: accounts, CONVERSIONS: conversions, IDENTITIES: identities}
    direct = {name: project.direct(path) for name, path in named.items() if path is not None}
    if not direct:
        return project
    return replace(project, exports=direct if events is not None else {**project.exports, **direct})


def _read(
    outcome: Outcome, sources: Mapping[str, Source], quarantine: Quarantine, folder: Path, clock: int, zone: str
) -> Dataset:
    tables = {name: _table(name, table, sources.get(name)) for name, table in outcome.tables.items()}
    intake = Intake(
        tables={name: table.intake for name, table in outcome.tables.items()},
        gaps=outcome.gaps,
        quarantine=quarantine.path if quarantine.path.exists() else None,
        warnings=outcome.warnings,
    )
    return Dataset(folder=folder, tables=tables, intake=intake, clock=clock, zone=zone)


def _table(name: str, table: Finished, source: Source | None) -> Table:
    return Table(
        name=name,
        paths=table.paths,
        columns=table.columns,
        rows=table.rows,
        first=table.first,
        last=table.last,
        dates_only=table.dates_only,
        complete_through=source.complete_through if source is not None else None,
    )


def _loaded(folder: Path, project: Project) -> Dataset:
    manifest = read_manifest(folder)
    check_as_written(folder, manifest)
    zone = project.timezone if project.path is not None else manifest.zone
    _check_zone(folder, manifest, zone)
    tables = {
        name: Table(
            name=name,
            paths=tuple(str(folder / file) for file in entry.files),
            columns=entry.columns,
            rows=entry.rows,
            first=entry.first,
            last=entry.last,
            dates_only=entry.dates_only,
            complete_through=_stated(project, name, entry.complete_through),
            who=tuple(str(folder / summary.who) for summary in entry.summaries),
            names=tuple(str(folder / summary.names) for summary in entry.summaries),
            numbers=_numbers(folder, entry.parts),
        )
        for name, entry in manifest.tables.items()
    }
    return Dataset(folder=folder, tables=tables, clock=now(), zone=zone)


def _numbers(folder: Path, parts: EventParts | None) -> dict[str, tuple[str, ...]]:
    if parts is None:
        return {}
    files = {USER_ID: parts.users, ACCOUNT_ID: parts.accounts}
    return {name: tuple(str(folder / file) for file in some) for name, some in files.items()}


def _stated(project: Project, name: str, loaded: int | None) -> int | None:
    source = project.exports.get(name)
    return source.complete_through if source is not None and source.complete_through is not None else loaded


def _check_zone(folder: Path, manifest: Manifest, zone: str) -> None:
    dated = sorted(name for name, entry in manifest.tables.items() if entry.dates_only)
    if dated and zone != manifest.zone:
        raise DataError(
            f"the dates of {', '.join(dated)} were loaded as days of {manifest.zone}, not of {zone}",
            where=str(folder),
            hint="load again with this timezone",
        )
