"""The proposal of a project file: what a look at the exports says they are, for ``pqlkit init``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ACCOUNT_ID, AMOUNT, EVENT, SIGNED_UP_AT, USER_ID
from pqlkit.errors import DataError
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.guessing import column, folded, guess_columns, guess_format
from pqlkit.exports.mapping import Column, Match, Source
from pqlkit.exports.matching import matching, spelling_warnings
from pqlkit.exports.notation import CONTINENTAL, ENGLISH
from pqlkit.exports.nulls import NULL_VALUES
from pqlkit.exports.numerals import is_plain_number, is_written_in, notation_of
from pqlkit.exports.preset import preset, presets
from pqlkit.exports.project import EventNote, Project
from pqlkit.exports.raw import expand
from pqlkit.exports.staging import first_rows
from pqlkit.exports.tables import ACCOUNTS, CONVERSIONS, EMAIL, EVENTS, USERS, layout
from pqlkit.inert import visible

if TYPE_CHECKING:
    from pqlkit.exports.dataset import Dataset, Progress
    from pqlkit.exports.intake import Matching

ONLY_EVENT: Final = "active"
"""The name given to the events of an export that has no column of names."""

_AUTOMATIC: Final = re.compile(
    r"(?i:(^|_|\b)(e?mail|notification|push|sms|webhook|report)s?[_ ](was_)?(sent|delivered|bounced|opened|queued)\b"
    r"|heartbeat|page_ping|cron|session[_ ](start|end)(ed)?\b|background|autosave)"
)
_MECHANICAL: Final = re.compile(
    r"(?i:(limit|quota|cap|seats?|storage)[_ ](is_|was_)?(warning|reached|hit|exceeded|full|nearly|almost)"
    r"|(reached|hit|exceeded)[_ ](the[_ ])?(\w+[_ ])?(limit|quota)|trial[_ ](expir|end)(ed|ing|s)?)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sniffed:
    """What the exports look like.

    `sources` maps table names to a guess that can be read; `vendor` is the events' recognised preset or None; `notes` are
    sentences for a person; `events` are names that look automatic or mechanical; `seen` are all event names with their
    counts, the commonest first.
    """

    sources: dict[str, Source]
    vendor: str | None
    matching: Matching
    events: dict[str, EventNote] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seen: dict[str, int] = field(default_factory=dict)
    traits: tuple[str, ...] = ()


def sniff(
    events: str,
    *,
    users: str | None = None,
    accounts: str | None = None,
    conversions: str | None = None,
    progress: Progress | None = None,
) -> Sniffed:
    """Look at exports: vendor, columns, how well users and conversions match.

    Parameters
    ----------
    events, users, accounts, conversions
        Paths of exports; users are derived from the events where no file lists them.
    progress
        Is told the steps.

    Raises
    ------
    DataError
        A file is missing or unreadable, or no column can be the user, the event or the time.
    """
    notes: list[str] = []
    sources = {EVENTS: _events(events, notes)}
    if users is None:
        sources |= _derived_users(sources[EVENTS], notes)
    for name, path in ((USERS, users), (ACCOUNTS, accounts), (CONVERSIONS, conversions)):
        if path is not None:
            sources[name] = _source(name, path, notes)
    dataset = open_dataset(Project(exports=sources), progress=progress)
    counts = matching(dataset)
    seen = _seen(dataset)
    notes += _match_notes(dataset, counts)
    return Sniffed(
        sources=sources,
        vendor=sources[EVENTS].format,
        matching=counts,
        events=_event_notes(seen, sources[EVENTS].format),
        notes=tuple(notes),
        seen=seen,
        traits=_traits(dataset),
    )


def _events(path: str, notes: list[str]) -> Source:
    bare = Source(path=(path,))
    rows = first_rows(expand(bare.path)[0], bare)
    for name, known in presets().items():
        variant = known.variant(rows.columns)
        if variant is not None:
            notes.append(f"the events look like {known.title}: {variant.name}")
            if variant.note:
                notes.append(variant.note)
            return replace(bare, format=name)
    return _mapped(EVENTS, bare, rows, notes)


def _source(table: str, path: str, notes: list[str]) -> Source:
    bare = Source(path=(path,))
    return _mapped(table, bare, first_rows(expand(bare.path)[0], bare), notes)


def _mapped(table: str, bare: Source, rows: pl.DataFrame, notes: list[str]) -> Source:
    guessed = guess_columns(table, rows.columns)
    shape = layout(table)
    columns: dict[str, Column] = {}
    for canonical, name in guessed.items():
        form, doubt = guess_format(rows[name]) if canonical in shape.times else (None, None)
        if doubt is not None:
            notes.append(f"{table}: {doubt}")
        mapping = column(name, canonical, form)
        if mapping is not None:
            columns[canonical] = mapping
    columns |= _notations(table, rows, {name for key, name in guessed.items() if key != AMOUNT}, guessed, notes)
    if table == EVENTS and EVENT not in guessed:
        columns[EVENT] = Column(constant=ONLY_EVENT)
        notes.append(f"the events have no column of names: every row is called {ONLY_EVENT!r}")
    match = Match.EMAIL if table == CONVERSIONS and EMAIL in guessed and USER_ID not in guessed else Match.USER_ID
    _check(table, bare, guessed, rows.columns)
    return replace(bare, columns=columns, match=match)


def _notations(
    table: str, rows: pl.DataFrame, taken: set[str], guessed: dict[str, str], notes: list[str]
) -> dict[str, Column]:
    """State how each column of text writes numbers, where programs write them in another way."""
    canonical = {name: key for key, name in guessed.items()}
    columns: dict[str, Column] = {}
    for name in rows.columns:
        if name in taken or rows[name].dtype != pl.String:
            continue
        notation = notation_of(rows[name], NULL_VALUES)
        if notation is None or is_plain_number(rows[name], NULL_VALUES):
            continue
        columns[canonical.get(name, name)] = Column(names=(name,), notation=notation)
        if notation == ENGLISH and is_written_in(rows[name], CONTINENTAL, NULL_VALUES):
            example = rows[name].drop_nulls()[0]
            notes.append(
                f"{table}: numbers like {visible(str(example), 40)!r} in {visible(name, 40)!r} are read with a comma between"
                " thousands: check it"
            )
    return columns


def _check(table: str, bare: Source, guessed: dict[str, str], columns: list[str]) -> None:
    shape = layout(table)
    lacking = [name for name in shape.required if name not in guessed and name != EVENT]
    lacking += [group[0] for group in shape.one_of if not any(name in guessed for name in group)]
    if lacking:
        listed = ", ".join(visible(name, 40) for name in columns[:20])
        raise DataError(
            f"no column looks like {lacking[0]} of the {table}",
            where=bare.path[0],
            hint=f"it has {listed}; map one in pqlkit.yml: columns: {{{lacking[0]}: NAME}}",
        )


def _derived_users(events: Source, notes: list[str]) -> dict[str, Source]:
    """Propose the users from the events' own rows, where these tell the signup."""
    rows = first_rows(expand(events.path)[0], events)
    signup = next((name for name in rows.columns if folded(name) in {"registration", "signedupat", "signupat"}), None)
    user = events.columns.get(USER_ID, Column(names=(USER_ID,)))
    if events.format is not None or signup is None or not set(user.names) & set(rows.columns):
        return {}
    form, _ = guess_format(rows[signup])
    notes.append(f"no users are given; their signup is taken from the events' column {visible(signup, 80)!r}")
    columns = {USER_ID: user, SIGNED_UP_AT: Column(names=(signup,), format=form)}
    account = events.columns.get(ACCOUNT_ID)
    if account is not None:
        columns[ACCOUNT_ID] = account
    return {USERS: replace(events, columns=columns)}


