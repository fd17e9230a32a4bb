"""The landing: what a source leads to becomes a file on this machine, once, and messages call it by its own name."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, Final

from pqlkit.errors import DataError, UsageError
from pqlkit.exports.finding import find, fingerprint
from pqlkit.exports.foreign import DUCKDB, SQLITE
from pqlkit.exports.mapping import Source
from pqlkit.exports.sources import address, workbook
from pqlkit.exports.tables import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pqlkit.exports.intake import NotRead
    from pqlkit.typing import Microseconds

_AT_ONCE: Final = 8
"""Files fetched side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One file that a source leads to.

    Parameters
    ----------
    name
        How messages call it.
    key
        Tells it from all others: what was landed under it is not landed again.
    path
        Where it is, of files that are read where they lie.
    write
        Makes the file, of others.
    mark
        Tells its content without having it; None = the content must be looked at.
    lasting
        Whether the same content means the same rows; a database's answer is new each time.
    """

    name: str
    key: str
    path: Path | None = None
    write: Callable[[Path], None] | None = None
    mark: str | None = None
    lasting: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """The files that sources lead to.

    Parameters
    ----------
    sources
        With lookups that are files here.
    files
        By table, where not all of them are read where they lie.
    names
        What messages call the others.
    """

    sources: Mapping[str, Source]
    files: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    names: Mapping[Path, str] = field(default_factory=dict)


class Landing:
    """Brings sources to files in one folder.

    Parameters
    ----------
    folder
        For the files; made when needed, and the caller's to remove.
    since
        Of a table, the newest row that was loaded before; queries ask for what is newer.
    limit
        The most rows to ask of a database, or None.
    """

    def __init__(
        self, folder: Path, *, since: Mapping[str, Microseconds | None] | None = None, limit: int | None = None
    ) -> None:
        self.folder = folder
        self.since = since or {}
        self.limit = limit
        self.names: dict[Path, str] = {}
        self.not_read: dict[str, tuple[NotRead, ...]] = {}

    def pieces(self, table: str, source: Source) -> tuple[Piece, ...]:
        """List the files that a source leads to, without reading more than their first bytes.

        Raises
        ------
        DataError
            There is none, or a store, server or file cannot be reached.
        UsageError
            The address, the connection or the sheet says too little, or more than may stand there.
        """
        if source.connection is not None:
            return (self._answer(table, source, source.connection),)
        local: list[str] = []
        gathered: list[Piece] = []
        for path in source.path:
            kind = address.scheme(path)
            if kind is None:
                local.append(path)
                continue
            address.check_address(path)
            pieces = _web(path) if kind in address.WEB else _stored(path)
            gathered += [self._remote(table, source, piece) for piece in pieces]
        lying = find(local)
        self.not_read[table] = lying.not_read
        here = [Piece(name=str(path), key=str(path), path=path) for path in lying.files]
        gathered += [self._inside(table, source, piece) for piece in here]
        unique = {piece.key: piece for piece in gathered}
        return tuple(sorted(unique.values(), key=lambda piece: piece.name))

    def land(self, pieces: Mapping[str, tuple[Piece, ...]], sources: Mapping[str, Source]) -> Landed:
        """Make the files of sources' pieces.

        Raises
        ------
        DataError
            A store, server, database or workbook cannot be read.
        """
        away = {name: some for name, some in pieces.items() if any(piece.write is not None for piece in some)}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            remote = {piece.key: piece for some in away.values() for piece in some if piece.write is not None}
            paths = dict(zip(remote, pool.map(self.file, remote.values()), strict=True))
        files = {name: tuple(piece.path or paths[piece.key] for piece in some) for name, some in away.items()}
        known = {name: self._with_lookups(name, source) for name, source in sources.items()}
        return Landed(sources=known, files=files, names=dict(self.names))

    def _with_lookups(self, table: str, source: Source) -> Source:
        """Bring the second exports that a source looks things up in; they are small, and read whole."""
        brought: dict[str, tuple[str, ...]] = {}
        for name, paths in source.lookups.items():
            pieces = self.pieces(f"{table} {name}", Source(path=paths, timezone=source.timezone))
            away = any(piece.write is not None for piece in pieces)
            brought[name] = tuple(str(self.file(piece)) for piece in pieces) if away else paths
        return replace(source, lookups=brought)

    def file(self, piece: Piece) -> Path:
        """Give a piece's file, made if it is not there."""
        if piece.write is None:
            return piece.path or Path(piece.name)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / hashlib.sha256(piece.key.encode()).hexdigest()[:24]
        if not path.exists():
            part = path.with_suffix(f".{get_ident()}")
            try:
                piece.write(part)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
        self.names[path] = piece.name
        return path

    def mark(self, piece: Piece) -> str:
        """Tell a piece's content, by what its place says of it, else by reading it."""
        return piece.mark if piece.mark is not None else fingerprint(self.file(piece))

    def _answer(self, table: str, source: Source, variable: str) -> Piece:
        from pqlkit.exports.sources import postgres
        from pqlkit.exports.sources.statement import statement

        server = postgres.server(variable)
        self._check_new(table, source, server.name)
        asked = statement(source, (), server.name, since=self.since.get(table), limit=self.limit)
        name = f"{server.name}!{asked.label}"
        return Piece(
            name=name,
            key=f"{name}\n{asked.zone}\n{asked.text}",
            write=lambda target: postgres.export(server, asked, target, name),
            lasting=False,
        )

    def _inside(self, table: str, source: Source, piece: Piece) -> Piece:
        """Snapshot into a file that is here: of a workbook or a database, the piece is what is asked of it."""
        path = piece.path or self.file(piece)
        head = _head(path)
        if workbook.is_workbook(path, head):
            return self._sheet(source, piece, path)
        if head.startswith(SQLITE) or head[8:12] == DUCKDB:
            return self._table(table, source, piece, path, head)
        for key, value in _asked(source):
            if value is not None:
                kinds = "a workbook" if key == "sheet" else "a database"
                raise UsageError(f"this is not {kinds}, and {key}: is for one", where=piece.name, hint=f"drop {key}:")
        return piece

    def _remote(self, table: str, source: Source, piece: Piece) -> Piece:
        """Make a piece of a file that is elsewhere: it is looked into when it is here."""
        asked = [str(value) for _, value in _asked(source)]
        sheet = source.sheet or source.table or ("query" if source.query is not None else None)
        when = (self.since.get(table), self.limit, source.timezone)
        return Piece(
            name=piece.name if sheet is None else f"{piece.name}!{sheet}",
            key="\n".join((piece.key, *asked, *map(str, when))),
            write=lambda target: self._unwrapped(table, source, piece, target),
            mark=_hashed(piece.mark, *asked) if piece.mark is not None else None,
        )

    def _unwrapped(self, table: str, source: Source, piece: Piece, target: Path) -> None:
        path = self.file(piece)
        inner = self._inside(table, source, Piece(name=piece.name, key=piece.key, path=path))
        if inner.write is not None:
            inner.write(target)
        else:
            target.hardlink_to(path)

    def _sheet(self, source: Source, piece: Piece, path: Path) -> Piece:
        _forbid(source, piece, "a workbook", "table", "query")
        return Piece(
            name=piece.name if source.sheet is None else f"{piece.name}!{source.sheet}",
            key=f"{piece.key}!{source.sheet}",
            write=lambda target: workbook.export(path, source.sheet, target, piece.name),
            mark=_hashed(fingerprint(path), source.sheet or ""),
        )

    def _table(self, table: str, source: Source, piece: Piece, path: Path, head: bytes) -> Piece:
        from pqlkit.exports.sources import duckdb_file, sqlite
        from pqlkit.exports.sources.statement import statement

        _forbid(source, piece, "a database", "sheet")
        self._check_new(table, source, piece.name)
        kind = sqlite if head.startswith(SQLITE) else duckdb_file
        known = kind.tables(path, piece.name) if source.table is None and source.query is None else ()
        asked = statement(source, known, piece.name, since=self.since.get(table), limit=self.limit)
        name = f"{piece.name}!{asked.label}"
        return Piece(
            name=name,
            key=f"{piece.key}\n{asked.zone}\n{asked.text}",
            write=lambda target: kind.export(path, asked, target, name),
            lasting=False,
        )

    def _check_new(self, table: str, source: Source, where: str) -> None:
        """Refuse a query for events that would give rows loaded before once more; other tables hold each row once."""
        from pqlkit.exports.sources.statement import SINCE

        if table == EVENTS and table in self.since and SINCE not in (source.query or ""):
            raise UsageError(
                "--append would read all events of the database again",
                where=where,
                hint=f'ask for the new ones: query: "select ... where ts > {SINCE}"',
            )


