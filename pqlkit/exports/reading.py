"""The reading of all tables: each staged or found in place, then judged together and written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ACCOUNT_ID, ANONYMOUS_ID, EVENT_ID, SIGNED_UP_AT, USER_ID
from pqlkit.durations import DAY
from pqlkit.errors import DataError
from pqlkit.exports import plausible_times as clocks
from pqlkit.exports.column_types import ColumnType, as_text, as_type, join
from pqlkit.exports.identities import Identities, resolve
from pqlkit.exports.in_place import InPlace, in_place
from pqlkit.exports.intake import Gap, TableIntake
from pqlkit.exports.mapping import Match
from pqlkit.exports.tables import ACCOUNTS, CONTACTS, CONVERSIONS, EMAIL, EVENTS, IDENTITIES, USERS, layout
from pqlkit.exports.time_formats import FORMATS
from pqlkit.exports.writing import Written, write_events, write_table
from pqlkit.inert import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pqlkit.exports.mapping import Source
    from pqlkit.exports.plausible_times import Plausible
    from pqlkit.exports.quarantine import Quarantine
    from pqlkit.exports.staging import Stage

IDS: Final = (USER_ID, ACCOUNT_ID, ANONYMOUS_ID)
_MEMBERSHIP: Final = "a further account of a user"
_ORDER: Final = (USERS, ACCOUNTS, IDENTITIES, EVENTS, CONVERSIONS)

_NAMED: Final = 3
"""Files that an error about a whole table names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """One canonical table's files and facts. `in_place` tables were not copied; `empty` columns have no value in any row."""

    paths: tuple[str, ...]
    columns: Mapping[str, ColumnType]
    rows: int
    first: int | None
    last: int | None
    dates_only: bool
    days: Mapping[int, int]
    intake: TableIntake
    in_place: bool = False
    empty: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to read and how.

    Parameters
    ----------
    sources
        Table name -> where it is; ``events`` must be there unless `earlier` has it.
    folder
        An existing, empty folder for parts and canonical files.
    zone
        In which dates are counted.
    outer
        The absolute bounds of times.
    silences
        Whether rows beyond a long silence are judged, too.
    copy
        Write every table, also those that could be used where they lie, but for events; these as drafts of what `load` makes of them.
    files
        Table name -> files to read instead of all that its source finds.
    names
        What reports call files, where that is not their path.
    earlier
        Table name -> rows of an earlier load (not of events) that this one adds to.
    earlier_types
        Types of ids in the tables that stay.
    progress
        Told what is being read.
    """

    sources: Mapping[str, Source]
    folder: Path
    zone: str
    outer: Plausible
    silences: bool = True
    copy: bool = False
    files: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    names: Mapping[Path, str] = field(default_factory=dict)
    earlier: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    earlier_types: Mapping[str, ColumnType] = field(default_factory=dict)
    earlier_days: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    prefix: str = "part"
    progress: Callable[[str], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All tables of a reading."""

    tables: Mapping[str, Finished]
    identities: Identities
    gaps: tuple[Gap, ...]
    warnings: tuple[str, ...]


def read_all(plan: Plan, quarantine: Quarantine) -> Outcome:
    """Read every source of a plan.

    Raises
    ------
    DataError
        A source cannot be read, lacks a column, or none of its rows can be used.
    """
    sources: dict[str, InPlace | Stage] = {name: _found(name, plan, quarantine) for name in plan.sources}
    pairs = _pairs(sources, plan)
    identities = resolve(pairs)
    if identities.known.height and isinstance(sources.get(EVENTS), InPlace):
        sources[EVENTS] = _staged(EVENTS, plan, quarantine)
    if ANONYMOUS_ID in _types_of(sources.get(EVENTS)) and IDENTITIES in plan.sources:
        sources[EVENTS] = _as_stage(EVENTS, sources, plan, quarantine)
    ids = _id_types(sources, identities, plan)
    for name, table in sources.items():
        if isinstance(table, InPlace) and any(table.columns.get(key, kind) != kind for key, kind in ids.items()):
            sources[name] = _staged(name, plan, quarantine)
    bounds = {name: _bounds(table, name, plan) for name, table in sources.items()}
    for name, table in sources.items():
        if isinstance(table, InPlace) and _cuts(table, bounds[name]):
            sources[name] = _staged(name, plan, quarantine)
    tables: dict[str, Finished] = {}
    for name in sorted(sources, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)):
        tables[name] = _finished(name, sources[name], tables, plan, quarantine, identities, ids, bounds[name])
    tables |= _preset_identities(tables, pairs, ids, plan)
    for name, finished in tables.items():
        _check_kept(name, finished, _places(sources.get(name)), added=bool(plan.earlier_days.get(name)))
    return Outcome(
        tables=tables,
        identities=identities,
        gaps=_gaps(sources, bounds),
        warnings=_warnings(identities, sources, tables),
    )