def _seen(dataset: Dataset) -> dict[str, int]:
    lazy = pl.scan_parquet(list(dataset.tables[EVENTS].paths), glob=False)
    counts = lazy.group_by(EVENT).agg(rows=pl.len()).collect(engine="streaming")
    return dict(counts.sort(["rows", EVENT], descending=[True, False]).iter_rows())


def _event_notes(seen: dict[str, int], vendor: str | None) -> dict[str, EventNote]:
    patterns = preset(vendor).automatic if vendor is not None else ()
    notes: dict[str, EventNote] = {}
    for name in sorted(seen):
        automatic = bool(_AUTOMATIC.search(name)) or any(fnmatchcase(name, pattern) for pattern in patterns)
        mechanical = bool(_MECHANICAL.search(name))
        if automatic or mechanical:
            notes[name] = EventNote(automatic=automatic, mechanical=mechanical)
    return notes


def _traits(dataset: Dataset) -> tuple[str, ...]:
    users = dataset.tables.get(USERS)
    known = set(layout(USERS).columns)
    return tuple(sorted(name for name in users.columns if name not in known)) if users is not None else ()


def _event_counts(rows: int, counts: Matching) -> list[str]:
    """Say whose the events are: of users, or of accounts where they have no user."""
    accounts = f"{counts.event_accounts or 0:,} accounts"
    if counts.events_of_accounts == rows:
        return [f"{rows:,} events of {accounts}, no user column"]
    notes = [f"{rows:,} events of {counts.event_users or 0:,} users"]
    if counts.events_of_accounts:
        notes.append(f"{counts.events_of_accounts:,} of them have no user and are of {accounts}")
    return notes


def _match_notes(dataset: Dataset, counts: Matching) -> list[str]:
    notes = _event_counts(dataset.tables[EVENTS].rows, counts)
    if counts.events_anonymous:
        notes.append(f"{counts.events_anonymous:,} events are of nobody who is known")
    if counts.users is not None:
        notes.append(
            f"{counts.users_with_events or 0:,} of {counts.users:,} users have events;"
            f" {counts.event_users_unknown or 0:,} users of events are unknown"
        )
    if counts.accounts is not None:
        notes.append(f"{counts.accounts_with_events or 0:,} of {counts.accounts:,} accounts have events")
    if counts.conversions is not None:
        notes.append(f"{counts.conversions_matched or 0:,} of {counts.conversions:,} conversions match")
    quarantined = {name: table.quarantined for name, table in dataset.intake.tables.items() if table.quarantined}
    notes += [f"{rows:,} rows of {name} cannot be used: pqlkit load shows them" for name, rows in quarantined.items()]
    return [*notes, *dataset.intake.warnings, *spelling_warnings(dataset)]
