"""The ledger: a file that remembers who was new when, so that a lead is new once.

One SQLite file. A run holds its lock from beginning to end and commits once, after the lead files are in place: that commit is
the moment at which the run has happened. Before it, the next run starts from the same memory and writes the same leads.

Tables
------
``runs``
    One row per definition and run that was committed: what was scored, how many were new, the hash of the lead file.
``starts``
    One row per start that a run got to know: never changed, never removed. `reason` is ``baseline`` (the first run, nobody was
    alerted), ``world`` or ``definition`` (why it was new), ``before`` (older than ``--since``), ``stale`` (older than
    `fresh_for` when it was found) or ``suppressed``.
``memories``
    The last run's `Memory`, one Parquet table per definition.
``outbox``
    Alerts that no server has acknowledged yet.
"""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from pqlkit.errors import DataError, OutputError, PqlkitError, UsageError
from pqlkit.files import PRIVATE, whole
from pqlkit.scoring.memory import KNOWN, Memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pqlkit.definitions.model import Definition
    from pqlkit.typing import Microseconds

APPLICATION: Final = 0x50514C4B  # "PQLK", in the file's header
FORM: Final = 1
_PATIENCE: Final = 60_000
"""Milliseconds that noting an alert waits for a run that has the lock."""

_TABLES: Final = """
CREATE TABLE runs (
    run INTEGER PRIMARY KEY, definition TEXT NOT NULL, entity TEXT NOT NULL, version INTEGER NOT NULL, hash TEXT NOT NULL,
    as_of INTEGER NOT NULL, baseline INTEGER NOT NULL, leads INTEGER NOT NULL, new INTEGER NOT NULL,
    alerted INTEGER NOT NULL, withheld INTEGER NOT NULL, file TEXT, file_hash TEXT, finished INTEGER NOT NULL,
    accepted TEXT
) STRICT;
CREATE TABLE starts (
    definition TEXT NOT NULL, entity TEXT NOT NULL, id TEXT NOT NULL, "on" INTEGER NOT NULL, known_at INTEGER NOT NULL,
    version INTEGER NOT NULL, hash TEXT NOT NULL, reason TEXT NOT NULL, arm TEXT, queued INTEGER NOT NULL,
    run INTEGER NOT NULL, lead_id TEXT, PRIMARY KEY (definition, entity, id, "on")
) STRICT;
CREATE TABLE memories (
    definition TEXT NOT NULL, entity TEXT NOT NULL, run INTEGER NOT NULL, known BLOB NOT NULL,
    PRIMARY KEY (definition, entity, run)
) STRICT;
CREATE TABLE outbox (
    key TEXT PRIMARY KEY, run INTEGER NOT NULL, leads INTEGER NOT NULL, body BLOB NOT NULL, tries INTEGER NOT NULL DEFAULT 0
) STRICT;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One definition's run, as the ledger keeps it.

    Parameters
    ----------
    definition, entity, version, hash
        What was scored.
    accepted
        The hash that the next run compares its own with: another than `hash` while a change waits to be accepted.
    as_of
        Of the data.
    baseline
        It was the first: nobody was alerted who qualified before.
    leads, new, alerted, withheld
        Rows of the list; newly qualified; of these put into the outbox; of these in the control arm.
    file, file_hash
        The lead file's name and SHA-256, None when it went to stdout.
    finished
        False while alerts of this run have not been tried: its leads are still new for the next run.
    """

    definition: str
    entity: str
    version: int
    hash: str
    accepted: str
    as_of: Microseconds
    baseline: bool
    leads: int
    new: int
    alerted: int
    withheld: int
    file: str | None
    file_hash: str | None
    finished: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """What one definition's run adds to the ledger.

    Parameters
    ----------
    run
        The run.
    memory
        The columns of `pqlkit.scoring.memory.KNOWN`, one row per entity.
    starts
        ``id``, ``on``, ``known_at``, ``reason``, ``arm``, ``queued``, ``lead_id``: starts that this run got to know.
    alerts
        Key and body of each batch for the outbox.
    """

    run: Run
    memory: pl.DataFrame
    starts: pl.DataFrame
    alerts: Sequence[Alert] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One batch of new leads on its way: its key never changes, so that a server can tell a repeat."""

    key: str
    leads: int
    body: bytes
    tries: int = 0


@dataclass(slots=True, eq=False)
class Ledger:
    """An open, locked ledger; see `open_ledger`."""

    path: Path
    connection: sqlite3.Connection
    _last: int = 0

    def memory(self, definition: Definition) -> Memory:
        """Give what is remembered of a definition (by its name, whatever its version).

        Raises
        ------
        UsageError
            The ledger knows the definition for the other kind of entity.
        """
        rows = self._rows(
            "SELECT run, entity, version, coalesce(accepted, hash), as_of, finished FROM runs WHERE definition = ? ORDER BY run DESC",
            definition.name,
        )
        other = next((row[1] for row in rows if row[1] != definition.entity.value), None)
        if other is not None:
            raise UsageError(
                f"{self.path} knows {definition.name} as a definition of {other}s",
                hint="give the definition another name, or use another ledger",
            )
        done = next((row for row in rows if row[5]), None)
        queued = frozenset(
            row[0]
            for row in self._rows(
                "SELECT id FROM starts WHERE definition = ? AND queued AND run > ?",
                definition.name,
                done[0] if done else -1,
            )
        )
        if done is None:
            return Memory(queued=queued)
        blobs = self._rows("SELECT known FROM memories WHERE definition = ? AND run = ?", definition.name, done[0])
        try:
            ((blob,),) = blobs
            known = pl.read_parquet(io.BytesIO(blob), glob=False).cast(KNOWN)
            if known["id"].null_count() or known["id"].n_unique() != known.height:
                raise ValueError("it names someone twice, or nobody")
        except (ValueError, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise _damaged(self.path, f"the last run's memory cannot be read: {error}") from error
        return Memory(
            known=known,
            as_of=done[4],
            definition_hash=done[3],
            definition_version=done[2],
            queued=queued,
            first_runs=dict(
                self._rows("SELECT hash, min(run) FROM runs WHERE definition = ? GROUP BY hash", definition.name)
            ),
        )

    def last_file(self, definition: str) -> tuple[str | None, str | None]:
        """Give the name and hash of the last committed run's lead file."""
        rows = self._rows("SELECT file, file_hash FROM runs WHERE definition = ? ORDER BY run DESC LIMIT 1", definition)
        return rows[0] if rows else (None, None)

    def nightly_new(self, definition: str, count: int) -> list[tuple[Microseconds, int]]:
        """Give `as_of` and how many were new for each of the last nights (runs of one `as_of` are one), newest first.

        The baseline is left out: nobody is new in it.
        """
        rows = self._rows(
            "SELECT as_of, sum(new) FROM runs WHERE definition = ? AND NOT baseline AND finished GROUP BY as_of"
            " ORDER BY as_of DESC LIMIT ?",
            definition,
            count,
        )
        return [(row[0], row[1]) for row in rows]

    def record(self, entries: Sequence[Entry]) -> None:
        """Write entries; nothing holds before `commit`."""
        with self._changing():
            for entry in entries:
                self._record(entry)

    def commit(self) -> None:
        """Make everything recorded true, in one step, and keep the lock."""
        with _clear(self.path):
            self.connection.execute("COMMIT")

    def has_recorded(self) -> bool | None:
        """Say after a commit that failed whether what was recorded last is true; None = the file does not say."""
        try:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            return bool(self._rows("SELECT 1 FROM runs WHERE run = ?", self._last))
        except (PqlkitError, sqlite3.Error):
            return None

    def finish(self) -> None:
        """Mark every run as finished: what it found new is new no more. Holds after `commit`."""
        with self._changing():
            # Not those of a run that has begun since: it finishes its own.
            self.connection.execute("UPDATE runs SET finished = 1 WHERE NOT finished AND run <= ?", (self._last,))
            self.connection.execute(
                "DELETE FROM memories WHERE run < (SELECT max(run) FROM memories AS m"
                " WHERE m.definition = memories.definition)"
            )

    @contextmanager
    def released(self) -> Iterator[None]:
        """Let other runs have the lock while this one waits for a server; what it notes meanwhile waits for them in turn.

        Nothing may be recorded and not committed.
        """
        with _clear(self.path):
            self.connection.execute("PRAGMA locking_mode = NORMAL")
            self.connection.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
            self.connection.execute("SELECT count(*) FROM outbox").fetchone()  # its end lets go of the lock
        yield

    def outbox(self) -> list[Alert]:
        """Give the alerts that nobody has acknowledged, oldest first."""
        rows = self._rows("SELECT key, leads, body, tries FROM outbox ORDER BY rowid")
        return [Alert(key=key, leads=leads, body=body, tries=tries) for key, leads, body, tries in rows]

    def acknowledged(self, alert: Alert) -> None:
        """Take an alert out of the outbox, at once and for good."""
        with self._changing():
            self.connection.execute("DELETE FROM outbox WHERE key = ?", (alert.key,))
        self.commit()

    def failed(self, alert: Alert, tries: int) -> None:
        """Count attempts that did not arrive."""
        with self._changing():
            self.connection.execute("UPDATE outbox SET tries = tries + ? WHERE key = ?", (tries, alert.key))
        self.commit()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with _clear(self.path):
            if not self.connection.in_transaction:
                self.connection.execute("BEGIN IMMEDIATE")
            yield

    def _record(self, entry: Entry) -> None:
        run = entry.run
        cursor = self.connection.execute(
            "INSERT INTO runs (definition, entity, version, hash, as_of, baseline, leads, new, alerted, withheld, file,"
            " file_hash, finished, accepted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                run.definition,
                run.entity,
                run.version,
                run.hash,
                run.as_of,
                run.baseline,
                run.leads,
                run.new,
                run.alerted,
                run.withheld,
                run.file,
                run.file_hash,
                run.finished,
                run.accepted,
            ),
        )
        number = self._last = cursor.lastrowid or 0
        buffer = io.BytesIO()
        entry.memory.write_parquet(buffer, compression="zstd")
        self.connection.execute(
            "INSERT INTO memories VALUES (?, ?, ?, ?)", (run.definition, run.entity, number, buffer.getvalue())
        )
        if run.finished:
            self.connection.execute("DELETE FROM memories WHERE definition = ? AND run < ?", (run.definition, number))
        rows = entry.starts.select("id", "on", "known_at", "reason", "arm", "queued", "lead_id").iter_rows()
        common = (run.definition, run.entity, run.version, run.hash, number)
        self.connection.executemany(
            'INSERT INTO starts (definition, entity, version, hash, run, id, "on", known_at, reason, arm, queued, lead_id)'
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET run = excluded.run,"
            " queued = max(queued, excluded.queued)",
            ((*common, *row) for row in rows),
        )
        self.connection.executemany(
            "INSERT INTO outbox (key, run, leads, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            ((alert.key, number, alert.leads, alert.body) for alert in entry.alerts),
        )

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with _clear(self.path):
            return self.connection.execute(sql, values).fetchall()


