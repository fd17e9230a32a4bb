"""Files: output that appears whole or not at all.

Everything pqlkit writes goes through `whole`: a temporary file beside the target, fsync, rename, fsync of the folder. A
crash or a full disk leaves the old file, or none. What a killed run leaves beside a file goes with the next run that writes it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pqlkit.errors import OutputError
from pqlkit.locks import held, taken
from pqlkit.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PRIVATE: Final = 0o600
"""The mode of a new file that holds personal data: its owner's alone."""

_PART: Final = ".part"
_DRAWN: Final = re.compile(r"\.[a-z0-9_]{8}\.part")
"""How `tempfile` and `whole` together end a temporary name."""


@contextmanager
def whole(target: Path | str, *, mode: int | None = None, replace: bool = True) -> Iterator[Path]:
    """Give a temporary path beside `target`; when the block ends well, it becomes `target` in one step.

    Parameters
    ----------
    target
        The file to make or replace. Its folder is made if missing. A symbolic link is written through. A device or a pipe
        is never replaced: the block's file is copied into it.
    mode
        Of a new file; None = as the umask says. A file that is there keeps its own.
    replace
        False: a file that is there when the block ends stays as it is.

    Yields
    ------
    Path
        An empty file to fill. On any exception it is removed and `target` stays as it was.

    Raises
    ------
    OutputError
        The folder cannot be written, the disk is full, or `target` is a directory, a socket or a disk.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with whole(folder / "leads.csv") as path:
    ...     _ = path.write_text("user_id")
    >>> (folder / "leads.csv").read_text()
    'user_id'
    """
    target = Path(target)
    try:
        writing = _into(target) if is_special(target) else _beside(Path(os.path.realpath(target)), mode, replace)
        with writing as temporary:
            yield temporary
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error


@contextmanager
def _beside(target: Path, mode: int | None, replace: bool) -> Iterator[Path]:
    if target.is_dir():
        raise OutputError(f"{target} is a directory, not a file", hint="name a file in it")
    # Who may read the file may enter a folder that is made for it, and nobody else.
    target.parent.mkdir(0o777 if mode is None else mode | (mode & 0o444) >> 2, parents=True, exist_ok=True)
    sweep(target)
    there = (target.stat().st_mode & 0o777) if target.exists() else None
    temporary, handle = _drawn(target)
    try:
        temporary.chmod(_masked(mode) if there is None else there)
        yield temporary
        sync(temporary)
        if replace or not _linked(temporary, target):
            temporary.replace(target)
        # The file is in its place: that a power cut may yet take it back is no failure to write it.
        with contextlib.suppress(OSError):
            sync(target.parent)
    finally:
        _forget(temporary)
        os.close(handle)


def _linked(temporary: Path, target: Path) -> bool:
    """Give a file its name if nobody has it; tell whether the name is taken now."""
    try:
        target.hardlink_to(temporary)
    except FileExistsError:
        return True
    except OSError:  # a file system without links
        return target.exists()
    return True


def _drawn(target: Path) -> tuple[Path, int]:
    """Make a temporary file beside the target and lock it, so that another run can tell it from a killed one's."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:80]}.", suffix=_PART, dir=target.parent)
        if held(handle, Path(name)):
            return Path(name), handle
        os.close(handle)


def _masked(mode: int | None) -> int:
    current = os.umask(0)
    os.umask(current)
    return (0o666 if mode is None else mode) & ~current


@contextmanager
def _into(target: Path) -> Iterator[Path]:
    kind = target.stat().st_mode
    if stat.S_ISBLK(kind) or stat.S_ISSOCK(kind):
        raise OutputError(f"{target} is a {'disk' if stat.S_ISBLK(kind) else 'socket'}, not a file", hint="name a file")
    with scratch() as folder:
        temporary = folder / "output"
        temporary.touch(PRIVATE)
        yield temporary
        with temporary.open("rb") as source, target.open("ab") as sink:
            shutil.copyfileobj(source, sink)


def is_special(target: Path) -> bool:
    """Tell whether a path leads to what is neither a file nor a folder, or is where this process's own output goes.

    ``/dev/stdout`` is a file where the shell sent it into one; a rename would take the file from under the shell.
    """
    try:
        there = target.stat()
    except OSError:
        return False
    if not stat.S_ISREG(there.st_mode):
        return not stat.S_ISDIR(there.st_mode)
    return any(os.path.samestat(there, stream) for stream in _streams())


def _streams() -> Iterator[os.stat_result]:
    for number in (1, 2):
        with contextlib.suppress(OSError):
            yield os.fstat(number)


def write_text(target: Path | str, text: str, *, mode: int | None = None) -> None:
    r"""Write `text` as UTF-8 with ``\n`` line ends, whole or not at all; `mode` as for `whole`."""
    with whole(target, mode=mode) as path:
        path.write_bytes(text.encode())


@contextmanager
def together(targets: Sequence[Path]) -> Iterator[None]:
    """Take files back that the block put in place, should it fail: each is as it was before, or gone.

    Raises
    ------
    OutputError
        One of them cannot be kept; or, after a failure, cannot be taken back, and the message says which.
    """
    with contextlib.ExitStack() as stack:
        kept = {target: _kept(target, stack) for target in targets if not is_special(target)}
        try:
            yield
        except BaseException as failure:
            _take_back(kept, failure)
            raise


def _kept(target: Path, stack: contextlib.ExitStack) -> Path | None:
    """Keep a file under a second name until the stack ends; None where there is none to keep."""
    place = Path(os.path.realpath(target))
    if not place.is_file():
        return None
    try:
        sweep(place)
        second, handle = _drawn(place)
        stack.callback(os.close, handle)
        stack.callback(_forget, second)
        second.unlink()
        try:
            second.hardlink_to(place)
        except OSError:  # a file system without links
            shutil.copy2(place, second)
        # Locked under this name, too: `whole` sweeps when it writes the new file.
        handle = os.open(second, os.O_RDONLY)
        stack.callback(os.close, handle)
        held(handle, second)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}") from error
    return second


def _forget(left: Path) -> None:
    with contextlib.suppress(OSError):
        left.unlink(missing_ok=True)


def _take_back(kept: dict[Path, Path | None], failure: BaseException) -> None:
    standing = []
    for target, old in kept.items():
        try:
            place = Path(os.path.realpath(target))
            if old is None:
                place.unlink(missing_ok=True)
            else:
                old.replace(place)
        except OSError:
            standing.append(str(target))
    if standing:
        message = f"{failure}; and {', '.join(standing)} could not be taken back: what stands there is new"
        raise OutputError(message, hint="run again when the disk is well: that writes what belongs there") from failure


def sweep(target: Path, *, start: str | None = None) -> None:
    """Remove the temporary files that killed runs left beside a file; what another run is writing stays.

    Parameters
    ----------
    target
        The file.
    start
        How the names of all files that are meant begin; None = the file's own.
    """
    prefix = f".{target.name[:80]}" if start is None else f".{start[:80]}"
    with contextlib.suppress(OSError):
        for left in target.parent.iterdir():
            if left.name.startswith(prefix) and _DRAWN.fullmatch(left.name[-14:]):
                _remove_dead(left)


def _remove_dead(left: Path) -> None:
    handle = taken(left)
    if handle is not None:
        try:
            left.unlink(missing_ok=True)
        finally:
            os.close(handle)


def sync(path: Path) -> None:
    """Make what was written to `path` (a file or a folder) survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