def _asked(source: Source) -> tuple[tuple[str, str | None], ...]:
    return (("sheet", source.sheet), ("table", source.table), ("query", source.query))


def _stored(path: str) -> list[Piece]:
    from pqlkit.exports.sources.stores import Store

    store = Store(path)
    return [
        Piece(
            name=f"{store.root}/{stored.key}",
            key=f"{store.root}/{stored.key}\n{stored.tag}\n{stored.size}",
            write=partial(store.fetch, stored),
            mark=_hashed(store.root, stored.key, stored.tag, str(stored.size)) if stored.tag is not None else None,
        )
        for stored in store.found(path)
    ]


def _web(path: str) -> list[Piece]:
    from pqlkit.exports.sources import web

    remote, name = web.snapshot(path), address.shown(path)
    known = remote.tag is not None and remote.size is not None
    mark = _hashed(name, remote.tag or "", str(remote.size)) if known else None
    return [Piece(name=name, key=f"{path}\n{remote.tag}\n{remote.size}", write=partial(web.fetch, path), mark=mark)]


def _forbid(source: Source, piece: Piece, kind: str, *keys: str) -> None:
    for key in keys:
        if getattr(source, key) is not None:
            raise UsageError(f"this is {kind}, and {key}: is not for one", where=piece.name, hint=f"drop {key}:")


def _hashed(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(16)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", where=str(path)) from error