@contextmanager
def open_ledger(path: Path | str) -> Iterator[Ledger]:
    """Open a ledger, or make it, and hold its lock until the block ends; what was not committed is forgotten.

    Raises
    ------
    UsageError
        Another run holds the lock, or the name is none of a file.
    DataError
        The file is not a ledger, is empty or damaged, or was written by a newer pqlkit.
    OutputError
        It cannot be written.
    """
    path = Path(path)
    _make(path)
    with _clear(path):
        connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    with closing(connection):
        with _clear(path):
            # A rollback journal, synced before and after: a power cut leaves the file as before or as after the commit.
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN IMMEDIATE")
            _check(path, connection)
            _extend(connection)
        yield Ledger(path, connection)


def read_starts(path: Path | str, definition: str | None = None) -> pl.DataFrame:
    """Read every start that a ledger knows.

    Parameters
    ----------
    path
        The ledger.
    definition
        A definition's name; None = all.

    Returns
    -------
    DataFrame
        Sorted: ``definition``, ``entity``, ``id``, ``on``, ``known_at`` (Int64 UTC microseconds), ``version``, ``hash``,
        ``reason``, ``arm``.

    Raises
    ------
    DataError
        The file is missing or not a ledger.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"there is no ledger {path}")
    with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as connection, _clear(path):
        _check(path, connection)
        rows = connection.execute(
            'SELECT definition, entity, id, "on", known_at, version, hash, reason, arm FROM starts'
            " WHERE ? IS NULL OR definition = ? ORDER BY 1, 2, 3, 4",
            (definition, definition),
        ).fetchall()
    names = ("definition", "entity", "id", "on", "known_at", "version", "hash", "reason", "arm")
    whole = {"on", "known_at", "version"}
    return pl.DataFrame(rows, schema={name: pl.Int64 if name in whole else pl.String for name in names}, orient="row")


def _make(path: Path) -> None:
    """Make a ledger where there is none: whole, so that an empty file is never one that a run has just begun.

    Raises
    ------
    UsageError
        What is there, or is named, can never be a ledger.
    DataError
        The file is empty.
    OutputError
        It cannot be written.
    """
    if str(path) == ":memory:" or (path.exists() and not path.is_file()):
        raise UsageError(f"{path} is no file that stays, and so no ledger", hint="name a file")
    if path.exists():
        if not path.stat().st_size:
            raise DataError(
                f"{path} is empty, and no ledger", hint="restore it from a backup, or remove it to begin anew"
            )
        return
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(_TABLES)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {FORM}")
        empty = connection.serialize()
    with whole(path, mode=PRIVATE, replace=False) as new:
        new.write_bytes(empty)


def _check(path: Path, connection: sqlite3.Connection) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (form,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION:
        raise DataError(f"{path} is a database, but not a ledger of pqlkit", hint="name another file with --ledger")
    if form > FORM:
        raise DataError(f"{path} was written by a newer pqlkit", hint="update pqlkit")
    (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if state != "ok" or not {"runs", "starts", "memories", "outbox"} <= tables:
        raise _damaged(path, state if state != "ok" else "a table is missing")


def _extend(connection: sqlite3.Connection) -> None:
    """Add what a ledger of an earlier pqlkit lacks; it stays with the run's commit."""
    for table, column in (("runs", "accepted"), ("starts", "lead_id")):
        columns = {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
        if column not in columns:
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT")


def _damaged(path: Path, reason: object) -> DataError:
    said = " ".join(str(reason).split())[:200]
    return DataError(
        f"{path} is not a ledger, or is damaged: {said}",
        hint="restore it from a backup, or name another file; with a new ledger the first run is a baseline and alerts nobody",
    )


@contextmanager
def _clear(path: Path) -> Iterator[None]:
    """Turn the database's errors into pqlkit's."""
    try:
        yield
    except sqlite3.OperationalError as error:
        # Python itself raises it, without a code, where a text is not UTF-8.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise UsageError(
                f"another run is using {path}", hint="wait until it ends; a run that was killed holds no lock"
            ) from None
        if code == sqlite3.SQLITE_ERROR:
            # No such table or column: not what was written.
            raise _damaged(path, error) from None
        raise OutputError(f"cannot write the ledger {path}: {error}") from None
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise _damaged(path, error) from None
    except OSError as error:
        raise OutputError(f"cannot write the ledger {path}: {error.strerror or error}") from None
