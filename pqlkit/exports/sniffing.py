"""The proposal of a project file: what a look at the exports says they are, for ``pqlkit init``."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

import polars as pl

from pqlkit.columns import ACCOUNT_ID, AMOUNT, CONVERTED_AT, EVENT, SIGNED_UP_AT, TIMESTAMP, USER_ID
from pqlkit.errors import DataError
from pqlkit.exports.dataset import open_dataset
from pqlkit.exports.finding import expand
from pqlkit.exports.guessing import Guess, candidates, column, guess_columns, guess_format, swapped
from pqlkit.exports.headers import folded
from pqlkit.exports.instants import instants
from pqlkit.exports.intake import Matching
from pqlkit.exports.mapping import Column, Match, Source
from pqlkit.exports.matching import TableMatch
from pqlkit.exports.mismatch import shown
from pqlkit.exports.notation import CONTINENTAL, ENGLISH
from pqlkit.exports.nulls import NULL_VALUES
from pqlkit.exports.numerals import is_plain_number, is_written_in, notation_of
from pqlkit.exports.owners import known_ids, owned, owner_notes, owners
from pqlkit.exports.preset import preset, presets, recognised
from pqlkit.exports.project import EventNote, Project
from pqlkit.exports.questions import ONLY_EVENT, TIMEZONE, Question, name_question, question
from pqlkit.exports.sources.address import scheme
from pqlkit.exports.sources.landing import Landing
from pqlkit.exports.staging import first_rows
from pqlkit.exports.status_columns import status_text, statuses
from pqlkit.exports.synonyms import NAMES_OF_COMPANIES
from pqlkit.exports.tables import ACCOUNTS, CONVERSIONS, EMAIL, EVENTS, IDENTITIES, USERS, layout
from pqlkit.exports.time_formats import COUNTS
from pqlkit.inert import visible
from pqlkit.scratch import lasting_scratch

if TYPE_CHECKING:
    from pqlkit.exports.dataset import Dataset, Progress
    from pqlkit.exports.mapping import Lookup
    from pqlkit.exports.maps import Maps
    from pqlkit.exports.preset import Preset, Variant
    from pqlkit.exports.questions import Ask

SAMPLE: Final = 10_000
"""Rows of a database's table that a look asks for."""