def _tell(plan: Plan, sentence: str) -> None:
    if plan.progress is not None:
        plan.progress(sentence)


def _found(name: str, plan: Plan, quarantine: Quarantine) -> InPlace | Stage:
    _tell(plan, f"reading {name}")
    files = plan.files.get(name)
    # What was brought here is called by another name, which only the stage knows.
    if (name == EVENTS or not plan.copy) and plan.names.keys().isdisjoint(files or ()):
        there = in_place(layout(name), plan.sources[name], plan.outer, files)
        if there is not None:
            return there
    return _staged(name, plan, quarantine)


def _as_stage(name: str, sources: Mapping[str, InPlace | Stage], plan: Plan, quarantine: Quarantine) -> Stage:
    table = sources[name]
    return _staged(name, plan, quarantine) if isinstance(table, InPlace) else table


def _staged(name: str, plan: Plan, quarantine: Quarantine) -> Stage:
    from pqlkit.exports.staging import stage

    folder = plan.folder / f"stage-{name}"
    folder.mkdir()
    source = plan.sources[name]
    others = {USERS: (EVENTS,), ACCOUNTS: (EVENTS, USERS)}.get(name, ())
    derived = any(other in plan.sources and plan.sources[other].place == source.place for other in others)
    return stage(
        layout(name),
        source,
        folder,
        quarantine,
        dates_in=plan.zone,
        derived=derived,
        files=plan.files.get(name),
        names=plan.names,
        progress=partial(_tell, plan),
    )


def _types_of(table: InPlace | Stage | None) -> Mapping[str, ColumnType | None]:
    if table is None:
        return {}
    return table.columns if isinstance(table, InPlace) else table.types


def _id_types(sources: Mapping[str, InPlace | Stage], identities: Identities, plan: Plan) -> dict[str, ColumnType]:
    """Find one type for each kind of id over all tables: integers only if all of them are.

    Contacts have no say: their ids may be of the other kind of entity.
    """
    types: dict[str, ColumnType | None] = {}
    voting = [_types_of(table) for name, table in sources.items() if name != CONTACTS]
    for seen in (*voting, plan.earlier_types):
        for name in IDS:
            types[name] = join(types.get(name), seen.get(name))
    return {name: kind or ColumnType.TEXT for name, kind in types.items()}


def _pairs(sources: Mapping[str, InPlace | Stage], plan: Plan) -> list[pl.DataFrame]:
    """Collect the pairs of `anonymous_id` and `user_id` (text) of all sources and of earlier loads."""
    pairs: list[pl.DataFrame] = []
    events = sources.get(EVENTS)
    if events is not None and not isinstance(events, InPlace) and events.pairs is not None:
        pairs.append(events.pairs)
    table = sources.get(IDENTITIES)
    if table is not None:
        paths = table.paths if isinstance(table, InPlace) else [part.path for part in table.parts]
        pairs.extend(pl.read_parquet(path, glob=False, columns=[ANONYMOUS_ID, USER_ID]) for path in paths)
    if IDENTITIES in plan.earlier:
        pairs.append(plan.earlier[IDENTITIES])
    return [_as_text_pairs(pair) for pair in pairs]


