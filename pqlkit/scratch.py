"""Scratch: temporary folders that belong to one user, and are removed when their process ends.

A run that is killed cannot remove its own; the next run of the same user does.
"""

from __future__ import annotations

import atexit
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

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX: Final = "pqlkit-scratch-"
_OURS: Final = re.compile(PREFIX + r"[a-z0-9_]{8}")


@contextmanager
def scratch() -> Iterator[Path]:
    """Give an empty folder below ``TMPDIR``; it goes at the end of the block.

    Raises
    ------
    OutputError
        None can be made.
    """
    try:
        _sweep(Path(tempfile.gettempdir()))
        folder, handle = _made()
    except OSError as error:
        raise OutputError(
            f"cannot make a temporary folder: {error.strerror or error}",
            hint="name another place for temporary files: TMPDIR=/path",
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def lasting_scratch() -> Path:
    """Give a folder as `scratch` does, which goes when the process ends."""
    stack = contextlib.ExitStack()
    folder = stack.enter_context(scratch())
    atexit.register(stack.close)
    return folder


def _made() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        with contextlib.suppress(FileNotFoundError):  # another run took it for a killed one's
            handle = os.open(folder, os.O_RDONLY)
            if held(handle, folder):
                return folder, handle
            os.close(handle)


def _sweep(place: Path) -> None:
    """Remove the folders that killed runs of this user left."""
    with contextlib.suppress(OSError):
        for folder in place.iterdir():
            if _OURS.fullmatch(folder.name) and _private(folder):
                _remove_dead(folder)


def _private(folder: Path) -> bool:
    there = folder.lstat()
    return stat.S_ISDIR(there.st_mode) and there.st_mode & 0o077 == 0 and there.st_uid == os.getuid()


def _remove_dead(folder: Path) -> None:
    handle = taken(folder)
    if handle is not None:
        try:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(handle)