_POINTED: Final = r"^-?[0-9]{1,3}\.[0-9]{3}$"
"""Numbers whose point may stand before decimals or between thousands."""
CLOSE_DATES: Final = frozenset({"closedate", "closeddate", "wontime", "wondate"})
"""Folded headers of dates that people type."""
MANY_ON_THE_LAST_DAY: Final = 0.3
EARLY: Final = 0.01
"""A larger share of users with events before their signup makes the signup doubtful."""

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

    `sources` maps table names to a guess; `vendor` is the events' recognised preset or None; `notes` are sentences for a
    person; `events` are names that look automatic or mechanical; `seen` are all event names with their counts, the commonest
    first. `questions` are what could not be told; `statuses` maps columns of the conversions that no rule uses to their
    values with counts; `to_do` says what a person must still do before the exports can be read.
    """

    sources: dict[str, Source]
    vendor: str | None
    matching: Matching
    events: dict[str, EventNote] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seen: dict[str, int] = field(default_factory=dict)
    traits: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    statuses: dict[str, dict[str, int]] = field(default_factory=dict)
    to_do: tuple[str, ...] = ()


def sniff(
    events: str | Source,
    *,
    users: str | Source | None = None,
    accounts: str | Source | None = None,
    conversions: str | Source | None = None,
    identities: str | Source | None = None,
    maps: Maps | None = None,
    ask: Ask | None = None,
    progress: Progress | None = None,
) -> Sniffed:
    """Look at exports: vendor, columns, how well users and conversions match.

    Parameters
    ----------
    events, users, accounts, conversions, identities
        Paths or addresses of exports, or sources that say which table is meant; of a database the first `SAMPLE` rows are
        looked at. Users are derived from the events where no file lists them.
    maps
        Table -> canonical column -> header, as a person states them.
    ask
        Puts a question to a person where one can be asked.
    progress
        Told a sentence at the start of each long step.

    Raises
    ------
    DataError
        A file is missing or unreadable.
    """
    look = _Look(maps=maps or {}, ask=ask, landing=Landing(lasting_scratch() / "landed", limit=SAMPLE))
    sources = {EVENTS: look.at(EVENTS, _source(events))}
    if users is None:
        sources |= _derived_users(sources[EVENTS], look)
    for name, given in ((USERS, users), (ACCOUNTS, accounts), (IDENTITIES, identities)):
        if given is not None:
            sources[name] = look.at(name, _source(given))
    sources = look.settled(sources)
    dataset = look.opened(sources, progress)
    if conversions is not None:
        sources[CONVERSIONS] = look.at_conversions(_source(conversions), dataset)
        sources = look.settled(sources)
        if dataset is not None and not look.asks(CONVERSIONS):
            dataset = look.opened(sources, progress) or dataset
    look.doubts()
    match = TableMatch(dataset) if dataset is not None else None
    counts = match.counts() if match is not None else Matching()
    seen = _seen(dataset) if dataset is not None else {}
    if dataset is not None and match is not None:
        look.notes += [*_match_notes(dataset, counts), *match.warnings(), *_early_notes(dataset, sources)]
    return Sniffed(
        sources=sources,
        vendor=sources[EVENTS].format,
        matching=counts,
        events=_event_notes(seen, sources[EVENTS].format),
        notes=tuple(look.notes),
        seen=seen,
        traits=_traits(dataset) if dataset is not None else (),
        questions=tuple(look.questions),
        statuses=look.statuses,
        to_do=(*(_to_do(question) for question in look.questions), *look.to_do),
    )


def _source(given: str | Source) -> Source:
    return Project().direct(given) if isinstance(given, str) else given


def _to_do(question: Question) -> str:
    stated = f"--map {question.table}.{question.column}=HEADER"
    return f"say which column is {question.what}: take the # off one line of the choice, or state {stated}"


@dataclass(slots=True, eq=False)
class _Look:
    """A look at several exports: what was stated, and what was noticed so far."""

    maps: Maps
    ask: Ask | None
    landing: Landing
    notes: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    statuses: dict[str, dict[str, int]] = field(default_factory=dict)
    to_do: list[str] = field(default_factory=list)
    guesses: dict[tuple[str, str], Guess] = field(default_factory=dict)

    def asks(self, table: str) -> bool:
        """Tell whether a column of a table is still to be named."""
        return any(question.table == table for question in self.questions)

    def opened(self, sources: dict[str, Source], progress: Progress | None) -> Dataset | None:
        """Read what can be read; None where the events cannot."""
        readable = {name: source for name, source in sources.items() if not self.asks(name)}
        if EVENTS not in readable:
            return None
        try:
            return open_dataset(Project(exports=readable), landing=self.landing, progress=progress)
        except DataError as error:
            self.to_do.append(f"{error.where}: {error.message}" if error.where else error.message)
            return None

    def here(self, table: str, source: Source) -> Source:
        """Give a source whose rows are files here."""
        paths = tuple(str(self.landing.file(piece)) for piece in self.landing.pieces(table, source))
        return replace(source, path=paths, sheet=None, table=None, query=None, connection=None)

    def rows(self, table: str, source: Source) -> pl.DataFrame:
        """Give the first rows of a table's first file."""
        pieces = self.landing.pieces(table, source)
        sampled = f"of {pieces[0].name} the first {SAMPLE:,} rows at most were looked at"
        if not pieces[0].lasting and sampled not in self.notes:
            self.notes.append(sampled)
        return first_rows(self.landing.file(pieces[0]), source, pieces[0].name)

    def at(self, table: str, bare: Source) -> Source:
        """Look at one table's first rows: a vendor's shape, or columns by their names."""
        rows = self.rows(table, bare)
        stated = self._stated(table, rows)
        known, variant = _vendor(rows, table)
        if variant is None or known is None:
            other = recognised(rows.columns) if table == EVENTS else None
            if other is not None:
                self.to_do.append(
                    f"{', '.join(bare.path)} looks like {other.title}, which holds conversions: give it with --conversions"
                )
            return self._mapped(table, bare, rows, stated)
        self.notes.append(f"the {table} look like {known.title}: {variant.name}")
        if variant.note:
            self.notes.append(variant.note)
        stated = {**self._epochs(variant, rows), **stated}
        return replace(bare, format=known.name, columns=stated, timezone=known.timezone or "UTC")

    def _stated(self, table: str, rows: pl.DataFrame) -> dict[str, Column]:
        """Map the columns that a person stated, times as their values are written."""
        columns: dict[str, Column] = {}
        for name, header in self.maps.get(table, {}).items():
            is_time = name in layout(table).times and header in rows.columns
            guess = guess_format(rows[header]) if is_time else Guess()
            self.guesses[table, name] = guess
            columns[name] = Column(names=(header,), format=guess.form)
        return columns

    def _epochs(self, variant: Variant, rows: pl.DataFrame) -> dict[str, Column]:
        """State the unit of times that count since 1970, where an export's are in another than the vendor's usual one."""
        changed: dict[str, Column] = {}
        for name, usual in variant.columns.items():
            header = next((header for header in usual.names if header in rows.columns), None)
            form = guess_format(rows[header]).form if usual.format in COUNTS and header is not None else None
            if form in COUNTS and form != usual.format:
                self.notes.append(f"{name} is in {form}, not in the usual {usual.format}")
                changed[name] = replace(usual, format=form)
        return changed

    def at_conversions(self, bare: Source, dataset: Dataset | None) -> Source:
        """Look at the conversions: also whose they are, and which rows are upgrades."""
        source = self.at(CONVERSIONS, bare)
        rows = self.rows(CONVERSIONS, source)
        known, variant = _vendor(rows, CONVERSIONS) if source.format is not None else (None, None)
        if variant is not None and variant.lookup is not None:
            source = self._with_lookup(source, variant.lookup)
        if known is not None and known.timezone is None:
            source = replace(source, timezone=self._zone(known))
        if dataset is not None:
            ids = known_ids(dataset)
            tried = owners(self.here(CONVERSIONS, source), rows.columns, variant, ids)
            source = owned(source, tried, variant)
            source = replace(source, columns={**source.columns, **self._stated(CONVERSIONS, rows)})
            self.notes += owner_notes(tried, ids)
        self.statuses = statuses(rows, source)
        self.notes += [
            f"which rows are conversions? {status_text(name, self.statuses[name])}" for name in self.statuses
        ]
        self._time_notes(source, variant, rows)
        return source

    def _zone(self, known: Preset) -> str:
        """Ask for the zone of whoever exported; UTC until it is known."""
        zone = self.ask(Question(table=CONVERSIONS, column=TIMEZONE, options={})) if self.ask is not None else None
        if zone is None:
            self.to_do.append(f"say in which zone the {known.title} export was made: timezone: of the conversions")
        return zone or "UTC"

    def _with_lookup(self, source: Source, lookup: Lookup) -> Source:
        """Look beside the export for the second one that says whose its rows are."""
        # Beside a table of a database, or in a store, there is nothing to look at.
        here = all(scheme(path) is None for path in source.path)
        folders = [expand(source.path)[0].parent] if source.path and here else []
        files = sorted(
            file
            for folder in folders
            for file in folder.iterdir()
            if lookup.table.lower() in file.stem.lower() and file.is_file()
        )
        for file in files:
            with contextlib.suppress(DataError):
                if lookup.key in first_rows(file, Source(path=(str(file),))).columns:
                    self.notes.append(f"whose the conversions are is looked up in {file.name}")
                    return replace(source, lookups={lookup.table: (str(file),)})
        self.notes.append(
            f"the conversions' own ids and domains lie in a second export, {lookup.table}: put it beside this one,"
            f" or name it: lookups: {{{lookup.table}: PATH}}"
        )
        return source

    def _time_notes(self, source: Source, variant: Variant | None, rows: pl.DataFrame) -> None:
        default = variant.columns.get(CONVERTED_AT) if variant is not None else None
        column = source.columns.get(CONVERTED_AT) or default or Column(names=(CONVERTED_AT,))
        if column.latest or not column.names or column.names[0] not in rows.columns:
            return
        header = column.names[0]
        form = source.columns.get(CONVERTED_AT, column).format
        read = instants(rows[header].drop_nulls(), form=form, zone="UTC", dates_in="UTC")[0].drop_nulls()
        last = int((read.dt.date() == read.dt.month_end().dt.date()).sum())
        if folded(header) in CLOSE_DATES and len(read) and last > MANY_ON_THE_LAST_DAY * len(read):
            self.notes.append(
                f"{last:,} of {len(read):,} values of {header!r} are the last day of a month: people typed them;"
                " windows below 14 days mean little"
            )

    def _mapped(self, table: str, bare: Source, rows: pl.DataFrame, stated: dict[str, Column]) -> Source:
        guessed = {**guess_columns(table, rows.columns), **{name: column.names[0] for name, column in stated.items()}}
        shape = layout(table)
        self._complete(table, guessed, rows)
        columns: dict[str, Column] = {}
        for canonical, name in guessed.items():
            values = rows[name] if name in rows.columns else pl.Series(dtype=pl.String)
            guess = guess_format(values) if canonical in shape.times else Guess()
            self.guesses[table, canonical] = guess
            mapping = column(name, canonical, guess.form)
            if mapping is not None:
                columns[canonical] = mapping
        taken = {name for key, name in guessed.items() if key != AMOUNT}
        columns |= _notations(table, rows, taken, guessed, self.notes)
        if table == EVENTS and EVENT not in guessed and not any(asked.column == EVENT for asked in self.questions):
            self.notes.append(f"the events have no column of names: every row is called {ONLY_EVENT!r}")
            columns[EVENT] = Column(constant=ONLY_EVENT)
        self._name_notes(table, guessed, rows)
        match = Match.EMAIL if table == CONVERSIONS and EMAIL in guessed and USER_ID not in guessed else Match.USER_ID
        return replace(bare, columns=columns, match=match)

    def settled(self, sources: dict[str, Source]) -> dict[str, Source]:
        """Let tables whose dates can be read in one way only decide for those that could be read in two."""
        forms = [guess.form for guess in self.guesses.values() if guess.form is not None and guess.other is None]
        orders = {_day_first(form) for form in forms if swapped(form) is not None}
        if len(orders) != 1:
            return sources
        for (table, canonical), guess in list(self.guesses.items()):
            old = sources[table].columns.get(canonical) if table in sources else None
            if guess.form is None or guess.other is None or old is None:
                continue
            form = guess.form if _day_first(guess.form) in orders else guess.other
            self.guesses[table, canonical] = Guess(form=form)
            sources[table] = replace(
                sources[table], columns={**sources[table].columns, canonical: replace(old, format=form)}
            )
            self.notes.append(f"{table}: times could be {guess.form} or {guess.other}; another table's decide: {form}")
        return sources

    def doubts(self) -> None:
        """Note what is not sure about the forms of times."""
        self.notes += [
            f"{table}: {guess.doubt}" for (table, _), guess in self.guesses.items() if guess.doubt is not None
        ]

    def _complete(self, table: str, guessed: dict[str, str], rows: pl.DataFrame) -> None:
        """Ask for what a table needs and no header tells."""
        shape = layout(table)
        lacking = [name for name in shape.required if name not in guessed and name != EVENT]
        lacking += [group[0] for group in shape.one_of if not any(name in guessed for name in group)]
        for name in lacking:
            self._put(question(table, name, rows), guessed)
        if table == EVENTS and EVENT not in guessed:
            free = rows.drop([name for name in guessed.values() if name in rows.columns])
            names = name_question(table, free)
            if names is not None:
                self._put(names, guessed)

    def _put(self, open_question: Question, guessed: dict[str, str]) -> None:
        """Put a question to whoever can be asked; without an answer it stays open."""
        header = self.ask(open_question) if self.ask is not None else None
        if header is not None:
            guessed[open_question.column] = header
        else:
            self.questions.append(open_question)

    def _name_notes(self, table: str, guessed: dict[str, str], rows: pl.DataFrame) -> None:
        """Say which of several fitting columns was taken, and where an account's id looks like its name."""
        for canonical in (*layout(table).times[:1], USER_ID):
            others = [name for name in candidates(table, canonical, rows.columns) if name not in guessed.values()]
            if canonical in guessed and others:
                listed = ", ".join(visible(name, 60) for name in others[:4])
                self.notes.append(
                    f"{canonical} of the {table} is {visible(guessed[canonical], 60)!r}; it could be {listed}"
                )
        header = guessed.get(ACCOUNT_ID, "")
        if folded(header) in NAMES_OF_COMPANIES and header in rows.columns and rows[header].dtype == pl.String:
            names = rows[header].drop_nulls()
            if names.str.contains(r"\S\s+\S").any():
                self.notes.append(
                    f"account_id of the {table} is {visible(header, 60)!r}, which holds names ({shown(names)}):"
                    " two spellings are two accounts; map an id if there is one"
                )


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
            if rows[name].drop_nulls().str.contains(_POINTED).all() and rows[name].n_unique() > 1:
                notes.append(
                    f"{table}: numbers like {visible(str(rows[name].drop_nulls()[0]), 40)!r} in {visible(name, 40)!r} are read with"
                    ' a decimal point: if it stands between thousands, state thousands: "."'
                )
            continue
        columns[canonical.get(name, name)] = Column(names=(name,), notation=notation)
        if notation == ENGLISH and is_written_in(rows[name], CONTINENTAL, NULL_VALUES):
            example = rows[name].drop_nulls()[0]
            notes.append(
                f"{table}: numbers like {visible(str(example), 40)!r} in {visible(name, 40)!r} are read with a comma between"
                " thousands: check it"
            )
    return columns