def _as_text_pairs(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.select(as_text(pl.col(name), pairs.schema[name]).alias(name) for name in (ANONYMOUS_ID, USER_ID))


def _bounds(table: InPlace | Stage, name: str, plan: Plan) -> Plausible:
    """Judge silences of the tables that decide `as_of`; early ones only of events, whose first day matters too."""
    if name not in (EVENTS, CONVERSIONS) or not plan.silences:
        return plan.outer
    days = dict(table.days)
    for day, rows in plan.earlier_days.get(name, {}).items():
        days[day] = days.get(day, 0) + rows
    return clocks.narrowed(plan.outer, days, early=name == EVENTS)


def _cuts(table: InPlace, bounds: Plausible) -> bool:
    return (
        table.first is not None
        and table.last is not None
        and not bounds.first <= table.first <= table.last <= bounds.last
    )


def _finished(
    name: str,
    table: InPlace | Stage,
    tables: Mapping[str, Finished],
    plan: Plan,
    quarantine: Quarantine,
    identities: Identities,
    ids: Mapping[str, ColumnType],
    bounds: Plausible,
) -> Finished:
    if isinstance(table, InPlace):
        return _kept_in_place(name, table)
    _tell(plan, f"writing {name}")
    folder = plan.folder / name
    folder.mkdir()
    if name == EVENTS:
        written = write_events(
            table,
            folder,
            identities=identities,
            ids=ids,
            plausible=bounds,
            quarantine=quarantine,
            prefix=plan.prefix,
            draft=plan.copy,
        )
    else:
        match = plan.sources[name].match
        emails = _emails(tables.get(USERS), plan.sources[name]) if match is Match.EMAIL else None
        domains = _domains(tables) if match is Match.DOMAIN else None
        written = write_table(
            table,
            folder / f"{plan.prefix}-00000.parquet",
            ids=ids,
            plausible=bounds,
            quarantine=quarantine,
            earlier=plan.earlier.get(name),
            emails=emails,
            domains=domains,
        )
    return _of_stage(name, table, written, quarantine, bounds)


def _kept_in_place(name: str, table: InPlace) -> Finished:
    intake = TableIntake(
        name=name, files=len(table.paths), read=table.rows, kept=table.rows, duplicate=0, quarantined=0
    )
    return Finished(
        paths=table.paths,
        columns=table.columns,
        rows=table.rows,
        first=table.first,
        last=table.last,
        dates_only=False,
        days=table.days,
        intake=intake,
        in_place=True,
    )


def _of_stage(name: str, table: Stage, written: Written, quarantine: Quarantine, bounds: Plausible) -> Finished:
    low, high = bounds.first // DAY, bounds.last // DAY
    quarantined = quarantine.count(name)
    left_out = table.left_out + Counter({_MEMBERSHIP: written.memberships})
    intake = TableIntake(
        name=name,
        files=len(table.files),
        read=table.read,
        kept=table.read + table.added - written.duplicate - quarantined - left_out.total(),
        duplicate=written.duplicate,
        quarantined=quarantined,
        reasons=quarantine.commonest(name),
        offenders=quarantine.first(name),
        null_values=_null_values(table, written),
        not_read=tuple(table.not_read),
        left_out=dict(table.left_out.most_common())
        | ({_MEMBERSHIP: written.memberships} if written.memberships else {}),
        split=table.added,
    )
    # A row that does not count tells all the same how far the export goes.
    logged = table.logged if table.logged is not None and table.logged <= bounds.outer_last else None
    return Finished(
        paths=tuple(str(path) for path in written.paths),
        columns=written.columns,
        rows=written.rows,
        first=written.first,
        last=max((at for at in (written.last, logged) if at is not None), default=None),
        dates_only=table.dates_only,
        days={day: rows for day, rows in table.days.items() if low <= day <= high},
        intake=intake,
        # Ids may have come from identities, and have one type over all tables.
        empty=frozenset(
            name for name in written.columns if name not in table.layout.ids and table.types.get(name) is None
        ),
    )


def _null_values(table: Stage, written: Written) -> dict[str, dict[str, int]]:
    """Keep the counts of columns in which a null value is none: ids, times and the like, and what turned out not to be text."""
    surely = {*table.layout.ids, *table.layout.times, EVENT_ID, EMAIL}
    return {
        name: dict(table.nulls[name].most_common())
        for name in sorted(table.nulls)
        if name in surely or written.columns.get(name, ColumnType.TEXT) is not ColumnType.TEXT
    }


def _preset_identities(
    tables: Mapping[str, Finished], pairs: Sequence[pl.DataFrame], ids: Mapping[str, ColumnType], plan: Plan
) -> dict[str, Finished]:
    """Write the pairs that a preset found in the events, where no identities table does."""
    if IDENTITIES in tables or not any(pair.height for pair in pairs):
        return {}
    columns = {name: ids[name] for name in (ANONYMOUS_ID, USER_ID)}
    written = Written(columns=columns)
    folder = plan.folder / IDENTITIES
    folder.mkdir()
    typed = [as_type(pl.col(name), pl.String(), kind).alias(name) for name, kind in columns.items()]
    known = pl.concat(pairs).unique().select(typed).sort(ANONYMOUS_ID, USER_ID)
    written.add(known, folder / f"{plan.prefix}-00000.parquet", None)
    intake = TableIntake(name=IDENTITIES, files=0, read=written.rows, kept=written.rows, duplicate=0, quarantined=0)
    return {
        IDENTITIES: Finished(
            paths=tuple(str(path) for path in written.paths),
            columns=columns,
            rows=written.rows,
            first=None,
            last=None,
            dates_only=False,
            days={},
            intake=intake,
        )
    }


def _emails(users: Finished | None, conversions: Source) -> pl.DataFrame:
    """Give one user (text) for each e-mail address: the one who signed up first."""
    if users is None or EMAIL not in users.columns:
        raise DataError(
            "conversions match by email, but the users have no column 'email'",
            where=", ".join(conversions.path) or None,
            hint="map it: users: {columns: {email: NAME}}, or use match: user_id",
        )
    columns = [USER_ID, EMAIL, *([SIGNED_UP_AT] if SIGNED_UP_AT in users.columns else [])]
    frame = pl.read_parquet(list(users.paths), columns=columns, glob=False)
    folded = frame.select(
        pl.col(EMAIL).cast(pl.String).str.strip_chars().str.to_lowercase().alias(EMAIL),
        as_text(pl.col(USER_ID), frame.schema[USER_ID]).alias(USER_ID),
        pl.col(SIGNED_UP_AT) if SIGNED_UP_AT in columns else pl.lit(None).alias(SIGNED_UP_AT),
    )
    folded = folded.drop_nulls(EMAIL).sort(EMAIL, SIGNED_UP_AT, USER_ID, nulls_last=True)
    return folded.unique(EMAIL, keep="first", maintain_order=True).select(EMAIL, USER_ID)


def _domains(tables: Mapping[str, Finished]) -> pl.DataFrame:
    """Give one account (text) for each domain."""
    from pqlkit.exports.domains import domains

    frames = {
        name: pl.scan_parquet(list(tables[name].paths), glob=False) for name in (USERS, ACCOUNTS) if name in tables
    }
    frame = domains(frames.get(USERS), frames.get(ACCOUNTS))
    if frame is None:
        raise DataError(
            "conversions match by domain, but neither accounts with a domain nor users with account and e-mail are there",
            hint="name an accounts export with a column 'domain', or use match: account_id",
        )
    return frame


def _places(table: InPlace | Stage | None) -> str | None:
    """Name the files of a table: the first ones, and how many more there are."""
    files = () if table is None else table.paths if isinstance(table, InPlace) else table.files
    more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    return ", ".join(files[:_NAMED]) + more or None


def _check_kept(name: str, table: Finished, places: str | None, *, added: bool) -> None:
    """Refuse a table of which nothing can be used, and events without a row where none are there yet."""
    intake = table.intake
    if table.rows or not intake.quarantined:
        if name == EVENTS and not table.rows and not added:
            raise DataError(
                "the events have no rows: the files hold a header and nothing else",
                where=places,
                hint="export them again, or name other files",
            )
        return
    first = intake.offenders[0] if intake.offenders else None
    where = f"{first.file}:{first.line}" if first else places
    value = f" {first.value!r}" if first and first.value is not None else ""
    what = f"{first.column}{value}: {first.reason}" if first and first.column else first.reason if first else ""
    raise DataError(
        f"none of the {intake.read} rows of {name} can be used; the first: {what}", where=where, hint=_way_out(table)
    )


def _way_out(table: Finished) -> str:
    """Say how times are written that could not be read, where that can be told."""
    from pqlkit.exports.guessing import guess_format

    unread = [offender for offender in table.intake.offenders if offender.reason == "not a time"]
    form = guess_format(pl.Series([offender.value for offender in unread], dtype=pl.String)).form if unread else None
    if form is not None:
        column = unread[0].column or ""
        return (
            f'state how its times are written in pqlkit.yml, like {{column: {visible(column, 60)}, format: "{form}"}}'
        )
    return (
        f"state the format of its times: {', '.join(FORMATS)}, or a pattern"
        if unread
        else "map its columns: `pqlkit init` proposes how"
    )


def _gaps(sources: Mapping[str, InPlace | Stage], bounds: Mapping[str, Plausible]) -> tuple[Gap, ...]:
    return clocks.gaps(EVENTS, sources[EVENTS].days, bounds[EVENTS]) if EVENTS in sources else ()


def _doubts(name: str, table: Stage) -> Iterator[str]:
    for words in sorted(table.unasked):
        yield f"{name}: whether a row is to be left out as {words!r} cannot be told: the export lacks the column"
    if table.unread:
        yield f"{name}: {table.unread:,} amounts are no numbers: they count as unknown"


def _warnings(
    identities: Identities, sources: Mapping[str, InPlace | Stage], tables: Mapping[str, Finished]
) -> tuple[str, ...]:
    from pqlkit.exports.money import currencies

    stages = {name: table for name, table in sources.items() if not isinstance(table, InPlace)}
    warnings = [
        f"{name}: the column {visible(column, 80)!r} holds intervals of months, days and seconds, which are not read: left out"
        for name, table in stages.items()
        for column in sorted(table.dropped)
    ]
    warnings += [sentence for table in stages.values() for sentence in table.remarks]
    warnings += [warning for name, table in stages.items() for warning in _doubts(name, table)]
    if CONVERSIONS in tables and len(seen := currencies(tables[CONVERSIONS].paths, tables[CONVERSIONS].columns)) > 1:
        warnings.append(f"amounts are in several currencies ({', '.join(seen[:5])}): they are not converted")
    if identities.ambiguous:
        warnings.append(f"{identities.ambiguous} anonymous ids belong to several users: their events are nobody's")
    if identities.circular:
        warnings.append(f"{identities.circular} anonymous ids lead back to themselves: not stitched")
    return tuple(warnings)
