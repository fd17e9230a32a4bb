"""The publishing of a folder: one writer, and a new state that is put in force in one step, whatever the files are.

A folder is in the state that its manifest says, and knows nothing of what the manifest means. A writer

1. holds the folder's lock, which dies with its process;
2. prepares files in a workplace of its own inside the folder, each named by its content;
3. writes down what it is about to do, moves the files in, and puts the manifest in force by a rename;
4. says which files are in force no more. A later writer removes them when they have been out of force for `GRACE`: whoever
   read the manifest before keeps a whole old state.

A writer that is killed before the manifest is undone by the next one, one that is killed after it is ended by the next one. Only
files that a writer put there itself, and wrote down, are ever removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pqlkit.durations import HOUR
from pqlkit.errors import OutputError, PqlkitError, UsageError
from pqlkit.exports.manifest import PLACE
from pqlkit.files import sync, write_text
from pqlkit.locks import is_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pqlkit.typing import Microseconds

GRACE: Final[Microseconds] = 6 * HOUR
"""How long files that are in force no more stay for those who still read them."""

_LOCK: Final = "lock"
_STATE: Final = "state.json"
_WORK: Final = "work"
_LATER: Final = "later"


@dataclass(slots=True, kw_only=True)
class _Coming:
    """A change that is under way.

    `manifest` is the SHA-256 of its manifest, `place` are the files that it puts into the folder, `files` those that its
    manifest names, and `beside` says where the files with fixed names wait (None: to be removed).
    """

    manifest: str
    place: list[str]
    files: list[str]
    beside: dict[str, str | None]


@dataclass(slots=True)
class _State:
    """What the writers know of a folder.

    `files` are all that they put there: None = in force, else since when not. `coming` is a change that is under way.
    """

    files: dict[str, int | None] = field(default_factory=dict)
    coming: _Coming | None = None


@dataclass(slots=True, eq=False)
class Writer:
    """The one who holds a folder's lock; see `writing`.

    Parameters
    ----------
    folder
        What is published.
    manifest
        The manifest's name in it.
    work
        An empty folder for whatever is prepared; gone when the writer ends.
    """

    folder: Path
    manifest: str
    work: Path
    _state: _State
    _staged: dict[str, Path] = field(default_factory=dict)

    def stage(self, path: Path, name: str) -> str:
        """Take a file that is to be published, and give its name in the folder.

        Parameters
        ----------
        path
            In `work`; it is moved.
        name
            Like ``events/00001``: a hash of the content and the file's suffix follow it.
        """
        with path.open("rb") as stream:
            content = file_digest(stream, "sha256").hexdigest()[:16]
        named = f"{name}-{content}{path.suffix}"
        staged = self.work / "staged" / named
        staged.parent.mkdir(parents=True, exist_ok=True)
        path.chmod(_mode(self.folder) & 0o666)
        path.replace(staged)
        sync(staged)
        self._staged[named] = staged
        return named

    def path(self, name: str) -> Path:
        """Say where a file of the folder is, published or staged."""
        return self._staged.get(name, self.folder / name)

    def publish(self, manifest: str, files: Iterable[str], *, beside: Mapping[str, Path | None]) -> None:
        """Put a manifest in force: all of it or nothing.

        Parameters
        ----------
        manifest
            Its text.
        files
            Those that it names: staged, or in the folder already.
        beside
            Files with fixed names that go with this manifest: what they become (in `work`), or None to remove them.

        Raises
        ------
        OutputError
            The system refused: the old state is in force; or the new one is, and the message says so.
        """
        named = set(files)
        moved = {name: path for name, path in self._staged.items() if name in named}
        try:
            self._state.coming = coming = _Coming(
                manifest=sha256(manifest.encode()).hexdigest(),
                place=sorted(name for name in moved if name not in self._state.files and not self._has(name)),
                files=sorted(named),
                beside={name: self._later(name, path) for name, path in beside.items()},
            )
            _write(self.folder, self._state)
            for name, path in sorted(moved.items()):
                target = self.folder / name
                target.parent.mkdir(mode=_mode(self.folder), exist_ok=True)
                path.replace(target)
            for parent in sorted({(self.folder / name).parent for name in moved}):
                sync(parent)
            write_text(self.folder / self.manifest, manifest, mode=_mode(self.folder) & 0o666)
        except BaseException:
            with contextlib.suppress(OSError, OutputError):  # where even that fails, the next writer does it
                _repair(self.folder, self.manifest, self._state)
            raise
        try:
            _settle(self.folder, self._state, coming)
        except (OSError, OutputError) as error:
            raise OutputError(
                f"{self.folder} is the new dataset, whole, but clearing up failed: {error}",
                hint="load it again: that ends it",
            ) from error

    def adopt(self, files: Iterable[str]) -> None:
        """Take as published by a writer what the manifest in force names: once out of force, it goes like the rest."""
        for name in files:
            self._state.files.setdefault(name, None)

    def _has(self, name: str) -> bool:
        return (self.folder / name).exists()

    def _later(self, name: str, path: Path | None) -> str | None:
        """Put what a file with a fixed name becomes where it outlives this process; give its name there."""
        if path is None or not path.exists():
            return None
        kept = self.folder / PLACE / f"{_LATER}-{name}"
        path.chmod(_mode(self.folder) & 0o666)
        sync(path)
        path.replace(kept)
        return kept.name


@contextmanager
def writing(folder: Path, manifest: str) -> Iterator[Writer]:
    """Be the one writer of a folder until the block ends; it is made if missing.

    Parameters
    ----------
    folder
        New, empty, or published before. What a killed writer left there is put in order first.
    manifest
        The manifest's name.

    Raises
    ------
    UsageError
        Another process is writing it.
    OutputError
        The folder holds something else, or cannot be written.
    """
    _check(folder, manifest)
    fresh = not folder.exists()
    if fresh:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    with _locked(folder):
        try:
            state = _read(folder)
            _repair(folder, manifest, state)
            work = folder / PLACE / _WORK
            work.mkdir(mode=0o700)
            yield Writer(folder=folder, manifest=manifest, work=work, _state=state)
        finally:
            _leave(folder, manifest, fresh=fresh)


@contextmanager
def standing(folder: Path) -> Iterator[None]:
    """Say with whatever fails in the block that the folder is in its new state all the same."""
    try:
        yield
    except PqlkitError as error:
        error.message += f"; {folder} is the new dataset, whole: that failed afterwards"
        raise


def _check(folder: Path, manifest: str) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file, not a folder", hint="name a folder")
    if folder.is_dir() and not (folder / manifest).exists() and not (folder / PLACE).exists():
        others = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
        if others:
            hint = "name an empty or a new folder"
            raise OutputError(f"{folder} holds other files ({others[0]}), not a dataset", hint=hint)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = folder / PLACE / _LOCK
    handle = _opened(lock)
    try:
        os.ftruncate(handle, 0)
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()} since {now}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def _opened(lock: Path) -> int:
    while True:
        try:
            lock.parent.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # a first load that failed took the folder away
            lock.parent.parent.mkdir(mode=0o700, exist_ok=True)
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 300, 0).decode(errors="replace").strip()
            os.close(handle)
            raise UsageError(
                f"another run is writing {lock.parent.parent}: {holder or 'it has just begun'}",
                hint="wait until it ends; a run that was killed holds no lock",
            ) from None
        except OSError:
            os.close(handle)
            raise
        if is_at(handle, lock):
            return handle
        os.close(handle)


def _leave(folder: Path, manifest: str, *, fresh: bool) -> None:
    """Remove the workplace; of a first publishing that came to nothing, all of it."""
    place = folder / PLACE
    shutil.rmtree(place / _WORK, ignore_errors=True)
    if not (folder / manifest).exists() and _read(folder).coming is None:
        shutil.rmtree(place, ignore_errors=True)
        with contextlib.suppress(OSError):
            if fresh:
                folder.rmdir()


def _repair(folder: Path, manifest: str, state: _State) -> None:
    """End what a writer began whose manifest is in force; undo what one began whose manifest is not."""
    shutil.rmtree(folder / PLACE / _WORK, ignore_errors=True)
    if state.coming is not None and _digest(folder / manifest) == state.coming.manifest:
        _settle(folder, state, state.coming)
    elif state.coming is not None:
        for name in state.coming.place:
            _remove(folder, name)
        state.coming = None
        if (folder / manifest).exists():
            _write(folder, state)
        else:
            (folder / PLACE / _STATE).unlink(missing_ok=True)
    for left in (folder / PLACE).glob(f"{_LATER}-*"):
        left.unlink(missing_ok=True)


def _settle(folder: Path, state: _State, coming: _Coming) -> None:
    """Put beside the new manifest what goes with it, and note which files are in force no more."""
    for name, kept in coming.beside.items():
        if kept is None:
            (folder / name).unlink(missing_ok=True)
        elif (folder / PLACE / kept).exists():
            (folder / PLACE / kept).replace(folder / name)
    now = time.time_ns() // 1000
    named = set(coming.files)
    for name in {*state.files, *named}:
        # A clock that was set back does not make a file older.
        state.files[name] = None if name in named else min(state.files.get(name) or now, now)
    for name, since in list(state.files.items()):
        if since is not None and since <= now - GRACE:
            _remove(folder, name)
            del state.files[name]
    state.coming = None
    _write(folder, state)


def _remove(folder: Path, name: str) -> None:
    (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        if (folder / name).parent != folder:
            (folder / name).parent.rmdir()


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _mode(folder: Path) -> int:
    """Give the folder's own mode: who may read the folder may read what is put there."""
    return folder.stat().st_mode & 0o777


def _read(folder: Path) -> _State:
    """Read what the writers know; where that is missing, damaged or names files outside, they know of no file and remove none."""
    from pydantic import TypeAdapter  # the commands that only read a dataset do without it

    try:
        state = TypeAdapter(_State).validate_json((folder / PLACE / _STATE).read_bytes(), strict=True)
    except (FileNotFoundError, ValueError):
        return _State()
    coming = state.coming
    named = list(state.files) if coming is None else [*state.files, *coming.place, *coming.files, *coming.beside]
    kept = [] if coming is None else [name for name in coming.beside.values() if name is not None]
    return state if all(_is_inside(name) for name in [*named, *kept]) else _State()


def _is_inside(name: str) -> bool:
    """Say whether a name leads to a file of the folder: what climbs out of it was not written here."""
    path = PurePosixPath(name)
    return name.isprintable() and bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _write(folder: Path, state: _State) -> None:
    coming = None if state.coming is None else asdict(state.coming)
    data = {"files": dict(sorted(state.files.items())), "coming": coming}
    write_text(folder / PLACE / _STATE, json.dumps(data, indent=1, ensure_ascii=False) + "\n", mode=0o600)