def _vendor(rows: pl.DataFrame, table: str) -> tuple[Preset | None, Variant | None]:
    for known in presets().values():
        variant = known.variant(rows.columns, table)
        if variant is not None:
            return known, variant
    return None, None


def _early_notes(dataset: Dataset, sources: dict[str, Source]) -> list[str]:
    """Say where users have events before their signup: the column may be another time."""
    users = dataset.tables.get(USERS)
    if users is None or SIGNED_UP_AT not in users.columns or sources[USERS].path == sources[EVENTS].path:
        return []
    events = dataset.tables[EVENTS].scan()
    first = events.group_by(USER_ID).agg(first=pl.col(TIMESTAMP).min())
    known = users.scan().select(USER_ID, SIGNED_UP_AT).drop_nulls()
    both = known.join(first, on=USER_ID)
    # A date stands for its first moment; a day's slack forgives clocks and zones.
    counted = both.select(
        rows=pl.len(), early=(pl.col("first") < pl.col(SIGNED_UP_AT) - pl.duration(days=1)).sum()
    ).collect(engine="streaming")
    rows, early = counted.row(0)
    if not rows or early <= EARLY * rows:
        return []
    header = sources[USERS].columns.get(SIGNED_UP_AT, Column(names=(SIGNED_UP_AT,))).names[0]
    return [f"{early:,} of {rows:,} users have events before their signup: is {visible(header, 60)!r} that time?"]


def _day_first(form: str) -> bool:
    return form.index("%d") < form.index("%m")


def _derived_users(events: Source, look: _Look) -> dict[str, Source]:
    """Propose the users from the events' own rows, where these tell the signup."""
    rows = look.rows(EVENTS, events)
    signup = next((name for name in rows.columns if folded(name) in {"registration", "signedupat", "signupat"}), None)
    user = events.columns.get(USER_ID, Column(names=(USER_ID,)))
    if events.format is not None or signup is None or not set(user.names) & set(rows.columns):
        return {}
    form = guess_format(rows[signup]).form
    look.notes.append(f"no users are given; their signup is taken from the events' column {visible(signup, 80)!r}")
    columns = {USER_ID: user, SIGNED_UP_AT: Column(names=(signup,), format=form)}
    account = events.columns.get(ACCOUNT_ID)
    if account is not None:
        columns[ACCOUNT_ID] = account
    return {USERS: replace(events, columns=columns)}


def _seen(dataset: Dataset) -> dict[str, int]:
    lazy = dataset.tables[EVENTS].scan()
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
        named = f" ({counts.without_owner})" if counts.without_owner else ""
        notes.append(f"{counts.conversions_matched or 0:,} of {counts.conversions:,} conversions match{named}")
    for name, table in dataset.intake.tables.items():
        if table.left_out:
            words = ", ".join(f"{words} {rows:,}" for words, rows in table.left_out.items())
            notes.append(f"{sum(table.left_out.values()):,} of {table.read:,} rows of {name} are left out: {words}")
    quarantined = {name: table.quarantined for name, table in dataset.intake.tables.items() if table.quarantined}
    notes += [f"{rows:,} rows of {name} cannot be used: pqlkit load shows them" for name, rows in quarantined.items()]
    return [*notes, *dataset.intake.warnings]
